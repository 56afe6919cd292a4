# SPDX-License-Identifier: Apache-2.0
"""Moments as the server writes them, read into unix seconds; one without a zone is known to within half a day only.

What can be meant in one way only is read. What cannot, such as 05/11/2026, tells nothing: nobody guesses here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from airflow_provider_instasent.api.errors import MISHAPS

_EARLIEST, _LATEST = 946_684_800.0, 3_155_760_000.0
"""The years 2000 and 2070 in unix seconds: nothing in a list is older or newer, so it is a placeholder, or misread."""

UNITS = (1, 1_000, 1_000_000, 1_000_000_000)
"""How many to a second: of seconds, thousandths, millionths and billionths only one puts a number into those years."""

EAST, WEST = 14 * 3_600.0, 12 * 3_600.0
"""Seconds by which the local time of a place may be ahead of UTC, and behind it."""

_LONGEST = 80
"""Characters of a moment as a text."""

_DEEPEST = 3
"""Objects in one another, of which the innermost has the moment."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE]\+?\d+)?", re.ASCII)
_DIGITS_ALONE = re.compile(r"(20\d{6})(\d{6})", re.ASCII)
_DIGITS_AND_MORE = re.compile(r"20\d\d(0[1-9]|1[0-2])\d{9,}", re.ASCII)
"""The same with parts of a second, however many to one: no number of seconds."""
# Two letters after the time are no zone but half of a day: 08:00 PM is not read.
_TEXT = re.compile(
    r"(?P<local>.*?[\d.])"
    r"\s*(?:(?P<offset>(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?)(?:\s+(?:[A-Z]{3,5}|\([A-Z ]+\)))?|(?P<zone>Z|UT|[A-Z]{3,5}))?"
    r"(?:\[(?P<place>[\w/+-]+)\])?",
    re.ASCII | re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-])(\d\d):?(\d\d)?", re.ASCII | re.IGNORECASE)
_ISO = re.compile(r"\d{4}-?\d\d-?\d\d[T ]\d\d:?\d\d(:?\d\d([.,]\d+)?)?", re.ASCII | re.IGNORECASE)
_MONTH = (
    "Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|"
    "Nov(?:ember)?|Dec(?:ember)?"
)
_RFC = re.compile(
    rf"(?:([A-Z]{{3,9}}),? +)?(\d{{1,2}})[ -]({_MONTH})[ -](\d{{4}}|\d\d) +(\d\d:\d\d(?::\d\d)?)",
    re.ASCII | re.IGNORECASE,
)
_C_TIME = re.compile(
    r"[A-Z]{3} ([A-Z]{3}) +(\d{1,2}) (\d\d:\d\d:\d\d)(?: ([A-Z]{1,5}))? (\d{4})", re.ASCII | re.IGNORECASE
)

_SECONDS = ("seconds", "_seconds", "sec", "epochSecond", "timestamp")
_INNER = ("$date", "$numberLong", "date", "dateTime")
_TIMES = frozenset({"time", "localTime", "hour", "hours"})
_PLACES = ("timezone", "timeZone")
"""Names in objects, as Protocol Buffers, Firestore, PHP, Java, MongoDB and .NET have them."""


class Created(NamedTuple):
    """When an entity was created on the server's clock in unix seconds, as far as it tells.

    Judge by the ends: what is certain is what holds for both.

    :param at: as it is written, without a zone read as UTC; only fit for comparing a list with itself
    :param earliest: when it can have been at the earliest
    :param latest: and at the latest
    """

    at: float
    earliest: float
    latest: float

    @classmethod
    def exactly(cls, at: float) -> Created:
        """Return a moment that is known."""
        return cls(at, at, at)

    @property
    def is_exact(self) -> bool:
        """Whether it has a zone, or needs none."""
        return self.earliest == self.latest


def http_date(value: str | None) -> float | None:
    """Return the moment that a `Date` header names, or None where it names none.

    :param value: the header; a date without a zone is in UTC, as HTTP has it, not in this machine's zone
    """
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except MISHAPS:  # the parser has more to raise than it says
        return None


def created_at(entity: Mapping[str, Any]) -> Created | None:
    """Return when an entity was created (the field is inferred), or None where it does not tell.

    A day alone, a placeholder such as 1970 and what is no moment tell nothing.

    :param entity: of a list; its `createdAt` may be ISO 8601, a date as HTTP writes it, unix seconds or thousandths,
        millionths or billionths of them, each also in a string, or an object that holds one (all unknown)
    """
    return moment_of(entity.get("createdAt"))


def moment_of(value: Any) -> Created | None:
    """Return the moment that a value says, in whatever form, or None where it says none."""
    try:
        moment = _moment_of(value, _DEEPEST)
    except MISHAPS:  # the parsers have more to raise than they say
        return None
    return moment if moment is not None and _EARLIEST <= moment.at < _LATEST else None


def number_of_seconds(value: float) -> float | None:
    """Return the unix seconds that a number says in whichever unit, or None where it says no moment of this century.

    :param value: seconds, or thousandths, millionths or billionths of them, as its size tells
    """
    moments = (value / unit for unit in UNITS) if math.isfinite(value) else ()
    return next((moment for moment in moments if _EARLIEST <= moment < _LATEST), None)


def _moment_of(value: Any, depth: int) -> Created | None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        return _of_text(value) if len(value) <= _LONGEST else None
    if isinstance(value, Mapping):
        return _of_object(value, depth) if depth else None
    if isinstance(value, list):
        return _of_parts(value)
    return None if isinstance(value, bool) or value is None else _of_number(float(value))


def _of_number(value: float) -> Created | None:
    seconds = number_of_seconds(value)
    return None if seconds is None else Created.exactly(seconds)


def _of_object(value: Mapping[str, Any], depth: int) -> Created | None:
    """Return the moment of an object, as languages write theirs where nobody says how."""
    if not _TIMES.isdisjoint(value):  # the rest is a day, and this its time: read alone it would be midnight
        return None
    for name in _INNER:
        if name in value:
            place = next((value[key] for key in _PLACES if isinstance(value.get(key), str)), None)
            inner = value[name]
            return _of_text(inner, place) if place and isinstance(inner, str) else _moment_of(inner, depth - 1)
    seconds = next((value[key] for key in _SECONDS if key in value), None)
    return None if isinstance(seconds, Mapping) else _moment_of(seconds, depth - 1)


def _of_parts(parts: list[Any]) -> Created | None:
    """Return the moment of year, month, day, hour, minute, as Java writes a time without a zone."""
    if not 5 <= len(parts) <= 7 or any(type(part) is not int for part in parts):  # noqa: PLR2004 - as just said
        return None
    return _in_zone(datetime(*parts[:6]), None)  # noqa: DTZ001 - it has no zone


@lru_cache(maxsize=4_096)
def _of_text(value: str, place: str | None = None) -> Created | None:
    """Return the moment of a text.

    :param value: the text
    :param place: the name, or the offset, of the zone that it is in, unless it says so itself
    """
    text = value.strip().replace("\N{MINUS SIGN}", "-")
    if digits := _DIGITS_ALONE.fullmatch(text):
        text = "T".join(digits.groups())
    elif _NUMBER.fullmatch(text):
        return None if _DIGITS_AND_MORE.fullmatch(text) else _of_number(float(text))
    if c_time := _C_TIME.fullmatch(text):
        month, day, time, zone, year = c_time.groups()
        text = f"{day} {month} {year} {time} {zone or ''}"
    said = _TEXT.fullmatch(text.strip())
    local = None if said is None else _local_time(said["local"])
    if said is None or local is None:
        return None
    return _in_zone(local, said["offset"] or said["zone"] or said["place"] or place)


def _local_time(text: str) -> datetime | None:
    if _ISO.fullmatch(text):
        return datetime.fromisoformat(text.upper())
    if dated := _RFC.fullmatch(text):
        weekday, day, month, year, time = dated.groups()
        # Of two digits either end may be the year, unless it is written as RFC 850 has it.
        if weekday or len(year) > 2:  # noqa: PLR2004 - as just said
            return parsedate_to_datetime(f"{day} {month[:3]} {year} {time}")
    return None


def _in_zone(local: datetime, zone: str | None) -> Created | None:
    """Return the moment of a local time.

    :param local: without a zone
    :param zone: an offset or the name of a place; a short name such as CST is that of several zones, save for UTC's own
    """
    at = local.replace(tzinfo=UTC).timestamp()
    if zone is not None and zone.upper() in {"Z", "UT", "UTC", "GMT", "ETC/UTC"}:
        return Created.exactly(at)
    if zone is not None and (offset := _OFFSET.fullmatch(zone)):
        sign, hours, minutes = offset.groups()
        ahead = int(sign + "1") * (int(hours) * 3_600 + int(minutes or 0) * 60)
        return Created.exactly(at - ahead) if -WEST <= ahead <= EAST else None
    if zone is not None and "/" in zone:
        try:
            there = ZoneInfo(zone)
        except MISHAPS:  # not known on this machine
            pass
        else:
            both = [local.replace(tzinfo=there, fold=fold).timestamp() for fold in (0, 1)]
            return Created(min(both), min(both), max(both))
    return Created(at, at - EAST, at + WEST)
