# SPDX-License-Identifier: Apache-2.0
"""Pace requests by the rate-limit headers: wait where nothing remains or others use the limit too."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.interruptible import TICK
from airflow_provider_instasent.api.rate_limit import LONGEST_RESET_WAIT
from airflow_provider_instasent.api.rate_window import RateWindow

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.rate_limit import RateLimit


class RateGate:
    """Lets requests of one endpoint leave, shared by all threads that make them.

    :param check: called while waiting; what it raises ends the wait
    :param clock: our clock in unix seconds
    """

    def __init__(self, check: Callable[[], None], clock: Callable[[], float] = time.time) -> None:
        self._check = check
        self._clock = clock
        self._changed = threading.Condition()
        self._window = RateWindow(clock)

    def enter(self) -> None:
        """Wait until a request may leave, and count it as in flight."""
        with self._changed:
            give_up_at = self._clock() + LONGEST_RESET_WAIT
            while (pause := self._window.pause()) > 0 and self._clock() < give_up_at:
                self._check()
                self._changed.wait(min(pause, TICK))
            self._check()
            self._window.leave()

    def leave(self, limit: RateLimit | None, *, counted: bool = False) -> None:
        """Count a request as over.

        :param limit: what the answer said, or None where there was no answer
        :param counted: without an answer: whether the request may have left, and so have been counted
        """
        with self._changed:
            self._window.land(limit, counted=counted)
            self._changed.notify_all()
