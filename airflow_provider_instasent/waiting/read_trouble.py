# SPDX-License-Identifier: Apache-2.0
"""What failed reads cost: each endpoint is paused by itself, and the other one goes on. No sockets, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.exchange import Kind
from airflow_provider_instasent.api.rate_limit import LONGEST_RESET_WAIT
from airflow_provider_instasent.api.refusals import Fate, classify
from airflow_provider_instasent.waiting.poll_failures import PollFailures
from airflow_provider_instasent.waiting.reads import PageRead, Read, SingleRead

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_instasent.api import errors
    from airflow_provider_instasent.api.exchange import Outcome
    from airflow_provider_instasent.api.rate_window import RateWindow

FORBIDDEN = 403
"""The status of one message that may not be read, though the token is good (inferred); of the list, of a bad token."""

BEYOND_END = frozenset({400, 404})
"""What some servers answer for a page behind the last one (unknown here)."""

GIVEN_UP = 3
"""Pauses in a row after which an endpoint is not counted on."""

LONG_PAUSE = 5.0
"""Seconds of a rate limit from which on it is worth doing without the endpoint."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a failed read means.

    :param is_over: whether its kind pauses now
    :param is_rate_limited: whether for a 429
    :param counts: whether nothing of the API was answered since the last pause, so that each wait counts it
    :param was_answered: whether something was, so that pauses before are not in a row with this one
    :param refusal: why reading on cannot help, or None
    """

    is_over: bool
    is_rate_limited: bool = False
    counts: bool = False
    was_answered: bool = False
    refusal: str | None = None


class ReadTrouble:
    """The trouble that a reader has with the two kinds of reads: pages of the list, and single messages.

    :param windows: of the rate limit, of each kind
    """

    def __init__(self, windows: Mapping[type[Read], RateWindow]) -> None:
        self._windows = windows
        self._failures = {kind: PollFailures() for kind in windows}
        self._until = dict.fromkeys(self._failures, 0.0)
        self._limited: set[type[Read]] = set()
        self._answered = dict.fromkeys(self._failures, False)
        self._is_silent = True

    def until(self, kind: type[Read]) -> float:
        """Return when reads of a kind may go on, in unix seconds; 0.0 where nothing forbids them."""
        return self._until[kind]

    def free_at(self, kind: type[Read], now: float) -> float:
        """Return when a read of a kind may leave, in unix seconds, as far as the API says.

        :param now: unix seconds
        """
        return max(self._until[kind], now + self._windows[kind].pause())

    def is_held_up(self, kind: type[Read], now: float, seconds: float) -> bool:
        """Tell whether the API holds up a kind of read: for a pause, or longer than some seconds by its limit.

        :param now: unix seconds
        :param seconds: of the limit, which are not worth mentioning
        """
        return now < self._until[kind] or self._windows[kind].pause() > seconds

    def is_given_up(self, kind: type[Read], now: float) -> bool:
        """Tell whether a kind of read is not to be counted on: it pauses, and not for the first time.

        :param now: unix seconds
        """
        least = LONG_PAUSE if kind in self._limited else 0.0
        return self._failures[kind].failed_sweeps >= GIVEN_UP and self._until[kind] - now > least

    def is_limited(self, kind: type[Read]) -> bool:
        """Tell whether a kind of read was paused last by a rate limit: then the pause will help."""
        return kind in self._limited

    def pause_all(self, until: float, now: float) -> None:
        """Let no read leave before a moment, as far as that is no longer away than any reset may be.

        :param until: unix seconds
        :param now: unix seconds
        """
        for kind, before in self._until.items():
            self._until[kind] = max(before, min(until, now + LONGEST_RESET_WAIT))

    def answers(self, kind: type[Read]) -> bool:
        """Tell whether a read of a kind was answered since trouble with the kind was last noted."""
        return self._answered[kind]

    def round_begins(self) -> None:
        """Forget failures in a row of the round before."""
        for failures in self._failures.values():
            failures.read_succeeded()

    def succeeded(self, kind: type[Read]) -> None:
        """Take in that a read succeeded."""
        self._failures[kind].sweep_ended(succeeded=True)
        self._answered[kind] = True
        self._is_silent = False

    def failed(
        self, kind: type[Read], outcome: Outcome, error: errors.ApiError, now: float, interval: float
    ) -> Trouble:
        """Take in a read that failed: one is left for the next round, three in a row or a 429 pause its kind.

        So does one of an API that is down and says for how long (`Retry-After`).

        Three in a row where others were answered before are the trouble of one page, or of one message, at first.

        :param outcome: what came of it
        :param error: what it means
        :param now: unix seconds
        :param interval: seconds to pause after failures in a row
        """
        failures, is_paused_already = self._failures[kind], now < self._until[kind]
        failures.blocked_until = 0.0  # that of a read before this one is kept in `_until`
        is_over = failures.read_failed(outcome, error, now)
        refusal, failures.refusal = failures.refusal, None  # waits that come later find out themselves
        # Told of this endpoint alone (confirmed: limits are per endpoint).
        until = self._until[kind] = max(self._until[kind], failures.blocked_until)
        if failures.blocked_until > now and classify(Kind.READ, outcome) is Fate.RATE_LIMITED:
            self._limited.add(kind)
            if not is_paused_already:
                failures.sweep_ended(succeeded=False)
            return Trouble(is_over=True, is_rate_limited=True)
        is_over = is_over or self._is_known(kind, now)
        if is_over and refusal is None and self._answered[kind]:
            self._answered[kind] = is_over = False
            failures.read_succeeded()
        if not is_over or is_paused_already:
            return Trouble(is_over=is_over, refusal=refusal)
        was_silent, self._is_silent = self._is_silent, True
        counts = was_silent and not self._is_told_by_other(kind, now)
        self._until[kind] = max(until, now + interval)
        self._limited.discard(kind)
        self._answered[kind] = False
        failures.sweep_ended(succeeded=False)
        return Trouble(is_over=True, counts=counts, was_answered=not was_silent, refusal=refusal)

    def _is_told_by_other(self, kind: type[Read], now: float) -> bool:
        """Tell whether the other kind says more: the list is down, and counted; single reads only wait for a limit."""
        if kind is SingleRead:
            return self._is_down(PageRead, now)
        is_limited = SingleRead in self._limited and self._until[SingleRead] > now
        return is_limited or self._windows[SingleRead].pause() > 0

    def _is_known(self, kind: type[Read], now: float) -> bool:
        """Tell whether one failed read is enough: the list is given up, or it is down and so may be the rest."""
        if kind is PageRead:
            return self._failures[kind].failed_sweeps >= GIVEN_UP
        return self._is_down(PageRead, now)

    def _is_down(self, kind: type[Read], now: float) -> bool:
        return kind not in self._limited and self._until[kind] > now and self._failures[kind].failed_sweeps > 0
