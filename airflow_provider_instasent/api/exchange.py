# SPDX-License-Identifier: Apache-2.0
"""Values of the sans-IO core: a request to make, what came of it, and the steps a driver performs.

A *flow* is a generator that yields steps (:class:`Send`, :class:`Pause`), is sent the :class:`Outcome` of
each `Send`, and returns its result. The sync and the async client differ only in how they perform a step.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")


class Kind(StrEnum):
    """Whether repeating a request can cost money and annoy a person."""

    READ = "read"
    SEND = "send"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the endpoints describe it; the clients add base URL, token and headers.

    :param method: the HTTP method
    :param path: the path below the base URL, without a slash in front or behind
    :param kind: whether it may be repeated freely
    :param params: the query
    :param body: the JSON body, or None
    """

    method: str
    path: str
    kind: Kind = Kind.READ
    params: Mapping[str, str | int] = field(default_factory=dict)
    body: Any = None

    def encoded_body(self) -> bytes | None:
        """Return the body as UTF-8 JSON, or None."""
        if self.body is None:
            return None
        return json.dumps(self.body, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The three rate-limit headers (confirmed: on every response, per organisation and endpoint, a minute).

    :param limit: requests a window, if said
    :param remaining: requests left in this window, if said
    :param reset_in: seconds until the window ends on the server's own clock, if said
    :param reset_at: when the window ends on the server's clock, in unix seconds, if said
    :param server_time: the server's clock when it answered, in whole unix seconds, if said
    """

    limit: int | None = None
    remaining: int | None = None
    reset_in: float | None = None
    reset_at: float | None = None
    server_time: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response, read to its end.

    :param status: the HTTP status
    :param headers: header values by lower-case name
    :param body: the bytes as they came
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body.

        :raises ValueError: where it is not JSON
        """
        try:
            return json.loads(self.body)
        except RecursionError:
            raise ValueError("the body is nested too deeply") from None

    def server_time(self) -> float | None:
        """Return the server's clock (its `Date` header) in unix seconds, or None where it does not tell."""
        value = self.headers.get("date")
        if not value:
            return None
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        # A date without a zone is in UTC, as HTTP has it, not in this machine's zone.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

    def rate_limit(self, now: float) -> RateLimit:
        """Return what the rate-limit headers say.

        :param now: our clock in unix seconds, used where the server does not tell its own
        """
        reset = _number(self.headers.get("x-ratelimit-reset"))
        server_now = self.server_time()
        clock = now if server_now is None else server_now
        limit = _number(self.headers.get("x-ratelimit-limit"))
        remaining = _number(self.headers.get("x-ratelimit-remaining"))
        return RateLimit(
            limit=None if limit is None else int(limit),
            remaining=None if remaining is None else int(remaining),
            reset_in=None if reset is None else max(0.0, reset - clock),
            reset_at=reset,
            server_time=server_now,
        )


def _number(value: str | None) -> float | None:
    try:
        number = None if value is None else float(value)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without an HTTP response.

    :param left: whether any byte of the request may have left this machine
    :param reason: what happened, without addresses of people or secrets
    """

    left: bool
    reason: str


Outcome = Answer | Failure

UNKNOWN_HOST = "the host name is not known: check the connection's host, and that this machine can resolve names"
NO_LISTENER = "nothing listens there, or the network is down: check the connection's host and port"


@dataclass(frozen=True, slots=True)
class Send:
    """A step: perform this request once."""

    request: Request


@dataclass(frozen=True, slots=True)
class Pause:
    """A step: wait this many seconds.

    :param seconds: how long
    :param reason: why, for the log
    """

    seconds: float
    reason: str


Step = Send | Pause
Flow = Generator[Step, Outcome | None, T]
