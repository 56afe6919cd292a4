# SPDX-License-Identifier: Apache-2.0

"""The harness itself, and the facts about Airflow 3.3 that the sending promise stands on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from support.events import wait_until
from support.scheduler import LONG_RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.scheduler import AirflowDeployment, TaskProcess

DAGS = Path(__file__).parent / "harness_dags"

pytestmark = pytest.mark.scheduler


def crossing(**fields: object) -> dict[str, object]:
    return {"target": "checkpoints:Checkpoint.cross", **fields}


def eventually(ask: Callable[[], object]) -> None:
    wait_until(ask, seconds=LONG_RUN, look=0.05)


def test_a_dag_succeeds_and_its_xcom_is_read(airflow):
    run_id, state = airflow.run("harness_value", conf={"anything": 1})

    assert state == "success"
    assert airflow.xcom("harness_value", run_id, "give_value")["answer"] == 42
    (task,) = airflow.task_instances("harness_value", run_id)
    assert (task.task_id, task.map_index, task.state, task.try_number) == ("give_value", -1, "success", 1)
    assert "Returned value was" in airflow.task_log("harness_value", run_id, "give_value")
    with pytest.raises(KeyError, match="nothing_like_it"):
        airflow.xcom("harness_value", run_id, "give_value", key="nothing_like_it")


def test_a_killed_task_is_retried_and_finds_what_it_stored(airflow):
    started = time.monotonic()
    run_id, state = airflow.run("harness_retry", crash_points=[crossing(call=2)])
    print(f"kill and retry: {time.monotonic() - started:.1f} s")

    assert state == "success"
    assert airflow.xcom("harness_retry", run_id, "remember") == {"seen": [1], "try_number": 2}
    (marker,) = airflow.crashes("harness_retry", run_id)
    assert json.loads(marker.read_text())["call"] == 2
    stored = airflow.metadata.task_state_store("harness_retry", run_id, "remember")
    assert stored == {"tries": [1, 2], "passed": ["1.0", "2.0", "2.1", "2.2"]}
    assert "SIGKILL" in airflow.task_log("harness_retry", run_id, "remember", try_number=1)


def test_each_try_can_die_at_its_own_point(airflow):
    points = [crossing(call=1, when="after"), crossing(call=3, try_number=2)]
    run_id, state = airflow.run("harness_retry", crash_points=points)

    assert state == "success"
    assert airflow.xcom("harness_retry", run_id, "remember") == {"seen": [1, 2], "try_number": 3}
    assert len(airflow.crashes("harness_retry", run_id)) == 2


def test_a_crash_point_that_does_not_exist_fails_the_run(airflow):
    point = {"target": "checkpoints:Checkpoint.no_such_place", "try_number": None}
    run_id, state = airflow.run("harness_retry", crash_points=[point])

    assert state == "failed"
    assert "no_such_place" in airflow.task_log("harness_retry", run_id, "remember")


def test_the_task_state_store_survives_clearing(airflow):
    run_id, _ = airflow.run("harness_retry")
    airflow.clear("harness_retry", run_id, ["remember"])

    assert airflow.wait("harness_retry", run_id) == "success"
    assert airflow.xcom("harness_retry", run_id, "remember") == {"seen": [1], "try_number": 2}


def test_the_task_state_store_works_from_other_threads(airflow):
    run_id, state = airflow.run("harness_threads")

    assert state == "success"
    outcome = airflow.xcom("harness_threads", run_id, "write_from_threads")
    print(f"state store: {outcome['ms']:.1f} ms a call")
    assert outcome["values"] == list(range(40))
    assert outcome["main"] is False


def test_an_orphan_of_a_killed_supervisor_runs_on_but_can_store_nothing(airflow):
    run_id = airflow.trigger("harness_orphan")
    eventually(lambda: "tick" in airflow.metadata.task_state_store("harness_orphan", run_id, "outlive"))
    (process,) = _processes(airflow, run_id)
    assert process.supervisor_pid in airflow.supervisor_processes()

    killed = time.monotonic()
    os.kill(process.supervisor_pid, signal.SIGKILL)
    assert airflow.wait("harness_orphan", run_id) == "success"
    print(f"supervisor killed to success of the next try: {time.monotonic() - killed:.1f} s")

    second = airflow.xcom("harness_orphan", run_id, "outlive")
    (orphan,) = _processes(airflow, run_id)
    assert (orphan.pid, orphan.supervisor_pid, orphan.task.try_number) == (process.pid, None, 1)
    notes = (airflow.home / f"orphan-{run_id}").read_text().splitlines()
    print("\n".join(notes))
    assert len(notes) == 3
    assert all(note.startswith("builtins.BrokenPipeError") for note in notes[1:])
    assert second["tick"] < int(notes[0].rsplit(" ", 1)[1])
    assert airflow.metadata.task_state_store("harness_orphan", run_id, "outlive")["tick"] == second["tick"]
    os.kill(orphan.pid, signal.SIGKILL)


def _processes(airflow: AirflowDeployment, run_id: str) -> list[TaskProcess]:
    return [process for process in airflow.task_processes() if process.task.run_id == run_id]


def test_a_crash_point_can_kill_the_supervisor(airflow):
    run_id, state = airflow.run("harness_retry", crash_points=[crossing(call=2, kill="supervisor")])

    assert state == "success"
    assert airflow.xcom("harness_retry", run_id, "remember") == {"seen": [1], "try_number": 2}


def test_a_running_try_that_was_cleared_can_store_nothing_more(airflow):
    run_id = airflow.trigger("harness_orphan")
    eventually(lambda: "tick" in airflow.metadata.task_state_store("harness_orphan", run_id, "outlive"))
    airflow.clear("harness_orphan", run_id, ["outlive"])

    assert airflow.wait("harness_orphan", run_id) == "success"
    notes = (airflow.home / f"orphan-{run_id}").read_text().splitlines()
    assert all(note.startswith("airflow.sdk.exceptions.AirflowRuntimeError: API_SERVER_ERROR") for note in notes)
    assert all("'status_code': 404" in note for note in notes)


def test_a_deferred_task_survives_the_triggerer(airflow):
    run_id = airflow.trigger("harness_deferred")
    eventually(lambda: [task.state for task in airflow.task_instances("harness_deferred", run_id)] == ["deferred"])
    airflow.restart("triggerer")
    (airflow.home / f"go-{run_id}").touch()

    assert airflow.wait("harness_deferred", run_id) == "success"
    assert airflow.xcom("harness_deferred", run_id, "wait") == "resumed"


def test_many_runs_at_once_each_with_its_own_kill(airflow):
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        points = [[crossing(call=1 + number % 3)] for number in range(12)]
        outcomes = list(pool.map(lambda point: airflow.run("harness_retry", crash_points=point), points))
    print(f"12 runs with a kill each: {time.monotonic() - started:.1f} s")

    assert [state for _, state in outcomes] == ["success"] * 12
    assert all(len(airflow.crashes("harness_retry", run_id)) == 1 for run_id, _ in outcomes)


@pytest.mark.usefixtures("airflow")  # where that is skipped, so is this
def test_nothing_is_left_when_the_test_process_is_killed():
    script = (
        "import os, signal\n"
        "from support.scheduler import AirflowDeployment\n"
        f"with AirflowDeployment(dags_folder={str(DAGS)!r}) as airflow:\n"
        "    airflow.trigger('harness_orphan')\n"
        "    while not airflow.task_processes(): pass\n"
        "    print(airflow.home, *(airflow.components.pids('scheduler')), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    home, *pids = done.stdout.split()

    assert done.returncode == -signal.SIGKILL
    assert len(pids) >= 3
    eventually(lambda: not Path(home).exists())
    assert not [pid for pid in pids if _is_alive(int(pid))]


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
