# SPDX-License-Identifier: Apache-2.0
"""The inbox: the newest messages as a plain page, for people writing DAGs."""

from __future__ import annotations

from collections import Counter
from html import escape
from string import Template
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from .admin import is_local
from .clock import iso_time
from .countries import country_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from .ledger import Message
    from .state import Sandbox

SHOWN = 100
_FAILED = {"failed", "error", "expired", "rejected", "canceled", "cancelled", "unpaid", "unknown"}

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="3">
<link rel="icon" href="data:,">
<title>$accepted SMS · Instasent sandbox</title>
<style>
:root {
  color-scheme: light dark;
  --line: #8883; --quiet: #6b7280; --good: #15803d; --bad: #b91c1c; --way: #a16207;
}
@media (prefers-color-scheme: dark) {
  :root { --quiet: #9ca3af; --good: #4ade80; --bad: #f87171; --way: #facc15; }
}
* { box-sizing: border-box; }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1.25rem; max-width: 52rem; }
h1 { font-size: 1.35rem; margin: 0 0 .25rem; }
p { margin: .25rem 0; color: var(--quiet); }
ol { list-style: none; margin: 1.25rem 0 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: .8rem 0; }
.head { display: flex; flex-wrap: wrap; gap: .15rem .75rem; align-items: baseline; }
.to { font-weight: 600; font-variant-numeric: tabular-nums; }
.status { margin-left: auto; font-size: .875rem; font-weight: 600; color: var(--way); }
.status.delivered { color: var(--good); }
.status.failed { color: var(--bad); }
.text { margin: .3rem 0; color: inherit; white-space: pre-wrap; overflow-wrap: anywhere; }
.small { font-size: .8125rem; overflow-wrap: anywhere; }
code { font-family: ui-monospace, monospace; }
</style>
</head>
<body>
<main>
<h1>Instasent sandbox</h1>
<p>$summary</p>
<p class="small">No SMS leaves this machine. This page renews itself every 3 seconds.</p>
$inbox
</main>
</body>
</html>
""")

_EMPTY = '<p style="margin-top:2rem">Nothing yet. What your DAGs send to <code>$url</code> appears here.</p>'


def page_routes(sandbox: Sandbox) -> list[Route]:
    """The page's route.

    :param sandbox: the account
    """

    async def inbox(request: Request) -> Response:
        if not is_local(request):
            return PlainTextResponse("The sandbox's inbox answers this machine only.", 403)
        return HTMLResponse(_rendered(sandbox, str(request.base_url).rstrip("/")))

    return [Route("/", inbox, methods=["GET"])]


def _rendered(sandbox: Sandbox, url: str) -> str:
    accepted = sandbox.ledger.accepted
    newest = sandbox.ledger.messages(max(0, accepted - SHOWN))[::-1]
    items = "\n".join(_item(sandbox, message) for message in newest)
    inbox = f"<ol>\n{items}\n</ol>" if items else Template(_EMPTY).substitute(url=escape(url))
    return _PAGE.substitute(accepted=accepted, summary=_summary(sandbox, newest), inbox=inbox)


def _summary(sandbox: Sandbox, newest: list[Message]) -> str:
    ledger = sandbox.ledger
    statuses = Counter(sandbox.status_of(message).strip().lower() for message in newest)
    shown = ", ".join(f"{times} {escape(status)}" for status, times in statuses.most_common())
    total = f"{ledger.accepted:,} messages accepted, {ledger.parts:,} parts."
    latest = f" The newest {len(newest)}: {shown}." if newest else ""
    armed = len(sandbox.faults.listed())
    return total + latest + (f" Faults armed: {armed}." if armed else "")


def _item(sandbox: Sandbox, message: Message) -> str:
    status = sandbox.status_of(message).strip().lower()
    kind = "failed" if status in _FAILED else status if status == "delivered" else ""
    accepted_at = iso_time(sandbox.clock.wall(message.accepted_at, sandbox.settings.clock_skew))
    parts = "1 part" if message.parts == 1 else f"{message.parts} parts"
    details = [
        parts,
        country_of(message.to) or "unknown country",
        accepted_at.replace("T", " ").split("+")[0] + " UTC",
    ]
    client_id = f" · <code>{escape(message.client_id)}</code>" if message.client_id else ""
    return (
        f'<li><div class="head"><span class="to">{escape(message.to)}</span>'
        f'<span class="small">from {escape(message.sender)}</span>'
        f'<span class="status {kind}">{escape(status)}</span></div>'
        f'<p class="text">{escape(message.text)}</p>'
        f'<p class="small">{" · ".join(details)}{client_id}</p></li>'
    )
