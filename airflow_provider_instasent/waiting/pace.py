# SPDX-License-Identifier: Apache-2.0
"""How fast a wait may ask: requests spaced evenly."""

from __future__ import annotations

from airflow_provider_instasent.api.checks import whole

DEFAULT_POLLS_PER_MINUTE = 300


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
