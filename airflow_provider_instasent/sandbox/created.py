# SPDX-License-Identifier: Apache-2.0
"""What an entity says of when it was created: the field, its form and whether it is true are all U."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from .clock import http_date, iso_fraction, iso_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from .clock import Clock
    from .settings import Settings

FIELD = "createdAt"
_BEHIND = 3600.0


def _local(hours: float) -> Callable[[float], str]:
    """The local time of a place so many hours ahead of UTC, without its zone."""
    return lambda moment: iso_time(moment + hours * 3600)[:19]


def _utc(form: str) -> Callable[[float], str]:
    return lambda moment: f"{datetime.fromtimestamp(moment, UTC):{form}}"


_FORMS: dict[str, Callable[[float], Any]] = {
    "iso": iso_time,
    "fraction": iso_fraction,
    "rfc1123": http_date,
    "rfc850": _utc("%A, %d-%b-%y %H:%M:%S GMT"),
    "unix": int,
    "unix_string": lambda moment: str(int(moment)),
    "fraction_string": lambda moment: f"{moment:.3f}",
    "milliseconds": lambda moment: int(moment * 1_000),
    "microseconds": lambda moment: int(moment * 1_000_000),
    "milliseconds_string": lambda moment: str(int(moment * 1_000)),
    "object": lambda moment: {
        "date": _local(-5)(moment).replace("T", " ") + ".000000", "timezone_type": 1, "timezone": "-05:00",
    },
    "object_local": lambda moment: {"date": _local(-5)(moment)},
    "object_iso": lambda moment: {"$date": iso_time(moment)},
    "object_unix": lambda moment: {"seconds": int(moment), "nanos": 0},
    "local_east": _local(2),
    "local_west": _local(-5),
    "local_far_east": _local(14),
    "local_far_west": _local(-12),
    "day": _utc("%Y-%m-%d"),
    "day_first": _utc("%d/%m/%Y %H:%M"),
    "null": lambda _: None,
    "words": lambda _: "just now",
}  # fmt: skip


def created(number: int, accepted_at: float, clock: Clock, settings: Settings) -> dict[str, Any]:
    """The field as it stands in an entity; empty where it is not there.

    :param number: of the message or lookup, from 0 in the order of acceptance
    :param accepted_at: when it was accepted, in seconds since the sandbox's start
    :param clock: what time it is
    :param settings: what is odd about it
    """
    if not settings.send_created_at:
        return {}
    if _chance("unreadable", number, settings) < settings.created_unreadable:
        return {FIELD: "just now"} if number % 2 else {}
    moment = clock.wall(accepted_at, settings.clock_skew)
    moment += settings.created_jitter * (2 * _chance("jitter", number, settings) - 1)
    if _chance("behind", number, settings) < settings.created_behind:
        moment -= _BEHIND
    return {FIELD: _FORMS[settings.created_form](moment)}


def _chance(of: str, number: int, settings: Settings) -> float:
    """A number from 0 to 1 that is the same each time a message is shown."""
    digest = blake2b(f"{settings.created_seed}/{of}/{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
