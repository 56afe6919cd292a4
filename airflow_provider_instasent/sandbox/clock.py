# SPDX-License-Identifier: Apache-2.0
"""The server's clock: steady for durations, skewable for what clients are told, and stopped and moved by tests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache

_LOOK = 0.005
"""Seconds after which those who wait for a stopped clock look at it again."""


class Clock:
    """Seconds since the start, which only move forward, and the wall-clock time that belongs to them."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._wall_start = time.time()
        self._advanced = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        """Seconds since the start, including what :meth:`advance` added."""
        running = time.monotonic() - self._start if self._stopped_at is None else self._stopped_at
        return running + self._advanced

    def stop(self) -> None:
        """Stand still from now on: only :meth:`advance` moves it, so that no test need race it."""
        if self._stopped_at is None:
            self._stopped_at = time.monotonic() - self._start

    async def wait_until(self, moment: float) -> None:
        """Wait until it shows a moment, which somebody has to advance it to where it is stopped.

        :param moment: seconds since the start
        """
        while (left := moment - self.now()) > 0:  # noqa: ASYNC110 - other threads move it
            await asyncio.sleep(left if self._stopped_at is None else _LOOK)

    def advance(self, seconds: float) -> None:
        """Move the clock forward, so that a test need not wait 48 hours for an ``expired``.

        :param seconds: how far, in seconds; not negative
        :raises ValueError: for a negative number, since statuses never move back
        """
        if seconds < 0:
            raise ValueError("the sandbox's clock only moves forward: advance by 0 seconds or more")
        self._advanced += seconds

    def wall(self, moment: float, skew: float) -> float:
        """Unix time of a moment of :meth:`now`, as this server believes it to be.

        :param moment: seconds since the start
        :param skew: how far the server's clock is off, in seconds
        """
        return self._wall_start + moment + skew


def http_date(unix_seconds: float) -> str:
    """The form of the ``Date`` header (RFC 9110).

    :param unix_seconds: unix time in seconds
    """
    return formatdate(unix_seconds, usegmt=True)


def iso_fraction(unix_seconds: float) -> str:
    """ISO 8601 with microseconds.

    :param unix_seconds: unix time in seconds
    """
    return datetime.fromtimestamp(unix_seconds, tz=UTC).isoformat(timespec="microseconds")


def iso_time(unix_seconds: float) -> str:
    """The form of ``createdAt`` and its kin: ISO 8601, whole seconds, UTC (I: the sibling API's form).

    :param unix_seconds: unix time in seconds
    """
    return _iso_second(int(unix_seconds))


@lru_cache(maxsize=1024)
def _iso_second(second: int) -> str:
    return datetime.fromtimestamp(second, tz=UTC).isoformat()
