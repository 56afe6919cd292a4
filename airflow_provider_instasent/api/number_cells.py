# SPDX-License-Identifier: Apache-2.0
"""Is a cell one phone number? Asked before libphonenumber, which makes a number of almost anything.

A stray character more or less is somebody else's number, so a cell is one only if it is an optional `+` or `00` and 6
to 15 digits; spaces, hyphens, dots, brackets, a leading `'`, `tel:` and invisible characters aside.
"""

from __future__ import annotations

import operator
import re
import unicodedata
from decimal import Decimal
from typing import Any, Final, SupportsIndex

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.missing_values import is_missing

FEWEST_DIGITS: Final = 6
MOST_DIGITS: Final = 15
"""Of E.164 (confirmed: `to` is E.164)."""

_KEEP_AS_TEXT: Final = "keep the column as text"
_LOST_DIGITS: Final = 100_000
"""A float that is a multiple of it was most likely written as 3.46E+10 on its way, which is many people's number."""

_plain = re.compile(r"(?:\+(?!0)|(?!00))[0-9]{6,15}").fullmatch
_marked = re.compile(r"'?\s*(?:tel:)?", re.IGNORECASE).match
_numbered = re.compile(r"\([1-9]\)|[1-9][0-9]{0,2}[.)] |[1-9][0-9]?[ ().-]+0[0-9]{3}").match
"""How a list counts its items: `(2) 0151 1234567`."""
_tail = re.compile(r".*[0-9]{6,}[ .-]+[0-9]{1,2}|.*[0-9]{3,}\.0{1,2}").fullmatch
"""A few digits behind the rest of a number: an extension, or decimals."""
_in_brackets = re.compile(r"\([^()]*\)")
_shape = re.compile(r"\(?\+?[0-9 ()](?:[0-9 ().-]*[0-9])?").fullmatch
_decimal = re.compile(r"(?P<whole>[^.,]*)[.,](?P<places>[0-9]+)").fullmatch
_exponent = re.compile(r"[+-]?[0-9.,]+[eE][+-]?[0-9]+").fullmatch

_PLACES: Final = 2
"""Digits after a single dot that are decimals, as a rule; French numbers have two as well, after each of four dots."""


class ExponentFloat(float):
    """A float that was written with an exponent, such as 3.46E+10: nothing tells how many of its digits are true."""

    __slots__ = ()


def number_of_cell(value: Any) -> str:
    """Return the digits of a cell, after a `+` where it has one, or `00`, which is dialled for it in most countries.

    :param value: a string or a whole number
    :raises InvalidMessageError: where it is no number, or more than one
    """
    if not isinstance(value, str):
        if is_missing(value):
            raise _wrong("is missing")
        value = str(_whole(value))
    return value if _plain(value) else _number_of_text(value)


def looks_like_number(text: str) -> bool:
    """Tell whether a text could be meant as a phone number: six digits or more, and hardly anything else.

    :param text: of a cell
    """
    digits = sum(map(str.isdigit, text))
    return digits >= FEWEST_DIGITS and digits * 2 > len(text.strip())


def _number_of_text(value: str) -> str:
    text = _visible(value)
    if text.startswith('="') and text.endswith('"'):  # as programs keep Excel from taking it for an amount
        text = text[2:-1]
    text = text[_marked(text).end() :].strip()  # type: ignore[union-attr]  # it matches nothing at least
    if not text:
        raise _wrong("is empty")
    _check_characters(text)
    number = re.sub(r"[ ().-]", "", text)
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if number.startswith("+0"):
        raise _wrong("begins with +0, and no country code that exists does")
    digits = number.lstrip("+")
    if len(digits) > MOST_DIGITS:
        raise _wrong(f"has {len(digits)} digits and a number has at most {MOST_DIGITS}: give one number a message")
    if len(digits) < FEWEST_DIGITS:
        raise _wrong(f"has {len(digits)} digits and a number has at least {FEWEST_DIGITS}")
    return number


def _visible(text: str) -> str:
    """Return a text without its invisible characters, each kind of space, hyphen and digit in its plain form."""
    text = text.strip()
    return text if text.isascii() else "".join(map(_plain_character, text)).strip()


def _plain_character(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    if kind == "Nd":
        return str(unicodedata.decimal(character))
    if kind == "Zs":
        return " "
    if kind == "Pd" or character == "\N{MINUS SIGN}":
        return "-"
    is_wide = "\uff00" <= character <= "\uffef"
    return unicodedata.normalize("NFKC", character) if is_wide else character


def _check_characters(text: str) -> None:
    if _exponent(text):
        raise _wrong(f"is written with an exponent, which has lost digits; {_KEEP_AS_TEXT}")
    if any(map(str.isalpha, text)):
        raise _wrong("has letters in it; a number has digits alone")
    if _is_decimal(text):
        raise _wrong(f"is a decimal, not a phone number; {_KEEP_AS_TEXT}")
    if not _shape(text) or _numbered(text) or _tail(text) or set("()") & set(_in_brackets.sub("", text)):
        raise _wrong("is not a phone number: one has a `+`, digits, and spaces, hyphens, dots or brackets between them")


def _is_decimal(text: str) -> bool:
    """Tell whether a text is a number with decimals, such as `393331234567.00`, rather than `600.000001`."""
    found = _decimal(text)
    if found is None:
        return False
    return len(found["places"]) <= _PLACES or sum(map(str.isdigit, found["whole"])) >= FEWEST_DIGITS


def _whole(value: Any) -> int:
    """Return a whole number that is known to its last digit."""
    if isinstance(value, float) and not isinstance(value, ExponentFloat) and value.is_integer():
        if abs(value) >= 10**MOST_DIGITS or value % _LOST_DIGITS == 0:
            raise _wrong(f"is a decimal that has lost digits (it ends in zeros); {_KEEP_AS_TEXT}")
        value = int(value)
    elif isinstance(value, Decimal) and value.is_finite() and value.as_tuple().exponent == 0:
        value = int(value)
    elif isinstance(value, float | Decimal):
        raise _wrong(f"is a decimal, not a phone number; {_KEEP_AS_TEXT}")
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise _wrong(f"must be a string or a whole number, not {type(value).__name__}")
    try:
        whole = operator.index(value)
    except TypeError:  # an array
        raise _wrong(f"must be a string or a whole number, not {type(value).__name__}") from None
    if whole <= 0:
        raise _wrong("must be a positive number")
    if whole >= 10**MOST_DIGITS:
        raise _wrong(f"has more than {MOST_DIGITS} digits")
    return whole


def _wrong(reason: str) -> InvalidMessageError:
    return InvalidMessageError("to", reason)
