# SPDX-License-Identifier: Apache-2.0
"""What a row template gets of a row's values, and what of them it may print.

A value that is missing is undefined to the template; one that is no text, number, date or bool cannot be printed; sets
have one order, so that a retry renders the same; numbers are written out as people write them.
"""

from __future__ import annotations

import math
from datetime import date, time, timedelta
from decimal import Decimal
from numbers import Number
from typing import TYPE_CHECKING, Any, NoReturn
from uuid import UUID

from jinja2 import StrictUndefined, Undefined, UndefinedError

from airflow_provider_instasent.api.missing_values import is_missing

if TYPE_CHECKING:
    from collections.abc import Iterable

AS_THEY_ARE = frozenset({str, int, bool, date, time})
"""Types whose values are there, read the same in every try and hold no others."""

_PRINTABLE = (str, int, date, time, timedelta, UUID)
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

    def __str__(self) -> NoReturn:
        raise NoTextError(f"a {type(self).__mro__[2].__name__}")

    __repr__ = __str__

    def __format__(self, _: str) -> NoReturn:
        str(self)
        raise AssertionError("unreachable: it cannot be printed")


class _List(_NoText, list[Any]):
    __slots__ = ()


class _Dict(_NoText, dict[Any, Any]):
    __slots__ = ()


class _Bytes(_NoText, bytes):
    __slots__ = ()


class _WrittenOutDecimal(Decimal):
    """Prints without an exponent."""

    def __str__(self) -> str:
        return format(self, "f")


class _WrittenOutFloat(float):
    """Prints without an exponent."""

    __slots__ = ()

    def __str__(self) -> str:
        return format(Decimal(float.__repr__(self)), "f")


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
    if isinstance(value, _DECIMALS):
        return _written_out(value)
    if isinstance(value, list | tuple):
        return _List(prepared(one, name) for one in value)
    if isinstance(value, dict):
        return _Dict((key, prepared(one, name)) for key, one in value.items())
    if isinstance(value, set | frozenset):
        return _List(prepared(one, name) for one in _in_order(value))
    if isinstance(value, bytes):
        return _Bytes(value)
    if callable(value):
        raise UnsteadyError(NO_FUNCTIONS)
    return value


def printable(value: Any) -> Any:
    """Let pass what a template may print.

    :raises NoTextError: where it is no text, number, date or bool
    """
    if isinstance(value, _PRINTABLE):
        return value
    if isinstance(value, _DECIMALS):
        return _written_out(value)
    if isinstance(value, Undefined | Number):
        return value
    if value is None:
        raise NoTextError("null")
    raise NoTextError("a function" if callable(value) else f"a {type(value).__name__.strip('_').lower()}")


def steady_set(value: Any) -> Any:
    """Return a value; where it is a set, its members in one order."""
    return _in_order(value) if isinstance(value, set | frozenset) else value


def _written_out(value: Decimal | float) -> Decimal | float:
    """Return a number that prints without an exponent.

    :raises NoTextError: where it is infinite, or none
    """
    if not math.isfinite(value):
        raise NoTextError("an infinite number")
    if "E" not in repr(value).upper()[7 * isinstance(value, Decimal) :]:
        return value
    return _WrittenOutDecimal(value) if isinstance(value, Decimal) else _WrittenOutFloat(value)


def _in_order(members: Iterable[Any]) -> list[Any]:
    members = list(members)
    try:
        return sorted(members)
    except TypeError:
        return sorted(members, key=lambda one: (type(one).__name__, repr(one)))
