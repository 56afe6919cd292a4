# SPDX-License-Identifier: Apache-2.0
"""The sandbox as a fixture: one server a session, as good as new for every test. And a bare way to call it."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_instasent.sandbox.server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class SandboxOfTests(SandboxServer):
    """A sandbox whose URL is the base URL of the API under test.

    :ivar base_path: of that API; empty for the Legacy API's. The admin routes and the inbox are below none
    """

    base_path = ""
    _hangs = False

    def fault(self, name: str, endpoint: str = "any", **options: Any) -> None:
        self._hangs = self._hangs or name.startswith(("timeout", "drip"))
        super().fault(name, endpoint, **options)

    def reset(self) -> None:
        self._hangs = False
        super().reset()

    def read_timeout(self, short: float) -> float:
        """How long a client waits for an answer: long, or a busy machine would time out, but where a fault hangs.

        :param short: seconds, where a fault that hangs was armed
        """
        return short if self._hangs else 30.0

    @property
    def url(self) -> str:
        return super().url + self.base_path


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxOfTests]:
    with SandboxOfTests(token="token-of-the-tests", sent_after=0.02, final_after=0.05, lookup_after=0.05) as server:
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
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=10)) as connection:
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
