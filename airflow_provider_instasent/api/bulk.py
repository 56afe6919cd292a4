# SPDX-License-Identifier: Apache-2.0
"""Attribute a bulk answer to the messages that were sent: who was accepted, who was rejected, who is unaccounted for.

The shape of an error is unknown: lists and objects are taken, an error belongs to a message by `clientId`, by `index`
or by `to`, whichever is present and unambiguous; an `index` that another name contradicts counts for nothing. Entities
belong by `clientId`, then by `to` and `text`, by position only where every item was accepted. What nothing accounts
for is unconfirmed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.server_words import brief

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms

UNACCOUNTED = "the bulk answer does not say what became of it"
_TAKEN = re.compile(r"already|in use|\bused\b|unique|exist|duplicat|repeat|taken", re.IGNORECASE)
_POSITION_KEYS = ("index", "position")
_LONGEST_INDEX = 4
_FIELDS = frozenset({"from", "to", "text", "clientId", "allowUnicode"})
"""Keys of an object of errors that name a field, even where a message has such a clientId."""


def attribute(messages: Sequence[Sms], entities: Sequence[Entity], errors: Any) -> list[MessageOutcome]:
    """Say for each message of a 2xx bulk answer what became of it.

    What names a message for certain comes first, so that an index which counts from 1 (unknown) cannot turn an
    accepted message into a rejected one.

    :param messages: the messages of the request, in its order
    :param entities: the accepted entities, each with an `id`
    :param errors: the answer's `errors`, of whatever shape
    :returns: one outcome a message, in the request's order
    """
    finder = _Finder(messages)
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
    _reject(messages, errors, _Finder(messages), named)
    return named


def rejection(position: int, message: Sms, said: Any, hide: Collection[str] = ()) -> MessageOutcome:
    """Return the outcome of a message the API turned down, with its reason made fit for a log.

    :param position: the message's place in the request
    :param message: the message
    :param said: the API's error, of whatever shape
    :param hide: texts beside the message's own that must not be repeated
    """
    said = _without_names(said, message)
    words = _words(said)
    reason = brief(words, hide=(message.text, *hide)) if words else ""
    return MessageOutcome(
        position,
        MessageState.REJECTED,
        client_id=message.client_id,
        reason=reason or "rejected by the API without a reason",
        client_id_taken=says_client_id_taken(said),
    )


def says_client_id_taken(said: Any) -> bool:
    """Tell whether an error says that the clientId was used before (unknown whether the API ever refuses one)."""
    if isinstance(said, Mapping):
        for key, value in said.items():
            if str(key).lower().replace("_", "") == "clientid" and _TAKEN.search(str(value)):
                return True
            if isinstance(value, Mapping | list) and says_client_id_taken(value):
                return True
            if isinstance(value, str) and says_client_id_taken(value):
                return True
        return False
    if isinstance(said, list):
        return any(says_client_id_taken(item) for item in said)
    return isinstance(said, str) and "clientid" in said.lower().replace("_", "") and bool(_TAKEN.search(said))


def _without_names(said: Any, message: Sms) -> Any:
    """Leave out of an error what only says which message it is about."""
    if not isinstance(said, Mapping):
        return said
    own = {message.client_id, message.to, message.text, message.sender}
    return {
        key: value
        for key, value in said.items()
        if key not in _POSITION_KEYS and not (isinstance(value, str) and value in own)
    }


def _words(said: Any) -> Any:
    """Return what an error says, out of its envelope."""
    if isinstance(said, list) and len(said) == 1:
        return _words(said[0])
    if not isinstance(said, Mapping):
        return said
    return said.get("errors") or said.get("message") or said.get("error") or said


def _reject(
    messages: Sequence[Sms], errors: Any, finder: _Finder, outcomes: dict[int, MessageOutcome]
) -> list[Any] | None:
    """Add the rejections that name a message; return the errors that name none, or None where one names an accepted
    message: then nothing can be told by their number.
    """
    nameless: list[Any] = []
    contradicted = False
    for key, error in _items(errors):
        named = finder.named_by(key, error)
        free = [position for position in named if position not in outcomes]
        if len(free) == 1:
            outcomes[free[0]] = rejection(free[0], messages[free[0]], error, finder.texts)
        elif free or not named:
            nameless.append(error)
        elif not any(outcomes[position].state is MessageState.REJECTED for position in named):
            contradicted = True
    return None if contradicted else nameless


def _items(errors: Any) -> list[tuple[str | None, Any]]:
    if isinstance(errors, list):
        return [(None, error) for error in errors]
    if isinstance(errors, Mapping):
        return [(str(key), error) for key, error in errors.items()]
    return [] if not errors else [(None, errors)]


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


def digits(number: Any) -> str:
    """Return a phone number's digits, for comparing spellings of it."""
    return "".join(character for character in str(number) if character.isdigit())


class _Finder:
    """Looks messages of one request up by what an answer says of them."""

    def __init__(self, messages: Sequence[Sms]) -> None:
        self._messages = messages

    @cached_property
    def texts(self) -> frozenset[str]:
        """All texts of the request: none of them may be repeated in a reason."""
        return frozenset(message.text for message in self._messages)

    @cached_property
    def _by_client_id(self) -> dict[str, list[int]]:
        return self._grouped(lambda message: message.client_id)

    @cached_property
    def _by_number(self) -> dict[str, list[int]]:
        return self._grouped(lambda message: digits(message.to))

    def _grouped(self, key_of: Callable[[Sms], str | None]) -> dict[str, list[int]]:
        groups: dict[str, list[int]] = {}
        for position, message in enumerate(self._messages):
            key = key_of(message)
            if key:
                groups.setdefault(key, []).append(position)
        return groups

    def by_client_id(self, entity: Entity, taken: Mapping[int, object]) -> int | None:
        """Find the message by the clientId the API echoes."""
        return _only_free(self._by_client_id.get(_scalar(entity.get("clientId")), ()), taken)

    def by_unique_number(self, entity: Entity, taken: Mapping[int, object]) -> int | None:
        """Find the message by its number where only one message of the request goes there."""
        return _only_free(self._places(entity), taken)

    def by_unique_content(self, entity: Entity, taken: Mapping[int, object]) -> int | None:
        """Find the message by number and text where no other message of the request has both."""
        return _only_free(self._same_content(entity), taken)

    def by_content(self, entity: Entity, taken: Mapping[int, object]) -> int | None:
        """Find the first free message with the entity's number and text; equal messages are interchangeable."""
        return next((place for place in self._same_content(entity) if place not in taken), None)

    def next_free(self, _entity: Entity, taken: Mapping[int, object]) -> int | None:
        """Find the first message without an outcome: attribution by position."""
        return next(place for place in range(len(self._messages)) if place not in taken)

    def named_by(self, key: str | None, error: Any) -> Collection[int]:
        """Return the positions an error may be about, none where it names no message.

        :param key: the error's key where errors come as an object: a clientId, an index, a number or a field
        :param error: the error, of whatever shape
        """
        fields: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
        by_client_id = self._by_client_id.get(_scalar(fields.get("clientId")))
        if by_client_id:
            return by_client_id
        by_number = set(self._by_number.get(digits(_scalar(fields.get("to"))), ()))
        by_index = self._at_index(next((fields[name] for name in _POSITION_KEYS if name in fields), None))
        by_key = set() if key is None else self._named_by_key(key)
        hints = [hint for hint in (by_index, by_number, by_key) if hint]
        agreed = set.intersection(*hints) if hints else set()
        return agreed or by_number

    def _named_by_key(self, key: str) -> set[int]:
        if key in _FIELDS:
            return set()
        by_client_id, by_number = self._by_client_id.get(key, ()), self._by_number.get(digits(key), ())
        return self._at_index(key).union(by_client_id, by_number)

    def _places(self, entity: Entity) -> Sequence[int]:
        """Return the messages to the entity's number; none where the entity has a clientId, which says more."""
        if entity.get("clientId"):
            return ()
        for name in ("to", "normalizedTo"):
            places = self._by_number.get(digits(_scalar(entity.get(name))))
            if places:
                return places
        return ()

    def _same_content(self, entity: Entity) -> Sequence[int]:
        return [place for place in self._places(entity) if self._messages[place].text == entity.get("text")]

    def _at_index(self, value: Any) -> set[int]:
        text = _scalar(value)
        if not (text.isascii() and text.isdigit()) or len(text) > _LONGEST_INDEX:
            return set()
        position = int(text)
        return {position} if position < len(self._messages) else set()


def _scalar(value: Any) -> str:
    """Return a string or whole number as a string, anything else as an empty one."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _only_free(places: Sequence[int], taken: Mapping[int, object]) -> int | None:
    return places[0] if len(places) == 1 and places[0] not in taken else None
