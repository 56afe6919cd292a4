# SPDX-License-Identifier: Apache-2.0
"""Whole calls without a socket: what to send, when to try again, what comes out.

Both clients run these generators, so they share everything but the socket.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_instasent.api import endpoints, errors, price_profile_paths
from airflow_provider_instasent.api.bulk_attribution import attribute, named_rejections
from airflow_provider_instasent.api.bulk_errors import rejection, says_client_id_taken
from airflow_provider_instasent.api.exchange import (
    Answer,
    Failure,
    Flow,
    Kind,
    Outcome,
    Pause,
    Request,
    Send,
)
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.refusals import error_of
from airflow_provider_instasent.api.retry import RetryPolicy, Wait, decide

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms

T = TypeVar("T")

_JITTER = 0.1
"""Waits are lengthened by up to this share, so that tasks that fail together do not return together."""


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


def exchange(request: Request, read: Callable[[Any], T], policy: RetryPolicy) -> Flow[tuple[Outcome, T | None]]:
    """Make a request, again where the retry rule allows it.

    :param request: what to send
    :param read: turns the decoded body into the result; raises `ValueError` where it cannot
    :param policy: how often and how long
    :returns: the last outcome, and the result where there is one
    """
    for attempt in count(1):
        outcome = yield Send(request)
        if outcome is None:
            raise RuntimeError("a driver must answer a Send with its outcome")
        result = _understand(outcome, read)
        decision = decide(attempt, request.kind, outcome, time.time(), policy, understood=result is not None)
        if not isinstance(decision, Wait):
            return outcome, result
        yield Pause(decision.seconds * (1 + _JITTER * random.random()), decision.reason)  # noqa: S311 - jitter
    raise AssertionError("unreachable")


def _understand(outcome: Outcome, read: Callable[[Any], T]) -> T | None:
    if not isinstance(outcome, Answer) or not 200 <= outcome.status < 300:  # noqa: PLR2004 - HTTP success
        return None
    try:
        return read(outcome.json())
    except ValueError:
        return None


def call(
    request: Request, read: Callable[[Any], T], policy: RetryPolicy, hide: Collection[str] = ()
) -> Flow[tuple[T, Answer]]:
    """Make a request and return its result, or raise what says why there is none.

    :param request: what to send
    :param read: turns the decoded body into the result
    :param policy: how often and how long
    :param hide: message texts that must not appear in an error
    :raises ApiError: one of its subclasses
    """
    outcome, result = yield from exchange(request, read, policy)
    if result is None or isinstance(outcome, Failure):
        raise error_of(request.kind, outcome, hide)
    return result, outcome


def send_sms(message: Sms, policy: RetryPolicy) -> Flow[Entity]:
    """Send one message and return the accepted entity.

    :raises UnconfirmedError: where it may or may not have been accepted
    :raises ApiError: where it was not
    """
    request = endpoints.send_sms_request(message)
    entity, _ = yield from call(request, endpoints.read_entity, policy, hide=(message.text,))
    return entity


def get_sms(sms_id: str, policy: RetryPolicy) -> Flow[Entity]:
    """Read one SMS."""
    entity, _ = yield from call(endpoints.get_sms_request(sms_id), endpoints.read_entity, policy)
    return entity


def list_sms(page: int, per_page: int, policy: RetryPolicy) -> Flow[Page]:
    """Read one page of the list."""
    entities, answer = yield from call(endpoints.list_sms_request(page, per_page), endpoints.read_list, policy)
    return Page(entities, answer.server_time())


def get_account(policy: RetryPolicy) -> Flow[Entity]:
    """Read the account."""
    account, _ = yield from call(endpoints.get_account_request(), endpoints.read_account, policy)
    return account


def get_price_profile(kind: str, path: str | None, policy: RetryPolicy) -> Flow[list[Entity]]:
    """Read what SMS or lookups cost per country, as the API sends it.

    :param kind: `sms` or `lookup`
    :param path: below the base URL; None for the usual guess
    :raises NotFoundError: names the setting of the connection that holds the path
    """
    path = price_profile_paths.path_of(kind) if path is None else path.strip("/")
    try:
        profile, _ = yield from call(endpoints.price_profile_request(path), endpoints.read_price_profile, policy)
    except errors.NotFoundError as error:
        raise errors.NotFoundError(price_profile_paths.advice(kind, path), status=error.status) from error
    return profile


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
    for start in range(0, len(messages), endpoints.MAX_BULK):
        result = yield from send_chunk(messages[start : start + endpoints.MAX_BULK], policy)
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
