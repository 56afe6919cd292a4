# SPDX-License-Identifier: Apache-2.0

"""Trigger and clear runs, and make pools and connections, from one lasting process with Airflow's own functions.

Not over the REST API: in Airflow 3.3.2 its audit log commits on the event loop (`log_action`, an async dependency in
api_fastapi/logging/decorators.py), while another request may hold SQLite's only write lock until that same loop
lets it commit. Such a stand-off ends 5 s later with "database is locked", which also ends the scheduler.
Not over the CLI either: each command would import Airflow for seconds.

Run as a program it reads one JSON request a line, `{"do": a function of this module, ...}`, and answers each with one
line: an empty object or `{"error": traceback}`.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence


def trigger(dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
    """Queue a manual run without a logical date."""
    from airflow.api.common.trigger_dag import trigger_dag
    from airflow.utils.types import DagRunTriggeredByType

    trigger_dag(dag_id, run_id=run_id, conf=conf, triggered_by=DagRunTriggeredByType.TEST)


def clear(dag_id: str, run_id: str, task_ids: Sequence[str]) -> None:
    """Clear these tasks of a run, as the button in the UI does."""
    from airflow.models.taskinstance import TaskInstance, clear_task_instances
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(TaskInstance).where(
            TaskInstance.dag_id == dag_id,
            TaskInstance.run_id == run_id,
            TaskInstance.task_id.in_(task_ids),
        )
        found = list(session.scalars(query))
        if missing := set(task_ids) - {task.task_id for task in found}:
            raise LookupError(f"Run {run_id} of {dag_id} has no task {sorted(missing)}.")
        clear_task_instances(found, session)


def pool(name: str, slots: int) -> None:
    """Make a pool, or change how many slots it has."""
    from airflow.models.pool import Pool

    Pool.create_or_update_pool(name, slots=slots, description="", include_deferred=False)


def connection(connection_id: str, value: str) -> None:
    """Keep a connection in the metadata database, where a task, a trigger or a callback asks Airflow for it."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(Connection.from_json(value, connection_id))


def remove_connections() -> None:
    """Remove all connections that are kept in the metadata database."""
    from airflow.models.connection import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.execute(delete(Connection))


COMMANDS = {
    "trigger": trigger,
    "clear": clear,
    "pool": pool,
    "connection": connection,
    "remove_connections": remove_connections,
}


def serve(requests: TextIO, answers: TextIO) -> None:
    """Answer requests until they end."""
    for line in requests:
        request = json.loads(line)
        try:
            COMMANDS[request.pop("do")](**request)
            answer = {}
        except Exception:  # noqa: BLE001
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    # Airflow logs to stdout: keep the answers apart.
    with os.fdopen(os.dup(1), "w") as answer_stream:
        os.dup2(2, 1)
        import airflow.models
        import airflow.settings

        airflow.settings.initialize()
        airflow.models.import_all_models()
        serve(sys.stdin, answer_stream)
