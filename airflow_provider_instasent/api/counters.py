# SPDX-License-Identifier: Apache-2.0
"""What is counted, under which names; where the counts go is handed in, for metrics are Airflow's.

A name says what happened and nothing of where: no ids, no numbers, no connection.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from airflow_provider_instasent.api.exchange import Answer, Outcome
from airflow_provider_instasent.api.message_outcome import MessageState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_instasent.api.message_outcome import MessageOutcome

REQUESTS = "instasent.requests"
"""Requests that left, repeated ones too."""

RATE_LIMITED = "instasent.requests.rate_limited"
"""Requests that were answered with 429."""

WAITS_BEGUN = "instasent.waits.begun"
WAITS_ENDED = "instasent.waits.ended"

LIST_READS = "instasent.reads.list"
"""Pages of the list that were read for waits."""

SINGLE_READS = "instasent.reads.single"
"""SMS or lookups that were read one by one for waits."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The names under which the outcomes of one kind of thing are counted.

    :param planned: it will be sent, and was not known before
    :param accepted: the API took it
    :param rejected: the API refused it
    :param unconfirmed: a try ended and nothing told what became of it
    """

    planned: str
    accepted: str
    rejected: str
    unconfirmed: str

    @classmethod
    def of(cls, things: str) -> Outcomes:
        """Return the names for things, in the plural."""
        return cls(*(f"instasent.{things}.{state}" for state in cls.__slots__))


MESSAGES = Outcomes.of("messages")
LOOKUPS = Outcomes.of("lookups")

NAMES: tuple[str, ...] = (
    *astuple(MESSAGES),
    *astuple(LOOKUPS),
    REQUESTS,
    RATE_LIMITED,
    WAITS_BEGUN,
    WAITS_ENDED,
    LIST_READS,
    SINGLE_READS,
)
"""All names that are counted."""


class Counters(Protocol):
    """Where counts go. Called from any thread and from event loops: it neither raises nor blocks."""

    def count(self, name: str, number: int = 1) -> None:
        """Add to a counter.

        :param name: one of those of this module
        :param number: how much; 0 counts nothing
        """


class _NoCounters:
    """Counts nothing."""

    def count(self, name: str, number: int = 1) -> None:
        """Do nothing."""


NO_COUNTERS: Counters = _NoCounters()
"""For use without Airflow."""


def count_request(counters: Counters, outcome: Outcome) -> None:
    """Count a request by what came of it.

    :param counters: where the counts go
    :param outcome: of one attempt
    """
    if isinstance(outcome, Answer) or outcome.left:
        counters.count(REQUESTS)
    if isinstance(outcome, Answer) and outcome.status == HTTPStatus.TOO_MANY_REQUESTS:
        counters.count(RATE_LIMITED)


def count_outcomes(counters: Counters, names: Outcomes, outcomes: Iterable[MessageOutcome]) -> None:
    """Count what became of messages that no later try will look for.

    :param counters: where the counts go
    :param names: what they are
    :param outcomes: one a message
    """
    states = [outcome.state for outcome in outcomes]
    counters.count(names.accepted, states.count(MessageState.ACCEPTED))
    counters.count(names.rejected, states.count(MessageState.REJECTED))
    counters.count(names.unconfirmed, states.count(MessageState.UNCONFIRMED))
