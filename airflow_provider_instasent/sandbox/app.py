# SPDX-License-Identifier: Apache-2.0
"""The routes: the API under both base paths (C), the admin under ``/_admin``, the inbox page at ``/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Route

from . import endpoints
from .admin import admin_routes
from .clock import http_date
from .endpoint_names import PREFIXES, EndpointName
from .exchange import Endpoint
from .page import page_routes

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .endpoints import Operation
    from .state import Sandbox

ENDPOINTS: tuple[tuple[str, str, EndpointName, Operation], ...] = (
    ("POST", "/sms", "send", endpoints.send),
    ("POST", "/sms/bulk", "bulk", endpoints.bulk),
    ("GET", "/sms", "list", endpoints.SMS.list),
    ("GET", "/sms/{id}", "read", endpoints.SMS.read),
    ("POST", "/lookup", "lookup", endpoints.lookup),
    ("GET", "/lookup", "lookup_list", endpoints.LOOKUPS.list),
    ("GET", "/lookup/{id}", "lookup_read", endpoints.LOOKUPS.read),
    ("GET", "/organization/account", "account", endpoints.account),
    ("GET", "/price-profile/sms", "prices", endpoints.sms_prices),
    ("GET", "/price-profile/lookup", "prices", endpoints.lookup_prices),
)


def create_app(sandbox: Sandbox) -> ASGIApp:
    """The ASGI application of a sandbox. It needs :class:`.wire.CuttableProtocol` for its faults.

    :param sandbox: the account
    """
    routes = [
        Route(prefix + path, Endpoint(sandbox, name, operation), methods=[method], name=f"{name}{prefix}")
        for prefix in PREFIXES
        for method, path, name, operation in ENDPOINTS
    ]
    app = Starlette(routes=[*routes, *admin_routes(sandbox), *page_routes(sandbox)])
    app.router.redirect_slashes = False
    return _Dated(app, sandbox)


class _Dated:
    """Puts the server's ``Date`` on answers that have none: the admin's, and 404 for unknown paths."""

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault("date", http_date(self._sandbox.server_time()))
            await send(message)

        await self._app(scope, receive, dated)
