# SPDX-License-Identifier: Apache-2.0
"""How many reads a minute the waits of one account make together. No sockets, no sleeping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_instasent.api.parameter_checks import whole

if TYPE_CHECKING:
    from collections.abc import Callable

POLLS_PER_MINUTE = 300
"""Reads a minute before any answer has told the limit: a quarter of the documented example."""

SHARE_OF_LIMIT = 4
"""The waits take one in so many of the requests that the limit allows: sends, and other workers, need the others."""

SENDS_RESERVE = 0.1
"""The share of each window that waits leave to others, whatever they were allowed."""


class PollBudget:
    """Spaces the reads of one account evenly, whatever they are for.

    :param clock: unix seconds
    :param per_minute: the most reads a minute, as the connection says; None for a quarter of the limit
    :raises ValueError: where that is not a whole number, 1 or more
    """

    def __init__(self, clock: Callable[[], float], per_minute: int | None = None) -> None:
        self._clock = clock
        self._per_minute = None if per_minute is None else whole("max_polls_per_minute", per_minute)
        self._asked: dict[object, int] = {}
        self._limit: int | None = None
        self._next = 0.0

    @property
    def interval(self) -> float:
        """The seconds between two reads."""
        return 60.0 / self.per_minute

    @property
    def per_minute(self) -> int:
        """The most reads a minute: the lowest that anybody asks for, else a quarter of the limit."""
        asked = [*self._asked.values(), *([] if self._per_minute is None else [self._per_minute])]
        if asked:
            return min(asked)
        return POLLS_PER_MINUTE if self._limit is None else max(1, self._limit // SHARE_OF_LIMIT)

    def ask(self, asker: object, per_minute: int | None) -> None:
        """Take in the most reads a minute that the waits of one reader ask for.

        :param asker: the reader
        :param per_minute: None where they ask for none
        """
        self._asked.pop(asker, None)
        if per_minute is not None:
            self._asked[asker] = per_minute

    def learn(self, limit: int | None) -> None:
        """Take in the limit that an answer told, in requests a minute (confirmed: per endpoint and minute)."""
        if limit is not None and limit > 0:
            self._limit = limit

    def delay(self) -> float:
        """Return the seconds until the next read may leave, 0 for now."""
        return max(0.0, self._next - self._clock())

    def leave(self) -> None:
        """Count a read as leaving now."""
        self._next = max(self._clock(), self._next) + self.interval
