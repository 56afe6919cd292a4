# SPDX-License-Identifier: Apache-2.0
"""The API's words made fit for logs, errors, journals and results: one line, shortened, numbers and texts hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from airflow_provider_instasent.api.errors import MISHAPS
from airflow_provider_instasent.api.json_data import REPLACEMENT, storable
from airflow_provider_instasent.api.numbers import mask_in
from airflow_provider_instasent.api.statuses import DeliveryStatus

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_LONGEST_DETAIL: Final = 300
_LONGEST_WORD: Final = 40
_LONGEST_NUMBER: Final = 40
"""Characters of a phone number, however it is grouped."""

_MOST_READ: Final = 4_096
_MOST_NESTED: Final = 16
_USUAL_STATUSES = frozenset(status.value for status in DeliveryStatus)


def brief(said: Any, hide: Collection[str] = ()) -> str:
    """Return words of the server fit for a log: one line, shortened, phone numbers masked. Never raises.

    :param said: a string, or a list or object of strings; or an error of ours that quotes one
    :param hide: message texts that must not be repeated
    """
    try:
        return _brief(said, hide)
    except MISHAPS:  # said after a request left: nothing that is told of it may change what it means
        return f"({type(said).__name__})"


def status_word(status: Any) -> str | None:
    """Return the delivery status of an entity as one short word or line; None where there is none.

    :param status: of whatever type the API sent
    """
    if not isinstance(status, str):
        return None
    # Each message of a campaign comes by here.
    return status if status in _USUAL_STATUSES else brief(status)[:_LONGEST_WORD]


def _brief(said: Any, hide: Collection[str]) -> str:
    hidden = sorted((_one_line(text) or text for text in hide if text), key=len, reverse=True)  # one may hold another
    longest = max(_LONGEST_NUMBER, len(hidden[0]) if hidden else 0)
    raw, whole = _beginning(said, _MOST_READ + 2 * longest)
    line = _one_line(raw)
    for text in hidden:
        line = line.replace(text, "(text)")
    line = mask_in(line)
    if not whole:
        # What was cut through at the end is no longer known for a text or a number.
        line = line[:-longest]
    if not line.isprintable():
        line = "".join(character if character.isprintable() else REPLACEMENT for character in line)
    return line if whole and len(line) <= _LONGEST_DETAIL else line[: _LONGEST_DETAIL - 1] + "…"


def _one_line(text: str) -> str:
    return " ".join(storable(text).split())


def _beginning(said: Any, room: int) -> tuple[str, bool]:
    """Return the first words of what was said, and whether these are all."""
    parts: list[str] = []
    for part in _parts(said, _MOST_NESTED):
        parts.append(part[: room + 1])
        room -= len(part)
        if room < 0:
            return "".join(parts), False
    return "".join(parts), True


def _parts(said: Any, levels: int) -> Iterator[str]:
    if not isinstance(said, dict | list):
        yield str(said)
    elif not levels:
        yield "…"
    elif isinstance(said, dict):
        for place, (key, value) in enumerate(said.items()):
            yield f"{'; ' if place else ''}{key}: "
            yield from _parts(value, levels - 1)
    else:
        for place, value in enumerate(said):
            if place:
                yield ", "
            yield from _parts(value, levels - 1)
