# SPDX-License-Identifier: Apache-2.0
"""What failed reads cost: each endpoint is paused by itself, and the other one goes on. No sockets, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.waiting.poll_failures import PollFailures
from airflow_provider_instasent.waiting.reads import PageRead, Read, SingleRead

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_provider_instasent.api import errors
    from airflow_provider_instasent.api.exchange import Outcome
    from airflow_provider_instasent.api.rate_window import RateWindow

FORBIDDEN = 403
"""The status of one message that may not be read, though the token is good (inferred); of the list, of a bad token."""

GIVEN_UP = 3
"""Pauses in a row after which an endpoint is not counted on."""

LONG_PAUSE = 5.0
"""Seconds of a rate limit from which on it is worth doing without the endpoint."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a failed read means.

    :param is_over: whether its kind pauses now
    :param is_rate_limited: whether for a 429
    :param counts: whether nothing of the API answers, so that each wait counts it; once for both kinds
    :param refusal: why reading on cannot help, or None
    """

    is_over: bool
    is_rate_limited: bool
    counts: bool
    refusal: str | None


class ReadTrouble:
    """The trouble that a reader has with the two kinds of reads: pages of the list, and single messages.

    :param windows: of the rate limit, of each kind
    """

    def __init__(self, windows: Mapping[type[Read], RateWindow]) -> None:
        self._windows = windows
        self._failures = {kind: PollFailures() for kind in windows}
        self._until = dict.fromkeys(self._failures, 0.0)
        self._limited: set[type[Read]] = set()
        self._answered_beside = False

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

    def pause_all(self, until: float) -> None:
        """Let no read leave before a moment.

        :param until: unix seconds
        """
        for kind, before in self._until.items():
            self._until[kind] = max(before, until)

    def round_begins(self) -> None:
        """Forget failures in a row of the round before."""
        for failures in self._failures.values():
            failures.read_succeeded()

    def succeeded(self, kind: type[Read]) -> None:
        """Take in that a read succeeded."""
        self._failures[kind].sweep_ended(succeeded=True)
        self._answered_beside = self._answered_beside or kind is SingleRead

    def failed(
        self, kind: type[Read], outcome: Outcome, error: errors.ApiError, now: float, interval: float
    ) -> Trouble:
        """Take in a read that failed: one is left for the next round, three in a row or a 429 pause its kind.

        :param outcome: what came of it
        :param error: what it means
        :param now: unix seconds
        :param interval: seconds to pause after failures in a row
        """
        failures = self._failures[kind]
        failures.blocked_until = 0.0  # that of a read before this one is kept in `_until`
        is_over = failures.read_failed(outcome, error, now)
        refusal, failures.refusal = failures.refusal, None  # waits that come later find out themselves
        is_rate_limited = failures.blocked_until > now
        if kind is PageRead:
            counts = not (self._answered_beside or self._is_limited_now(SingleRead, now))
        else:
            counts = not self._is_down(PageRead, now)
        if is_rate_limited:  # told of this endpoint alone (confirmed: limits are per endpoint)
            self._until[kind] = failures.blocked_until
            self._limited.add(kind)
        elif is_over or self._is_known(kind, now):
            is_over = True
            self._until[kind] = now + interval
            self._limited.discard(kind)
        if is_over:
            failures.sweep_ended(succeeded=False)
            self._answered_beside = self._answered_beside and kind is not PageRead
        return Trouble(is_over=is_over, is_rate_limited=is_rate_limited, counts=counts, refusal=refusal)

    def _is_limited_now(self, kind: type[Read], now: float) -> bool:
        return (kind in self._limited and self._until[kind] > now) or self._windows[kind].pause() > 0

    def _is_known(self, kind: type[Read], now: float) -> bool:
        """Tell whether one failed read is enough: the list is given up, or it is down and so may be the rest."""
        if kind is PageRead:
            return self._failures[kind].failed_sweeps >= GIVEN_UP
        return self._is_down(PageRead, now)

    def _is_down(self, kind: type[Read], now: float) -> bool:
        return kind not in self._limited and self._until[kind] > now and self._failures[kind].failed_sweeps > 0
