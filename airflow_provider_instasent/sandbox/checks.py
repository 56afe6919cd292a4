# SPDX-License-Identifier: Apache-2.0
"""What a request must look like, by the documented rules and nothing of the package's own code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .statuses import fate_of

if TYPE_CHECKING:
    from .settings import Settings

FieldErrors = dict[str, list[str]]
"""Messages by field: the shape of the sibling API's errors (I)."""

E164 = re.compile(r"\+[1-9][0-9]{5,14}")
MAX_BULK = 100
_LETTERS_MAX, _DIGITS_MAX, _CLIENT_ID_MAX = 11, 15, 40
_KNOWN = {"from", "to", "text", "clientId", "allowUnicode"}


def message_errors(item: Any, settings: Settings) -> FieldErrors:
    """What is wrong with one message; empty if nothing is.

    C: ``from``, ``to`` and ``text`` are required and not empty, ``from`` has at most 11 characters when it
    has a letter, ``clientId`` at most 40. U: numeric senders may be longer (15 here).

    :param item: the message as decoded from JSON
    :param settings: for the switches on unknown fields and booleans
    """
    if not isinstance(item, dict):
        return {"": ["A message must be an object."]}
    errors: FieldErrors = {}
    _check_sender(item.get("from"), errors)
    number_errors(item.get("to"), errors)
    text = item.get("text")
    if not isinstance(text, str) or not text:
        errors["text"] = ["This value should not be blank."]
    if "clientId" in item:
        _check_client_id(item["clientId"], errors)
    flag = item.get("allowUnicode", False)
    if not isinstance(flag, bool) and not (settings.lenient_booleans and flag in ("true", "false")):
        errors["allowUnicode"] = ["This value should be a boolean."]
    if settings.unknown_fields == "refuse" and not _KNOWN.issuperset(item):
        for name in set(item) - _KNOWN:
            errors[name] = ["This field was not expected."]
    return errors


def number_errors(to: Any, errors: FieldErrors) -> None:
    """Check a number: E.164 with ``+`` and country prefix (C), and not one the sandbox rejects by its digits.

    :param to: the number as decoded from JSON
    :param errors: what is wrong is added here
    """
    if not isinstance(to, str) or not to:
        errors["to"] = ["This value should not be blank."]
    elif not E164.fullmatch(to):
        errors["to"] = ["This value is not a valid phone number."]
    elif fate_of(to).refusal in ("item", "item_400"):
        errors["to"] = ["This number cannot be reached."]


def _check_sender(sender: Any, errors: FieldErrors) -> None:
    if not isinstance(sender, str) or not sender:
        errors["from"] = ["This value should not be blank."]
    else:
        longest = _LETTERS_MAX if any(character.isalpha() for character in sender) else _DIGITS_MAX
        if len(sender) > longest:
            errors["from"] = [f"This value is too long. It should have {longest} characters or less."]


def _check_client_id(client_id: Any, errors: FieldErrors) -> None:
    if not isinstance(client_id, str) or not client_id:
        errors["clientId"] = ["This value should be a string that is not blank."]
    elif len(client_id) > _CLIENT_ID_MAX:
        errors["clientId"] = [f"This value is too long. It should have {_CLIENT_ID_MAX} characters or less."]


def flag_of(item: dict[str, Any]) -> bool:
    """Whether a checked message allows Unicode.

    :param item: the message as decoded from JSON
    """
    return item.get("allowUnicode") in (True, "true")
