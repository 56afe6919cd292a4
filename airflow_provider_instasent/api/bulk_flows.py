# SPDX-License-Identifier: Apache-2.0
"""Bulk calls without a socket: up to 100 messages a call, halved where one is refused without naming an item."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import endpoints, errors
from airflow_provider_instasent.api.bulk_attribution import attribute, named_rejections
from airflow_provider_instasent.api.bulk_errors import rejection
from airflow_provider_instasent.api.client_id_taken import says_client_id_taken
from airflow_provider_instasent.api.exchange import Flow, Kind, Outcome
from airflow_provider_instasent.api.flows import exchange
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.no_funds import says_no_funds
from airflow_provider_instasent.api.refusals import body_of, error_of, is_redirect
from airflow_provider_instasent.api.server_words import brief

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.retry import RetryPolicy


MAX_BULK = 100
"""Messages a bulk call takes (confirmed)."""


@dataclass(slots=True)
class ChunkResult:
    """What became of one bulk call and of the smaller calls it was split into, or of several of these.

    :param outcomes: one outcome a message, in input order; those not tried are `planned`
    :param stopped_by: the error that ended it early, or None
    :param trying: the places of the messages whose request is made now: what became of them is not known yet
    """

    outcomes: list[MessageOutcome]
    stopped_by: errors.ApiError | None = None
    trying: Sequence[int] = field(default_factory=tuple)

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

    Refused means unsent, so sending the halves is safe. 401, 402, 403, 404, a rate limit that does not end and an
    unreachable API stop the chunk and leave the rest planned, as does an item that is turned down for want of funds;
    a redirect stops it too, and leaves its own call unconfirmed. Nothing is raised.

    :param messages: at most 100
    :param policy: how often and how long
    :param result: filled as outcomes become known, for a caller who may end the flow half-way
    """
    result = result or ChunkResult.of(messages)
    batches = [list(range(len(messages)))]
    while batches and result.stopped_by is None:
        places = result.trying = batches.pop()
        batch = [messages[place] for place in places]
        outcome, answered = yield from exchange(endpoints.send_bulk_request(batch), endpoints.read_bulk, policy)
        settled = _unanswered(batch, outcome, result) if answered is None else _answered(batch, *answered, result)
        for place, settlement in settled.items():
            result.outcomes[places[place]] = settlement.at(places[place])
        result.trying = ()
        rest = [place for index, place in enumerate(places) if index not in settled]
        if rest and result.stopped_by is None:
            batches.extend(_smaller(rest, len(places)))
    return result


def _answered(
    batch: Sequence[Sms], entities: list[endpoints.Entity], turned_down: Any, result: ChunkResult
) -> dict[int, MessageOutcome]:
    """Settle all messages of a bulk call with a 2xx; note in `result` what stops the chunk."""
    try:
        settled = dict(enumerate(attribute(batch, entities, turned_down)))
        unpaid = [outcome.reason for outcome in settled.values() if outcome.state is MessageState.PLANNED]
        if unpaid or (turned_down and says_no_funds(turned_down, _strings(batch))):
            said = unpaid[0] if unpaid else brief(turned_down, [message.text for message in batch])
            result.stopped_by = errors.NoFundsError(f"the account ran out of funds during the call; top it up: {said}")
    except errors.MISHAPS as error:  # whatever is raised while an answer is read, its request has left
        return _all_unconfirmed(batch, f"the bulk answer could not be read ({type(error).__name__})")
    return settled


def _unanswered(batch: Sequence[Sms], outcome: Outcome, result: ChunkResult) -> dict[int, MessageOutcome]:
    """Settle what a bulk call without a usable 2xx settles; note in `result` what stops the chunk."""
    error = error_of(Kind.SEND, outcome, [message.text for message in batch], _strings(batch))
    if isinstance(error, errors.UnconfirmedError):
        if is_redirect(error.status):  # every other call would be led elsewhere too
            result.stopped_by = error
        return _listed(batch, body_of(outcome), result) or _all_unconfirmed(batch, str(error))
    if not error.payload_is_at_fault:
        result.stopped_by = error
        return {}
    body = body_of(outcome)
    try:
        named = named_rejections(batch, body)
    except errors.MISHAPS:  # nothing of a refused call was accepted, whoever it names
        named = {}
    if not named and len(batch) == 1:
        said = body if says_client_id_taken(body) else str(error)
        return {0: rejection(0, batch[0], said)}
    return named


def _listed(batch: Sequence[Sms], body: Any, result: ChunkResult) -> dict[int, MessageOutcome]:
    """Settle all messages of a bulk call whose answer lists what was accepted, though it is no 2xx; else none."""
    try:
        answered = endpoints.read_bulk(body) if endpoints.shows_acceptance(body) else None
    except ValueError:  # one entity for a whole call: nobody can tell whose
        answered = None
    return {} if answered is None else _answered(batch, *answered, result)


def _all_unconfirmed(batch: Sequence[Sms], reason: str) -> dict[int, MessageOutcome]:
    return {
        place: MessageOutcome(place, MessageState.UNCONFIRMED, client_id=message.client_id, reason=reason)
        for place, message in enumerate(batch)
    }


def _strings(batch: Sequence[Sms]) -> list[str]:
    """Return all strings of a request, which an error may repeat."""
    return [one for message in batch for one in (message.text, message.sender, message.to, message.client_id or "")]


def _smaller(rest: list[int], before: int) -> list[list[int]]:
    """Return what to try next of a refused batch: all that is left where items were named, else its halves."""
    if len(rest) < before:
        return [rest]
    middle = len(rest) // 2
    return [rest[middle:], rest[:middle]]


def send_bulk(
    messages: Sequence[Sms], policy: RetryPolicy, result: ChunkResult | None = None
) -> Flow[list[MessageOutcome]]:
    """Send any number of messages in calls of at most 100.

    :param messages: what to send
    :param policy: how often and how long
    :param result: filled as outcomes become known, for a caller who may end the flow half-way
    :returns: one outcome a message, in input order
    :raises BulkStoppedError: where something stopped it; it carries the outcomes so far
    """
    result = result or ChunkResult.of(messages)
    for start in range(0, len(messages), MAX_BULK):
        some = messages[start : start + MAX_BULK]
        chunk = ChunkResult.of(some)
        try:
            yield from send_chunk(some, policy, chunk)
        finally:
            result.trying = [start + place for place in chunk.trying]
            result.outcomes[start : start + len(some)] = [one.at(start + one.position) for one in chunk.outcomes]
        if chunk.stopped_by is not None:
            result.stopped_by = chunk.stopped_by
            raise _stopped(chunk.stopped_by, result.outcomes)
    return result.outcomes


def _stopped(error: errors.ApiError, outcomes: Sequence[MessageOutcome]) -> errors.BulkStoppedError:
    states = [outcome.state for outcome in outcomes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in MessageState if state in states)
    stopped = errors.BulkStoppedError(f"{error} (so far: {counts})", outcomes, status=error.status)
    stopped.__cause__ = error
    return stopped
