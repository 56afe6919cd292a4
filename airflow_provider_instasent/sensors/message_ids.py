# SPDX-License-Identifier: Apache-2.0
"""What users hand to `message_ids`: ids, results of our operators, and sequences of either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from airflow_provider_instasent.templating import LIST_FIX


def ids_of(value: Any) -> list[str]:
    """Return the ids in a value, each once, in order.

    :param value: an id, a result of a send operator (`{"id": …}` or `{"message_ids": […]}`), or any sequence of these;
        Airflow's lazy results of mapped tasks are read in one go
    :raises ValueError: names the position of what is no id
    """
    return list(dict.fromkeys(_ids(value, "")))


def _ids(value: Any, position: str) -> Iterator[str]:
    if isinstance(value, bool | float | bytes) or value is None:
        raise ValueError(_no_id(value, position))
    if isinstance(value, str | int):
        yield _id(str(value).strip(), position)
    elif isinstance(value, Mapping):
        yield from _ids_of_result(value, position)
    elif isinstance(value, Iterable):
        for index, item in enumerate(_all(value)):
            yield from _ids(item, f"{position}[{index}]")
    else:
        raise ValueError(_no_id(value, position))


def _all(values: Iterable[Any]) -> Iterable[Any]:
    """Read a lazy sequence in one slice: item by item, each would cost a call to the supervisor."""
    if not isinstance(values, Sequence):
        return values
    try:
        return values[:]
    except TypeError:  # a sequence that only knows single items
        return values


def _id(text: str, position: str) -> str:
    if text.startswith(("[", "{")):
        raise ValueError(
            f"`message_ids`{position} is a list or a result rendered into one string, which is Airflow's way with "
            f"templates: {LIST_FIX}"
        )
    if not text or text == "None":
        raise ValueError(_no_id(None, position))
    return text


def _ids_of_result(result: Mapping[str, Any], position: str) -> Iterator[str]:
    if "message_ids" in result:
        found = list(_ids(result["message_ids"], f"{position}.message_ids"))
        accepted = result.get("accepted")
        if isinstance(accepted, int) and accepted > len(found):
            raise ValueError(
                f"`message_ids`{position} is a result that lists {len(found)} of its {accepted} accepted messages, so "
                "waiting for these would say nothing of the rest: wait with the operator's own `wait_for_delivery`"
            )
        yield from found
    elif "id" in result:
        if result["id"] is None:
            state = result.get("state")
            why = f" (state: {state})" if isinstance(state, str) else ""
            raise ValueError(
                f"`message_ids`{position} is a send result without an id{why}: what became of that message is not "
                "known, so nothing can be waited for; leave such results out before the sensor"
            )
        yield from _ids(result["id"], f"{position}.id")
    else:
        raise ValueError(f"`message_ids`{position} is an object with neither `id` nor `message_ids`")


def _no_id(value: Any, position: str) -> str:
    if value is None:
        return (
            f"`message_ids`{position} is None or empty: the upstream task returned nothing, or was skipped; an empty "
            "list is what says that there is nothing to wait for"
        )
    return f"`message_ids`{position} is a {type(value).__name__}, not an id, a send result or a sequence of these"
