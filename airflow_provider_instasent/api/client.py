# SPDX-License-Identifier: Apache-2.0
"""The synchronous client: the flows over `requests`. The only importer of `requests`."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
    SSLError,
)

from airflow_provider_instasent.api import bulk_flows, client_settings, connection_failures, flows
from airflow_provider_instasent.api.answer_bodies import READ_AT_ONCE, Body, BodyError
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
from airflow_provider_instasent.api.lookup_calls import LookupCalls
from airflow_provider_instasent.api.pages import Page, Pages
from airflow_provider_instasent.api.watched_connections import watch, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.message_outcome import MessageOutcome
    from airflow_provider_instasent.api.network_environment import Network

T = TypeVar("T")


class _Adapter(HTTPAdapter):
    """Watched connections, no retries of its own: `retry.decide` is the one rule."""

    def __init__(self, pool_size: int, network: Network) -> None:
        self._network = network
        certificates = network.certificates
        trust = {"cert_reqs": "CERT_REQUIRED", "ca_certs": certificates.file, "ca_cert_dir": certificates.folder}
        self._trust: dict[str, Any] = trust if network.speaks_tls else {}
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0, pool_block=True)
        self._way = self.poolmanager if network.proxy is None else self.proxy_manager_for(network.proxy.url)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **{**self._trust, **kwargs})
        watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **{**self._trust, **kwargs})
        watch(manager)
        return manager

    def proxy_headers(self, _proxy: str) -> dict[str, str]:
        return dict(self._network.proxy.headers) if self._network.proxy else {}

    def get_connection_with_tls_context(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> Any:
        return self._way.connection_from_url(request.url or "")

    def cert_verify(self, *_: Any) -> None:
        """Leave each pool as it is: `requests` would trust anybody to be the proxy of an `http://` request."""


class InstasentClient(LookupCalls):
    """Talks to Instasent's Legacy or Transactional API; safe for use from several threads.

    ::

        with InstasentClient(token="…") as client:
            client.send_sms(Sms.create(to="+34600000001", text="Hello", sender="Acme"))

    :param token: the API token
    :param settings: any field of :class:`~airflow_provider_instasent.api.client_settings.ClientSettings`
    :raises ConfigurationError: where a setting is missing or unsafe
    """

    def __init__(self, token: str, **settings: Any) -> None:
        self.settings = ClientSettings(token=token, **settings)
        self._policy = self.settings.retry_policy
        self._session = _Session()
        # Else it reads the environment, and a `.netrc` for another token.
        self._session.trust_env = False
        proxy = self.settings.network.proxy
        self._session.proxies = {} if proxy is None else {urlsplit(self.settings.base_url).scheme: proxy.url}
        adapter = _Adapter(self.settings.max_in_flight, self.settings.network)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._session.headers.clear()
        self._session.headers.update(request_headers(self.settings, f"requests/{requests.__version__}"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"InstasentClient(base_url={self.settings.base_url!r})"

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def send_sms(self, message: Sms, *, before_send: Callable[[], None] | None = None) -> Entity:
        """Send one message.

        :param message: what to send
        :param before_send: called right before each attempt; what it raises ends the call unsent
        :returns: the accepted entity, with at least `id`
        :raises UnconfirmedError: where it may or may not have been accepted
        :raises ApiError: where it was not
        """
        return self.perform(flows.send_sms(message, self._policy), before_send=before_send)

    def send_bulk(self, messages: Sequence[Sms]) -> list[MessageOutcome]:
        """Send any number of messages, 100 a call.

        :param messages: what to send
        :returns: one outcome a message, in input order: accepted, rejected or unconfirmed
        :raises BulkStoppedError: where something stopped it half-way; it carries the outcomes
        """
        return self.perform(bulk_flows.send_bulk(messages, self._policy))

    def get_sms(self, sms_id: str) -> Entity:
        """Read one SMS by its id.

        :raises NotFoundError: where it is absent or not visible to this token
        """
        return self.perform(flows.get_sms(sms_id, self._policy))

    def list_sms(self, page: int = 1, per_page: int = 50) -> Page:
        """Read one page of the SMS list, in the API's order (unknown whether newest or oldest first).

        :param page: from 1
        :param per_page: how many are asked for; the API may give fewer (its largest page is unknown)
        """
        return self.perform(flows.list_sms(page, per_page, self._policy))

    def iter_sms(self, per_page: int = 50) -> Iterator[Entity]:
        """Iterate over the SMS list, page by page as they are asked for, each SMS once.

        :param per_page: how many are asked for at a time
        """
        pages = Pages()
        page = 1
        while new := pages.new(self.list_sms(page, per_page)):
            yield from new
            page += 1

    def get_account(self) -> Entity:
        """Read the account.

        :returns: what the API says, as it is: `available`, a number or a string, and `currency` (confirmed). A balance
            that is missing or null is not 0
        """
        return self.perform(flows.get_account(self._policy))

    def perform(
        self,
        flow: Flow[T],
        *,
        before_send: Callable[[], None] | None = None,
        after_send: Callable[[Outcome], None] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> T:
        """Perform a flow's steps and return its result.

        :param flow: a generator of :mod:`~airflow_provider_instasent.api.flows`
        :param before_send: called right before each request that is a send
        :param after_send: called with what came of each request that is a send
        :param sleep: waits the given seconds; what it raises ends the flow
        """
        outcome: Outcome | None = None
        try:
            while True:
                step = flow.send(outcome)
                outcome = None
                if isinstance(step, Send):
                    if before_send is not None and step.request.kind is Kind.SEND:
                        before_send()
                    outcome = self._exchange(step.request)
                    count_request(self.settings.counters, outcome)
                    if after_send is not None and step.request.kind is Kind.SEND:
                        after_send(outcome)
                else:
                    sleep(step.seconds)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            flow.close()

    def _exchange(self, request: Request) -> Outcome:
        """Make a request once; what goes wrong meanwhile is a failure, for the request may have left."""
        to_leave = client_settings.LONGEST_TO_LEAVE if request.kind is Kind.SEND else math.inf
        wire.begin(self.settings.request_deadline, to_leave)
        try:
            response = self._session.request(
                request.method,
                self.settings.url(request.path),
                params=dict(request.params),
                data=request.encoded_body(),
                timeout=(self.settings.connect_timeout, self.settings.read_timeout),
                allow_redirects=False,
                stream=True,
            )
            try:
                body = _body(response)
            finally:
                with suppress(HTTPError, *MISHAPS):
                    response.close()
            return self.settings.answer(response.status_code, response.headers, body)
        except (HTTPError, HTTPException, *MISHAPS) as error:  # the libraries raise more than they say
            return Failure(left=wire.left, reason=_reason(error, proxied=self.settings.network.proxy is not None))


def _body(response: requests.Response) -> bytes:
    """Read a body to its end; unpacked here, where it has a bound."""
    body = Body(response.headers.get("Content-Encoding", ""))
    for part in response.raw.stream(READ_AT_ONCE, decode_content=False):
        body.take(part)
    return body.whole()


class _Session(requests.Session):
    """A session to which a redirect is an answer like any other; it would read its address even when not to follow."""

    def get_redirect_target(self, _resp: requests.Response) -> None:
        """Find no address."""


def _reason(error: Exception, *, proxied: bool) -> str:
    """Name what went wrong without the URL, which `requests` puts into every message."""
    cause = _cause(error)
    if wire.overdue:
        return connection_failures.OVERDUE
    if isinstance(error, BodyError):
        return str(error)
    if isinstance(error, requests.exceptions.SSLError) or isinstance(cause, SSLError):
        return connection_failures.NO_TLS
    if isinstance(error, requests.exceptions.Timeout | ReadTimeoutError) or _is_late(cause):
        return connection_failures.NO_ANSWER if wire.left else connection_failures.NOT_OPENED
    if isinstance(error, ProtocolError):  # while the body was read; before, `requests` wraps it
        return connection_failures.CUT_SHORT
    if not isinstance(error, OSError | HTTPError):
        return connection_failures.unexpected(error)
    # urllib3 blames the proxy for whatever is cut, also for a request that it had taken.
    return connection_failures.CUT if wire.left else _unreachable(error, cause, proxied=proxied)


def _unreachable(error: Exception, cause: object, *, proxied: bool) -> str:
    """Name why no connection could be opened."""
    if isinstance(error, requests.exceptions.InvalidURL | LocationParseError):
        return connection_failures.UNKNOWN_HOST
    if proxied:
        return connection_failures.NO_PROXY
    unknown = isinstance(cause, NameResolutionError)
    return connection_failures.UNKNOWN_HOST if unknown else connection_failures.NO_LISTENER


def _cause(error: Exception) -> object:
    """Return what `requests` and urllib3 wrapped: the latter twice, where there is a proxy."""
    inner = error.args[0] if error.args else None
    inner = getattr(inner, "reason", inner)
    return getattr(inner, "original_error", inner)


def _is_late(cause: object) -> bool:
    return isinstance(cause, ConnectTimeoutError) and not isinstance(cause, NewConnectionError)
