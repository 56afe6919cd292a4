# SPDX-License-Identifier: Apache-2.0

"""What a callback's context tells, of a task callback, a DAG-level one or a deadline alert, on any Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def task_of(context: Mapping[str, Any]) -> Any:
    """Return the task instance an alert is about; a DAG-level callback (it has a `reason`) only mentions one."""
    return None if context.get("reason") else context.get("ti")


def dag_id_of(context: Mapping[str, Any]) -> str:
    """Return the DAG's id, or `?`."""
    for holder in ("ti", "dag_run", "dag"):
        dag_id = value_of(context.get(holder), "dag_id")
        if dag_id:
            return str(dag_id)
    return "?"


def run_id_of(context: Mapping[str, Any]) -> str:
    """Return the run's id, or nothing."""
    dag_run = context.get("dag_run")
    # A deadline alert's dictionary is the REST API's, whose name for it is another.
    return str(context.get("run_id") or value_of(dag_run, "run_id") or value_of(dag_run, "dag_run_id") or "")


def state_of(context: Mapping[str, Any], ti: Any) -> str:
    """Return the state of a task that a callback is about."""
    state = getattr(ti, "state", None)
    word = str(getattr(state, "value", state) or "")
    if context.get("exception") is not None and word in {"", "running"}:
        return "failed"
    # The DAG processor, which knows no state, calls back for tasks that failed alone: nobody heard of them any more.
    return word.replace("_", " ") or "failed"


def run_state_of(context: Mapping[str, Any]) -> str:
    """Return what became of a run; a DAG-level callback's reason is surer than the state, which may lag behind."""
    reason = context.get("reason")
    if reason:
        return "succeeded" if reason == "success" else "failed"
    state = value_of(context.get("dag_run"), "state")
    return str(getattr(state, "value", state) or "")


def value_of(holder: Any, name: str) -> Any:
    """Return a value of an object or, in a deadline alert, of a dictionary."""
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
