# SPDX-License-Identifier: Apache-2.0
"""Which message of a request an entity or an error of its answer is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.bulk_errors import POSITION_KEYS
from airflow_provider_instasent.api.numbers import digits

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms

_LONGEST_INDEX = 4
_API_FIELDS = frozenset({"from", "to", "text", "clientId", "allowUnicode"})
"""Keys of an object of errors that name a field, even where a message has such a clientId."""


class MessageFinder:
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
        by_index = self._at_index(next((fields[name] for name in POSITION_KEYS if name in fields), None))
        by_key = set() if key is None else self._named_by_key(key)
        hints = [hint for hint in (by_index, by_number, by_key) if hint]
        agreed = set.intersection(*hints) if hints else set()
        return agreed or by_number

    def _named_by_key(self, key: str) -> set[int]:
        if key in _API_FIELDS:
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
