# SPDX-License-Identifier: Apache-2.0

"""What an alert says when nobody said it, and which alert it is; from whatever the context has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def default_text(context: Mapping[str, Any]) -> str:
    """Return a text that names DAG, task, try and state, as far as the context has them.

    :param context: of a task callback, of a DAG-level one, or of a deadline alert (`dag_run` and `deadline` only)
    """
    ti, dag_id, run_id = _task_of(context), _dag_id(context), _run_id(context)
    if context.get("deadline") is not None:
        what = f"DAG {dag_id} missed its deadline"
    elif ti is not None:
        what = f"{dag_id}.{ti.task_id}{_map_index(ti)} {_state(context, ti)}, try {ti.try_number}"
    else:
        what = f"DAG {dag_id} {_run_state(context)}".rstrip()
    reason = context.get("reason")
    return f"Airflow: {what}" + (f" ({reason})" if reason else "") + (f", run {run_id}" if run_id else "")


def identity_of(context: Mapping[str, Any]) -> str | None:
    """Return what an alert is about: the same for the same event of the same try of a task.

    :param context: of the callback
    :returns: None where the context does not tell one DAG run from another: alerts of two must not look the same
    """
    run_id = _run_id(context)
    if not run_id:
        return None
    parts: list[Any] = ["alert", _dag_id(context), run_id]
    ti, deadline = _task_of(context), context.get("deadline")
    if deadline is not None:
        parts += ["deadline", _get(deadline, "id")]
    elif ti is not None:
        parts += [ti.task_id, getattr(ti, "map_index", -1), ti.try_number, _state(context, ti)]
    else:
        # A run that was cleared can fail again: that is news.
        cleared = _get(context.get("dag_run"), "clear_number")
        parts += ["run", _run_state(context), cleared, _get(context.get("ti"), "try_number")]
    return "/".join(map(str, parts))


def _task_of(context: Mapping[str, Any]) -> Any:
    """Return the task instance an alert is about; a DAG-level callback (it has a `reason`) only mentions one."""
    return None if context.get("reason") else context.get("ti")


def _map_index(ti: Any) -> str:
    index = getattr(ti, "map_index", None)
    return "" if index in (-1, None) else f"[{index}]"


def _dag_id(context: Mapping[str, Any]) -> str:
    for holder in ("ti", "dag_run", "dag"):
        dag_id = _get(context.get(holder), "dag_id")
        if dag_id:
            return str(dag_id)
    return "?"


def _run_id(context: Mapping[str, Any]) -> str:
    dag_run = context.get("dag_run")
    # A deadline alert's dictionary is the REST API's, whose name for it is another.
    return str(context.get("run_id") or _get(dag_run, "run_id") or _get(dag_run, "dag_run_id") or "")


def _state(context: Mapping[str, Any], ti: Any) -> str:
    state = getattr(ti, "state", None)
    word = str(getattr(state, "value", state) or "")
    if context.get("exception") is not None and word in {"", "running"}:
        return "failed"
    # The DAG processor, which knows no state, calls back for tasks that failed alone: nobody heard of them any more.
    return word.replace("_", " ") or "failed"


def _run_state(context: Mapping[str, Any]) -> str:
    """Return what became of a run; a DAG-level callback's reason is surer than the state, which may lag behind."""
    reason = context.get("reason")
    if reason:
        return "succeeded" if reason == "success" else "failed"
    state = _get(context.get("dag_run"), "state")
    return str(getattr(state, "value", state) or "")


def _get(holder: Any, name: str) -> Any:
    """Return a value of an object or, in a deadline alert, of a dictionary."""
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
