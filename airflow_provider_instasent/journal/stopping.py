# SPDX-License-Identifier: Apache-2.0
"""How a try ends early: soon after somebody asked for it, wherever it is, and with time to record what it learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from airflow_provider_instasent.api.interruptible import sleep
from airflow_provider_instasent.journal.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")

RECORDING_SECONDS = 3.0
"""Seconds that what is in flight or queued for the journal gets to be recorded when a try ends."""

RECORDING_SECONDS_AFTER_ERROR = 1.0
"""The same for the journal's queue after an error: the sender has waited for its records before that."""


class Stop:
    """Whether a try is to end soon; any thread may ask, and a signal handler may set it.

    :param within: a wider one that ends this too
    """

    def __init__(self, within: Stop | None = None) -> None:
        # A plain flag that is looked at, not an event that is waited for: a signal handler sets it on a thread that
        # may hold the event's lock.
        self._is_set = False
        self._within = within

    def set(self) -> None:
        """Ask for an end."""
        self._is_set = True

    def is_set(self) -> bool:
        """Tell whether somebody asked for an end."""
        return self._is_set or (self._within is not None and self._within.is_set())

    def check(self, meaning: str = "what is not sent yet goes out in the next try") -> None:
        """Raise where somebody asked for an end.

        :param meaning: what it means that the try ends here
        :raises StoppedError: where it is set
        """
        if self.is_set():
            raise StoppedError(f"the task was asked to stop; {meaning}")

    def sleep(self, seconds: float) -> None:
        """Wait, or until somebody asks for an end.

        :param seconds: how long
        :raises StoppedError: once it is set
        """
        sleep(seconds, lambda: self.check("it was waiting, and the next try goes on from the journal"))

    def until_set(self, rows: Iterable[T]) -> Iterator[T]:
        """Yield rows to plan until somebody asks for an end.

        :raises StoppedError: once it is set
        """
        for row in rows:
            self.check("it was planning, and this try has made no request")
            yield row
