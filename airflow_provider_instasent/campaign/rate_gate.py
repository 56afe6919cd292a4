# SPDX-License-Identifier: Apache-2.0
"""Pace requests by the rate-limit headers: stop when nothing remains instead of collecting refusals."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.rate_limit import LONGEST_RESET_WAIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.rate_limit import RateLimit

MARGIN = 0.02
"""Seconds waited beyond a reset, for the way there."""

_TICK = 0.25


class RateGate:
    """Lets requests of one endpoint leave, shared by all that are in flight.

    Requests that have left and are not answered are counted as if the last answer had not known of them, so the
    window is never overdrawn; others who share the limit show in the next answer.

    :param check: called while waiting; what it raises ends the wait
    :param clock: our clock in unix seconds
    """

    def __init__(self, check: Callable[[], None], clock: Callable[[], float] = time.time) -> None:
        self._check = check
        self._clock = clock
        self._changed = threading.Condition()
        self._in_flight = 0
        self._limit: int | None = None
        self._remaining: int | None = None
        self._reset_at: float | None = None
        self._offset: float | None = None

    def enter(self) -> None:
        """Wait until a request may leave, and count it as in flight."""
        with self._changed:
            give_up_at = self._clock() + LONGEST_RESET_WAIT
            while (pause := self._pause()) > 0 and self._clock() < give_up_at:
                self._check()
                self._changed.wait(min(pause, _TICK))
            self._check()
            self._in_flight += 1

    def leave(self, limit: RateLimit | None, *, counted: bool = False) -> None:
        """Count a request as over.

        :param limit: what the answer said, or None where there was no answer
        :param counted: without an answer: whether the request may have left, and so have been counted
        """
        with self._changed:
            self._in_flight -= 1
            if limit is not None:
                self._learn(limit)
            elif counted and self._remaining:
                self._remaining -= 1
            self._changed.notify_all()

    def _learn(self, limit: RateLimit) -> None:
        if limit.server_time is not None:
            # The header has whole seconds, so each offset is too low by up to one: the highest is the best.
            offset = limit.server_time - self._clock()
            self._offset = offset if self._offset is None else max(self._offset, offset)
        if limit.remaining is None or limit.reset_at is None:
            return
        known = self._reset_at
        server_now = self._clock() + (self._offset or 0.0)
        if known is not None and limit.reset_at < known <= server_now + LONGEST_RESET_WAIT:
            return  # a late answer of a window that is over
        self._limit = limit.limit
        if known == limit.reset_at and self._remaining is not None:
            self._remaining = min(self._remaining, limit.remaining)
        else:
            self._remaining = limit.remaining
            self._reset_at = limit.reset_at

    def _pause(self) -> float:
        """Return how many seconds to wait, 0 to leave now."""
        if self._remaining is None or self._remaining - self._in_flight > 0:
            return 0.0
        if self._reset_at is None:
            return 0.0
        until_reset = self._reset_at - (self._clock() + (self._offset or 0.0)) + MARGIN
        if until_reset <= 0:
            self._remaining = self._limit
            return 0.0 if self._limit is None or self._limit > self._in_flight else _TICK
        return until_reset
