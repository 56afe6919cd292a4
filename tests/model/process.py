# SPDX-License-Identifier: Apache-2.0
"""The process in which a try runs: at any write or request it may die, or stand still while a later try runs."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.habits import End


class Crash(BaseException):
    """Nothing more happens in this process, as after a SIGKILL."""


class SupersededError(RuntimeError):
    """Airflow refuses the writes of a try after which another one was started."""


class StoreAwayError(OSError):
    """The place of the journal cannot be reached, or its answer got lost."""


class Process:
    """One try's process.

    :param end: at which write it ends, or None
    :ivar dead: nothing more of it is written or sent
    :ivar asked_to_stop: what a signal does
    """

    def __init__(self, end: End | None = None) -> None:
        self._end = end
        self._writes = 0
        self._signs: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._released = threading.Event()
        self.dead = False
        self.asked_to_stop: Callable[[], object] = lambda: None

    def check(self) -> None:
        if self.dead:
            raise Crash

    def die(self) -> None:
        self.dead = True

    def hang(self) -> None:
        """Stand still until released."""
        self._signs.put("hangs")
        self._released.wait()

    def write(self, keep: Callable[[], object]) -> None:
        """Write something durably, or end before or after it."""
        self.check()
        self._writes += 1
        end = self._end if self._end is not None and self._end.write == self._writes else None
        if end is not None and not end.durable:
            self._end_here(end)
        keep()
        if end is not None and end.durable:
            self._end_here(end)

    def _end_here(self, end: End) -> None:
        if end.how == "hangs":
            self.hang()
        elif end.how == "stops":
            self.asked_to_stop()
        elif end.how == "fails":
            raise StoreAwayError
        else:
            self.die()
            raise Crash

    # For the other side: who runs the try on a thread and waits until it stands still.

    def ended(self) -> None:
        self._signs.put("ended")

    def wait(self) -> bool:
        """Wait until it stands still or has ended; return whether it stands still."""
        return self._signs.get(timeout=300) == "hangs"

    def release(self) -> None:
        self._released.set()
