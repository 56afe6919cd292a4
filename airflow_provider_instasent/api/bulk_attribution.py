# SPDX-License-Identifier: Apache-2.0
"""Attribute a bulk answer to the messages that were sent: who was accepted, who was rejected, who is unaccounted for.

The shape of an error is unknown: lists and objects are taken, an error belongs to a message by `clientId`, by `index`
or by `to`, whichever is present and unambiguous; an `index` that another name contradicts counts for nothing. Entities
belong by `clientId`, then by `to` and `text`, by position only where every item was accepted. What nothing accounts
for is unconfirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.bulk_errors import one_by_one, rejection
from airflow_provider_instasent.api.message_finder import MessageFinder
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms

UNACCOUNTED = "the bulk answer does not say what became of it"


def attribute(messages: Sequence[Sms], entities: Sequence[Entity], errors: Any) -> list[MessageOutcome]:
    """Say for each message of a 2xx bulk answer what became of it.

    What names a message for certain comes first, so that an index which counts from 1 (unknown) cannot turn an
    accepted message into a rejected one.

    :param messages: the messages of the request, in its order
    :param entities: the accepted entities, each with an `id`
    :param errors: the answer's `errors`, of whatever shape
    :returns: one outcome a message, in the request's order
    """
    finder = MessageFinder(messages)
    outcomes: dict[int, MessageOutcome] = {}
    loose: Sequence[Entity] = entities
    for find in (finder.by_client_id, finder.by_unique_number, finder.by_unique_content):
        loose = _accept(messages, loose, find, outcomes)
    nameless = _reject(messages, errors, finder, outcomes)
    loose = _accept(messages, loose, finder.by_content, outcomes)
    if not errors and not outcomes and len(entities) == len(messages) and not any(map(_names, entities)):
        loose = _accept(messages, loose, finder.next_free, outcomes)
    rest = [position for position in range(len(messages)) if position not in outcomes]
    complete = not loose and _account_for(nameless, errors, rest)
    for position in rest:
        message = messages[position]
        if complete:
            outcomes[position] = rejection(position, message, nameless, finder.texts)
        else:
            outcomes[position] = MessageOutcome(
                position, MessageState.UNCONFIRMED, client_id=message.client_id, reason=UNACCOUNTED
            )
    return [outcomes[position] for position in range(len(messages))]


def _account_for(nameless: Sequence[Any] | None, errors: Any, rest: Sequence[int]) -> bool:
    """Tell whether the errors that name no message must be about all the messages left over.

    They are about the only one left over, or about as many as there are errors, where each is an object: a message
    can have several strings, and the keys of an object of errors may be fields.
    """
    if not nameless or len(rest) == 1:
        return bool(nameless)
    return isinstance(errors, list) and len(nameless) == len(rest) and all(isinstance(one, dict) for one in nameless)


def named_rejections(messages: Sequence[Sms], body: Any) -> dict[int, MessageOutcome]:
    """Return the messages that a refusal (400, 422) names, by position.

    :param messages: the messages of the request, in its order
    :param body: the decoded body of the refusal, or None
    """
    errors = body.get("errors") if isinstance(body, Mapping) else None
    named: dict[int, MessageOutcome] = {}
    _reject(messages, errors, MessageFinder(messages), named)
    return named


def _reject(
    messages: Sequence[Sms], errors: Any, finder: MessageFinder, outcomes: dict[int, MessageOutcome]
) -> list[Any] | None:
    """Add the rejections that name a message; return the errors that name none, or None where one names an accepted
    message: then nothing can be told by their number.
    """
    nameless: list[Any] = []
    contradicted = False
    for key, error in one_by_one(errors):
        named = finder.named_by(key, error)
        free = [position for position in named if position not in outcomes]
        if len(free) == 1:
            outcomes[free[0]] = rejection(free[0], messages[free[0]], error, finder.texts)
        elif free or not named:
            nameless.append(error)
        elif not any(outcomes[position].state is MessageState.REJECTED for position in named):
            contradicted = True
    return None if contradicted else nameless


def _accept(
    messages: Sequence[Sms],
    entities: Sequence[Entity],
    find: Callable[[Entity, Mapping[int, MessageOutcome]], int | None],
    outcomes: dict[int, MessageOutcome],
) -> list[Entity]:
    """Add the acceptances that `find` attributes; return the entities it does not."""
    loose: list[Entity] = []
    for entity in entities:
        position = find(entity, outcomes)
        if position is None:
            loose.append(entity)
        else:
            outcomes[position] = acceptance(position, messages[position], entity)
    return loose


def acceptance(position: int, message: Sms, entity: Entity) -> MessageOutcome:
    """Return the outcome of a message the API accepted as this entity."""
    status = entity.get("status")
    return MessageOutcome(
        position,
        MessageState.ACCEPTED,
        id=entity["id"],
        client_id=message.client_id,
        status=status if isinstance(status, str) else None,
    )


def _names(entity: Entity) -> bool:
    return bool(entity.get("clientId") or entity.get("to") or entity.get("normalizedTo"))
