# SPDX-License-Identifier: Apache-2.0

"""Read-only looks into Airflow's metadata database: cheap enough to poll hundreds of runs."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from cryptography.fernet import Fernet
from support.airflow_settings import FERNET_KEY

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class TaskInstance:
    """One task instance as the scheduler sees it; `id` is new with every try."""

    id: UUID
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    state: str | None
    try_number: int


class Metadata:
    """Queries on the SQLite file of a deployment, usable from any thread.

    :param database: the file.
    """

    def __init__(self, database: Path) -> None:
        self._address = f"file:{database}?mode=ro"

    def dag_is_ready(self, dag_id: str) -> bool:
        """Whether a DAG has been parsed and may be triggered."""
        query = (
            "select 1 from dag join serialized_dag using (dag_id) where dag_id = ? and not is_paused and not is_stale"
        )
        return bool(self._rows(query, dag_id))

    def import_errors(self) -> list[str]:
        """The stack traces of DAG files that could not be imported."""
        return [str(trace) for (trace,) in self._rows("select stacktrace from import_error")]

    def run_state(self, dag_id: str, run_id: str) -> str | None:
        """The state of a DAG run, or None where there is no such run."""
        rows = self._rows("select state from dag_run where dag_id = ? and run_id = ?", dag_id, run_id)
        return str(rows[0][0]) if rows else None

    def run_ids(self, dag_id: str) -> list[str]:
        """The runs of a DAG, whoever started them, oldest first."""
        return [
            str(run_id) for (run_id,) in self._rows("select run_id from dag_run where dag_id = ? order by id", dag_id)
        ]

    def asset_extras(self, dag_id: str) -> list[dict[str, Any]]:
        """The `extra` of each asset event that a DAG brought about, oldest first."""
        query = "select extra from asset_event where source_dag_id = ? order by id"
        return [json.loads(extra) for (extra,) in self._rows(query, dag_id)]

    def times(self, dag_id: str, run_id: str, task_id: str) -> list[tuple[str, str]]:
        """When the last try of each mapped instance of a task began and ended, in a form that sorts."""
        query = "select start_date, end_date from task_instance where dag_id = ? and run_id = ? and task_id = ?"
        return [(str(began), str(ended)) for began, ended in self._rows(query, dag_id, run_id, task_id)]

    def deferrals(self, dag_id: str, run_id: str) -> list[tuple[str, int, str | None, str | None, str | None]]:
        """Task, map index, state and end of each task of a run, and when the trigger it waits for was made."""
        query = (
            "select task_id, map_index, task_instance.state, end_date, trigger.created_date from task_instance "
            "left join trigger on trigger.id = task_instance.trigger_id where dag_id = ? and run_id = ?"
        )
        return [(str(row[0]), int(row[1]), *row[2:]) for row in self._rows(query, dag_id, run_id)]

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """The current try of every task of a run."""
        query = f"select {_columns('id')} from task_instance where dag_id = ? and run_id = ? order by 4, 5"
        return [_task_instance(row) for row in self._rows(query, dag_id, run_id)]

    def task_instances_by_id(self, identifiers: list[UUID]) -> list[TaskInstance]:
        """The task instances with these ids, superseded tries included."""
        marks = ", ".join("?" for _ in identifiers)
        query = (
            f"select {_columns('id')} from task_instance where id in ({marks}) union all "
            f"select {_columns('task_instance_id')} from task_instance_history where task_instance_id in ({marks})"
        )
        keys = [identifier.hex for identifier in identifiers]
        return [_task_instance(row) for row in self._rows(query, *keys, *keys)]

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str, map_index: int = -1) -> Any:
        """The value a task pushed.

        :raises KeyError: when it pushed none under this key.
        """
        query = "select value from xcom where dag_id = ? and run_id = ? and task_id = ? and key = ? and map_index = ?"
        rows = self._rows(query, dag_id, run_id, task_id, key, map_index)
        if not rows:
            raise KeyError(f"Task {task_id} of run {run_id} has no XCom {key!r}.")
        # SQLite returns JSON numbers as numbers.
        return None if rows[0][0] is None else json.loads(str(rows[0][0]))

    def task_state_store(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> dict[str, Any]:
        """What a task keeps in `context["task_state_store"]`, by key."""
        query = (
            "select key, value from task_state_store where dag_id = ? and run_id = ? and task_id = ? and map_index = ?"
        )
        return {key: json.loads(value) for key, value in self._rows(query, dag_id, run_id, task_id, map_index)}

    def connection(self, connection_id: str) -> dict[str, Any]:
        """What is stored of a connection: `conn_type`, `host`, `schema`, `login`, `port`, and decrypted `password`
        and `extra`, the latter as JSON.

        :raises KeyError: when there is none.
        """
        names = ["conn_type", "host", "schema", "login", "port", "password", "extra"]
        rows = self._rows(f"select {', '.join(names)} from connection where conn_id = ?", connection_id)
        if not rows:
            raise KeyError(f"There is no connection {connection_id!r}.")
        stored = dict(zip(names, rows[0], strict=True))
        decrypt = Fernet(FERNET_KEY).decrypt
        return stored | {name: stored[name] and decrypt(stored[name]).decode() for name in ("password", "extra")}

    def _rows(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._address, uri=True, timeout=300)) as connection:
            return connection.execute(query, values).fetchall()


def _columns(identifier: str) -> str:
    return f"{identifier}, dag_id, run_id, task_id, map_index, state, try_number"


def _task_instance(row: tuple[Any, ...]) -> TaskInstance:
    return TaskInstance(UUID(row[0]), *row[1:])
