# SPDX-License-Identifier: Apache-2.0
"""The API's endpoints without a socket: for each, the request that goes out and how its body is read.

Readers return plain dictionaries: our guaranteed keys, and every field the API sent (most of them are inferred
or unknown). A body that cannot be read raises `ValueError` (:class:`PayloadError` among them), which for a
send means *unconfirmed*, never *failed*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from airflow_provider_instasent.api import schema
from airflow_provider_instasent.api.exchange import Kind, Request
from airflow_provider_instasent.api.json_data import REPLACEMENT

if TYPE_CHECKING:
    from airflow_provider_instasent.api.message import Sms

Entity = dict[str, Any]
"""An entity as the API sent it, its `id` a string; in a bulk answer None where what it sent cannot be one."""

LONGEST_ID: Final = 255
"""Characters of an id (unknown how long the API's are); what is longer is none, and is kept nowhere."""


def send_sms_request(message: Sms) -> Request:
    """Return `POST /sms` for one message (confirmed)."""
    payload = message.payload()
    schema.validate("send_request", payload)
    return Request("POST", "sms", Kind.SEND, body=payload)


def send_bulk_request(messages: Sequence[Sms]) -> Request:
    """Return `POST /sms/bulk` for 1 to 100 messages (confirmed: a bare array)."""
    payload = [message.payload() for message in messages]
    schema.validate("bulk_request", payload)
    return Request("POST", "sms/bulk", Kind.SEND, body=payload)


def get_sms_request(sms_id: str) -> Request:
    """Return `GET /sms/{id}` (confirmed)."""
    return Request("GET", f"sms/{quote(str(sms_id), safe='')}")


def list_sms_request(page: int, per_page: int) -> Request:
    """Return `GET /sms` (confirmed: `page` from 1, `per_page`; the largest page and the order are unknown)."""
    return Request("GET", "sms", params={"page": page, "per_page": per_page})


def get_account_request() -> Request:
    """Return `GET /organization/account` (confirmed: free and read-only)."""
    return Request("GET", "organization/account")


def lookup_request(to: str) -> Request:
    """Return `POST /lookup` for one number (confirmed). A lookup is billed, so it counts as a send.

    :param to: the number in E.164
    """
    payload = {"to": to}
    schema.validate("lookup_request", payload)
    return Request("POST", "lookup", Kind.SEND, body=payload)


def get_lookup_request(lookup_id: str) -> Request:
    """Return `GET /lookup/{id}` (confirmed)."""
    return Request("GET", f"lookup/{quote(str(lookup_id), safe='')}")


def list_lookups_request(page: int, per_page: int) -> Request:
    """Return `GET /lookup` (confirmed: as for SMS)."""
    return Request("GET", "lookup", params={"page": page, "per_page": per_page})


def price_profile_request(path: str) -> Request:
    """Return the request for a price profile (confirmed: it exists; unknown: its path, hence a setting).

    :param path: below the base URL
    """
    return Request("GET", path.strip("/"))


def read_entity(body: Any) -> Entity:
    """Return the SMS in a body, in its envelope or bare.

    :param body: decoded JSON; `{"entity": {...}}` or the entity itself (the envelope is inferred for SMS)
    :raises ValueError: where there is no entity with an id
    """
    entity = _unwrap(body)
    if isinstance(entity, dict):
        schema.validate("sms_entity", entity)
    return _with_id(entity)


def read_bulk(body: Any) -> tuple[list[Entity], Any]:
    """Return the accepted entities of a bulk answer and its `errors`, as they came.

    An entity without a usable `id` fails nobody else's acceptance. It is kept, its `id` None: an answer that holds one
    does not add up.

    :param body: decoded JSON, `{"entities": [...], "errors": [...]}` (confirmed; the shape of an error is unknown)
    :raises ValueError: where there is neither
    """
    if not isinstance(body, dict) or ("entities" not in body and "errors" not in body):
        raise ValueError("no `entities` in the bulk answer")
    entities = body.get("entities") or []
    if not isinstance(entities, list):
        raise ValueError("`entities` is not a list")
    return [_identified(entity) for entity in entities], body.get("errors")


def shows_acceptance(body: Any) -> bool:
    """Tell whether a body lists an entity with an id: then something of its request was accepted, whatever the status.

    :param body: decoded JSON, of whatever shape (unknown whether a refusal ever lists one)
    """
    if not isinstance(body, Mapping):
        return False
    entities = body.get("entities")
    shown = [*(entities if isinstance(entities, list) else ()), body.get("entity")]
    return any(_identified(one)["id"] is not None for one in shown)


def read_list(body: Any) -> list[Entity]:
    """Return the entities of a list answer.

    :param body: decoded JSON, `{"entities": [...]}` (confirmed: required); a bare list is taken too
    :raises ValueError: where there is no list
    """
    entities = body.get("entities") if isinstance(body, dict) else body
    if not isinstance(entities, list):
        raise ValueError("no `entities` in the list answer")
    return [_with_id(entity) for entity in entities]


def read_lookup(body: Any) -> Entity:
    """Return the lookup in a body, in its envelope or bare (the envelope is inferred; all but `id` is unknown).

    :raises ValueError: where there is no entity with an id
    """
    entity = _unwrap(body)
    schema.validate("lookup_entity", entity)
    return _with_id(entity)


def read_price_profile(body: Any) -> list[dict[str, Any]]:
    """Return the entries of a price profile as the API sent them (unknown shape).

    :param body: decoded JSON, taken as `{"entities": [{"country", "price", "currency", …}]}`; a bare list is taken too
    :raises ValueError: where there is no list of objects
    """
    profile = {"entities": body} if isinstance(body, list) else _unwrap(body)
    schema.validate("price_profile", profile)
    return [dict(entry) for entry in profile["entities"]]


@dataclass(frozen=True, slots=True)
class Resource:
    """What can be read one by one and page by page.

    :param get: the request for one, by its id
    :param read: the entity in its answer
    :param list: the request for a page, by its number and size
    """

    get: Callable[[str], Request]
    read: Callable[[Any], Entity]
    list: Callable[[int, int], Request]


SMS = Resource(get_sms_request, read_entity, list_sms_request)
LOOKUPS = Resource(get_lookup_request, read_lookup, list_lookups_request)


def read_account(body: Any) -> Entity:
    """Return the account: at least `available` and `currency` where the API sends them.

    :param body: decoded JSON, `{"entity": {"available": number or string, "currency": "EUR"}}` (confirmed)
    :raises ValueError: where there is no object
    """
    account = _unwrap(body)
    schema.validate("account", account)
    if not isinstance(account, dict):
        raise ValueError("the account is no object")
    return dict(account)


def _unwrap(body: Any) -> Any:
    if isinstance(body, Mapping) and isinstance(body.get("entity"), Mapping):
        return body["entity"]
    return body


def _with_id(entity: Any) -> Entity:
    identified = _identified(entity)
    if identified["id"] is None:
        raise ValueError("an entity without a usable `id`")
    return identified


def _identified(entity: Any) -> Entity:
    """Return an entity, its `id` a string; None where what the API sent cannot be one."""
    if not isinstance(entity, dict):
        return {"id": None}
    given = entity.get("id")
    if isinstance(given, str) and _is_id(given):
        return entity
    number = str(given) if isinstance(given, int) and not isinstance(given, bool) else ""
    return {**entity, "id": number if _is_id(number) else None}


def _is_id(given: str) -> bool:
    """Tell whether a string can be an id: it is kept, logged and put into URLs (inferred: printable)."""
    return 0 < len(given) <= LONGEST_ID and given.isprintable() and not given.isspace() and REPLACEMENT not in given
