# SPDX-License-Identifier: Apache-2.0
"""What the rate-limit headers of an answer say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_RESET_WAIT = 120.0
"""Seconds waited for a reset at a time, whatever the header says."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The three rate-limit headers (confirmed: on every response, per organisation and endpoint, a minute).

    :param limit: requests a window, if said
    :param remaining: requests left in this window, if said
    :param reset_in: seconds until the window ends on the server's own clock, if said
    :param reset_at: when the window ends on the server's clock, in unix seconds, if said
    :param server_time: the server's clock when it answered, in whole unix seconds, if said
    :param refused: whether the request was refused for the limit (429), and so used nothing of it
    """

    limit: int | None = None
    remaining: int | None = None
    reset_in: float | None = None
    reset_at: float | None = None
    server_time: float | None = None
    refused: bool = False


def read_rate_limit(
    headers: Mapping[str, str], server_time: float | None, now: float, *, refused: bool = False
) -> RateLimit:
    """Return what the headers of an answer say.

    :param headers: header values by lower-case name
    :param server_time: the server's clock in unix seconds, or None where it does not tell
    :param now: our clock in unix seconds, used in its place
    :param refused: whether the request was refused for the limit
    """
    reset = _number(headers.get("x-ratelimit-reset"))
    limit = _number(headers.get("x-ratelimit-limit"))
    remaining = _number(headers.get("x-ratelimit-remaining"))
    clock = now if server_time is None else server_time
    return RateLimit(
        limit=None if limit is None else int(limit),
        remaining=None if remaining is None else int(remaining),
        reset_in=None if reset is None else max(0.0, reset - clock),
        reset_at=reset,
        server_time=server_time,
        refused=refused,
    )


def _number(value: str | None) -> float | None:
    try:
        number = None if value is None else float(value)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None
