# SPDX-License-Identifier: Apache-2.0
"""How fast a wait asks: requests spaced evenly, and longer pauses between sweeps while nothing changes."""

from __future__ import annotations

from airflow_provider_instasent.api.parameter_checks import whole

DEFAULT_POLLS_PER_MINUTE = 300

LENGTHENING = 1.5
"""Factor by which the pause between two sweeps grows while a large batch stands still."""

LONGEST_TIMES = 10
"""Times the interval that was asked for, beyond which it does not grow."""


class Pace:
    """Spaces requests evenly.

    :param per_minute: the most requests a minute
    :raises ValueError: where that is not a whole number, 1 or more
    """

    def __init__(self, per_minute: int = DEFAULT_POLLS_PER_MINUTE) -> None:
        self._interval = 60.0 / whole("max_polls_per_minute", per_minute)
        self._next = 0.0

    def delay(self, now: float) -> float:
        """Take the next place and return the seconds to wait for it.

        :param now: any steady clock, in seconds
        """
        start = max(now, self._next)
        self._next = start + self._interval
        return start - now


class SweepInterval:
    """The pause between two sweeps."""

    def __init__(self) -> None:
        self._last = 0.0

    def next(self, asked: float, *, still: bool) -> float:
        """Return the seconds until the next sweep.

        :param asked: what the user asked for
        :param still: whether the last sweep changed nothing, so that fewer will do
        """
        self._last = min(max(self._last, asked) * LENGTHENING, asked * LONGEST_TIMES) if still else asked
        return self._last
