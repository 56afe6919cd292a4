# SPDX-License-Identifier: Apache-2.0
"""Every request that came in, so that tests can assert what was on the wire. Never a token."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal

LOGGED_HEADERS = ("user-agent", "content-type", "content-length", "accept", "accept-encoding", "connection")
KEPT = 200_000
"""How many requests are remembered; older ones are forgotten."""


@dataclass(slots=True)
class RequestRecord:
    """One request.

    :param number: from 1, in the order of arrival
    :param method: in capitals
    :param path: without the query
    :param endpoint: the endpoint's name
    :param query: the query's parameters; an ``access_token`` is starred out
    :param time: unix time in seconds on the server's clock
    :param token: whether the Bearer token was right, wrong or missing
    :param headers: those of :data:`LOGGED_HEADERS` that were there
    :param connection: the client's port, equal for requests on one connection
    :param in_flight: how many requests were being answered when it came, itself included
    :param items: how many messages or lookups it carried
    :param accepted: how many of them were accepted
    :param status: the status answered; None if the connection was cut, or nothing was answered yet
    :param fault: the fault that struck it, if one did
    :param finished: whether it is over
    """

    number: int
    method: str
    path: str
    endpoint: str
    query: dict[str, str]
    time: float
    token: Literal["right", "wrong", "missing"]
    headers: dict[str, str]
    connection: int
    in_flight: int
    items: int = 0
    accepted: int = 0
    status: int | None = None
    fault: str | None = None
    finished: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Its fields, ready for JSON."""
        return asdict(self)


class RequestLog:
    """The last requests, in the order of arrival."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.clear()

    def clear(self) -> None:
        """Forget all; numbers start again."""
        with self._lock:
            self._records: deque[RequestRecord] = deque(maxlen=KEPT)
            self.total = 0

    def add(self, record: RequestRecord) -> None:
        """Remember a request and number it.

        :param record: the request
        """
        with self._lock:
            self.total += 1
            record.number = self.total
            self._records.append(record)

    def records(self, endpoint: str | None = None) -> list[RequestRecord]:
        """The remembered requests.

        :param endpoint: only those to this endpoint
        """
        with self._lock:
            return [one for one in self._records if endpoint in (None, one.endpoint)]

    def __len__(self) -> int:
        return len(self._records)
