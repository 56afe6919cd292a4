# SPDX-License-Identifier: Apache-2.0

"""Airflow's public REST API, as its users call it, through restarts of the API server."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from support.events import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONG_RUN = 900.0
"""Seconds after which a start or a run is taken for a hang, however busy the machine."""
LOOK = 0.1
FINISHED = {"success", "failed"}


@dataclass(frozen=True)
class TaskTry:
    """One try of a task instance, as the API shows it.

    :param id: another one for each try; not known of former ones.
    :param hostname: of the worker that runs or ran it; empty before.
    """

    id: str | None
    task_id: str
    map_index: int
    try_number: int
    state: str | None
    hostname: str
    duration: float | None


class AirflowRestApi:
    """A client of one API server.

    :param url: of the server, without `/api/v2`.
    :param check: called while the server does not answer; raises when that is no use any more.
    """

    def __init__(self, url: str, check: Callable[[], None]) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=LONG_RUN)
        self._check = check

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def wait_until_it_answers(self) -> None:
        """Wait for the server, its execution API included, which builds itself at its first request, and log in."""
        self._patiently("GET", "/execution/health").raise_for_status()
        token = self._patiently("GET", "/auth/token").raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def create(self, what: str, fields: Mapping[str, Any]) -> None:
        """Create an object.

        :param what: its collection, such as `pools`.
        :param fields: as the API's reference names them.
        """
        self._ask("POST", what, fields)

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any]) -> None:
        """Start a run as soon as its DAG is parsed.

        :raises RuntimeError: when DAG files cannot be imported.
        """
        wait_until(lambda: self._is_ready(dag_id), f"DAG {dag_id} is parsed", LONG_RUN, LOOK)
        self._ask("POST", f"dags/{dag_id}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf})

    def run_state(self, dag_id: str, run_id: str) -> str:
        """The state of a run."""
        return str(self._ask("GET", f"dags/{dag_id}/dagRuns/{run_id}")["state"])

    def wait_for_run(self, dag_id: str, run_id: str) -> str:
        """Wait for the end of a run.

        :return: `success` or `failed`.
        """

        def finished() -> str | None:
            self._check()
            state = self.run_state(dag_id, run_id)
            return state if state in FINISHED else None

        return str(wait_until(finished, f"the end of {run_id}", LONG_RUN, LOOK))

    def tasks(self, dag_id: str, run_id: str) -> list[TaskTry]:
        """The current try of each task of a run."""
        found = self._ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100")
        return [_task_try(one) for one in found["task_instances"]]

    def tries(self, dag_id: str, run_id: str, task: TaskTry) -> list[TaskTry]:
        """All tries of a task, oldest first."""
        place = f"{task.task_id}/{task.map_index}" if task.map_index >= 0 else task.task_id
        found = self._ask("GET", f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{place}/tries")
        return [_task_try(one) for one in found["task_instances"]]

    def xcom(self, dag_id: str, run_id: str, task: TaskTry) -> Any:
        """What a task returned."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task.task_id}/xcomEntries/return_value"
        value = self._ask("GET", f"{path}?map_index={task.map_index}&deserialize=false&stringify=false")["value"]
        return json.loads(value) if isinstance(value, str) else value

    def log(self, dag_id: str, run_id: str, task: TaskTry) -> str:
        """What one try of a task logged, as the log page shows it."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task.task_id}/logs/{task.try_number}"
        lines = self._ask("GET", f"{path}?map_index={task.map_index}&full_content=true")["content"]
        return "\n".join(_line(line) for line in lines)

    def _is_ready(self, dag_id: str) -> bool:
        self._check()
        answer = self._patiently("GET", f"/api/v2/dags/{dag_id}")
        if answer.is_success:
            return not answer.json()["is_stale"]
        if errors := self._ask("GET", "importErrors")["import_errors"]:
            raise RuntimeError("\n".join(error["stack_trace"] for error in errors))
        return False

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._patiently(method, f"/api/v2/{path}", body)
        if answer.is_error:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def _patiently(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Ask until there is an answer: a server that restarts gives none."""
        deadline = time.monotonic() + LONG_RUN
        while True:
            try:
                return self._client.request(method, path, json=body)
            except httpx.TransportError:
                self._check()
                if time.monotonic() > deadline:
                    raise
                time.sleep(LOOK)


def _line(said: Any) -> str:
    if not isinstance(said, dict):
        return str(said)
    errors = [f"{one['exc_type']}: {one['exc_value']}" for one in said.get("error_detail") or ()]
    return " | ".join([f"{said.get('timestamp', '')} {said.get('event', '')}", *errors])


def _task_try(found: Mapping[str, Any]) -> TaskTry:
    names = ("id", "task_id", "map_index", "try_number", "state", "duration")
    return TaskTry(hostname=found["hostname"] or "", **{name: found.get(name) for name in names})
