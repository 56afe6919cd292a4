# SPDX-License-Identifier: Apache-2.0
"""The delivery statuses, and the one rule for when a message's journey is over.

The vocabulary is confirmed by Instasent's documentation where it is also listed in its sibling products;
which route reports which status is unknown, so a caller may widen the set that counts as success.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection


class DeliveryStatus(StrEnum):
    """A delivery status as the API spells it (inferred from the sibling Product API; `unpaid` included)."""

    ENQUEUED = "enqueued"
    SCHEDULED = "scheduled"
    ACCEPTED = "accepted"
    BUFFERED = "buffered"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    ERROR = "error"
    EXPIRED = "expired"
    REJECTED = "rejected"
    CANCELED = "canceled"
    CANCELLED = "cancelled"
    UNPAID = "unpaid"
    UNKNOWN = "unknown"
    NOT_FOUND = "not_found"
    """Ours, not the API's: absent for so long after acceptance that it is no lag, or not visible to this token."""
    NO_ID = "no_id"
    """Ours, not the API's: accepted, but under which id is not known, so nothing can be asked about it."""


class Verdict(StrEnum):
    """What a delivery status means for somebody who waits."""

    PENDING = "pending"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"


IN_TRANSIT = frozenset(
    {
        DeliveryStatus.ENQUEUED,
        DeliveryStatus.SCHEDULED,
        DeliveryStatus.ACCEPTED,
        DeliveryStatus.BUFFERED,
        DeliveryStatus.SENT,
    }
)
"""Statuses of a message on its way."""

TERMINAL_FAILURES = frozenset(
    {
        DeliveryStatus.FAILED,
        DeliveryStatus.ERROR,
        DeliveryStatus.EXPIRED,
        DeliveryStatus.REJECTED,
        DeliveryStatus.CANCELED,
        DeliveryStatus.CANCELLED,
        DeliveryStatus.UNPAID,
        DeliveryStatus.UNKNOWN,
        DeliveryStatus.NOT_FOUND,
        DeliveryStatus.NO_ID,
    }
)
"""Statuses after which a message will not arrive any more."""

DEFAULT_SUCCESS_STATUSES: tuple[str, ...] = (DeliveryStatus.DELIVERED.value,)

DEFAULT_PENDING_STATUSES = ("pending", "queued", "enqueued", "processing", "in_progress", "created", "accepted")
"""Words of a lookup that commonly mean "not finished"; Instasent's own are unknown."""


def normalise_status(status: object) -> str:
    """Return a status as it is compared: stripped, lower case; an absent one is the empty string.

    :param status: what the API answered
    """
    return status.strip().lower() if isinstance(status, str) else ""


def is_known(status: str) -> bool:
    """Tell whether a normalised status is in the vocabulary; an unknown one counts as pending."""
    return status == DeliveryStatus.DELIVERED or status in IN_TRANSIT or status in TERMINAL_FAILURES


def judge(status: object, success_statuses: Collection[str] = DEFAULT_SUCCESS_STATUSES) -> Verdict:
    """Tell whether a message with this status is pending, delivered or undeliverable: the one rule.

    An unknown status is pending: the caller's deadline ends it. The `code` beside a status narrows the
    reason but no table of codes is public, so nothing is decided by it.

    :param status: the delivery status, as the API answered it
    :param success_statuses: statuses that count as delivered; `delivered` always does
    """
    normalised = normalise_status(status)
    if normalised == DeliveryStatus.DELIVERED or normalised in map(normalise_status, success_statuses):
        return Verdict.DELIVERED
    if normalised in TERMINAL_FAILURES:
        return Verdict.UNDELIVERABLE
    return Verdict.PENDING
