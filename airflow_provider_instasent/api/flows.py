# SPDX-License-Identifier: Apache-2.0
"""Whole calls without a socket: what to send, when to try again, what comes out.

Both clients run these generators, so they share everything but the socket.
"""

from __future__ import annotations

import time
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_instasent.api import endpoints, errors, price_profile_paths
from airflow_provider_instasent.api.exchange import (
    Answer,
    Failure,
    Flow,
    Outcome,
    Pause,
    Request,
    Send,
)
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.refusals import error_of
from airflow_provider_instasent.api.retry import RetryPolicy, Wait, decide, with_jitter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms

T = TypeVar("T")


def exchange(request: Request, read: Callable[[Any], T], policy: RetryPolicy) -> Flow[tuple[Outcome, T | None]]:
    """Make a request, again where the retry rule allows it.

    :param request: what to send
    :param read: turns the decoded body into the result; raises where it cannot
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
        yield Pause(with_jitter(decision.seconds), decision.reason)
    raise AssertionError("unreachable")


def _understand(outcome: Outcome, read: Callable[[Any], T]) -> T | None:
    if not isinstance(outcome, Answer) or not 200 <= outcome.status < 300:  # noqa: PLR2004 - HTTP success
        return None
    try:
        return read(outcome.json())
    except errors.MISHAPS:  # whatever is raised while an answer is read, a send that it answers has left
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
        raise error_of(request.kind, outcome, hide, request.strings())
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
