# SPDX-License-Identifier: Apache-2.0
"""Clients without a socket that readers read with: what is asked for, and what each read comes to."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.counters import NO_COUNTERS
from airflow_provider_instasent.api.exchange import Answer, Outcome, Send

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from airflow_provider_instasent.api.exchange import Flow, Request


def read_of(message_id: str, status: str = "delivered") -> Answer:
    """The answer for one message."""
    return Answer(200, {}, json.dumps({"entity": {"id": message_id, "status": status}}).encode())


def page_of(*ids: str, status: str = "delivered") -> Answer:
    """The answer for a page of the list."""
    return Answer(200, {}, json.dumps({"entities": [{"id": one, "status": status} for one in ids]}).encode())


def id_of(request: Request) -> str:
    """The message that a request asks for."""
    return request.path.rpartition("/")[2]


class FakeClient:
    """A synchronous client.

    :param answer: what a request comes to; called on a thread of the reader's
    :ivar requests: what was asked for
    """

    def __init__(self, answer: Callable[[Request], Outcome] = lambda request: read_of(id_of(request))) -> None:
        self.answer = answer
        self.requests: list[Request] = []
        self.settings = SimpleNamespace(counters=NO_COUNTERS)

    def perform(self, flow: Flow[Any]) -> Any:
        """Perform one read."""
        return _result(flow, self.answer(self._asked(flow)))

    def _asked(self, flow: Flow[Any]) -> Request:
        step = next(flow)
        assert isinstance(step, Send)
        self.requests.append(step.request)
        return step.request


class FakeAsyncClient(FakeClient):
    """An asynchronous client.

    :param before: awaited before each answer
    :ivar closed: how often it was closed
    """

    def __init__(
        self,
        answer: Callable[[Request], Outcome] = lambda request: read_of(id_of(request)),
        before: Callable[[Request], Awaitable[object]] | None = None,
    ) -> None:
        super().__init__(answer)
        self.before = before
        self.closed = 0

    async def perform(self, flow: Flow[Any]) -> Any:  # type: ignore[override]
        """Perform one read."""
        request = self._asked(flow)
        if self.before is not None:
            await self.before(request)
        return _result(flow, self.answer(request))

    async def close(self) -> None:
        """Be closed."""
        self.closed += 1


def _result(flow: Flow[Any], outcome: Outcome) -> Any:
    try:
        flow.send(outcome)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("a read is made once")
