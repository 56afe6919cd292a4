# SPDX-License-Identifier: Apache-2.0
"""The rate limit: per endpoint and window, told by three headers on every response (C)."""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from .clock import http_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .settings import Settings


class RateLimiter:
    """Counts requests in fixed windows that open with the first request (when windows open is U)."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def hit(self, endpoint: str, now: float, settings: Settings, *, count: bool = True) -> tuple[bool, dict[str, str]]:
        """Count one request.

        :param endpoint: which endpoint's window it falls into
        :param now: unix time in seconds on the server's clock
        :param settings: for ``rate_limit`` and ``rate_window``
        :param count: False only reads the window, for answers that belong to no account
        :return: whether the request may pass, and the three headers
        """
        start, used = self._windows.get(endpoint, (floor(now), 0))
        if not start <= now < start + settings.rate_window:
            start, used = floor(now), 0
        allowed = used < settings.rate_limit
        if count and allowed:
            used += 1
            self._windows[endpoint] = (start, used)
        return allowed, headers(settings.rate_limit, settings.rate_limit - used, start + settings.rate_window)


def headers(limit: int, remaining: int, reset: float) -> dict[str, str]:
    """The three headers (C).

    :param limit: requests a window
    :param remaining: how many are left
    :param reset: unix time in seconds at which the next window opens
    """
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(0, remaining)),
        "X-RateLimit-Reset": str(ceil(reset)),
    }


def told(limits: Mapping[str, str], form: str, now: float, *, refused: bool) -> dict[str, str]:
    """The headers as a setting wants them (U, all but the usual form).

    :param limits: the three headers
    :param form: the setting ``limit_form``
    :param now: unix time in seconds on the server's clock
    :param refused: whether the answer is 429
    """
    reset = int(limits["X-RateLimit-Reset"])
    left = max(0, reset - floor(now))
    if form in ("retry_after", "retry_after_date"):
        return {"Retry-After": str(left) if form == "retry_after" else http_date(reset)} if refused else {}
    if form == "none":
        return {}
    forms = {"seconds": str(reset), "milliseconds": str(1_000 * reset), "fraction": f"{reset}.000"}
    forms |= {"seconds_left": str(left), "date": http_date(reset)}
    return {**limits, "X-RateLimit-Reset": forms[form]}
