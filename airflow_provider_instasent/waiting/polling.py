# SPDX-License-Identifier: Apache-2.0
"""What every wait by polling has in common, whatever it waits for. No sockets, no clock.

A *sweep* asks once for all that is pending. When the next one is due, when a rate limit forbids it, when it had better
end early, and how many in a row may read nothing. Reads are made once: the next sweep is the retry.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.exchange import Kind, Outcome
from airflow_provider_instasent.api.refusals import Fate, classify
from airflow_provider_instasent.api.retry import RetryPolicy, Wait, decide
from airflow_provider_instasent.waiting.conclusion import Ending

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_POLL_FAILURES = 10
"""Sweeps in a row without a successful read after which a wait is an error."""

_FAILURES_IN_A_ROW = 3
"""Failed reads in a row after which a sweep ends: one bad read delays nobody, an API that is down is left alone."""

_UNTIL_RESET = RetryPolicy(max_rate_limited=sys.maxsize)


class Polling:
    """How a wait goes on."""

    def __init__(self) -> None:
        self.failed_sweeps = 0
        self.last_error: str | None = None
        self.refusal: str | None = None
        self.blocked_until = 0.0
        self.next_sweep = 0.0
        self._failures_in_a_row = 0

    def sweep_ended(self, *, succeeded: bool) -> None:
        """Count a sweep.

        :param succeeded: whether at least one read did
        """
        self._failures_in_a_row = 0
        self.failed_sweeps = 0 if succeeded else self.failed_sweeps + 1
        if succeeded:
            self.last_error = None

    def pause(self, now: float, deadline: float) -> float:
        """Return the seconds until there is something to do: the next sweep, or the deadline.

        :param now: unix seconds
        :param deadline: unix seconds
        """
        return max(0.0, min(max(self.next_sweep, self.blocked_until), deadline) - now)

    def may_sweep(self, now: float) -> bool:
        """Tell whether no rate limit forbids a sweep.

        :param now: unix seconds
        """
        return now >= self.blocked_until

    def interval(self, asked: float) -> float:
        """Return the seconds until the next sweep.

        :param asked: what the user asked for
        """
        return asked

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
        elif self._failures_in_a_row < _FAILURES_IN_A_ROW:
            return False
        return True


def _is_refusal(error: errors.ApiError) -> bool:
    """Tell whether reading on cannot help: a bad token, or a host that redirects."""
    if isinstance(error, errors.AuthenticationError):
        return True
    return isinstance(error, errors.RefusedError) and (error.status or 0) < 400  # noqa: PLR2004 - a redirect


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a wait for something that has no counts of deliveries.

    :param ending: how it ended
    :param message: what happened and what to do
    :param result: what is known, JSON values
    :param final: whether trying again cannot help
    """

    ending: Ending
    message: str
    result: Mapping[str, Any] = field(default_factory=dict)
    final: bool = True


class Goal(Polling):
    """A wait for one thing to become true; subclasses say what, and what is known of it.

    :param max_poll_failures: sweeps in a row without a successful read after which it is an error
    """

    waits_for = ""
    """What it waits for, for the messages."""
    unaffected = ""
    """What a failed wait leaves as it was, a sentence."""

    def __init__(self, max_poll_failures: int = MAX_POLL_FAILURES) -> None:
        super().__init__()
        self.max_poll_failures = max_poll_failures

    def reached(self) -> Ended | None:
        """Return the end, where what was read brings it, good or bad."""
        raise NotImplementedError

    def result(self) -> dict[str, Any]:
        """Return what is known now, as JSON values."""
        raise NotImplementedError

    def conclude(self, now: float, deadline: float) -> Ended | None:
        """Tell how the wait ended, or None while it goes on: the one rule.

        :param now: unix seconds
        :param deadline: unix seconds
        """
        if (ended := self.reached()) is not None:
            return ended
        if self.refusal is not None:
            return self.failed(
                f"{self.refusal}. So far: {self}. {self.unaffected} Mend the connection, then clear this task."
            )
        if now >= deadline:
            trouble = f" The last reads failed: {self.last_error}." if self.last_error else ""
            return Ended(
                Ending.TIMEOUT,
                f"Timed out while waiting for {self.waits_for}: {self}.{trouble} {self.unaffected}",
                self.result(),
            )
        if self.failed_sweeps >= self.max_poll_failures:
            return self.failed(
                f"{self.failed_sweeps} sweeps in a row (`max_poll_failures`) read nothing: {self.last_error}. So far: "
                f"{self}. {self.unaffected}",
                final=False,
            )
        return None

    def failed(self, message: str, *, final: bool = True) -> Ended:
        """Return an end that is an error.

        :param message: what happened and what to do
        :param final: whether a retry cannot help
        """
        return Ended(Ending.ERROR, message, self.result(), final)
