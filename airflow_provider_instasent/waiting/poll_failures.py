# SPDX-License-Identifier: Apache-2.0
"""How much trouble a wait bears: failed reads, refusals and rate limits. No sockets, no clock.

Reads are made once: the next sweep is the retry.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.exchange import Kind
from airflow_provider_instasent.api.refusals import Fate, classify, is_redirect
from airflow_provider_instasent.api.retry import RetryPolicy, Wait, asked_to_wait, decide

if TYPE_CHECKING:
    from airflow_provider_instasent.api.exchange import Outcome

MAX_POLL_FAILURES = 10
"""Sweeps in a row without a successful read after which a wait is an error."""

FAILURES_IN_A_ROW = 3
"""Failed reads in a row after which a sweep ends: one bad read delays nobody, an API that is down is left alone."""

_UNTIL_RESET = RetryPolicy(max_rate_limited=sys.maxsize)


class PollFailures:
    """Counts what goes wrong.

    :ivar failed_sweeps: sweeps in a row without a successful read
    :ivar last_error: what the last failed read met, fit for a log
    :ivar refusal: why reading on cannot help, or None
    :ivar blocked_until: unix seconds before which a rate limit forbids to read, or an API that is down asks not to
    """

    def __init__(self) -> None:
        self.failed_sweeps = 0
        self.last_error: str | None = None
        self.refusal: str | None = None
        self.blocked_until = 0.0
        self._failures_in_a_row = 0

    def sweep_ended(self, *, succeeded: bool) -> None:
        """Count a sweep.

        :param succeeded: whether at least one read did
        """
        self._failures_in_a_row = 0
        self.failed_sweeps = 0 if succeeded else self.failed_sweeps + 1
        if succeeded:
            self.last_error = None

    def read_succeeded(self) -> None:
        """Take in that the API answers."""
        self._failures_in_a_row = 0

    def read_failed(self, outcome: Outcome, error: errors.ApiError, now: float) -> bool:
        """Take in a read that failed; return whether this sweep had better end.

        :param outcome: what came of it
        :param error: what it means
        :param now: unix seconds
        """
        self.last_error = str(error)
        self._failures_in_a_row += 1
        if _is_refusal(error):
            self.refusal = str(error)
        elif classify(Kind.READ, outcome, understood=False) is Fate.RATE_LIMITED:
            decision = decide(self.failed_sweeps + 1, Kind.READ, outcome, now, _UNTIL_RESET, understood=False)
            if isinstance(decision, Wait):
                self.blocked_until = max(self.blocked_until, now + decision.seconds)
        elif seconds := asked_to_wait(outcome, now):
            self.blocked_until = max(self.blocked_until, now + seconds)
        elif self._failures_in_a_row < FAILURES_IN_A_ROW:
            return False
        return True


def _is_refusal(error: errors.ApiError) -> bool:
    """Tell whether reading on cannot help: a bad token, or a host that redirects."""
    return isinstance(error, errors.AuthenticationError) or is_redirect(error.status)
