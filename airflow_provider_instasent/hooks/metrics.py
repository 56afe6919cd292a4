# SPDX-License-Identifier: Apache-2.0
"""Counts go to Airflow's own metrics: StatsD, OpenTelemetry or Datadog, whichever it is configured to use."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


@cache
def _airflows_increment() -> Callable[..., Any]:
    from airflow_provider_instasent.compat import Stats  # configured by what it finds in the process that counts

    increment: Callable[..., Any] = Stats.incr
    return increment


class AirflowCounters:
    """Counts by Airflow's metrics, without tags, as long as these work; a send never fails because of them.

    On an event loop, counts are gathered and handed over by a thread of that loop: Airflow's client may have to resolve
    a host or, a user's own one, to wait for a socket.

    :param increment: returns what adds to a counter, given its name and how much; may raise, and so may that
    """

    def __init__(self, increment: Callable[[], Callable[..., Any]] = _airflows_increment) -> None:
        self._increment = increment
        self._lock = threading.Lock()
        self._gathered: Counter[str] = Counter()
        self._is_handing_over = False
        self._has_failed = False

    def count(self, name: str, number: int = 1) -> None:
        """Add to a counter.

        :param name: one of :data:`~airflow_provider_instasent.api.counters.NAMES`
        :param number: how much; 0 counts nothing
        """
        if number < 1:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._tell(name, number)
            return
        with self._lock:
            self._gathered[name] += number
            if self._is_handing_over:
                return
            self._is_handing_over = True
        try:
            loop.run_in_executor(None, self._hand_over)
        except Exception:  # noqa: BLE001 - the loop ends, and with it what there was to count
            self._is_handing_over = False

    def _hand_over(self) -> None:
        while True:
            with self._lock:
                gathered, self._gathered = self._gathered, Counter()
                if not gathered:
                    self._is_handing_over = False
                    return
            for name, number in gathered.items():
                self._tell(name, number)

    def _tell(self, name: str, number: int) -> None:
        try:
            self._increment()(name, number)
        except Exception:
            if not self._has_failed:
                self._has_failed = True
                log.debug("Airflow's metrics do not take counts.", exc_info=True)


AIRFLOW_COUNTERS = AirflowCounters()
"""Those of this process."""
