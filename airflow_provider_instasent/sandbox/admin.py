# SPDX-License-Identifier: Apache-2.0
"""The admin: what was accepted, what came in, faults and settings. Without a token, but only for loopback.

=======================================  ==========================================================
``GET /_admin/ledger``                   counts, and a page of messages (``page``, ``per_page`` up to
                                         10,000, oldest first); ``?summary=1`` only counts
``POST /_admin/ledger``                  ``{"count": 5000, "newest": 3600, "oldest": 7200}``: so many older
                                         SMS, of these ages in seconds; before anything is accepted
``GET /_admin/ledger/client-ids``        how often each ``clientId`` was accepted
``GET /_admin/ledger/contents``          how often each (from, to, text) was accepted
``GET /_admin/ledger/lookups``           how often each number was looked up
``GET /_admin/requests``                 the requests, paged alike; ``?endpoint=`` filters,
                                         ``?summary=1`` only counts
``GET``, ``POST``, ``DELETE``            the armed faults; arm one (the fields of
``/_admin/faults``                       :class:`.faults.Fault`); disarm all
``GET``, ``PATCH /_admin/settings``      the settings; change some
``POST /_admin/clock``                   ``{"advance": seconds}``
``POST /_admin/reset``                   forget everything and return to the first settings
=======================================  ==========================================================
"""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .clock import iso_time
from .faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request

    from .ledger import Message
    from .state import Sandbox

MAX_PAGE = 10_000
MAX_REPEATED = 1000
"""How many repeated ids or contents a summary names; it counts them all."""


def is_local(request: Request) -> bool:
    """Whether a request comes from this machine.

    :param request: the request
    """
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def admin_routes(sandbox: Sandbox) -> list[Route]:
    """The admin's routes.

    :param sandbox: the account
    """
    admin = _Admin(sandbox)
    table: list[tuple[str, str, Callable[[Request, Any], Any]]] = [
        ("GET", "ledger", admin.ledger),
        ("POST", "ledger", admin.put_before),
        ("GET", "ledger/client-ids", admin.client_ids),
        ("GET", "ledger/contents", admin.contents),
        ("GET", "ledger/lookups", admin.lookups),
        ("GET", "requests", admin.requests),
        ("GET", "faults", admin.faults),
        ("POST", "faults", admin.arm),
        ("DELETE", "faults", admin.disarm),
        ("GET", "settings", admin.settings),
        ("PATCH", "settings", admin.configure),
        ("POST", "clock", admin.advance),
        ("POST", "reset", admin.reset),
    ]
    return [Route(f"/_admin/{path}", _guarded(action), methods=[method]) for method, path, action in table]


def _guarded(action: Callable[[Request, Any], Any]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        if not is_local(request):
            return PlainTextResponse("The sandbox's admin answers this machine only.", 403)
        try:
            body = json.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise TypeError("the body must be a JSON object")
            return JSONResponse(action(request, body))
        except (ValueError, TypeError) as error:
            return JSONResponse({"message": str(error)}, 400)

    return endpoint


class _Admin:
    """The actions, each of a request and its decoded body."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def ledger(self, request: Request, _: Any) -> Any:
        ledger = self._sandbox.ledger
        client_ids, contents = ledger.client_ids(), ledger.contents()
        found = {
            "accepted": ledger.accepted,
            "parts": ledger.parts,
            "lookups": self._sandbox.lookups.accepted,
            "client_ids": len(client_ids),
            "contents": len(contents),
            "repeated_client_ids": _repeated(client_ids),
            "repeated_contents": [[*key, times] for key, times in _repeated(contents).items()],
        }
        if request.query_params.get("summary"):
            return found
        start, stop = _window(request)
        return {**found, "messages": [self._shown(message) for message in ledger.messages(start, stop)]}

    def _shown(self, message: Message) -> dict[str, Any]:
        wall = self._sandbox.clock.wall(message.accepted_at, 0.0)
        return {
            "id": message.id,
            "clientId": message.client_id,
            "from": message.sender,
            "to": message.to,
            "text": message.text,
            "allowUnicode": message.allow_unicode,
            "parts": message.parts,
            "status": self._sandbox.status_of(message),
            "acceptedAt": iso_time(wall),
            "acceptedAtUnix": wall,
        }

    def put_before(self, _request: Request, body: Any) -> Any:
        self._sandbox.put_before(**body)
        return {"accepted": self._sandbox.ledger.accepted}

    def client_ids(self, _request: Request, _: Any) -> Any:
        return dict(self._sandbox.ledger.client_ids())

    def contents(self, _request: Request, _: Any) -> Any:
        return [[*key, times] for key, times in self._sandbox.ledger.contents().items()]

    def lookups(self, _request: Request, _: Any) -> Any:
        return dict(self._sandbox.lookups.numbers())

    def requests(self, request: Request, _: Any) -> Any:
        records = self._sandbox.requests.records(request.query_params.get("endpoint"))
        counts = Counter(f"{one.endpoint} {'cut' if one.status is None else one.status}" for one in records)
        found = {"total": self._sandbox.requests.total, "found": len(records), "counts": dict(counts)}
        if request.query_params.get("summary"):
            return found
        start, stop = _window(request)
        return {**found, "requests": [one.as_dict() for one in records[start:stop]]}

    def faults(self, _request: Request, _: Any) -> Any:
        return {"faults": self._sandbox.faults.listed()}

    def arm(self, request: Request, body: Any) -> Any:
        if body.get("probability") is not None:
            body.setdefault("times", None)
        self._sandbox.arm(Fault(**body))
        return self.faults(request, body)

    def disarm(self, request: Request, body: Any) -> Any:
        self._sandbox.faults.clear()
        return self.faults(request, body)

    def settings(self, _request: Request, _: Any) -> Any:
        return asdict(self._sandbox.settings)

    def configure(self, request: Request, body: Any) -> Any:
        self._sandbox.configure(**body)
        return self.settings(request, body)

    def advance(self, _request: Request, body: Any) -> Any:
        self._sandbox.clock.advance(float(body.get("advance", 0)))
        return {"time": iso_time(self._sandbox.server_time())}

    def reset(self, request: Request, body: Any) -> Any:
        self._sandbox.reset()
        return self.settings(request, body)


def _repeated(counts: Counter[Any]) -> dict[Any, int]:
    repeated: Sequence[tuple[Any, int]] = [(key, times) for key, times in counts.items() if times > 1]
    return dict(repeated[:MAX_REPEATED])


def _window(request: Request) -> tuple[int, int]:
    page = max(1, int(request.query_params.get("page", "1")))
    per_page = min(MAX_PAGE, max(1, int(request.query_params.get("per_page", "1000"))))
    return (page - 1) * per_page, page * per_page
