# SPDX-License-Identifier: Apache-2.0
"""What an entity says of when it was created: the field, its form and whether it is true are all U."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from .clock import iso_fraction, iso_time

if TYPE_CHECKING:
    from collections.abc import Callable

    from .clock import Clock
    from .settings import Settings

FIELD = "createdAt"
_BEHIND = 3600.0
_EAST, _WEST = 2 * 3600, -5 * 3600
_FORMS: dict[str, Callable[[float], str | int]] = {
    "iso": iso_time,
    "fraction": iso_fraction,
    "unix": int,
    "milliseconds": lambda moment: int(moment * 1_000),
    "microseconds": lambda moment: int(moment * 1_000_000),
    "milliseconds_string": lambda moment: str(int(moment * 1_000)),
    "local_east": lambda moment: iso_time(moment + _EAST)[:19],
    "local_west": lambda moment: iso_time(moment + _WEST)[:19],
}


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
