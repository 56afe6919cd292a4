# SPDX-License-Identifier: Apache-2.0
"""How a wait for delivery ends, in the words for a person who has to do something about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    :param message: what happened and what to do, without ids
    :param final: whether trying again cannot help
    """

    ending: Ending
    result: WatchResult
    message: str
    final: bool = True


def delivered(result: WatchResult, *, timed_out: bool) -> Conclusion:
    """Conclude with success.

    :param timed_out: whether the deadline ended it, with enough delivered
    """
    rest = "; the timeout came with enough of them delivered, the pending ones may still arrive" if timed_out else ""
    return Conclusion(Ending.SUCCESS, result, f"{result}{rest}.{_hints(result)}")


def undeliverable(result: WatchResult, needed: int) -> Conclusion:
    """Conclude that too many will not arrive.

    :param needed: messages that had to be delivered
    """
    return Conclusion(
        Ending.UNDELIVERABLE,
        result,
        f"{result}: `min_delivered_ratio` asks for {needed} and can no longer be reached, so waiting or retrying "
        f"cannot help.{_hints(result)}",
    )


def timed_out(result: WatchResult, needed: int, last_error: str | None) -> Conclusion:
    """Conclude that the deadline came first.

    :param needed: messages that had to be delivered
    :param last_error: why the last sweep read nothing, where it did not
    """
    trouble = f" The last reads failed: {last_error}." if last_error else ""
    hint = " Where a route never reports more than `sent`, add that to `success_statuses`."
    hint = hint if "sent" in result.counts else ""
    return Conclusion(
        Ending.TIMEOUT,
        result,
        f"Timed out: {result}, and {needed} had to be delivered. The pending messages were sent and may still "
        f"arrive.{trouble}{hint}",
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


def refused(result: WatchResult, error: str) -> Conclusion:
    """Conclude that the API will not let us read.

    :param error: what it said and what to do
    """
    return Conclusion(
        Ending.ERROR,
        result,
        f"{error}. So far: {result}. The messages themselves are not affected; mend the connection, then clear this "
        "task: it only asks again.",
    )


_HINTS = {
    "not_found": "`not_found`: absent, or not visible to this connection's API token, or its base path is wrong.",
    "no_id": "`no_id`: accepted, but the API did not tell the id, so what became of it is not known.",
    "unpaid": "`unpaid`: the account had no funds; Instasent does not send these again.",
}


def _hints(result: WatchResult) -> str:
    return "".join(f" {hint}" for status, hint in _HINTS.items() if status in result.counts)
