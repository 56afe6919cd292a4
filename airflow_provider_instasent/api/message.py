# SPDX-License-Identifier: Apache-2.0
"""What is sent: one message, checked before anything leaves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from airflow_provider_instasent.api import encoding
from airflow_provider_instasent.api.client_ids import MAX_CLIENT_ID
from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.missing_values import is_missing, is_printed_missing
from airflow_provider_instasent.api.numbers import mask, mask_in, normalise

MESSAGE_FIELDS: Final = ("to", "text", "sender", "allow_unicode", "client_id")
"""What a message that a user writes down as a mapping may hold; the first two it must."""

API_FIELDS: Final = frozenset({"from", "to", "text", "clientId", "allowUnicode"})
"""The same as the API names them (confirmed)."""

_controls = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f]").search
"""Characters that are no text: what a file that is read in another encoding has, or a binary one."""

_MAX_SENDER_WITH_LETTER: Final = 11
_MAX_NUMERIC_SENDER: Final = 15


@dataclass(frozen=True, slots=True, repr=False)
class Sms:
    """One message as it is sent. :meth:`create` checks its parts; the constructor trusts them.

    :param to: the number in E.164
    :param text: the text, in normal form C
    :param sender: the API's `from`
    :param allow_unicode: whether UCS-2 is asked for where the text needs it
    :param client_id: the id it is looked for by, at most 40 characters, or None
    """

    to: str
    text: str
    sender: str
    allow_unicode: bool = False
    client_id: str | None = None

    @classmethod
    def create(
        cls,
        *,
        to: Any,
        text: Any,
        sender: Any,
        allow_unicode: bool = False,
        client_id: Any = None,
        default_region: str | None = None,
        position: int | None = None,
    ) -> Sms:
        """Return a message that the API's published rules allow.

        :param to: a number, in international format or that of `default_region`; or a `PhoneNumber`
        :param text: not blank (confirmed: required, not empty; no maximum published)
        :param sender: not blank, at most 11 characters when it has a letter (confirmed), else 15 (unknown)
        :param allow_unicode: ask for UCS-2 where the text needs it
        :param client_id: 1 to 40 characters (confirmed), unique per message
        :param default_region: the ISO country of numbers in national format
        :param position: the message's place in its batch, from 0, for the error
        :raises InvalidMessageError: names the field and what to do, never the value
        """
        try:
            return cls(
                to=normalise(to, default_region).e164,
                text=encoding.composed(_checked("text", text)),
                sender=_checked_sender(sender),
                allow_unicode=_checked_flag(allow_unicode),
                client_id=None if client_id is None else _checked_client_id(client_id),
            )
        except InvalidMessageError as error:
            raise error if position is None else error.at(position) from None

    def payload(self) -> dict[str, Any]:
        """Return the message object of `POST /sms` and `POST /sms/bulk` (confirmed)."""
        payload: dict[str, Any] = {"from": self.sender, "to": self.to, "text": self.text}
        if self.client_id is not None:
            payload["clientId"] = self.client_id
        if self.allow_unicode:
            payload["allowUnicode"] = True
        return payload

    def size(self) -> encoding.TextSize:
        """Return how the text is encoded and how many parts it takes."""
        return encoding.count(self.text, allow_unicode=self.allow_unicode)

    def __repr__(self) -> str:
        client_id = None if self.client_id is None else mask_in(self.client_id)
        return (
            f"Sms(to={mask(self.to)}, sender={mask_in(self.sender)!r}, client_id={client_id!r}, "
            f"allow_unicode={self.allow_unicode})"
        )


def _checked(field: str, value: Any) -> str:
    if is_missing(value):
        raise InvalidMessageError(field, "is missing")
    if not isinstance(value, str):
        raise InvalidMessageError(field, f"must be a string, not {type(value).__name__}")
    if not value.strip():
        raise InvalidMessageError(field, "is empty")
    if is_printed_missing(value):
        raise InvalidMessageError(field, f'is "{value.strip()}", which is printed for a value that is not there')
    if _controls(value):
        raise InvalidMessageError(field, "holds a control character, which is no text; is it of another encoding?")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidMessageError(field, "holds half of a surrogate pair, which no encoding can send") from None
    return value


def _checked_sender(value: Any) -> str:
    if value is None:
        raise InvalidMessageError("sender", "is missing; pass `sender` or set it on the connection")
    return _allowed_sender(_checked("sender", value))


@lru_cache
def _allowed_sender(given: str) -> str:
    sender = encoding.composed(given)
    longest, kind = _MAX_NUMERIC_SENDER, "without a letter"
    if len(sender) > _MAX_SENDER_WITH_LETTER and any(map(str.isalpha, sender)):
        longest, kind = _MAX_SENDER_WITH_LETTER, "with a letter"
    if len(sender) > longest:
        raise InvalidMessageError(
            "sender", f"has {len(sender)} characters; a sender {kind} has at most {longest}, so shorten it"
        )
    return sender


def _checked_client_id(value: Any) -> str:
    client_id = _checked("client_id", value)
    if len(client_id) > MAX_CLIENT_ID:
        raise InvalidMessageError("client_id", f"has {len(client_id)} characters; at most {MAX_CLIENT_ID} are allowed")
    return client_id


def _checked_flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidMessageError("allow_unicode", f"must be true or false, not {type(value).__name__}")
    return value
