# SPDX-License-Identifier: Apache-2.0
"""The asynchronous client: the same flows over `httpx`. The only importer of `httpx`."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from airflow_provider_instasent.api import bulk_flows, client_settings, connection_failures, flows
from airflow_provider_instasent.api.answer_bodies import Body, BodyError
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.api.counters import count_request
from airflow_provider_instasent.api.errors import MISHAPS
from airflow_provider_instasent.api.exchange import (
    Failure,
    Flow,
    Kind,
    Outcome,
    Request,
    Send,
)
from airflow_provider_instasent.api.headers import request_headers
from airflow_provider_instasent.api.lookup_calls import AsyncLookupCalls
from airflow_provider_instasent.api.pages import Page, Pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.message_outcome import MessageOutcome
    from airflow_provider_instasent.api.network_environment import Proxy

T = TypeVar("T")

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


async def _forget_address(response: httpx.Response) -> None:
    """Make a redirect an answer like any other: httpx would read its address even when not to follow it."""
    response.headers.pop("location", None)


class AsyncInstasentClient(AsyncLookupCalls):
    """:class:`~airflow_provider_instasent.api.client.InstasentClient` for an event loop.

    :param token: the API token
    :param settings: any field of :class:`~airflow_provider_instasent.api.client_settings.ClientSettings`
    :raises ConfigurationError: where a setting is missing or unsafe
    """

    def __init__(self, token: str, **settings: Any) -> None:
        self.settings = ClientSettings(token=token, **settings)
        self._policy = self.settings.retry_policy
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncInstasentClient(base_url={self.settings.base_url!r})"

    async def close(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def send_sms(self, message: Sms) -> Entity:
        """Send one message; see the synchronous client."""
        return await self.perform(flows.send_sms(message, self._policy))

    async def send_bulk(self, messages: Sequence[Sms]) -> list[MessageOutcome]:
        """Send any number of messages, 100 a call; see the synchronous client."""
        return await self.perform(bulk_flows.send_bulk(messages, self._policy))

    async def get_sms(self, sms_id: str) -> Entity:
        """Read one SMS by its id; see the synchronous client."""
        return await self.perform(flows.get_sms(sms_id, self._policy))

    async def list_sms(self, page: int = 1, per_page: int = 50) -> Page:
        """Read one page of the SMS list; see the synchronous client."""
        return await self.perform(flows.list_sms(page, per_page, self._policy))

    async def iter_sms(self, per_page: int = 50) -> AsyncIterator[Entity]:
        """Iterate over the SMS list, each SMS once; see the synchronous client."""
        pages = Pages()
        page = 1
        while new := pages.new(await self.list_sms(page, per_page)):
            for entity in new:
                yield entity
            page += 1

    async def get_account(self) -> Entity:
        """Read the account; see the synchronous client."""
        return await self.perform(flows.get_account(self._policy))

    async def perform(
        self,
        flow: Flow[T],
        *,
        before_send: Callable[[], None] | None = None,
        after_send: Callable[[Outcome], None] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> T:
        """Perform a flow's steps and return its result; see the synchronous client."""
        outcome: Outcome | None = None
        try:
            while True:
                step = flow.send(outcome)
                outcome = None
                if isinstance(step, Send):
                    if before_send is not None and step.request.kind is Kind.SEND:
                        before_send()
                    outcome = await self._exchange(step.request)
                    count_request(self.settings.counters, outcome)
                    if after_send is not None and step.request.kind is Kind.SEND:
                        after_send(outcome)
                else:
                    await sleep(step.seconds)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    async def _open(self) -> httpx.AsyncClient:
        """Return the pooled client; made on first use, its certificates read off the loop."""
        async with self._opening:
            if self._client is None:
                network = self.settings.network
                tls = await asyncio.to_thread(network.tls_context)
                limit = self.settings.max_in_flight
                self._client = httpx.AsyncClient(
                    headers=request_headers(self.settings, f"httpx/{httpx.__version__}"),
                    timeout=httpx.Timeout(self.settings.read_timeout, connect=self.settings.connect_timeout, pool=None),
                    limits=httpx.Limits(
                        max_connections=limit,
                        max_keepalive_connections=limit,
                        keepalive_expiry=client_settings.LONGEST_IDLE,
                    ),
                    follow_redirects=False,
                    event_hooks={"response": [_forget_address]},
                    trust_env=False,
                    proxy=_proxy(network.proxy, tls),
                    verify=tls,
                )
            return self._client

    async def _exchange(self, request: Request) -> Outcome:
        """Make a request once; what goes wrong meanwhile is a failure, for the request may have left."""
        client = await self._open()
        patience = asyncio.timeout(None)
        wire = _Wire(patience, self.settings.request_deadline)
        try:
            async with (
                patience,
                client.stream(
                    request.method,
                    self.settings.url(request.path),
                    params=dict(request.params),
                    content=request.encoded_body(),
                    extensions={"trace": wire.trace},
                ) as response,
            ):
                body = Body(response.headers.get("Content-Encoding", ""))
                async for part in response.aiter_raw():
                    body.take(part)
                return self.settings.answer(response.status_code, response.headers, body.whole())
        except (httpx.HTTPError, httpx.InvalidURL, *MISHAPS) as error:  # the libraries raise more than they say
            left = wire.left and not isinstance(error, _NEVER_LEFT)
            if patience.expired():
                return Failure(left=left, reason=connection_failures.OVERDUE)
            return Failure(left=left, reason=_reason(error, left=left, proxied=self.settings.network.proxy is not None))


class _Wire:
    """Whether a request has begun to leave, and until when it may take.

    :param patience: ends it
    :param allowed: seconds that it may take, from when it has a connection
    """

    def __init__(self, patience: asyncio.Timeout, allowed: float) -> None:
        self.left = False
        self._patience = patience
        self._allowed = allowed

    async def trace(self, event: str, info: Any) -> None:
        connecting, leaving = event == "connection.connect_tcp.started", event.endswith("send_request_headers.started")
        if connecting or leaving:  # waiting for a free connection is no part of the request
            self._patience.reschedule(asyncio.get_running_loop().time() + self._allowed)
        # Asking a proxy for a tunnel carries nothing of the request.
        if leaving and info["request"].method != b"CONNECT":
            self.left = True


def _proxy(proxy: Proxy | None, tls: ssl.SSLContext) -> httpx.Proxy | None:
    """Return a proxy as httpx takes it; one that is spoken to without TLS must have no context."""
    if proxy is None:
        return None
    return httpx.Proxy(proxy.url, headers=proxy.headers, ssl_context=tls if proxy.url.startswith("https:") else None)


def _reason(error: Exception, *, left: bool, proxied: bool) -> str:
    """Name what went wrong without the URL."""
    root = _root(error)
    if isinstance(error, BodyError):
        return str(error)
    if isinstance(error, httpx.TimeoutException):
        return connection_failures.NO_ANSWER if left else connection_failures.NOT_OPENED
    if not left and isinstance(root, ssl.SSLError):  # not wrapped by each httpcore
        return connection_failures.NO_TLS
    if not isinstance(error, httpx.HTTPError | httpx.InvalidURL):
        return connection_failures.unexpected(error)
    if left:
        return connection_failures.CUT
    if proxied and not isinstance(root, httpx.InvalidURL):
        return connection_failures.NO_PROXY
    unknown = isinstance(root, socket.gaierror | httpx.InvalidURL)
    return connection_failures.UNKNOWN_HOST if unknown else connection_failures.NO_LISTENER


def _root(error: BaseException) -> BaseException:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
