# SPDX-License-Identifier: Apache-2.0
"""Attribute a bulk answer to the messages that were sent: who was accepted, who was rejected, who is unaccounted for.

The shape of an error is unknown: lists and objects are taken, an error belongs to a message by `clientId`, by `to` or
by `index`, whichever is present and unambiguous; how an `index` counts must be told by the answer itself. Entities
belong by `clientId`, then by `to` and `text`, by position only where every item was accepted and nothing shown
contradicts. An id is claimed once. What nothing accounts for is unconfirmed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_instasent.api.bulk_errors import one_by_one, rejection, unpaid
from airflow_provider_instasent.api.message_finder import MessageFinder
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.no_funds import says_no_funds
from airflow_provider_instasent.api.server_words import status_word

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms

UNACCOUNTED: Final = "the bulk answer does not say what became of it"
BY_ORDER: Final = "its id is attributed by the order of the answer"

_MOST_ERRORS: Final = 1_000
"""Errors of an answer that are read, of at most 100 messages; more of them tell nothing."""


def attribute(messages: Sequence[Sms], entities: Sequence[Entity], errors: Any) -> list[MessageOutcome]:
    """Say for each message of a 2xx bulk answer what became of it.

    What names a message for certain comes first, so that an index which counts from 1 (unknown) cannot turn an
    accepted message into a rejected one.

    :param messages: the messages of the request, in its order
    :param entities: the accepted entities; those whose `id` is None tell only that the answer does not add up
    :param errors: the answer's `errors`, of whatever shape
    :returns: one outcome a message, in the request's order: accepted, rejected, unconfirmed, or planned where it was
        turned down for want of funds
    """
    finder = MessageFinder(messages)
    outcomes: dict[int, MessageOutcome] = {}
    claims, unusable = _each_id_once(entities)
    loose: Sequence[Entity] = claims
    for find in (finder.by_client_id, finder.by_unique_number, finder.by_unique_content):
        loose = _accept(messages, loose, find, outcomes)
    loose = _accept(messages, loose, finder.by_unique_text, outcomes)
    if loose and not errors and not unusable:
        loose = _accept(messages, loose, finder.by_content, outcomes)
        _accept_by_order(messages, claims, finder, outcomes)
    nameless = _turn_down(messages, errors, finder, outcomes)
    loose = _accept(messages, loose, finder.by_content, outcomes)
    rest = [position for position in range(len(messages)) if position not in outcomes]
    complete = not loose and not unusable and _account_for(nameless, errors, rest, finder)
    for position in rest:
        message = messages[position]
        if complete:
            outcomes[position] = _turned_down(position, message, nameless, finder)
        else:
            outcomes[position] = MessageOutcome(
                position, MessageState.UNCONFIRMED, client_id=message.client_id, reason=UNACCOUNTED
            )
    return [outcomes[position] for position in range(len(messages))]


def _each_id_once(entities: Sequence[Entity]) -> tuple[Sequence[Entity], bool]:
    """Return the entities whose id is their own, the first of each, and whether there are others."""
    ids = {entity["id"] for entity in entities}
    if len(ids) == len(entities) and None not in ids:
        return entities, False
    firsts: dict[str | None, Entity] = {}
    for entity in entities:
        firsts.setdefault(entity["id"], entity)
    firsts.pop(None, None)
    return list(firsts.values()), True


def _accept_by_order(
    messages: Sequence[Sms], entities: Sequence[Entity], finder: MessageFinder, outcomes: dict[int, MessageOutcome]
) -> None:
    """Take all messages left over for accepted, if nothing denies that the entities are in the request's order."""
    if len(entities) != len(messages):
        return
    for place, entity in enumerate(entities):
        found = outcomes.get(place)
        if not finder.agrees(place, entity) if found is None else found.id != entity["id"]:
            return
    for place, entity in enumerate(entities):
        if place not in outcomes:
            outcomes[place] = acceptance(place, messages[place], entity, BY_ORDER)


def _account_for(nameless: Sequence[Any] | None, errors: Any, rest: Sequence[int], finder: MessageFinder) -> bool:
    """Tell whether the errors that name no message must be about all the messages left over.

    They are about the only one left over, or about as many as there are errors, where each is an object: a message
    can have several strings, and the keys of an object of errors may be fields. Two objects with one index are about
    one message.
    """
    if not nameless or len(rest) == 1:
        return bool(nameless)
    if not isinstance(errors, list) or len(nameless) != len(rest):
        return False
    if not all(isinstance(one, Mapping) for one in nameless):
        return False
    indexes = [index for one in nameless if (index := finder.index_of(None, one)) is not None]
    return len(indexes) == len(set(indexes))


def named_rejections(messages: Sequence[Sms], body: Any) -> dict[int, MessageOutcome]:
    """Return the messages that a refusal (400, 422) names, by position.

    :param messages: the messages of the request, in its order
    :param body: the decoded body of the refusal, or None
    """
    errors = body.get("errors") if isinstance(body, Mapping) else None
    named: dict[int, MessageOutcome] = {}
    _turn_down(messages, errors, MessageFinder(messages), named)
    return named


def _turn_down(
    messages: Sequence[Sms], errors: Any, finder: MessageFinder, outcomes: dict[int, MessageOutcome]
) -> list[Any] | None:
    """Add the outcomes of messages that an error names; return the errors that name none.

    None where they contradict what was accepted, or are too many: then nothing can be told by their number.
    """
    found = one_by_one(errors)
    if len(found) > _MOST_ERRORS:
        return None
    indexes = finder.indexes_of(found, outcomes)
    nameless: list[Any] = []
    contradicted = indexes.contradicted
    for key, error in found:
        named = finder.named_by(key, error, indexes)
        free = [position for position in named if position not in outcomes]
        if len(free) == 1:
            outcomes[free[0]] = _turned_down(free[0], messages[free[0]], error, finder)
        elif free or not named:
            nameless.append(error)
        elif all(outcomes[position].state is MessageState.ACCEPTED for position in named):
            contradicted = True
    return None if contradicted else nameless


def _turned_down(position: int, message: Sms, error: Any, finder: MessageFinder) -> MessageOutcome:
    rejected = rejection(position, message, error, finder.texts)
    return unpaid(rejected) if says_no_funds(error, finder.strings) else rejected


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


def acceptance(position: int, message: Sms, entity: Entity, reason: str | None = None) -> MessageOutcome:
    """Return the outcome of a message the API accepted as this entity.

    :param reason: what is to be said of it
    """
    return MessageOutcome(
        position,
        MessageState.ACCEPTED,
        id=entity["id"],
        client_id=message.client_id,
        status=status_word(entity.get("status")),
        reason=reason,
    )
