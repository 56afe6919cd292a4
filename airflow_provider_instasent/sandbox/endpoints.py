# SPDX-License-Identifier: Apache-2.0
"""What each endpoint does: a call in, an answer out. No HTTP machinery, no faults, no limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from . import entities
from .bulk_errors import Rejection, shaped
from .checks import MAX_BULK, FieldErrors, flag_of, message_errors, number_errors
from .lookups import entity_of
from .state import Sandbox
from .statuses import fate_of

if TYPE_CHECKING:
    from .clock import Clock
    from .ledger import Ledger, Message
    from .lookups import Lookups
    from .settings import Settings


@dataclass(slots=True)
class Call:
    """One request, as far as an operation needs it.

    :param body: the raw body
    :param query: the query's parameters
    :param identifier: the id in the path, empty where there is none
    :param items: set by the operation: how many messages or lookups came
    """

    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)
    identifier: str = ""
    items: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered.

    :param status: the HTTP status
    :param payload: the JSON body, None for an empty one
    """

    status: int
    payload: Any = None


Operation = Callable[[Sandbox, Call], Answer]


@dataclass(frozen=True, slots=True)
class Collection:
    """What was accepted and can be read one by one and page by page: SMS, or lookups.

    :param kept: where the sandbox keeps it
    :param entity: how one of it is shown
    """

    kept: Callable[[Sandbox], Ledger | Lookups]
    entity: Callable[[Any, Clock, Settings], entities.Entity]

    def read(self, sandbox: Sandbox, call: Call) -> Answer:
        """``GET …/{id}``: 200, or 404 if absent or not visible (C)."""
        found = self.kept(sandbox).find(call.identifier)
        if found is None or not fate_of(found.to).visible:
            return Answer(404)
        if sandbox.clock.now() - found.accepted_at < sandbox.settings.read_lag:
            return Answer(404)
        return _one(sandbox, 200, self.entity(found, sandbox.clock, sandbox.settings))

    def list(self, sandbox: Sandbox, call: Call) -> Answer:
        """``GET …?page=&per_page=`` (C; the largest page and the order are U)."""
        page = _page(sandbox, call)
        if isinstance(page, Answer):
            return page
        settings, until = sandbox.settings, sandbox.clock.now() - sandbox.settings.list_lag
        found = self.kept(sandbox).page(*page, settings.list_order, until, settings.list_end)
        return Answer(200, {"entities": [self.entity(one, sandbox.clock, settings) for one in found]})


SMS = Collection(lambda sandbox: sandbox.ledger, entities.sms)
LOOKUPS = Collection(lambda sandbox: sandbox.lookups, entity_of)


def send(sandbox: Sandbox, call: Call) -> Answer:
    """``POST /sms``: 201 with an entity (C)."""
    item = _decoded(call.body)
    call.items = 1
    if not isinstance(item, dict):
        return _bad("The body must be a JSON object.")
    refusal = fate_of(str(item.get("to"))).refusal
    if refusal in ("item_400", "call"):
        return _bad("The message could not be processed.")
    errors = _errors(sandbox, item)
    if errors:
        return _rejected(sandbox, errors)
    if sandbox.available <= 0:
        return Answer(402)
    return _one(sandbox, 201, entities.sms(_accept(sandbox, item), sandbox.clock, sandbox.settings))


def bulk(sandbox: Sandbox, call: Call) -> Answer:
    """``POST /sms/bulk``: a bare array of 1 to 100; valid items are taken even if others are rejected (C)."""
    items = _decoded(call.body)
    if not isinstance(items, list):
        return _bad("The body must be a JSON array.")
    call.items = len(items)
    if not 1 <= len(items) <= MAX_BULK:
        return _bad(f"The body must have 1 to {MAX_BULK} messages.")
    if any(isinstance(item, dict) and fate_of(str(item.get("to"))).refusal == "call" for item in items):
        return _bad("The messages could not be processed.")
    settings = sandbox.settings
    if sandbox.available <= 0 and settings.funds_checked == "call":
        return Answer(402)
    accepted, rejections = [], []
    for index, item in enumerate(items, settings.bulk_index_base):
        errors = _errors(sandbox, item) or _unpaid(sandbox)
        if errors:
            rejections.append(Rejection(index, item, errors))
        else:
            whole = entities.sms(_accept(sandbox, item), sandbox.clock, settings)
            accepted.append(entities.in_bulk(whole, settings))
    status = 201 if accepted else settings.bulk_rejection_status
    return Answer(status, {"entities": accepted, **shaped(settings.bulk_errors, rejections)})


def account(sandbox: Sandbox, _call: Call) -> Answer:
    """``GET /organization/account``: free and read-only (C)."""
    return _one(sandbox, 200, entities.account(sandbox.available, sandbox.settings))


def lookup(sandbox: Sandbox, call: Call) -> Answer:
    """``POST /lookup``: an entity with ``id`` (C); the status 201 is I."""
    item = _decoded(call.body)
    call.items = 1
    if not isinstance(item, dict):
        return _bad("The body must be a JSON object.")
    errors: FieldErrors = {}
    number_errors(item.get("to"), errors)
    if errors:
        return _rejected(sandbox, errors)
    if sandbox.available <= 0:
        return Answer(402)
    sandbox.charge(sandbox.settings.lookup_price)
    accepted = sandbox.lookups.accept(item["to"], sandbox.clock.now())
    return _one(sandbox, 201, entity_of(accepted, sandbox.clock, sandbox.settings))


def sms_prices(sandbox: Sandbox, _call: Call) -> Answer:
    """``GET /price-profile/sms`` (its existence is C; path and shape are U)."""
    return Answer(200, {"entities": entities.prices(sandbox.settings.price_per_part, sandbox.settings)})


def lookup_prices(sandbox: Sandbox, _call: Call) -> Answer:
    """``GET /price-profile/lookup`` (its existence is C; path and shape are U)."""
    return Answer(200, {"entities": entities.prices(sandbox.settings.lookup_price, sandbox.settings)})


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _bad(message: str) -> Answer:
    return Answer(400, {"message": message})


def _rejected(sandbox: Sandbox, errors: FieldErrors) -> Answer:
    if sandbox.settings.single_rejection_status == HTTPStatus.BAD_REQUEST.value:
        return _bad("; ".join(f"{name}: {text}" for name, texts in errors.items() for text in texts))
    return Answer(422, {"status": "error", "errors": errors})


def _one(sandbox: Sandbox, status: int, entity: entities.Entity) -> Answer:
    return Answer(status, entity if sandbox.settings.envelope == "bare" else {"entity": entity})


def _errors(sandbox: Sandbox, item: Any) -> FieldErrors:
    errors = message_errors(item, sandbox.settings)
    unique = sandbox.settings.repeated_client_id == "refuse"
    if not errors and unique and "clientId" in item and sandbox.ledger.has_client_id(item["clientId"]):
        errors["clientId"] = ["This value is already used."]
    words = sandbox.settings.rejection_words
    return {name: [words] for name in errors} if words else errors


def _unpaid(sandbox: Sandbox) -> FieldErrors:
    """Why an item of a bulk call that is in order is rejected all the same (U)."""
    unpaid = sandbox.settings.funds_checked == "item" and sandbox.available <= 0
    return {"": ["Not enough funds."]} if unpaid else {}


def _accept(sandbox: Sandbox, item: dict[str, Any]) -> Message:
    index = sandbox.ledger.accept(
        client_id=item.get("clientId"),
        sender=item["from"],
        to=item["to"],
        text=item["text"],
        allow_unicode=flag_of(item),
        now=sandbox.clock.now(),
    )
    message = sandbox.ledger.message(index)
    sandbox.charge(message.parts * sandbox.settings.price_per_part)
    return message


def _page(sandbox: Sandbox, call: Call) -> tuple[int, int] | Answer:
    try:
        page, per_page = int(call.query.get("page", "1")), int(call.query.get("per_page", "10"))
    except ValueError:
        return _bad("page and per_page must be numbers.")
    if page < 1 or per_page < 1:
        return _bad("page and per_page start at 1.")
    return page, min(per_page, sandbox.settings.page_cap)
