# SPDX-License-Identifier: Apache-2.0
"""Lookups without a socket: what to ask, when to ask again, what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_instasent.api import endpoints, errors
from airflow_provider_instasent.api.bulk_flows import ChunkResult
from airflow_provider_instasent.api.exchange import Flow, Kind
from airflow_provider_instasent.api.flows import call, exchange
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.refusals import error_of, is_redirect
from airflow_provider_instasent.api.server_words import status_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.retry import RetryPolicy


def lookup(to: str, policy: RetryPolicy) -> Flow[Entity]:
    """Look up one number and return the accepted entity, which may not be finished yet.

    :param to: the number in E.164
    :raises UnconfirmedError: where it may or may not have been accepted, and billed
    :raises ApiError: where it was not
    """
    entity, _ = yield from call(endpoints.lookup_request(to), endpoints.read_lookup, policy)
    return entity


def get_lookup(lookup_id: str, policy: RetryPolicy) -> Flow[Entity]:
    """Read one lookup."""
    entity, _ = yield from call(endpoints.get_lookup_request(lookup_id), endpoints.read_lookup, policy)
    return entity


def list_lookups(page: int, per_page: int, policy: RetryPolicy) -> Flow[Page]:
    """Read one page of the list."""
    request = endpoints.list_lookups_request(page, per_page)
    entities, answer = yield from call(request, endpoints.read_list, policy)
    return Page(entities, answer.server_time())


def lookup_chunk(numbers: Sequence[Sms], policy: RetryPolicy, result: ChunkResult | None = None) -> Flow[ChunkResult]:
    """Look up the numbers of a chunk one after the other, as :func:`~.flows.send_chunk` sends messages.

    400, 413 and 422 reject a number; any other refusal, an unreachable API and a redirect stop the chunk. Nothing is
    raised.

    :param numbers: `to` is the number; a campaign puts one into a chunk, so that each has an intent of its own
    :param policy: how often and how long
    :param result: filled as outcomes become known, for a caller who may end the flow half-way
    """
    result = result or ChunkResult.of(numbers)
    for place, number in enumerate(numbers):
        request = endpoints.lookup_request(number.to)
        outcome, entity = yield from exchange(request, endpoints.read_lookup, policy)
        if entity is not None:
            status = status_word(entity.get("status"))
            result.outcomes[place] = MessageOutcome(place, MessageState.ACCEPTED, id=entity["id"], status=status)
            continue
        error = error_of(Kind.SEND, outcome, own=request.strings())
        if isinstance(error, errors.UnconfirmedError):
            state = MessageState.UNCONFIRMED
            result.stopped_by = error if is_redirect(error.status) else None
        elif error.payload_is_at_fault:
            state = MessageState.REJECTED
        else:
            result.stopped_by = error
            break
        result.outcomes[place] = MessageOutcome(place, state, reason=str(error))
        if result.stopped_by is not None:
            break
    return result
