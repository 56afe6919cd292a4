# SPDX-License-Identifier: Apache-2.0
"""From the end of a wait to a trigger's event, and from there to a task's result or failure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_instasent.compat import AirflowException, AirflowFailException, AirflowSensorTimeout
from airflow_provider_instasent.waiting.conclusion import Conclusion, Ending
from airflow_provider_instasent.waiting.goal import Ended
from airflow_provider_instasent.waiting.wait_result import WatchResult


def event_of(conclusion: Conclusion) -> dict[str, Any]:
    """Return the payload of a trigger's event: `outcome`, `message`, `fail` (no retry) and the result's values."""
    return {
        "outcome": str(conclusion.ending),
        "message": conclusion.message,
        "fail": conclusion.final,
        **conclusion.result.as_dict(),
    }


def conclusion_of(event: Any) -> Conclusion:
    """Return what an event tells.

    :param event: the payload that the trigger yielded
    :raises AirflowException: where it is no event of ours; a retry asks again
    """
    try:
        return Conclusion(
            ending=Ending(event["outcome"]),
            result=WatchResult.of(event),
            message=str(event["message"]),
            final=bool(event["fail"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        kind = f"lacks or misspells {error}" if isinstance(event, Mapping) else f"is a {type(event).__name__}"
        raise AirflowException(
            f"The delivery trigger's event {kind}: is the triggerer on another version of this provider? "
            "The messages themselves are not affected; a retry of this task only asks again."
        ) from error


def raise_unless_successful(conclusion: Conclusion | Ended) -> None:
    """Fail the task where a wait did not end well.

    :raises AirflowFailException: where they will not arrive, or the API refuses to be read: no retry
    :raises AirflowSensorTimeout: where the deadline came first: no retry
    :raises AirflowException: where the statuses could not be read at present: a retry asks again
    """
    if conclusion.ending is Ending.SUCCESS:
        return
    if not conclusion.final:
        raise AirflowException(conclusion.message)
    timed_out = conclusion.ending is Ending.TIMEOUT
    raise (AirflowSensorTimeout if timed_out else AirflowFailException)(conclusion.message)


def result_of_event(event: Any) -> WatchResult:
    """Return the result that an event tells, or fail the task; see the two functions above."""
    conclusion = conclusion_of(event)
    raise_unless_successful(conclusion)
    return conclusion.result


def event_of_goal(ended: Ended) -> dict[str, Any]:
    """Return the payload of the trigger's event: `outcome`, `message`, `fail` (no retry) and the account."""
    return {
        "outcome": str(ended.ending),
        "message": ended.message,
        "fail": ended.final,
        "account": dict(ended.result),
    }


def end_of_goal(event: Any) -> Ended:
    """Return what an event tells.

    :raises AirflowException: where it is no event of ours; a retry asks again
    """
    try:
        return Ended(Ending(event["outcome"]), str(event["message"]), dict(event["account"]), bool(event["fail"]))
    except (KeyError, TypeError, ValueError) as error:
        raise AirflowException(
            f"The balance trigger's event is none of ours ({type(error).__name__}): is the triggerer on another "
            "version of this provider? A retry of this task only asks again."
        ) from error
