# SPDX-License-Identifier: Apache-2.0
"""What a row template gets of a row's values, and what of them it may print.

A value that is missing is undefined to the template; one that is no text, number, date or bool cannot be printed; sets
have one order, so that a retry renders the same; numbers are written out as people write them.
"""

from __future__ import annotations

import math
from collections import UserString
from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import Any, NoReturn
from uuid import UUID

from jinja2 import StrictUndefined, Undefined, UndefinedError

from airflow_provider_instasent.api.missing_values import is_missing

AS_THEY_ARE = frozenset({str, int, bool, date, time})
"""Types whose values are there, read the same in every try and hold no others."""

_PRINTABLE = (str, int, date, time, UUID)
_DECIMALS = (Decimal, float)

NO_FUNCTIONS = (
    "a row template has no clock and calls no functions, classes or modules of a row, so that a retry renders the "
    "same: put the value itself into the row"
)


class UnsteadyError(Exception):
    """A template asks for what another try would find changed.

    Jinja takes an AttributeError, LookupError or TypeError for a missing attribute, so it is none.

    :param reason: what a row template does not have, and what to do instead
    :param name: what was asked for; it may come out of a row
    """

    def __init__(self, reason: str, name: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.name = name


class NoTextError(TypeError):
    """A template prints what is no text, number, date or bool.

    :param kind: what it is
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"{kind} is no text")
        self.kind = kind


class MissingValueError(UndefinedError):
    """A template uses a value that is missing in this row, other than to ask whether it is there."""


class MissingValue(StrictUndefined):
    """A value that is missing: undefined, and false, and `none`; a `default` takes its place."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]  # StrictUndefined never returns
        return False

    def __eq__(self, other: object) -> bool:  # type: ignore[override]  # as above
        return other is None or isinstance(other, MissingValue)

    def __ne__(self, other: object) -> bool:  # type: ignore[override]  # as above
        return not self == other

    def __hash__(self) -> int:  # type: ignore[override]  # as above
        return hash(None)

    def __repr__(self) -> str:
        return str(self)  # which raises: a template may print that too


class _NoText:
    """Holds others, or bytes: it is to be looked into, and not printed."""

    __slots__ = ()
    kind = ""

    def __str__(self) -> NoReturn:
        raise NoTextError(self.kind)

    __repr__ = __str__

    def __format__(self, _: str) -> NoReturn:
        raise NoTextError(self.kind)


class _List(_NoText, list[Any]):
    __slots__ = ()
    kind = "a list"

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        return _List(found) if isinstance(place, slice) else found


class _Dict(_NoText, dict[Any, Any]):
    __slots__ = ()
    kind = "a mapping"


class _Bytes(_NoText, bytes):
    __slots__ = ()
    kind = "bytes"


class _WrittenOutDecimal(Decimal):
    """Prints without an exponent."""

    def __str__(self) -> str:
        return format(self, "f")


class _WrittenOutFloat(float):
    """Prints without an exponent, and a whole number as such: 3.0 is how a column with gaps has a 3."""

    __slots__ = ()

    def __str__(self) -> str:
        whole, _, places = format(Decimal(float.__repr__(self)), "f").partition(".")
        return f"{whole}.{places}" if places.strip("0") else whole


def prepared(value: Any, name: str) -> Any:
    """Return a value of a row as a template gets it, the same in every try.

    :param value: of a column
    :param name: the column's
    :raises UnsteadyError: where there is a function in it, which nothing is known of
    :raises NoTextError: where it is an infinite number
    """
    if type(value) in AS_THEY_ARE:
        return value
    if is_missing(value):
        return MissingValue(name=name, exc=MissingValueError)
    if isinstance(value, Enum):
        return prepared(value.value, name)
    if isinstance(value, str | UserString):
        return str.__str__(value) if isinstance(value, str) else value.data
    if type(value).__module__ == "numpy":
        value = _of_numpy(value)
    if isinstance(value, _DECIMALS):
        return _written_out(value)
    if isinstance(value, Iterable):
        return _of_many(value, name)
    if callable(value):
        raise UnsteadyError(NO_FUNCTIONS)
    return value


def _of_many(value: Iterable[Any], name: str) -> _NoText:
    """Return what holds other values, or bytes."""
    if isinstance(value, bytes | bytearray | memoryview):
        return _Bytes(value)
    if isinstance(value, Mapping):
        return _Dict((key, prepared(one, name)) for key, one in value.items())
    return _List(prepared(one, name) for one in steady_set(value))


def _of_numpy(value: Any) -> Any:
    """Return a number, a moment or a bool of numpy's as Python's, with the digits that it prints; all else as it is."""
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(str(value))
    if type(value).__name__ == "datetime64":
        return value.astype("datetime64[us]").item()
    return bool(value) if type(value).__name__ in {"bool", "bool_"} else value


def derived(value: Any) -> Any:
    """Return what a filter, a call or arithmetic made, no more to be printed than what it was made of.

    :param value: a result
    :raises NoTextError: where it is an infinite number, or none
    """
    if type(value) in AS_THEY_ARE or isinstance(value, _NoText):
        return value
    if isinstance(value, _DECIMALS):
        return _written_out(value)
    if isinstance(value, bytes | bytearray):
        return _Bytes(value)
    if isinstance(value, dict):
        return _Dict(value)
    return _List(steady_set(value)) if type(value) in {list, tuple, set, frozenset} else value


def formattable(value: Any) -> Any:
    """Let pass what may be an argument of a format: what can be printed, and what holds others, to be looked into.

    :raises NoTextError: where it is neither
    """
    return value if isinstance(value, _NoText | list | tuple | dict) else printable(value)


def printable(value: Any) -> Any:
    """Let pass what a template may print.

    :raises NoTextError: where it is no text, number, date or bool
    """
    if isinstance(value, _PRINTABLE):
        return value
    if isinstance(value, _DECIMALS):
        return _written_out(value)
    if isinstance(value, Undefined | Real):
        return value
    if isinstance(value, _NoText):
        raise NoTextError(value.kind)
    if value is None:
        raise NoTextError("null")
    raise NoTextError("a function" if callable(value) else f"a {type(value).__name__.lower()}")


def steady_set(value: Any) -> Any:
    """Return a value; where it is a set, its members in one order."""
    return _in_order(value) if isinstance(value, set | frozenset) else value


def _written_out(value: Decimal | float) -> Decimal | float:
    """Return a number that prints as people write it.

    :raises NoTextError: where it is infinite, or none
    """
    if not math.isfinite(value):
        raise NoTextError("no number" if math.isnan(value) else "an infinite number")
    if isinstance(value, Decimal):
        return _WrittenOutDecimal(value) if "E" in str(value) else value
    return _WrittenOutFloat(value) if value.is_integer() or "e" in repr(value) else value


def _in_order(members: Iterable[Any]) -> list[Any]:
    members = list(members)
    try:
        return sorted(members)
    except TypeError:
        return sorted(members, key=lambda one: (type(one).__name__, repr(one)))
