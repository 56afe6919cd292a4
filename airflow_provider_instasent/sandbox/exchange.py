# SPDX-License-Identifier: Apache-2.0
"""One request's way through the sandbox: token, rate limit, fault before, operation, fault after, answer."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request

from . import torrents, wire
from .alterations import altered
from .clock import http_date
from .endpoints import Answer, Call, Operation
from .limits import headers as limit_headers
from .limits import told
from .requests_log import LOGGED_HEADERS, RequestRecord

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from .endpoint_names import EndpointName
    from .faults import Fault
    from .state import Sandbox

_HTML = b"<!DOCTYPE html><html><body><h1>Instasent</h1><p>We are doing some maintenance.</p></body></html>"


class Endpoint:
    """An ASGI application for one endpoint.

    :param sandbox: the account
    :param name: the endpoint's name
    :param operation: what it does
    """

    def __init__(self, sandbox: Sandbox, name: EndpointName, operation: Operation) -> None:
        self._sandbox = sandbox
        self._name = name
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        sandbox = self._sandbox
        # One clock for the whole request: after a reset another one stands elsewhere, and may never come so far.
        clock, latency = sandbox.clock, sandbox.settings.latency
        came = clock.now()
        sandbox.count_in_flight(1, clock)
        request = Request(scope, receive)
        record = _record(sandbox, request, self._name)
        sandbox.requests.add(record)
        try:
            body = await request.body()
            await clock.wait_until(came + latency / 2)
            if sandbox.clock is not clock:
                await wire.cut(scope, receive, reset=True)
                return
            exchange = _Exchange(sandbox, self._name, record)
            call = Call(body, request.query_params, scope["path_params"].get("id", ""))
            exchange.act(call, self._operation)
            await clock.wait_until(came + latency)
            await exchange.reply(scope, receive, send)
        except ClientDisconnect:
            pass
        finally:
            record.finished = True
            sandbox.count_in_flight(-1, clock)


def _record(sandbox: Sandbox, request: Request, endpoint: EndpointName) -> RequestRecord:
    query = {name: "***" if name == "access_token" else value for name, value in request.query_params.items()}
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return RequestRecord(
        number=0,
        method=request.method,
        path=request.url.path,
        endpoint=endpoint,
        query=query,
        time=sandbox.server_time(),
        token="missing" if not token else "right" if scheme == "Bearer" and token in sandbox.tokens else "wrong",
        headers={name: request.headers[name] for name in LOGGED_HEADERS if name in request.headers},
        connection=request.client.port if request.client else 0,
        in_flight=sandbox.in_flight,
    )


class _Exchange:
    """What is decided about a request, and then told to the client."""

    def __init__(self, sandbox: Sandbox, name: EndpointName, record: RequestRecord) -> None:
        self._sandbox = sandbox
        self._name = name
        self._record = record
        self._fault: Fault | None = None
        self._answer = Answer(500)

    def act(self, call: Call, operation: Operation) -> None:
        """Decide the answer, accepting what is to be accepted. Nothing else runs meanwhile.

        :param call: the request
        :param operation: what the endpoint does
        """
        sandbox, record = self._sandbox, self._record
        known = record.token == "right"  # noqa: S105  # a verdict, not a token
        allowed, self._limits = sandbox.limiter.hit(self._name, sandbox.server_time(), sandbox.settings, count=known)
        if not known:
            self._answer = Answer(401)
            return
        if not allowed:
            self._answer = Answer(429)
            return
        self._fault = sandbox.faults.strike(self._name)
        record.fault = self._fault.name if self._fault else None
        if self._fault and self._fault.before:
            self._answer = Answer(self._fault.refusal)
            if self._fault.name == "rate_limited":
                reset = sandbox.server_time() + self._fault.seconds
                self._limits = limit_headers(sandbox.settings.rate_limit, 0, reset)
        elif len(call.body) > sandbox.settings.max_body_bytes:
            self._answer = Answer(413)
        else:
            before = len(sandbox.ledger) + len(sandbox.lookups)
            self._answer = operation(sandbox, call)
            record.items = call.items
            record.accepted = len(sandbox.ledger) + len(sandbox.lookups) - before

    async def reply(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell the client, or break the connection, as the fault will have it.

        :param scope: the request's ASGI scope
        :param receive: its ASGI receive
        :param send: its ASGI send
        """
        fault = self._fault
        name = fault.name if fault else ""
        if fault and name.startswith("cut_"):
            await wire.cut(scope, receive, reset=fault.reset)
        elif fault and name.startswith("timeout_"):
            await wire.hold_and_cut(scope, receive, fault.seconds)
        else:
            status, body, kind = self._content()
            headers = self._headers(kind if body else "")
            self._record.status = status
            if name == "truncated":
                await wire.truncate(scope, receive, status, headers, body)
            elif fault and name in torrents.NAMES:
                await torrents.answer(scope, receive, fault, torrents.head(status, headers), body)
            else:
                await wire.answer(send, status, headers, body)

    def _content(self) -> tuple[int, bytes, str]:
        fault, status = self._fault, self._answer.status
        name = fault.name if fault else ""
        if name.startswith("html"):
            return status, _HTML, "text/html; charset=utf-8"
        if fault and (fault.before or name in ("error_after", "redirect_after")):
            kind = "application/json" if fault.body[:1] in ("{", "[", '"') else "text/plain; charset=utf-8"
            body = b"" if fault.leads_elsewhere else fault.body.encode("utf-8", "surrogatepass")
            return fault.refusal, body, kind
        if fault and name == "status_after":
            status = fault.status
        payload = self._answer.payload
        if payload is None or name == "empty":
            return status, b"", ""
        told = json.dumps(payload if fault is None else altered(payload, fault), ensure_ascii=name == "fields")
        body = told.encode("utf-8", "surrogatepass")
        return status, body[: len(body) // 2] if name == "truncated_json" else body, "application/json"

    def _headers(self, content_type: str) -> list[tuple[bytes, bytes]]:
        settings, now = self._sandbox.settings, self._sandbox.server_time()
        limits = told(self._limits, settings.limit_form, now, refused=self._answer.status == 429)  # noqa: PLR2004 - its status
        values = {**({"Date": http_date(now)} if settings.send_date else {}), **limits}
        if content_type:
            values["Content-Type"] = content_type
        if self._fault and self._fault.name in torrents.PACKED:
            values["Content-Encoding"] = "gzip"
        if self._fault and self._fault.leads_elsewhere:
            values["Location"] = self._fault.body or "/elsewhere"
        values |= self._fault.headers if self._fault else {}
        return [(name.lower().encode(), value.encode()) for name, value in values.items()]
