# SPDX-License-Identifier: Apache-2.0
"""In which shapes the adversary says what it says: entities, times, errors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.habits import Habits

LOCAL_HOURS, WESTERN_HOURS = 2, -5


@dataclass(frozen=True)
class Sms:
    """An SMS that was accepted.

    :param number: in E.164
    :param at: true unix seconds when that was
    :param run: whose it is; None for another system's
    :param attempt: of which try, from 1
    """

    id: str
    sender: str
    number: str
    text: str
    client_id: str | None
    at: float
    run: int | None
    attempt: int = 0


def entity(sms: Sms, place: int, habits: Habits) -> dict[str, Any]:
    """An SMS as the API shows it; `place` is that in the order of storage."""
    shown: dict[str, Any] = {"id": sms.id, "status": "sent", "from": sms.sender, "to": sms.number, "text": sms.text}
    if habits.echoes and sms.client_id:
        shown["clientId"] = sms.client_id
    at = sms.at + habits.skew
    if habits.jitter:
        at = float(int(at) + habits.jitter[place % len(habits.jitter)])
    created = _time(at, habits.created_at)
    return shown if created is None else {**shown, "createdAt": created}


def _time(at: float, shape: str) -> Any:
    moment = datetime.fromtimestamp(at, UTC)
    here, west = ((moment + timedelta(hours=hours)).replace(tzinfo=None) for hours in (LOCAL_HOURS, WESTERN_HOURS))
    shapes = {
        "iso": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seconds": int(at),
        "milliseconds": int(at * 1000),
        "http": formatdate(at, usegmt=True),
        "object": {"date": f"{here:%Y-%m-%d %H:%M:%S.%f}", "timezone_type": 1, "timezone": f"+{LOCAL_HOURS:02}:00"},
        "day first": f"{moment:%d/%m/%Y %H:%M}",
        "local": here.isoformat(sep=" ", timespec="seconds"),
        "west": west.isoformat(sep=" ", timespec="seconds"),
        "nonsense": "a moment ago",
        "none": None,
    }
    return shapes[shape]


def answered(entities: list[dict[str, Any]], shape: str) -> list[dict[str, Any]]:
    """The entities of a bulk answer."""
    bare = [{"id": one["id"]} for one in entities]
    if shape == "no text":
        return [{name: value for name, value in one.items() if name != "text"} for one in entities]
    if shape == "no plus":
        return [{**one, "to": one["to"].lstrip("+")} for one in entities]
    if shape == "same id":
        return [dict(bare[0]) for _ in bare]
    return {"whole": entities, "bare": bare, "reversed": bare[::-1], "one missing": entities[:-1]}[shape]


def said(words: str) -> Any:
    """What is wrong with an item, or a request, in words."""
    deep: Any = "unreachable"
    for _ in range(480 if words == "deep" else 0):
        deep = [deep]
    return {
        "plain": "This number cannot be reached",
        "surrogate": "caf\ud83d",
        "zero": "a\0b",
        "long": "unreachable" * 2_000,
        "deep": deep,
        "odd": [None, True, 34, {"a": []}],
        "no field": {"clientId": ["This field does not exist"]},
        "funds": "Not enough funds",
        "taken": {"clientId": ["This clientId was already used"]},
    }[words]


def errors(bad: Sequence[tuple[int, dict[str, Any], str]], shape: str) -> Any:
    """The `errors` of an answer. What is wrong is said of the number, but for want of money, of no field.

    :param bad: each item's place in the request, the item, and what is wrong with it as of :func:`said`
    """
    told = [(place, item, said(words)) for place, item, words in bad]
    if shape == "strings":
        return [words if isinstance(words, str) else "to: cannot be reached" for _, _, words in told]
    if shape == "fields":
        return {"to": [words for _, _, words in told]}
    if shape in {"keys0", "keys1"}:
        return {str(place + (shape == "keys1")): words for place, _, words in told}
    if shape == "client ids":
        return {item.get("clientId", ""): words for _, item, words in told}
    names: dict[str, Any] = {
        "clientId": lambda _place, item: {"clientId": item.get("clientId")},
        "to": lambda _place, item: {"to": item["to"]},
        "index0": lambda place, _item: {"index": place},
        "index1": lambda place, _item: {"index": place + 1},
        "nameless": lambda _place, _item: {},
    }
    return [
        {**names[shape](place, item), **({"message": words} if words == said("funds") else {"errors": {"to": [words]}})}
        for place, item, words in told
    ]
