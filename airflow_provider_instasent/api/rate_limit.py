# SPDX-License-Identifier: Apache-2.0
"""What the headers of an answer say of when to ask again: those of the rate limit, and `Retry-After`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.timestamps import UNITS, http_date, moment_of, number_of_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_RESET_WAIT = 120.0
"""Seconds waited for a reset at a time, whatever the header says."""

_HOUR, _DAY = 3_600.0, 86_400.0
"""Seconds: no window is longer, so a reset is that near to the server's clock, or a number of seconds up to then."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The three rate-limit headers (confirmed: on every response, per organisation and endpoint, a minute).

    :param limit: requests a window, if said
    :param remaining: requests left in this window, if said
    :param reset_in: seconds until the window ends on the server's own clock, if said
    :param reset_at: when the window ends on the server's clock, in unix seconds, if said
    :param server_time: the server's clock when it answered, in whole unix seconds, if said
    :param refused: whether the request was refused for the limit (429), and so used nothing of it
    :param retry_in: seconds after which to ask again, as `Retry-After` has it (inferred from HTTP), if said
    :param is_rough: whether the reset was told in seconds from then on (inferred): each answer tells another moment
    """

    limit: int | None = None
    remaining: int | None = None
    reset_in: float | None = None
    reset_at: float | None = None
    server_time: float | None = None
    refused: bool = False
    retry_in: float | None = None
    is_rough: bool = False

    @property
    def ends_in(self) -> float:
        """Seconds until requests are let through again, by `Retry-After` for want of a reset; 0 where not told."""
        return self.reset_in or self.retry_in or 0.0


def read_rate_limit(
    headers: Mapping[str, str], server_time: float | None, now: float, *, refused: bool = False
) -> RateLimit:
    """Return what the headers of an answer say.

    :param headers: header values by lower-case name
    :param server_time: the server's clock in unix seconds, or None where it does not tell
    :param now: our clock in unix seconds, used in its place
    :param refused: whether the request was refused for the limit
    """
    limit = _number(headers.get("x-ratelimit-limit"))
    remaining = _number(headers.get("x-ratelimit-remaining"))
    clock = now if server_time is None else server_time
    reset, is_rough = _reset(headers.get("x-ratelimit-reset"), clock)
    return RateLimit(
        limit=None if limit is None else int(limit),
        remaining=None if remaining is None else int(remaining),
        reset_in=None if reset is None else max(0.0, reset - clock),
        reset_at=reset,
        server_time=server_time,
        refused=refused,
        retry_in=_retry_in(headers.get("retry-after"), clock),
        is_rough=is_rough,
    )


def _reset(value: str | None, clock: float) -> tuple[float | None, bool]:
    """Return when a window ends on the server's clock, None where it is not told, and whether that is rough.

    :param value: the header: unix seconds (confirmed), or, as other APIs have it (inferred), parts of them, the seconds
        that are left, or a date
    :param clock: the server's, in unix seconds
    """
    number = _number(value)
    if number is None:
        moment = moment_of(value)
        return (moment.at if moment is not None and moment.is_exact else None), False
    near = next((number / unit for unit in UNITS if abs(number / unit - clock) <= _DAY), None)
    if near is None and 0 <= number <= _HOUR * 1_000:
        # No window is as long as an hour (a minute is confirmed), so more than that are thousandths.
        return clock + (number if number <= _HOUR else number / 1_000), True
    return (number_of_seconds(number) if near is None else near), False


def _retry_in(value: str | None, clock: float) -> float | None:
    """Return the seconds that `Retry-After` says, a number of them or an HTTP date; None where it says neither."""
    seconds = _number(value)
    if seconds is not None and abs(seconds - clock) <= _DAY:
        return max(0.0, seconds - clock)  # a moment, where the number of seconds until then is meant
    if seconds is None:
        moment = http_date(value)
        seconds = None if moment is None else max(0.0, moment - clock)
    return seconds if seconds is not None and seconds >= 0 else None


def _number(value: str | None) -> float | None:
    try:
        number = None if value is None else float(value)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None
