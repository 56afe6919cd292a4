# SPDX-License-Identifier: Apache-2.0
"""The sandbox as a fixture: one server a session, as good as new for every test. And a bare way to call it."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from support.events import LONG, wait_until
from support.silence import watched

from airflow_provider_instasent.sandbox import server as serving
from airflow_provider_instasent.sandbox.requests_log import RequestLog
from airflow_provider_instasent.sandbox.server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from airflow_provider_instasent.sandbox.requests_log import RequestRecord


HELD = 1.0
"""Seconds on the sandbox's clock that a held request takes."""


class ToldRequests(RequestLog):
    """A log of requests that tells tests of each one as it comes, before it is answered."""

    def clear(self) -> None:
        super().clear()
        self.told: list[Callable[[RequestRecord], None]] = []

    def add(self, record: RequestRecord) -> None:
        super().add(record)
        for tell in list(self.told):
            tell(record)


class SandboxOfTests(SandboxServer):
    """A sandbox whose URL is the base URL of the API under test, and whose time and requests tests have in hand.

    ::

        sandbox.stop_clock()                                # nothing turns final by itself
        sandbox.at(4, "read", lambda: sandbox.advance(60))  # but when the fourth read comes

        with sandbox.holding():            # each answer waits ...
            sandbox.wait_for_in_flight(8)  # ... until as many requests as wanted have come

    :ivar base_path: of that API; empty for the Legacy API's. The admin routes and the inbox are below none
    """

    base_path = ""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.sandbox.requests = ToldRequests()

    def each(self, endpoint: str, call: Callable[[], object], *, agent: str = "") -> Callable[[], None]:
        """Have something called at each request from now on, until the next reset; before it is answered.

        :param endpoint: of the requests, or `any`
        :param call: on the sandbox's thread, which waits for it
        :param agent: counts only requests with this in their User-Agent
        :returns: what ends it earlier
        """

        def tell(record: RequestRecord) -> None:
            if endpoint in {"any", record.endpoint} and agent in record.headers.get("user-agent", ""):
                call()

        self.sandbox.requests.told.append(tell)
        return lambda: self.sandbox.requests.told.remove(tell)

    def at(self, number: int, endpoint: str, call: Callable[[], object], *, agent: str = "") -> None:
        """Have something called at the n-th request from now on, which sees its effect.

        :param number: from 1
        """
        places = itertools.count(1)
        self.each(endpoint, lambda: call() if next(places) == number else None, agent=agent)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold every answer from here to the end of the block; the clock stands from then on."""
        self.stop_clock()
        self.configure(latency=HELD)
        try:
            yield
        finally:
            self.configure(latency=0)
            self.advance(2 * HELD)

    def wait_for_requests(self, number: int, endpoint: str) -> None:
        """Wait until so many requests to an endpoint came since the last reset."""
        wait_until(lambda: len(self.requests.records(endpoint)) >= number, f"{number} requests to {endpoint}")

    def wait_for_in_flight(self, number: int) -> None:
        """Wait until so many requests are being answered, and see that no more come when another answer is given."""
        wait_until(lambda: self.sandbox.in_flight >= number, f"{number} requests in flight")
        call(self, "GET", "/")
        # That one counts until it is over, which may be a moment after its answer is here.
        wait_until(lambda: self.sandbox.in_flight == number, f"{number} requests in flight, and no more")

    def cut_all(self) -> None:
        """Close all connections, and return when they are closed."""
        closed = threading.Event()

        def cut() -> None:
            serving._cut_all(self._server)
            # asyncio closes the sockets in its next turn.
            self._loop.call_soon(lambda: self._loop.call_soon(closed.set))

        self._loop.call_soon_threadsafe(cut)
        assert closed.wait(LONG)

    @property
    def url(self) -> str:
        return super().url + self.base_path


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxOfTests]:
    settings = {"sent_after": 0.02, "final_after": 0.05, "lookup_after": 0.05}
    with SandboxOfTests(token="token-of-the-tests", **settings) as server, watched(server._port):
        yield server


@pytest.fixture
def sandbox(sandbox_server: SandboxOfTests) -> Iterator[SandboxOfTests]:
    sandbox_server.reset()
    yield sandbox_server
    sandbox_server.reset()


@dataclass(frozen=True)
class Reply:
    """A response as it was on the wire; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(
    server: SandboxServer,
    method: str,
    path: str,
    payload: Any = None,
    *,
    token: str | None = "",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One request on a connection of its own, by the standard library alone.

    :param path: below the server's base URL
    :param payload: sent as JSON; bytes as they are; None for no body
    :param token: the server's own where empty, no header at all for None
    """
    address = urlsplit(server.url)
    body = payload if payload is None or isinstance(payload, bytes) else json.dumps(payload).encode()
    sent = dict(headers or {})
    if token is not None:
        sent["Authorization"] = f"Bearer {token or server.token}"
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=LONG)) as connection:
        connection.request(method, address.path + path, body, sent)
        response = connection.getresponse()
        received = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, received, response.read())


def message(to: str = "+34600000001", **fields: Any) -> dict[str, Any]:
    """A message that the sandbox accepts, with some fields changed."""
    return {"from": "Tests", "to": to, "text": "hello", **fields}


def deliverable(index: int) -> str:
    """The number of an index from 0: each another one, and none whose last digits have a meaning."""
    return f"+346{index // 900:05d}{index % 900:03d}"
