# SPDX-License-Identifier: Apache-2.0
"""What faults do to the entities of an answer that is otherwise in order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .faults import Fault

NAMES = frozenset({"item_missing", "shuffled", "without_id", "same_id", "fields", "raw_fields"})


def altered(payload: Any, fault: Fault) -> Any:
    """A payload with what a fault does to its entities, or to its one entity.

    :param payload: what would be answered
    :param fault: the fault that struck
    """
    if fault.name not in NAMES or not isinstance(payload, dict):
        return payload
    if "entities" in payload:
        return {**payload, "entities": _altered(list(payload["entities"]), fault)}
    wrapped = isinstance(payload.get("entity"), dict)
    if fault.name in ("item_missing", "shuffled"):
        return payload
    (one,) = _altered([payload["entity"] if wrapped else payload], fault)
    return {**payload, "entity": one} if wrapped else one


def _altered(entities: list[dict[str, Any]], fault: Fault) -> list[dict[str, Any]]:
    dice = random.Random(fault.seed)  # noqa: S311  # repeatable, not secret
    if fault.name == "item_missing" and entities:
        entities.pop(dice.randrange(len(entities)))
    elif fault.name == "shuffled":
        return _shuffled(entities, dice)
    elif fault.name == "without_id":
        return [{name: value for name, value in entity.items() if name != "id"} for entity in entities]
    elif fault.name == "same_id":
        return [{**entity, "id": entities[0].get("id")} for entity in entities]
    elif fault.name in ("fields", "raw_fields"):
        return [{**entity, **fault.fields} for entity in entities]
    return entities


def _shuffled(entities: list[dict[str, Any]], dice: random.Random) -> list[dict[str, Any]]:
    """Another order than before, wherever there is one."""
    mixed = list(entities)
    dice.shuffle(mixed)
    return mixed if mixed != entities else mixed[1:] + mixed[:1]
