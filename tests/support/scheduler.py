# SPDX-License-Identifier: Apache-2.0

"""A real Airflow 3.3 for tests: API server, scheduler, DAG processor and, if wanted, triggerer, on SQLite."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID, uuid4

import httpx
import psutil
from support.airflow_components import Components
from support.airflow_metadata import Metadata, TaskInstance
from support.airflow_settings import database_file, deployment_environment, free_port, prepare_home

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

Answer = TypeVar("Answer")
KEEP_HOME = "INSTASENT_TEST_KEEP_AIRFLOW_HOME"
LONG_RUN = 900.0
"""Seconds after which a start or a run is taken for a hang, however busy the machine."""
# Each scheduler would serve its logs on the same port; the API server reads them as files.
ARGUMENTS = {
    "api-server": ("--apps", "execution"),
    "scheduler": ("--skip-serve-logs",),
    "triggerer": ("--skip-serve-logs",),
}
PAGES = {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True"}
FINISHED = {"success", "failed"}
TASK_TITLE = "airflow worker -- "
WORKER_TITLE = "airflow worker -- LocalExecutor"


@dataclass(frozen=True)
class TaskProcess:
    """A living task process.

    :param pid: of the process that runs the task's code.
    :param supervisor_pid: of the LocalExecutor worker that watches it; None for an orphan.
    :param task: which try of which task it runs; superseded tries are found too.
    """

    pid: int
    supervisor_pid: int | None
    task: TaskInstance


class AirflowDeployment:
    """Start on entering, end without a trace on leaving. All methods may be called from several threads.

    :param dags_folder: the DAG files; new ones are found within seconds.
    :param env: further environment variables, e.g. `AIRFLOW_CONN_INSTASENT_DEFAULT`; they win over ours.
    :param triggerer: start one too.
    :param parallelism: tasks at one time.
    :param home: an empty folder for AIRFLOW_HOME that stays afterwards; by default a temporary one that goes.
    :param pages: serve the UI and the public API too, which cost start-up time; everybody who comes is an admin.
    :ivar address: where the API server answers, without a trailing slash.
    """

    def __init__(
        self,
        *,
        dags_folder: Path | str,
        env: Mapping[str, str] | None = None,
        triggerer: bool = False,
        parallelism: int = 4,
        home: Path | None = None,
        pages: bool = False,
    ) -> None:
        self._dags_folder = Path(dags_folder).resolve()
        self._extra_environment = {**(PAGES if pages else {}), **(env or {})}
        self._arguments = {**ARGUMENTS, "api-server": ()} if pages else ARGUMENTS
        self._names = ["api-server", "scheduler", "dag-processor", *(["triggerer"] if triggerer else [])]
        self._parallelism = parallelism
        self._given_home = home

    def __enter__(self) -> Self:
        self.home = self._given_home or Path(tempfile.mkdtemp(prefix="instasent-airflow-"))
        keep = self._given_home is not None or KEEP_HOME in os.environ
        prepare_home(self.home)
        port = free_port()
        environment = deployment_environment(
            self.home, self._dags_folder, port, self._parallelism, self._extra_environment
        )
        self.metadata = Metadata(database_file(self.home))
        self.address = f"http://127.0.0.1:{port}"
        self.components = Components(environment, self.home, [] if keep else [self.home])
        try:
            for name in self._names:
                self.components.start(name, *self._arguments.get(name, ()))
            self.components.start_run_control()
            self._until("the API server answers", self._api_answers, LONG_RUN)
        except BaseException:
            self.components.end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(f"The end of the scheduler's log:\n{self.components.log_tail('scheduler')}")
        self.components.end()

    def trigger(
        self,
        dag_id: str,
        *,
        conf: Mapping[str, Any] | None = None,
        run_id: str | None = None,
        crash_points: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Start a run as soon as its DAG is parsed.

        :param dag_id: the DAG.
        :param conf: the run's configuration.
        :param run_id: by default a new one.
        :param crash_points: fields of `CrashPoint` (no marker needed), plus `task_id` where it matters.
        :return: the run id.
        :raises RuntimeError: when the DAG cannot be imported.
        """
        self.wait_until_parsed(dag_id)
        run_id = run_id or f"test-{uuid4().hex[:12]}"
        given = {**(conf or {}), **({"crash_points": list(crash_points)} if crash_points else {})}
        self.components.command("trigger", dag_id=dag_id, run_id=run_id, conf=given)
        return run_id

    def wait(self, dag_id: str, run_id: str, timeout: float = LONG_RUN) -> str:
        """Wait for the end of a run.

        :param timeout: seconds.
        :return: `success` or `failed`.
        :raises TimeoutError: when it has not ended by then; names the states of its tasks.
        """

        def finished() -> str | None:
            state = self.metadata.run_state(dag_id, run_id)
            return state if state in FINISHED else None

        try:
            return self._until(f"run {run_id} of {dag_id} ends", finished, timeout)
        except TimeoutError as error:
            error.add_note(f"Its tasks: {self.task_instances(dag_id, run_id)}")
            raise

    def run(self, dag_id: str, timeout: float = LONG_RUN, **trigger: Any) -> tuple[str, str]:
        """Trigger and wait: the run id and its final state."""
        run_id = self.trigger(dag_id, **trigger)
        return run_id, self.wait(dag_id, run_id, timeout)

    def task_instances(self, dag_id: str, run_id: str) -> list[TaskInstance]:
        """The current try of every task of a run, ordered by task id and map index."""
        return self.metadata.task_instances(dag_id, run_id)

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """The value a task pushed.

        :raises KeyError: when it pushed none under this key.
        """
        return self.metadata.xcom(dag_id, run_id, task_id, key, map_index)

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[str]) -> None:
        """Clear tasks, whatever their state, so that they run again; those after them are left alone."""
        self.components.command("clear", dag_id=dag_id, run_id=run_id, task_ids=list(task_ids))

    def pool(self, name: str, slots: int) -> None:
        """Make a pool, or change how many slots it has."""
        self.components.command("pool", name=name, slots=slots)

    def connection(self, connection_id: str, value: str) -> None:
        """Keep a connection in the metadata database, as the UI does.

        :param value: what would be the value of an `AIRFLOW_CONN_…` variable, in JSON.
        """
        self.components.command("connection", connection_id=connection_id, value=value)

    def remove_connections(self) -> None:
        """Remove all connections of the metadata database."""
        self.components.command("remove_connections")

    def wait_until_parsed(self, dag_id: str) -> None:
        """Wait until a DAG may be triggered.

        :raises RuntimeError: when it cannot be imported.
        """
        self._until(f"DAG {dag_id} is parsed", lambda: self._dag_is_ready(dag_id), LONG_RUN)

    def wait_for_runs(self, dag_id: str, count: int, timeout: float = LONG_RUN) -> list[str]:
        """Wait until a DAG has had so many runs, which the scheduler starts by itself.

        :param timeout: seconds.
        :return: the ids of its runs, oldest first.
        :raises TimeoutError: when there are fewer by then.
        """

        def enough() -> list[str] | None:
            run_ids = self.metadata.run_ids(dag_id)
            return run_ids if len(run_ids) >= count else None

        return self._until(f"{dag_id} has had {count} runs", enough, timeout)

    def restart(self, name: str) -> None:
        """SIGKILL a program with all it started, and start it again.

        :param name: `api-server`, `scheduler`, `dag-processor` or `triggerer`.
        """
        self.components.restart(name)

    def task_log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """A try's log as the supervisor wrote it, one JSON object a line; empty where there is none yet."""
        folder = self.home / "logs" / f"dag_id={dag_id}" / f"run_id={run_id}" / f"task_id={task_id}"
        if map_index >= 0:
            folder /= f"map_index={map_index}"
        file = folder / f"attempt={try_number}.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def crashes(self, dag_id: str, run_id: str) -> list[Path]:
        """The markers of the crash points that fired in a run (JSON: the point, `time`, `pid`, `supervisor`)."""
        return sorted((self.home / "crash_points" / dag_id / run_id).glob("*"))

    def task_processes(self) -> list[TaskProcess]:
        """The living task processes, orphans and superseded tries included."""
        found: dict[UUID, psutil.Process] = {}
        for pid in self.components.pids("scheduler"):
            try:
                title = " ".join(psutil.Process(pid).cmdline()).strip()
                found[UUID(title.removeprefix(TASK_TITLE))] = psutil.Process(pid)
            except (ValueError, psutil.Error):
                continue
        tasks = self.metadata.task_instances_by_id(list(found))
        return [TaskProcess(found[task.id].pid, _supervisor(found[task.id]), task) for task in tasks]

    def supervisor_processes(self) -> list[int]:
        """The LocalExecutor workers that run a task now (killing an idle one would lock Airflow's queue)."""
        return [process.supervisor_pid for process in self.task_processes() if process.supervisor_pid]

    def _api_answers(self) -> bool:
        try:
            # The execution API builds itself at its first request, for seconds; no task shall wait for that.
            answer = httpx.get(f"{self.address}/execution/health", trust_env=False, timeout=LONG_RUN)
        except httpx.TransportError:
            return False
        return answer.is_success

    def _dag_is_ready(self, dag_id: str) -> bool:
        if self.metadata.dag_is_ready(dag_id):
            return True
        if errors := self.metadata.import_errors():
            raise RuntimeError("DAG files that cannot be imported:\n" + "\n".join(errors))
        return False

    def _until(self, what: str, ask: Callable[[], Answer | None], timeout: float) -> Answer:
        deadline = time.monotonic() + timeout
        while not (answer := ask()):
            self.components.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"After {timeout:.0f} s it is still not so that {what}.")
            time.sleep(0.05)
        return answer


def _supervisor(process: psutil.Process) -> int | None:
    try:
        parent = process.parent()
        if parent and " ".join(parent.cmdline()).startswith(WORKER_TITLE):
            return int(parent.pid)
    except psutil.Error:
        pass
    return None
