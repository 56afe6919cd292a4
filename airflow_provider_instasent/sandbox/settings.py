# SPDX-License-Identifier: Apache-2.0
"""All that can be switched about the sandbox, most of it because the real API's behaviour is unknown (U)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN = "instasent-sandbox-4711"  # noqa: S105 - of a local sandbox
"""What is taken where nobody says otherwise; no word, for Airflow hides a token wherever it occurs in a log."""

BulkErrors = Literal[
    "list_with_index",
    "list_with_client_id",
    "list_with_to",
    "list_with_all",
    "list_with_position",
    "list_of_fields",
    "list_of_strings",
    "object_by_index",
    "object_by_client_id",
    "object_by_to",
    "object_by_field",
    "unattributed",
    "missing",
]

CreatedForm = Literal[
    "iso",
    "fraction",
    "rfc1123",
    "rfc850",
    "unix",
    "unix_string",
    "fraction_string",
    "milliseconds",
    "microseconds",
    "milliseconds_string",
    "object",
    "object_local",
    "object_iso",
    "object_unix",
    "local_east",
    "local_west",
    "local_far_east",
    "local_far_west",
    "day",
    "day_first",
    "null",
    "words",
]
"""How ``createdAt`` is written: ISO 8601 in whole seconds, or with a ``fraction``; as HTTP writes dates, today or long
ago; ``unix`` seconds, ``milliseconds`` or ``microseconds``, as a number or in a string; an object as PHP writes its
dates, with the zone or without, as MongoDB does, or with ``seconds``; the local time, without its zone, of a place two
or 14 hours ahead of UTC, or five or 12 behind it; the day alone; a date that begins with the day; nothing, or words."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How this local Instasent behaves. Times are seconds, prices and balances units of ``currency``.

    :param envelope: one entity comes as ``{"entity": {…}}`` or bare (C for the account, I elsewhere); lists
        are always ``{"entities": […]}`` (C)
    :param echo_client_id: whether entities repeat the ``clientId`` (U)
    :param send_created_at: whether entities have ``createdAt`` (U)
    :param created_form: how it is written (U): see :data:`CreatedForm`
    :param created_jitter: how far it may be off the order of acceptance, to either side (U)
    :param created_unreadable: share of the messages, 0 to 1, that have none, or a word in its place (U)
    :param created_behind: share of the messages, 0 to 1, whose ``createdAt`` is an hour early: a server of theirs has
        a wrong clock (U)
    :param created_seed: which messages these are, and how far each is off; the same each time it is read
    :param numbers_as_strings: counts, prices and the balance as strings (C for the balance: either)
    :param bulk_errors: the shape of ``errors`` in a bulk answer (U), see :mod:`.bulk_errors`
    :param rejection_words: what is said of each field of a rejected message (U); empty for what is wrong with it
    :param bulk_index_base: from which number an index in them counts (U)
    :param bulk_entities: what entities of a bulk answer show: all, their ``id``, or that and their ``text`` (U)
    :param bulk_rejection_status: status when every item of a bulk call was rejected, 201 or 422 (U)
    :param single_rejection_status: status of a rejected single send, 400 (``message``, C) or 422 (fields, I)
    :param repeated_client_id: whether a ``clientId`` seen before is accepted or refused (U)
    :param unknown_fields: whether fields nobody documented are refused or ignored (U)
    :param lenient_booleans: take ``"true"`` for ``true``, as the vendor's own SDK sends it (I)
    :param page_cap: the most entities a page of a list has (U)
    :param list_order: newest or oldest first (U)
    :param list_end: whether pages beyond the last one are empty, or repeat it (U)
    :param list_lag: age at which an accepted SMS or lookup appears in its list (U)
    :param read_lag: age at which it can be read by its id (U); 404 before
    :param latency: how long a request takes; acceptance happens in the middle
    :param rate_limit: requests a window, per endpoint (C: 1200 is the documented example)
    :param rate_window: length of a window (C: a minute); whole seconds, so that the reset header is exact
    :param limit_form: how the limit is told: three headers with the reset in unix ``seconds`` (C); or in
        ``milliseconds``, with a ``fraction``, in ``seconds_left`` or as a ``date``; or ``Retry-After`` on 429 alone, in
        seconds or as a date; or not at all (U)
    :param send_date: whether answers have ``Date``
    :param sent_after: age at which a message turns ``sent``
    :param final_after: age at which it reaches its final state
    :param lookup_after: age at which a lookup is done
    :param max_body_bytes: larger requests get 413 (C; the size is U)
    :param balance: what is left to spend, None for unlimited; at 0 or below sends and lookups get 402
    :param funds_checked: before each call, which gets 402, or before each item of a bulk call, which is rejected (U)
    :param price_per_part: cost of an SMS part
    :param lookup_price: cost of a lookup
    :param currency: of the account and the price profiles
    :param clock_skew: how far the server's clock is ahead: ``Date``, ``createdAt``, ``X-RateLimit-Reset``
    """

    envelope: Literal["wrapped", "bare"] = "wrapped"
    echo_client_id: bool = True
    send_created_at: bool = True
    created_form: CreatedForm = "iso"
    created_jitter: float = 0.0
    created_unreadable: float = 0.0
    created_behind: float = 0.0
    created_seed: int = 0
    numbers_as_strings: bool = False
    bulk_errors: BulkErrors = "list_with_index"
    rejection_words: str = ""
    bulk_index_base: Literal[0, 1] = 0
    bulk_entities: Literal["whole", "id", "id_and_text"] = "whole"
    bulk_rejection_status: Literal[201, 422] = 201
    single_rejection_status: Literal[400, 422] = 422
    repeated_client_id: Literal["accept", "refuse"] = "accept"
    unknown_fields: Literal["refuse", "ignore"] = "refuse"
    lenient_booleans: bool = False
    page_cap: int = 100
    list_order: Literal["newest", "oldest"] = "newest"
    list_end: Literal["empty", "repeats"] = "empty"
    list_lag: float = 0.0
    read_lag: float = 0.0
    latency: float = 0.0
    rate_limit: int = 1200
    rate_window: float = 60.0
    limit_form: Literal[
        "seconds", "milliseconds", "fraction", "seconds_left", "date", "retry_after", "retry_after_date", "none"
    ] = "seconds"
    send_date: bool = True
    sent_after: float = 0.5
    final_after: float = 1.5
    lookup_after: float = 1.0
    max_body_bytes: int = 1_000_000
    balance: float | None = None
    funds_checked: Literal["call", "item"] = "call"
    price_per_part: float = 0.05
    lookup_price: float = 0.01
    currency: str = "EUR"
    clock_skew: float = 0.0

    def __post_init__(self) -> None:
        for name, hint in HINTS.items():
            _check(name, getattr(self, name), hint)

    def changed(self, changes: Mapping[str, Any]) -> Settings:
        """A copy with some settings changed.

        :param changes: new values by name
        :raises ValueError: for a name that is none, or a value that does not fit
        """
        unknown = sorted(set(changes) - set(HINTS))
        if unknown:
            raise ValueError(f"unknown sandbox setting {', '.join(unknown)}; there are: {', '.join(HINTS)}")
        return replace(self, **changes)


HINTS: dict[str, Any] = {field.name: get_type_hints(Settings)[field.name] for field in fields(Settings)}

_SIGNED = {"clock_skew", "balance"}
_AT_LEAST_ONE = {"page_cap", "rate_window"}
_AT_MOST_ONE = {"created_unreadable", "created_behind"}


def _check(name: str, value: object, hint: Any) -> None:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            allowed = ", ".join(repr(choice) for choice in get_args(hint))
            raise ValueError(f"sandbox setting {name} must be one of {allowed}, not {value!r}")
        return
    if hint in (bool, str):
        fits = isinstance(value, hint)
    elif value is None:
        fits = type(None) in get_args(hint)
    else:
        kinds = int if hint is int else (int, float)
        fits = isinstance(value, kinds) and not isinstance(value, bool)
        if fits and name not in _SIGNED:
            least = 1 if name in _AT_LEAST_ONE else 0
            most = 1 if name in _AT_MOST_ONE else float("inf")
            fits = least <= value <= most  # type: ignore[operator]  # a number by now
    if not fits:
        raise ValueError(f"sandbox setting {name} cannot be {value!r}")
