# SPDX-License-Identifier: Apache-2.0
"""What a journal's records say, and how they are written: one line of JSON each.

A message is known by its *key*, a digest (:class:`~airflow_provider_instasent.api.client_ids.MessageKeys`), so no
number and no text is stored. What keys the digest is in the first record, so whoever reads a journal can test whether
a number that he guessed is in it.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.client_ids import KEY_BYTES
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal.errors import JournalCorruptError
from airflow_provider_instasent.journal.worker_clock import ClockIdentity, Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WHOLE_ROSTER = 0
"""The chunk number of a settlement whose positions are places in the roster."""

PLAN = "plan"
"""The note of a plan whose messages are all listed, `[fingerprint, owner]`: nothing is sent before it is there."""

OFFSET = "offset"
"""The note of how far the server's clock is ahead of a try's, in seconds, for its moments that do not tell."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A try has opened the journal; the moments of what follows are on its clock.

    :param secret: what keys the digests in this journal, in its first record; None in later ones
    :param clock: the try's
    """

    secret: bytes | None
    clock: ClockIdentity


@dataclass(frozen=True, slots=True)
class Intent:
    """A chunk that is about to leave.

    :param chunk: its number, unique in the journal
    :param moment: when it was written
    :param keys: one a message, in the request's order
    :param client_ids: the clientIds where the user gave them, else None in each place
    """

    chunk: int
    moment: Moment
    keys: tuple[bytes, ...]
    client_ids: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """Messages of a bulk send, listed before any is sent; their places go on from the former listing's.

    :param keys: one a message
    :param client_ids: the clientIds where the user gave them, else None in each place
    """

    keys: tuple[bytes, ...]
    client_ids: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """Listed messages that the next plan is made of; the rest of those listed are gone from it.

    :param begins: whether what came before belongs to a plan that was never noted
    :param spans: places in the roster, as `(first, count)`
    """

    begins: bool
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PlacedIntent:
    """A chunk of listed messages that is about to leave.

    :param chunk: its number, unique in the journal
    :param moment: when it was written
    :param spans: places in the roster, as `(first, count)`, in the request's order
    """

    chunk: int
    moment: Moment
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of messages of a chunk; `position` in an outcome is the place in its intent.

    :param chunk: the intent's number, or `WHOLE_ROSTER`
    :param outcomes: the messages it says something about
    """

    chunk: int
    outcomes: tuple[MessageOutcome, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """A named fact of the campaign, such as its plan or its result; the last one of a name counts.

    :param name: what it is
    :param value: JSON
    """

    name: str
    value: Any


Event = Opening | Intent | Listing | Members | PlacedIntent | Settlement | Note


def opening_record(opening: Opening) -> str:
    """Return the record of an :class:`Opening`."""
    secret, clock = opening.secret, opening.clock
    return _line({"o": [None if secret is None else secret.hex(), clock.boot_id, round(clock.zero, 3)]})


def intent_record(chunk: int, moment: Moment, keys: Sequence[bytes], client_ids: Sequence[str | None]) -> str:
    """Return the record of an :class:`Intent`.

    :raises ValueError: where it could not be read again
    """
    return _line({"i": [chunk, *_pack_moment(moment), *_pack_keys(keys, client_ids)]})


def listing_record(keys: Sequence[bytes], client_ids: Sequence[str | None]) -> str:
    """Return the record of a :class:`Listing`.

    :raises ValueError: where it could not be read again
    """
    return _line({"k": _pack_keys(keys, client_ids)})


def members_record(spans: Sequence[tuple[int, int]], *, begins: bool) -> str:
    """Return the record of :class:`Members`."""
    return _line({"m": [begins, spans]})


def placed_intent_record(chunk: int, moment: Moment, spans: Sequence[tuple[int, int]]) -> str:
    """Return the record of a :class:`PlacedIntent`."""
    return _line({"j": [chunk, *_pack_moment(moment), spans]})


def settlement_record(chunk: int, outcomes: Sequence[MessageOutcome]) -> str:
    """Return the record of a :class:`Settlement`."""
    return _line({"s": [chunk, _pack_outcomes(outcomes)]})


def note_record(name: str, value: Any) -> str:
    """Return the record of a :class:`Note`.

    :raises TypeError: where the value is not JSON
    """
    return _line({"n": [name, value]})


def _pack_moment(moment: Moment) -> list[float | None]:
    return [round(moment.at, 3), None if moment.offset is None else round(moment.offset, 3)]


def _pack_keys(keys: Sequence[bytes], client_ids: Sequence[str | None]) -> list[Any]:
    if len(keys) != len(client_ids) or any(len(key) != KEY_BYTES for key in keys):
        raise ValueError(f"there is one clientId or None a key, and keys have {KEY_BYTES} bytes")
    given = list(client_ids) if any(client_ids) else None
    return [base64.b64encode(b"".join(keys)).decode(), given]


def _line(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"))


# An intent that was refused or never left is settled as planned: nothing of it was accepted.
_STATES = {
    MessageState.ACCEPTED: "a",
    MessageState.REJECTED: "r",
    MessageState.UNCONFIRMED: "u",
    MessageState.PLANNED: "p",
}
_NAMES = {letter: state for state, letter in _STATES.items()}


def _pack_outcomes(outcomes: Sequence[MessageOutcome]) -> Any:
    """All accepted in order: just the ids. Otherwise `[place, state, id, reason]` each."""
    plain = all(
        outcome.state is MessageState.ACCEPTED and outcome.id and outcome.position == place
        for place, outcome in enumerate(outcomes)
    )
    if plain:
        return [outcome.id for outcome in outcomes]
    return [
        [outcome.position, _STATES[outcome.state], outcome.id, outcome.reason]
        for outcome in outcomes
        if outcome.state in _STATES
    ]


def read_record(record: str) -> Event:
    """Return the event of a record.

    :raises JournalCorruptError: where it is none
    """
    try:
        ((kind, content),) = json.loads(record).items()
        return _READERS[kind](*content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise JournalCorruptError("a journal record cannot be read: nothing was sent") from error


def _read_opening(secret: str | None, boot_id: str, zero: float) -> Opening:
    return Opening(None if secret is None else bytes.fromhex(secret), ClockIdentity(boot_id, zero))


def _read_intent(chunk: int, at: float, offset: float | None, packed: str, given: list[str | None] | None) -> Intent:
    return Intent(chunk, Moment(at, offset), *_unpack_keys(packed, given))


def _read_listing(packed: str, given: list[str | None] | None) -> Listing:
    return Listing(*_unpack_keys(packed, given))


def _read_members(begins: bool, spans: list[list[int]]) -> Members:
    return Members(begins, _spans(spans))


def _read_placed_intent(chunk: int, at: float, offset: float | None, spans: list[list[int]]) -> PlacedIntent:
    return PlacedIntent(chunk, Moment(at, offset), _spans(spans))


def _read_settlement(chunk: int, packed: list[Any]) -> Settlement:
    return Settlement(chunk, tuple(_outcome(place, one) for place, one in enumerate(packed)))


_READERS: dict[str, Callable[..., Event]] = {
    "o": _read_opening,
    "i": _read_intent,
    "k": _read_listing,
    "m": _read_members,
    "j": _read_placed_intent,
    "s": _read_settlement,
    "n": Note,
}


def _spans(spans: list[list[int]]) -> tuple[tuple[int, int], ...]:
    return tuple((first, count) for first, count in spans)


def _unpack_keys(packed: str, given: list[str | None] | None) -> tuple[tuple[bytes, ...], tuple[str | None, ...]]:
    raw = base64.b64decode(packed, validate=True)
    keys = tuple(raw[start : start + KEY_BYTES] for start in range(0, len(raw), KEY_BYTES))
    client_ids = tuple(given) if given else (None,) * len(keys)
    if len(raw) % KEY_BYTES or len(client_ids) != len(keys):
        raise ValueError("keys of another size")
    return keys, client_ids


def _outcome(place: int, packed: Any) -> MessageOutcome:
    if isinstance(packed, str):
        return MessageOutcome(place, MessageState.ACCEPTED, id=packed)
    position, letter, sms_id, reason = packed
    return MessageOutcome(position, _NAMES[letter], id=sms_id, reason=reason)
