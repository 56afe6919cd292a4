# SPDX-License-Identifier: Apache-2.0
"""Moments as the server writes them, read into unix seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def http_date(value: str | None) -> float | None:
    """Return the moment that a `Date` header names, or None where it names none.

    :param value: the header; a date without a zone is in UTC, as HTTP has it, not in this machine's zone
    """
    if not value:
        return None
    try:
        return _unix(parsedate_to_datetime(value))
    except ValueError:
        return None


def created_at(entity: Mapping[str, Any]) -> float | None:
    """Return when an entity was created on the server's clock (the field is inferred), or None where it does not tell.

    :param entity: of a list; a time without a zone is taken as UTC (unknown)
    """
    value = entity.get("createdAt")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        return _unix(datetime.fromisoformat(value.strip()))
    except ValueError:
        return None


def _unix(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
