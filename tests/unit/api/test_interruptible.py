# SPDX-License-Identifier: Apache-2.0
"""A call that may take long is given up as soon as somebody asks to end."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_instasent.api.interruptible import interruptible


class Stop(BaseException):
    """What asks a task to end."""


def test_it_returns_what_the_call_returns_and_raises_what_it_raises():
    assert interruptible(lambda: 42, lambda: None) == 42
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 / 0, lambda: None)


def test_it_ends_with_what_the_check_raises_while_the_call_goes_on():
    never = threading.Event()
    checks = []

    def check():
        checks.append(None)
        if len(checks) == 2:
            raise Stop

    with pytest.raises(Stop):
        interruptible(never.wait, check)
    assert len(checks) == 2
    never.set()


def test_the_call_runs_on_a_thread_that_keeps_no_process_alive():
    seen = interruptible(threading.current_thread, lambda: None)
    assert seen.daemon
    assert seen is not threading.current_thread()
