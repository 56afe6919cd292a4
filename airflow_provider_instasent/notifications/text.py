# SPDX-License-Identifier: Apache-2.0

"""What an alert says when nobody said it, from whatever the context has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.notifications.callback_context import (
    dag_id_of,
    run_id_of,
    run_state_of,
    state_of,
    task_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def default_text(context: Mapping[str, Any]) -> str:
    """Return a text that names DAG, task, try and state, as far as the context has them.

    :param context: of a task callback, of a DAG-level one, or of a deadline alert (`dag_run` and `deadline` only)
    """
    ti, dag_id, run_id = task_of(context), dag_id_of(context), run_id_of(context)
    if context.get("deadline") is not None:
        what = f"DAG {dag_id} missed its deadline"
    elif ti is not None:
        what = f"{dag_id}.{ti.task_id}{_map_index(ti)} {state_of(context, ti)}, try {ti.try_number}"
    else:
        what = f"DAG {dag_id} {run_state_of(context)}".rstrip()
    reason = context.get("reason")
    return f"Airflow: {what}" + (f" ({reason})" if reason else "") + (f", run {run_id}" if run_id else "")


def _map_index(ti: Any) -> str:
    """Return how a text names one of several mapped tasks."""
    index = getattr(ti, "map_index", None)
    return "" if index in (-1, None) else f"[{index}]"
