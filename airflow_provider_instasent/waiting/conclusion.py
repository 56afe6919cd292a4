# SPDX-License-Identifier: Apache-2.0
"""How a wait for delivery ends, in the words for a person who has to do something about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_provider_instasent.waiting.reading import UNREAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.waiting.wait_result import WatchResult


class Ending(StrEnum):
    """How a wait ended."""

    SUCCESS = "success"
    UNDELIVERABLE = "undeliverable"
    TIMEOUT = "timeout"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of a wait.

    :param ending: how it ended
    :param result: what is known of the batch
    :param message: what happened and what to do, with the first ids and the status of each where some did not arrive
    :param final: whether trying again cannot help
    """

    ending: Ending
    result: WatchResult
    message: str
    final: bool = True


MOST_NAMED = 10
"""Messages, or rows, that a log and an error name one by one."""

_LONGEST_ID = 64


def delivered(result: WatchResult) -> Conclusion:
    """Conclude with success."""
    return Conclusion(Ending.SUCCESS, result, f"{result}.{_hints(result)}")


def delivered_in_time(result: WatchResult, missing: int) -> Conclusion:
    """Conclude with success, though the deadline came before all were final.

    :param missing: pending messages that the API does not know
    """
    told = f"{result}; the timeout came with enough of them delivered.{_of_pending(result, missing)}{_hints(result)}"
    return Conclusion(Ending.SUCCESS, result, told)


def undeliverable(result: WatchResult, needed: int, named: Sequence[tuple[str, str]]) -> Conclusion:
    """Conclude that too many will not arrive.

    :param needed: messages that had to be delivered
    :param named: the first of those that will not, as `(id, status)`
    """
    with_id = result.undeliverable - result.counts.get("no_id", 0)
    return Conclusion(
        Ending.UNDELIVERABLE,
        result,
        f"{result}: `min_delivered_ratio` asks for {needed} and can no longer be reached, so waiting or retrying "
        f"cannot help.{listed('Not delivered', named, with_id)}{_hints(result)}",
    )


def timed_out(
    result: WatchResult, needed: int, named: Sequence[tuple[str, str]], missing: int, last_error: str | None
) -> Conclusion:
    """Conclude that the deadline came first.

    :param needed: messages that had to be delivered
    :param named: the first of those that were not, as `(id, status)`
    :param missing: pending messages that the API does not know
    :param last_error: why the last sweep read nothing, where it did not
    """
    with_id = result.undeliverable + result.pending - result.counts.get("no_id", 0)
    trouble = f" The last reads failed: {last_error}." if last_error else ""
    hint = " Where a route never reports more than `sent`, add that to `success_statuses`."
    hint = hint if "sent" in result.counts else ""
    return Conclusion(
        Ending.TIMEOUT,
        result,
        f"Timed out: {result}, and {needed} had to be delivered.{_of_pending(result, missing)}"
        f"{listed('Not delivered', named, with_id)}{trouble}{hint}",
    )


def unreadable(result: WatchResult, failures: int, last_error: str | None) -> Conclusion:
    """Conclude that the statuses cannot be read at present; a retry may help.

    :param failures: sweeps in a row in which no read succeeded
    :param last_error: what the last of them met
    """
    return Conclusion(
        Ending.ERROR,
        result,
        f"{failures} sweeps in a row (`max_poll_failures`) could not read any status: {last_error}. So far: {result}. "
        "The messages themselves are not affected; a retry of this task only asks again.",
        final=False,
    )


def broken(result: WatchResult, error: str) -> Conclusion:
    """Conclude that the wait itself failed in a way nobody foresaw; a retry may help.

    :param error: what was raised
    """
    return Conclusion(
        Ending.ERROR,
        result,
        f"The wait for delivery failed: {error}. So far: {result}. The messages themselves are not affected; a retry "
        "of this task only asks again.",
        final=False,
    )


def refused(result: WatchResult, error: str, mend: str = "mend the connection") -> Conclusion:
    """Conclude that the API will not let us read, or that something else that lasts keeps us from it.

    :param error: what it said and what to do
    :param mend: what has to be done first
    """
    return Conclusion(
        Ending.ERROR,
        result,
        f"{error}. So far: {result}. The messages themselves are not affected; {mend}, then clear this task: it only "
        "asks again.",
    )


_NOT_VISIBLE = "absent, or not visible to this connection's API token, or its base path is wrong"

_HINTS = {
    "not_found": f"`not_found`: {_NOT_VISIBLE}.",
    "no_id": "`no_id`: accepted, but the API did not tell the id, so what became of it is not known.",
    "unpaid": "`unpaid`: the account had no funds; Instasent does not send these again.",
}


def _hints(result: WatchResult) -> str:
    return "".join(f" {hint}" for status, hint in _HINTS.items() if status in result.counts)


def _of_pending(result: WatchResult, missing: int) -> str:
    """Say what may come of the pending ones; nobody promises that what the API has not shown was sent."""
    unread = max(0, result.counts.get(UNREAD, 0) - missing)
    kinds = (
        (missing, f"not found: {_NOT_VISIBLE}, or not visible yet"),
        (unread, "never read, so their status is not known"),
        (result.pending - missing - unread, "sent and may still arrive"),
    )
    told = [(count, what) for count, what in kinds if count > 0]
    if len(told) == 1:
        return f" The pending messages were {told[0][1]}."
    return (
        " Of the pending messages "
        + "; ".join(f"{count} {'was' if count == 1 else 'were'} {what}" for count, what in told)
        + "."
        if told
        else ""
    )


def listed(what: str, first: Sequence[tuple[str, str]], of: int) -> str:
    """Return a sentence with the first ids and their statuses, and how many more there are; empty where none is.

    :param what: what is said of them
    :param first: `(id, status)` of each
    :param of: how many there are in all
    """
    if not first:
        return ""
    told = ", ".join(f"{' '.join(sms_id.split())[:_LONGEST_ID]} {status}" for sms_id, status in first)
    more = f" and {of - len(first)} more" if of > len(first) else ""
    return f" {what}: {told}{more}."
