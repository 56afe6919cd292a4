# SPDX-License-Identifier: Apache-2.0
"""The synchronous and the asynchronous client behind one surface, so that both run the same tests."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from support.events import LONG

from airflow_provider_instasent.api import AsyncInstasentClient, InstasentClient, Sms
from airflow_provider_instasent.api.retry import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TINY_WAITS = RetryPolicy(
    max_attempts=2, max_rate_limited=2, first_wait=0.001, longest_wait=0.002, longest_reset_wait=0.002
)


class Caller:
    """One client, either kind; the asynchronous one runs on a loop of its own.

    :param kind: `sync` or `async`
    :param guard: is told of each message and each error
    :param settings: of the client
    """

    def __init__(self, kind: str, guard: Any, **settings: Any) -> None:
        self._runner = asyncio.Runner() if kind == "async" else None
        self.client: Any = (AsyncInstasentClient if kind == "async" else InstasentClient)(**settings)
        self._guard = guard

    def close(self) -> None:
        """Close the client, which may be closed already, and its loop."""
        self.close_client()
        if self._runner is not None:
            self._runner.close()

    def close_client(self) -> None:
        if self.client is not None:
            self._wait_for(self.client.close())

    def send(self, message: Sms) -> dict[str, Any]:
        return self._call("send_sms", message)

    def bulk(self, messages: list[Sms]) -> list[Any]:
        return self._call("send_bulk", messages)

    def read(self, identifier: str) -> dict[str, Any]:
        return self._call("get_sms", identifier)

    def list(self, **paging: int) -> Any:
        return self._call("list_sms", **paging)

    def account(self) -> dict[str, Any]:
        return self._call("get_account")

    def iterate(self, **paging: int) -> Iterator[dict[str, Any]]:
        if self._runner is None:
            yield from self.client.iter_sms(**paging)
            return
        entities = self.client.iter_sms(**paging)
        try:
            while True:
                yield self._wait_for(anext(entities))
        except StopAsyncIteration:
            return

    def perform(self, flow: Any, *, sleep: Callable[[float], object] = time.sleep, **hooks: Any) -> Any:
        async def asleep(seconds: float) -> None:
            sleep(seconds)

        return self._wait_for(self.client.perform(flow, sleep=sleep if self._runner is None else asleep, **hooks))

    def fails(self, error: type[Exception], call: Callable[..., object], *arguments: Any, **named: Any) -> Any:
        """Return the error that a call raises, of exactly this type, and have it checked for secrets."""
        with pytest.raises(error) as caught:
            call(*arguments, **named)
        assert type(caught.value) is error
        self._guard.hear_error(caught.value)
        return caught.value

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        for argument in arguments:
            for message in argument if isinstance(argument, list) else [argument]:
                if isinstance(message, Sms):
                    self._guard.protect_message(message.to, message.text)
        return self._wait_for(getattr(self.client, method)(*arguments, **named))

    def _wait_for(self, result: Any) -> Any:
        if self._runner is None:
            return result

        async def wait() -> Any:
            return await result

        return self._runner.run(wait())


@pytest.fixture(params=["sync", "async"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def connect(kind, sandbox, secrets_guard) -> Iterator[Callable[..., Caller]]:
    """Makes callers of the kind under test: by default for the API under test, patient but for waits."""
    with ExitStack() as open_callers:

        def make(**settings: Any) -> Caller:
            defaults = {"token": sandbox.token, "base_url": sandbox.url, "retry_policy": TINY_WAITS}
            chosen = {**defaults, "connect_timeout": LONG, "read_timeout": LONG, **settings}
            secrets_guard.protect_token(chosen["token"])
            caller = Caller(kind, secrets_guard, **chosen)
            open_callers.callback(caller.close)
            return caller

        yield make


@pytest.fixture
def client(connect) -> Caller:
    return connect()


def sms(number: int = 1, text: str = "a text to keep", **fields: Any) -> Sms:
    """A message that the sandbox accepts and delivers, each number another one."""
    to = f"+346{number // 900:05d}{number % 900:03d}"
    return Sms(**{"to": to, "text": text, "sender": "Tests", "client_id": f"id-{number}", **fields})
