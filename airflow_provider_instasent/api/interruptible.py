# SPDX-License-Identifier: Apache-2.0
"""Waiting in a way that can be asked to end: for some seconds, or for a call on a thread of its own."""

from __future__ import annotations

import time
from concurrent.futures import wait
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_instasent.api.daemon_workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

TICK = 0.25
"""Seconds after which a wait looks whether it was asked to end."""


def sleep(seconds: float, check: Callable[[], object]) -> None:
    """Wait some seconds, or until `check` raises.

    :param seconds: how long
    :param check: called at least four times a second, before and after the wait too; what it raises ends it
    """
    until = time.monotonic() + seconds
    check()
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, TICK))
        check()


def interruptible(call: Callable[[], T], check: Callable[[], object]) -> T:
    """Call something and return its result; give up waiting for it where `check` raises.

    :param call: may take long
    :param check: called at least four times a second; what it raises ends the wait
    """
    workers = Workers(1, "instasent-read")
    try:
        future = workers.submit(call)
        while not wait([future], timeout=TICK).done:
            check()
        result: T = future.result()
        return result
    finally:
        workers.close(0.0)
