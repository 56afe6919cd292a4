# SPDX-License-Identifier: Apache-2.0
"""Which message of a request an entity or an error of its answer is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.encoding import composed
from airflow_provider_instasent.api.indexes import NO_INDEXES, POSITION_KEYS, Indexes, as_index, read_indexes
from airflow_provider_instasent.api.message import API_FIELDS
from airflow_provider_instasent.api.numbers import digits

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms

_LONGEST_NAME = 64
"""Characters of a clientId or a number, however it is grouped."""


class MessageFinder:
    """Looks messages of one request up by what an answer says of them."""

    def __init__(self, messages: Sequence[Sms]) -> None:
        self._messages = messages

    @cached_property
    def texts(self) -> frozenset[str]:
        """All texts of the request: none of them may be repeated in a reason."""
        return frozenset(message.text for message in self._messages)

    @cached_property
    def strings(self) -> frozenset[str]:
        """All strings of the request, which an error may repeat."""
        return self.texts.union(*((one.sender, one.to, one.client_id or "") for one in self._messages))

    @cached_property
    def _by_client_id(self) -> dict[str, list[int]]:
        return self._grouped(lambda message: message.client_id)

    @cached_property
    def _by_number(self) -> dict[str, list[int]]:
        return self._grouped(lambda message: digits(message.to))

    @cached_property
    def _by_text(self) -> dict[str, list[int]]:
        return self._grouped(lambda message: _normal(message.text))

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

    def by_unique_text(self, entity: Entity, taken: Mapping[int, object]) -> int | None:
        """Find the message of an entity that names none by its text, where no other message of the request has it."""
        text = entity.get("text")
        if names_a_message(entity) or not isinstance(text, str):
            return None
        position = _only_free(self._by_text.get(_normal(text), ()), taken)
        return position if position is not None and self.agrees(position, entity) else None

    def agrees(self, position: int, entity: Entity) -> bool:
        """Tell whether nothing that an entity shows contradicts that it is this message."""
        message = self._messages[position]
        client_id = entity.get("clientId")
        numbers = {digits(_scalar(entity.get(name))) for name in ("to", "normalizedTo") if entity.get(name)}
        if (client_id and _scalar(client_id) != message.client_id) or (numbers and digits(message.to) not in numbers):
            return False
        return all(
            not isinstance(shown := entity.get(name), str) or _normal(shown) == _normal(sent)
            for name, sent in (("text", message.text), ("from", message.sender))
        )

    def indexes_of(self, errors: Sequence[tuple[str | None, Any]], accepted: Mapping[int, object]) -> Indexes:
        """Return how the indexes that errors have are to be read.

        :param errors: as `(key, error)`
        :param accepted: by the positions of accepted messages
        """
        found = [
            (index, self._named_by_name(key, error))
            for key, error in errors
            if (index := self.index_of(key, error)) is not None
        ]
        return read_indexes(found, len(self._messages), accepted) if found else NO_INDEXES

    def index_of(self, key: str | None, error: Any) -> int | None:
        """Return the one index that an error or its key has, None where there is none or several.

        A key that is a clientId or a number of the request may mean that.
        """
        fields = error if isinstance(error, Mapping) else {}
        found = {as_index(fields.get(name)) for name in POSITION_KEYS}
        if key is not None and not self._named_by_key(key):
            found.add(as_index(key))
        found.discard(None)
        return found.pop() if len(found) == 1 else None

    def named_by(self, key: str | None, error: Any, indexes: Indexes) -> Collection[int]:
        """Return the positions an error may be about, none where it names no message.

        :param key: the error's key where errors come as an object: a clientId, an index, a number or a field
        :param error: the error, of whatever shape
        :param indexes: how the indexes of the answer are to be read
        """
        named = self._named_by_name(key, error)
        if key is not None and named and as_index(key) is not None:
            named = named | self._maybe_at(key, indexes)
        position = indexes.position(self.index_of(key, error))
        if position is None:
            return named
        return {position} if not named or position in named else named

    def _named_by_name(self, key: str | None, error: Any) -> set[int]:
        """Return the positions that an error names by clientId or number: by its fields, and by its key."""
        fields: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
        by_client_id = self._by_client_id.get(_scalar(fields.get("clientId")))
        if by_client_id:
            return set(by_client_id)
        by_number = set(self._by_number.get(digits(_scalar(fields.get("to"))), ()))
        by_key = set() if key is None else self._named_by_key(key)
        return (by_number & by_key) or by_number or by_key

    def _named_by_key(self, key: str) -> set[int]:
        if key in API_FIELDS:  # which a clientId may read like
            return set()
        return {*self._by_client_id.get(key, ()), *self._by_number.get(digits(_scalar(key)), ())}

    def _maybe_at(self, key: str, indexes: Indexes) -> set[int]:
        """Return the positions that a key which is a name of the request means, should it be an index."""
        index = as_index(key)
        if index is None:
            return set()
        bases = (0, 1) if indexes.base is None else (indexes.base,)
        return {index - base for base in bases if 0 <= index - base < len(self._messages)}

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
        text = entity.get("text")
        if isinstance(text, str):
            text = composed(text)
        return [place for place in self._places(entity) if self._messages[place].text == text]


def names_a_message(entity: Entity) -> bool:
    """Tell whether an entity says which message it is."""
    return bool(entity.get("clientId") or entity.get("to") or entity.get("normalizedTo"))


def _scalar(value: Any) -> str:
    """Return a string or whole number that may be a name as a string, anything else as an empty one."""
    if not isinstance(value, str):  # each entity comes by here, and asking for one type is quickest
        if not isinstance(value, int) or isinstance(value, bool):
            return ""
        value = str(value)
    return value if len(value) <= _LONGEST_NAME else ""


def _normal(text: str) -> str:
    """Return a text as it is compared where an API may have trimmed it, or changed its normal form."""
    return " ".join(composed(text).split()).casefold()


def _only_free(places: Sequence[int], taken: Mapping[int, object]) -> int | None:
    return places[0] if len(places) == 1 and places[0] not in taken else None
