# SPDX-License-Identifier: Apache-2.0
"""The one place that decides whether a request is made again, and after how long.

What an outcome means for the request is decided in :mod:`~airflow_provider_instasent.api.refusals`. Sends are not
idempotent (there is no idempotency header, unknown whether a repeated clientId is refused), so a send is repeated only
when it provably was not accepted.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from airflow_provider_instasent.api.exchange import Answer, Kind, Outcome
from airflow_provider_instasent.api.rate_limit import LONGEST_RESET_WAIT
from airflow_provider_instasent.api.refusals import Fate, classify, is_redirect

_JITTER = 0.1
"""Waits are lengthened by up to this share, so that tasks that fail together do not return together."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long.

    :param max_attempts: attempts in all, where nothing was sent or a read found no answer
    :param max_rate_limited: attempts in all that may be answered 429
    :param first_wait: seconds before the second attempt; doubles from there
        (confirmed: Instasent asks for exponential backoff from 1 s)
    :param longest_wait: seconds, the cap of the doubling (confirmed: about a minute)
    :param longest_reset_wait: seconds, the longest single wait for a rate-limit reset
    """

    max_attempts: int = 5
    max_rate_limited: int = 10
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_reset_wait: float = LONGEST_RESET_WAIT

    def backoff(self, attempt: int) -> float:
        """Return the seconds to wait after the `attempt`-th attempt, counted from 1."""
        return min(self.first_wait * 2.0 ** min(attempt - 1, 32), self.longest_wait)


DEFAULT_RETRY_POLICY = RetryPolicy()
ONE_ATTEMPT = RetryPolicy(max_attempts=1, max_rate_limited=1)
"""For waits, whose next sweep is the retry."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Make the request again after this many seconds."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not make the request again."""


Decision = Wait | GiveUp


def decide(
    attempt: int,
    kind: Kind,
    outcome: Outcome,
    now: float,
    policy: RetryPolicy = DEFAULT_RETRY_POLICY,
    *,
    understood: bool = True,
) -> Decision:
    """Decide whether the request is made again. Every retry in the project asks here.

    :param attempt: how many attempts were made, from 1
    :param kind: whether the request is a send or a read
    :param outcome: what the last attempt came to
    :param now: our clock in unix seconds
    :param policy: how often and how long
    :param understood: whether the body of a 2xx made sense
    """
    fate = classify(kind, outcome, understood=understood)
    if fate is Fate.RATE_LIMITED and isinstance(outcome, Answer):
        if attempt >= policy.max_rate_limited:
            return GiveUp()
        ends_in = min(outcome.rate_limit(now).ends_in, policy.longest_reset_wait)
        return Wait(ends_in or policy.backoff(attempt), "rate limit reached")
    if fate is Fate.NOT_SENT or fate is Fate.UNAVAILABLE:
        led_elsewhere = isinstance(outcome, Answer) and is_redirect(outcome.status)  # it would be again
        if led_elsewhere or attempt >= policy.max_attempts:
            return GiveUp()
        return Wait(asked_to_wait(outcome, now, policy) or policy.backoff(attempt), fate.value)
    return GiveUp()


def asked_to_wait(outcome: Outcome, now: float, policy: RetryPolicy = DEFAULT_RETRY_POLICY) -> float:
    """Return for how many seconds an API that cannot answer a read asks to be left alone; 0 where it does not.

    :param outcome: what came of the read
    :param now: our clock in unix seconds
    :param policy: bounds it
    """
    if not isinstance(outcome, Answer):
        return 0.0
    return min(outcome.rate_limit(now).retry_in or 0.0, policy.longest_reset_wait)


def with_jitter(seconds: float) -> float:
    """Return a wait, lengthened a little by chance."""
    return seconds * (1 + _JITTER * random.random())  # noqa: S311 - no secret
