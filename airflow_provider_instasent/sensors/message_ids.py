# SPDX-License-Identifier: Apache-2.0
"""What users hand to `message_ids`: ids, results of our operators, and sequences of either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.missing_values import is_printed_missing
from airflow_provider_instasent.compat import AirflowFailException, AirflowSkipException
from airflow_provider_instasent.templating import LIST_FIX, is_list_as_text

if TYPE_CHECKING:
    from collections.abc import Callable


_AFTER_SKIPPED_ALONE = {"none_failed", "none_failed_min_one_success", "all_skipped"}
"""Trigger rules by which a task runs after tasks that were skipped, and after none that failed."""


class MessageIdsError(AirflowFailException, ValueError):
    """What was handed in are no ids, and a retry would be handed the same."""


class NothingSentError(MessageIdsError):
    """All that was handed in is None, as what a skipped task returned is."""


def ids_to_wait_for(sensor: Any) -> list[str]:
    """Return the ids of a sensor, without what upstream tasks left that were skipped.

    :param sensor: for `message_ids`, `trigger_rule` and its log
    :raises AirflowSkipException: where there is nothing but None, and by the trigger rule nothing upstream has failed
    :raises MessageIdsError: as of :func:`ids_of`
    """
    missing: list[str] = []
    try:
        ids = ids_of(sensor.message_ids, missing.append)
    except NothingSentError as error:
        if getattr(sensor.trigger_rule, "value", sensor.trigger_rule) not in _AFTER_SKIPPED_ALONE:
            raise
        raise AirflowSkipException(f"Skipped, for nothing was sent upstream: {error}") from None
    if missing:
        sensor.log.warning(
            "`message_ids` has %d times None beside %d ids, first at %s, and it is left out: an upstream task was "
            "skipped, or returned nothing.",
            len(missing),
            len(ids),
            missing[0],
        )
    return ids


def ids_of(value: Any, left_out: Callable[[str], object] = lambda _: None) -> list[str]:
    """Return the ids in a value, each once, in order.

    :param value: an id, a result of a send operator (`{"id": …}` or `{"message_ids": […]}`), or any sequence of these;
        Airflow's lazy results of mapped tasks are read in one go. None beside others is what an upstream gave that was
        skipped, and is left out
    :param left_out: called with the position of each such None
    :raises NothingSentError: where there is None and nothing else
    :raises MessageIdsError: names the position of what is no id
    """
    missing: list[str] = []
    ids = list(dict.fromkeys(_ids(value, "", missing)))
    if missing and not ids:
        raise NothingSentError(_no_id(None, missing[0]))
    for position in missing:
        left_out(position)
    return ids


def _ids(value: Any, position: str, missing: list[str] | None) -> Iterator[str]:
    """Yield ids.

    :param missing: gets the positions of None; where it is None itself, that is an error
    """
    if value is None or (isinstance(value, str) and (not value.strip() or is_printed_missing(value))):
        if missing is None:
            raise MessageIdsError(_no_id(None, position))
        missing.append(position)
    elif isinstance(value, bool | float | bytes):
        raise MessageIdsError(_no_id(value, position))
    elif isinstance(value, str | int):
        yield _id(str(value).strip(), position)
    elif isinstance(value, Mapping):
        yield from _ids_of_result(value, position)
    elif isinstance(value, Iterable):
        for index, item in enumerate(_all(value)):
            yield from _ids(item, f"{position}[{index}]", missing)
    else:
        raise MessageIdsError(_no_id(value, position))


def _all(values: Iterable[Any]) -> Iterable[Any]:
    """Read a lazy sequence in one slice: item by item, each would cost a call to the supervisor."""
    if not isinstance(values, Sequence):
        return values
    try:
        return values[:]
    except TypeError:  # a sequence that only knows single items
        return values


def _id(text: str, position: str) -> str:
    if is_list_as_text(text):
        raise MessageIdsError(
            f"`message_ids`{position} is a list or a result rendered into one string, which is Airflow's way with "
            f"templates: {LIST_FIX}"
        )
    return text


def _ids_of_result(result: Mapping[str, Any], position: str) -> Iterator[str]:
    if "message_ids" in result:
        found = list(_ids(result["message_ids"], f"{position}.message_ids", None))
        accepted = result.get("accepted")
        if isinstance(accepted, int) and accepted > len(found):
            raise MessageIdsError(
                f"`message_ids`{position} is a result that lists {len(found)} of its {accepted} accepted messages, so "
                "waiting for these would say nothing of the rest: wait with the operator's own `wait_for_delivery`"
            )
        yield from found
    elif "id" in result:
        if result["id"] is None:
            state = result.get("state")
            why = f" (state: {state})" if isinstance(state, str) else ""
            raise MessageIdsError(
                f"`message_ids`{position} is a send result without an id{why}: what became of that message is not "
                "known, so nothing can be waited for; leave such results out before the sensor"
            )
        yield from _ids(result["id"], f"{position}.id", None)
    else:
        raise MessageIdsError(f"`message_ids`{position} is an object with neither `id` nor `message_ids`")


def _no_id(value: Any, position: str) -> str:
    if value is None:
        return (
            f"`message_ids`{position} is None or empty, and there is no id: the upstream task returned nothing, or was "
            "skipped; an empty list is what says that there is nothing to wait for"
        )
    return f"`message_ids`{position} is a {type(value).__name__}, not an id, a send result or a sequence of these"
