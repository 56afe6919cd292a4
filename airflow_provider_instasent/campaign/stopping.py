# SPDX-License-Identifier: Apache-2.0
"""End a try soon after somebody asked for it, wherever it is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_instasent.journal.errors import StoppedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

_TICK = 0.25


def until_stopped(rows: Iterable[T], stop: threading.Event) -> Iterator[T]:
    """Yield rows to plan until somebody asks for an end.

    :param rows: the rows
    :param stop: set to ask for it
    :raises StoppedError: once it is set
    """
    for row in rows:
        if stop.is_set():
            raise StoppedError("the task was asked to stop while planning; this try has made no request")
        yield row


def sleep_until_stopped(seconds: float, stop: threading.Event) -> None:
    """Wait, or until somebody asks for an end.

    :param seconds: how long
    :param stop: set to ask for it
    :raises StoppedError: once it is set
    """
    # Not `Event.wait`: a signal handler on this thread may set the event, and both take its lock.
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if stop.is_set():
            raise StoppedError("the task was asked to stop while it waited; the next try goes on from the journal")
        time.sleep(min(left, _TICK))
