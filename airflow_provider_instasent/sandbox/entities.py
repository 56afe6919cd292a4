# SPDX-License-Identifier: Apache-2.0
"""How things look to a client. Of an SMS only ``id`` is C; the other fields are I, after the sibling API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .clock import Clock, iso_time
from .countries import countries, country_of
from .created import created
from .encoding import count
from .statuses import fate_of, status_at

if TYPE_CHECKING:
    from .ledger import Message
    from .settings import Settings

Entity = dict[str, Any]


def number(value: float, settings: Settings) -> float | str:
    """A number as the settings want it: itself or a string.

    :param value: the number
    :param settings: for ``numbers_as_strings``
    """
    return str(value) if settings.numbers_as_strings else value


def sms(message: Message, clock: Clock, settings: Settings) -> Entity:
    """An SMS entity (I, all but ``id``).

    :param message: the accepted message
    :param clock: what time it is
    :param settings: for what is echoed, and the times of the statuses
    """
    age = clock.now() - message.accepted_at
    status = status_at(message.to, age, settings)
    counted = count(message.text, message.allow_unicode)
    charged = round(counted.parts * settings.price_per_part, 6)
    accepted_at = clock.wall(message.accepted_at, settings.clock_skew)
    final = age >= settings.final_after
    entity: Entity = {
        "id": message.id,
        "status": status,
        "statusCode": fate_of(message.to).code if final else "001",
        "from": message.sender,
        "to": message.to,
        "normalizedTo": message.to[1:],
        "country": country_of(message.to),
        "text": message.text,
        "deliveredText": counted.delivered,
        "allowUnicode": message.allow_unicode,
        "unicode": counted.unicode,
        "encoding": "UCS2" if counted.unicode else "GSM7",
        "charsCount": number(counted.characters, settings),
        "messagesCount": number(counted.parts, settings),
        "pricePerSms": number(settings.price_per_part, settings),
        "priceUser": number(charged, settings),
        "charged": True,
        "sentAt": None if status == "enqueued" else iso_time(accepted_at + settings.sent_after),
        "deliveredAt": iso_time(accepted_at + settings.final_after) if status.strip().lower() == "delivered" else None,
    }
    entity |= created(message.number, message.accepted_at, clock, settings)
    if settings.echo_client_id:
        entity["clientId"] = message.client_id
    return entity


def in_bulk(entity: Entity, settings: Settings) -> Entity:
    """As much of an SMS entity as a bulk answer shows.

    :param entity: the whole entity
    :param settings: for ``bulk_entities``
    """
    names = {"id": ("id",), "id_and_text": ("id", "text")}.get(settings.bulk_entities)
    return entity if names is None else {name: entity[name] for name in names}


def account(available: float, settings: Settings) -> Entity:
    """The account (C: ``available`` and ``currency``).

    :param available: what is left to spend
    :param settings: for the currency
    """
    return {"available": number(round(available, 6), settings), "currency": settings.currency}


def prices(price: float, settings: Settings) -> list[Entity]:
    """A price profile (U: its path and its shape).

    :param price: a part or a lookup costs this in every country
    :param settings: for the currency
    """
    shown = number(price, settings)
    return [{"country": country, "price": shown, "currency": settings.currency} for country in countries()]
