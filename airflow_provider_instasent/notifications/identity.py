# SPDX-License-Identifier: Apache-2.0

"""Which alert it is: the same for the same event of the same try of a task, so that it goes out under one clientId."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.notifications.callback_context import (
    dag_id_of,
    run_id_of,
    run_state_of,
    state_of,
    task_of,
    value_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def identity_of(context: Mapping[str, Any]) -> str | None:
    """Return what an alert is about: the same for the same event of the same try of a task.

    :param context: of the callback
    :returns: None where the context does not tell one DAG run from another: alerts of two must not look the same
    """
    run_id = run_id_of(context)
    if not run_id:
        return None
    parts: list[Any] = ["alert", dag_id_of(context), run_id]
    ti, deadline = task_of(context), context.get("deadline")
    if deadline is not None:
        parts += ["deadline", value_of(deadline, "id")]
    elif ti is not None:
        parts += [ti.task_id, getattr(ti, "map_index", -1), ti.try_number, state_of(context, ti)]
    else:
        # A run that was cleared can fail again: that is news.
        cleared = value_of(context.get("dag_run"), "clear_number")
        parts += ["run", run_state_of(context), cleared, value_of(context.get("ti"), "try_number")]
    return "/".join(map(str, parts))
