# SPDX-License-Identifier: Apache-2.0
"""The shapes that ``errors`` of a bulk answer may have. The real one is U: a client must read them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .checks import FieldErrors
    from .settings import BulkErrors


@dataclass(frozen=True, slots=True)
class Rejection:
    """One rejected item of a bulk call.

    :param index: its position in the request, as the API counts it
    :param item: the item as decoded from JSON
    :param errors: messages by field
    """

    index: int
    item: Any
    errors: FieldErrors

    def field(self, name: str) -> Any:
        """A field of the item, None where it has none.

        :param name: the JSON name
        """
        return self.item.get(name) if isinstance(self.item, dict) else None


def _listed(*names: str) -> Callable[[Sequence[Rejection]], object]:
    def shape(rejections: Sequence[Rejection]) -> object:
        return [_keys(rejection, names) | {"errors": rejection.errors} for rejection in rejections]

    return shape


def _keys(rejection: Rejection, names: Sequence[str]) -> dict[str, Any]:
    numbers = {"index": rejection.index, "position": str(rejection.index)}
    values = {name: numbers[name] if name in numbers else rejection.field(name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _keyed(name: str) -> Callable[[Sequence[Rejection]], object]:
    def shape(rejections: Sequence[Rejection]) -> object:
        return {
            str(rejection.index if name == "index" else rejection.field(name) or ""): rejection.errors
            for rejection in rejections
        }

    return shape


def _by_field(rejections: Sequence[Rejection]) -> object:
    merged: FieldErrors = {}
    for rejection in rejections:
        for name, messages in rejection.errors.items():
            merged.setdefault(name, []).extend(messages)
    return merged


def _strings(rejections: Sequence[Rejection]) -> object:
    return [text for rejection in rejections for messages in rejection.errors.values() for text in messages]


_SHAPES: dict[BulkErrors, Callable[[Sequence[Rejection]], object]] = {
    "list_with_index": _listed("index"),
    "list_with_client_id": _listed("clientId"),
    "list_with_to": _listed("to"),
    "list_with_all": _listed("index", "clientId", "to"),
    "list_with_position": _listed("position"),
    "list_of_fields": lambda rejections: [rejection.errors for rejection in rejections],
    "list_of_strings": _strings,
    "object_by_index": _keyed("index"),
    "object_by_client_id": _keyed("clientId"),
    "object_by_to": _keyed("to"),
    "object_by_field": _by_field,
    "unattributed": _listed(),
}


def shaped(shape: BulkErrors, rejections: Sequence[Rejection]) -> dict[str, object]:
    """The ``errors`` member of a bulk answer, as a dict to merge into it; empty for the shape ``missing``.

    :param shape: the name of the shape
    :param rejections: the rejected items
    """
    return {} if shape == "missing" else {"errors": _SHAPES[shape](rejections)}
