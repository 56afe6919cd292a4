# SPDX-License-Identifier: Apache-2.0
"""Moments as the server writes them, read into unix seconds."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import MISHAPS

if TYPE_CHECKING:
    from collections.abc import Mapping


_EARLIEST = 946_684_800.0
"""The year 2000 in unix seconds: nothing in a list is older."""

_LATEST = 1e11
"""More unix seconds than these, of the year 5138, are thousandths."""

FURTHEST_ZONE = 14 * 3_600.0
"""Seconds by which the local time of a place may be off UTC."""

_TO_THE_MINUTE = re.compile(r"\d[T ]\d\d:?\d\d")


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

    A day alone, a placeholder such as 1970 and what is no number tell nothing.

    :param entity: of a list; a time without a zone is taken as UTC, a number as unix seconds or as thousandths,
        millionths or billionths of them, as its size tells (all unknown)
    """
    value = entity.get("createdAt")
    if isinstance(value, str):
        moment = _number(value) if _is_number(value) else _iso(value.strip())
    else:
        moment = None if isinstance(value, bool) else _number(value)
    return moment if moment is not None and moment >= _EARLIEST else None


def zone_slack(entity: Mapping[str, Any]) -> float:
    """Return by how many seconds :func:`created_at` may be off because the entity does not tell its zone (unknown)."""
    value = entity.get("createdAt")
    if not isinstance(value, str) or _is_number(value):
        return 0.0
    try:
        return 0.0 if datetime.fromisoformat(value.strip()).tzinfo else FURTHEST_ZONE
    except ValueError:
        return 0.0  # nothing that can be read


def _is_number(value: str) -> bool:
    return value.strip().isascii() and value.strip().isdigit()


def _number(value: Any) -> float | None:
    """Return the moment that a number says, in whatever unit."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if not math.isfinite(seconds):
        return None
    while seconds >= _LATEST:
        seconds /= 1000
    return seconds


def _iso(value: str) -> float | None:
    try:
        return _unix(datetime.fromisoformat(value)) if _TO_THE_MINUTE.search(value) else None
    except (ValueError, OverflowError):
        return None


def _unix(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
