# SPDX-License-Identifier: Apache-2.0
"""Calls on a few threads that never keep a process from ending."""

from __future__ import annotations

import threading

import pytest

from airflow_provider_instasent.api.daemon_workers import Workers


def test_calls_run_side_by_side_as_many_as_there_are_threads():
    workers = Workers(3, "test")
    together = threading.Barrier(3, timeout=30)
    assert sorted(one.result(30) for one in [workers.submit(together.wait) for _ in range(3)]) == [0, 1, 2]
    thread = workers.submit(threading.current_thread).result(30)
    assert thread.daemon
    assert thread.name.startswith("test-")
    workers.close(30)
    assert not thread.is_alive()


class Stop(BaseException):
    """No `Exception`, as what ends a process."""


@pytest.mark.parametrize("error", [ValueError, Stop])
def test_what_a_call_raises_is_its_futures_and_the_thread_lives_on(error):
    def fail():
        raise error

    workers = Workers(1, "test")
    failed, done = workers.submit(fail), workers.submit(lambda: "done")
    assert done.result(30) == "done"
    with pytest.raises(error):
        failed.result(0)
    workers.close(30)


def test_closing_waits_for_what_was_submitted_and_no_longer_than_it_is_told_to():
    workers, goes_on = Workers(1, "test"), threading.Event()
    stuck, behind = workers.submit(goes_on.wait), workers.submit(lambda: 1)
    workers.close(0.0)
    assert not stuck.done()
    goes_on.set()
    assert behind.result(30) == 1
