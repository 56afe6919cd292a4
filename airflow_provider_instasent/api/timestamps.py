# SPDX-License-Identifier: Apache-2.0
"""Moments as the server writes them, read into unix seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_instasent.api.errors import MISHAPS

if TYPE_CHECKING:
    from collections.abc import Mapping

_EARLIEST: Final = 1_000_000_000.0
_LATEST: Final = 5_000_000_000.0
"""Unix seconds from 2001 to 2128: no SMS was created before, and zero is what a server says that does not know."""

_UNITS: Final = (1, 1_000, 1_000_000, 1_000_000_000)
"""Of a second: no number is a moment of that range in more than one of them."""

_NUMBER = re.compile(r"[0-9]{1,19}(?:\.[0-9]{1,12})?")


def http_date(value: str | None) -> float | None:
    """Return the moment that a `Date` header names, or None where it names none.

    :param value: the header; a date without a zone is in UTC, as HTTP has it, not in this machine's zone
    """
    if not value:
        return None
    try:
        return _unix(parsedate_to_datetime(value))
    except MISHAPS:  # the parser has more to raise than it says
        return None


def created_at(entity: Mapping[str, Any]) -> float | None:
    """Return when an entity was created on the server's clock (the field is inferred), or None where it does not tell.

    Read are ISO 8601, and unix time in seconds, milli-, micro- or nanoseconds, as a number or as digits (unknown which
    the API uses).

    :param entity: of a list; a time without a zone is taken as UTC (unknown)
    """
    value = entity.get("createdAt")
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _unix_time(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _NUMBER.fullmatch(text) and (moment := _unix_time(float(text))) is not None:
        return moment
    try:
        return _plausible(_unix(datetime.fromisoformat(text)))
    except (ValueError, OverflowError):
        return None


def _unix_time(number: float) -> float | None:
    """Return a number of seconds, milli-, micro- or nanoseconds in seconds, None where it is none of these."""
    if not 0 < number < _LATEST * _UNITS[-1]:  # whatever its size: a whole number may be beyond any float
        return None
    for unit in _UNITS:
        if _EARLIEST <= number / unit < _LATEST:
            return number / unit
    return None


def _plausible(moment: float) -> float | None:
    return moment if _EARLIEST <= moment < _LATEST else None


def _unix(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
