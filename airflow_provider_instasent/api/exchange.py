# SPDX-License-Identifier: Apache-2.0
"""Values of the sans-IO core: a request to make, what came of it, and the steps a driver performs.

A *flow* is a generator that yields steps (:class:`Send`, :class:`Pause`), is sent the :class:`Outcome` of
each `Send`, and returns its result. The sync and the async client differ only in how they perform a step.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TypeVar

from airflow_provider_instasent.api.json_data import decoded
from airflow_provider_instasent.api.rate_limit import RateLimit, read_rate_limit
from airflow_provider_instasent.api.timestamps import http_date

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

    def strings(self) -> frozenset[str]:
        """Return all strings of the body: what an answer may repeat."""
        items = self.body if isinstance(self.body, list) else [self.body or {}]
        return frozenset(value for item in items for value in item.values() if isinstance(value, str))


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
        """Return the decoded body, made fit to be kept: see :mod:`~airflow_provider_instasent.api.json_data`.

        :raises ValueError: where it is not JSON
        """
        return decoded(self.body)

    def server_time(self) -> float | None:
        """Return the server's clock (its `Date` header) in unix seconds, or None where it does not tell."""
        return http_date(self.headers.get("date"))

    def rate_limit(self, now: float) -> RateLimit:
        """Return what the rate-limit headers say.

        :param now: our clock in unix seconds, used where the server does not tell its own
        """
        return read_rate_limit(
            self.headers, self.server_time(), now, refused=self.status == HTTPStatus.TOO_MANY_REQUESTS
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """A request without an HTTP response.

    :param left: whether any byte of the request may have left this machine
    :param reason: what happened, without addresses of people or secrets
    """

    left: bool
    reason: str


Outcome = Answer | Failure


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
