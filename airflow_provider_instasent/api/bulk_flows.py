# SPDX-License-Identifier: Apache-2.0
"""Bulk calls without a socket: up to 100 messages a call, halved where one is refused without naming an item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import endpoints, errors
from airflow_provider_instasent.api.bulk_attribution import attribute, named_rejections
from airflow_provider_instasent.api.bulk_errors import rejection
from airflow_provider_instasent.api.client_ids import says_client_id_taken
from airflow_provider_instasent.api.exchange import Answer, Flow, Kind, Outcome
from airflow_provider_instasent.api.flows import exchange
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.refusals import error_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.retry import RetryPolicy


MAX_BULK = 100
"""Messages a bulk call takes (confirmed)."""


@dataclass(slots=True)
class ChunkResult:
    """What became of one bulk call and of the smaller calls it was split into.

    :param outcomes: one outcome a message, in input order; those not tried are `planned`
    :param stopped_by: the error that ended it early, or None
    """

    outcomes: list[MessageOutcome]
    stopped_by: errors.ApiError | None = None

    @classmethod
    def of(cls, messages: Sequence[Sms]) -> ChunkResult:
        """Return the result of messages that were not tried yet."""
        return cls(
            [
                MessageOutcome(place, MessageState.PLANNED, client_id=message.client_id)
                for place, message in enumerate(messages)
            ]
        )


def send_chunk(messages: Sequence[Sms], policy: RetryPolicy, result: ChunkResult | None = None) -> Flow[ChunkResult]:
    """Send 1 to 100 messages in one bulk call; halve it where it is refused without naming an item.

    Refused means unsent (confirmed for 4xx), so sending the halves is safe. 401, 402, 403, 404, a rate limit that
    does not end and an unreachable API stop the chunk and leave the rest planned; nothing is raised.

    :param messages: at most 100
    :param policy: how often and how long
    :param result: filled as outcomes become known, for a caller who may end the flow half-way
    """
    result = result or ChunkResult.of(messages)
    batches = [list(range(len(messages)))]
    while batches and result.stopped_by is None:
        places = batches.pop()
        batch = [messages[place] for place in places]
        outcome, accepted = yield from exchange(endpoints.send_bulk_request(batch), endpoints.read_bulk, policy)
        if accepted is not None:
            settled = dict(enumerate(attribute(batch, *accepted)))
        else:
            settled = _unanswered(batch, outcome, result)
        for place, settlement in settled.items():
            result.outcomes[places[place]] = settlement.at(places[place])
        rest = [place for index, place in enumerate(places) if index not in settled]
        if rest and result.stopped_by is None:
            batches.extend(_smaller(rest, len(places)))
    return result


def _unanswered(batch: Sequence[Sms], outcome: Outcome, result: ChunkResult) -> dict[int, MessageOutcome]:
    """Settle what a bulk call without a usable 2xx settles; note in `result` what stops the chunk."""
    error = error_of(Kind.SEND, outcome, [message.text for message in batch])
    if isinstance(error, errors.UnconfirmedError):
        return {
            place: MessageOutcome(place, MessageState.UNCONFIRMED, client_id=message.client_id, reason=str(error))
            for place, message in enumerate(batch)
        }
    if not error.payload_is_at_fault:
        result.stopped_by = error
        return {}
    body = _json_or_none(outcome)
    named = named_rejections(batch, body)
    if not named and len(batch) == 1:
        said = body if says_client_id_taken(body) else str(error)
        return {0: rejection(0, batch[0], said)}
    return named


def _json_or_none(outcome: Outcome) -> Any:
    try:
        return outcome.json() if isinstance(outcome, Answer) else None
    except ValueError:
        return None


def _smaller(rest: list[int], before: int) -> list[list[int]]:
    """Return what to try next of a refused batch: all that is left where items were named, else its halves."""
    if len(rest) < before:
        return [rest]
    middle = len(rest) // 2
    return [rest[middle:], rest[:middle]]


def send_bulk(messages: Sequence[Sms], policy: RetryPolicy) -> Flow[list[MessageOutcome]]:
    """Send any number of messages in calls of at most 100.

    :returns: one outcome a message, in input order
    :raises BulkStoppedError: where something stopped it; it carries the outcomes so far
    """
    outcomes: list[MessageOutcome] = []
    for start in range(0, len(messages), MAX_BULK):
        result = yield from send_chunk(messages[start : start + MAX_BULK], policy)
        outcomes.extend(outcome.at(start + outcome.position) for outcome in result.outcomes)
        if result.stopped_by is not None:
            raise _stopped(result.stopped_by, outcomes, messages)
    return outcomes


def _stopped(
    error: errors.ApiError, outcomes: list[MessageOutcome], messages: Sequence[Sms]
) -> errors.BulkStoppedError:
    outcomes.extend(
        MessageOutcome(position, MessageState.PLANNED, client_id=messages[position].client_id)
        for position in range(len(outcomes), len(messages))
    )
    states = [outcome.state for outcome in outcomes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in MessageState if state in states)
    stopped = errors.BulkStoppedError(f"{error} (so far: {counts})", outcomes, status=error.status)
    stopped.__cause__ = error
    return stopped
