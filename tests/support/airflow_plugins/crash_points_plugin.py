# SPDX-License-Identifier: Apache-2.0

"""Arms crash points in task processes of a test deployment, just before `execute`; no DAG file needs to know.

Points come from the run's conf (key `crash_points`) and from INSTASENT_TEST_CRASH_POINTS (JSON), both lists of
fields of `CrashPoint` without the marker, plus `task_id` where a DAG has several tasks.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from support.crash_points import CrashPoint, install

ENVIRONMENT_VARIABLE = "INSTASENT_TEST_CRASH_POINTS"
CONF_KEY = "crash_points"


def _arm(task_instance: Any) -> None:
    conf = task_instance.get_template_context()["dag_run"].conf or {}
    points = [*json.loads(os.environ.get(ENVIRONMENT_VARIABLE, "[]")), *conf.get(CONF_KEY, [])]
    folder = Path(os.environ["AIRFLOW_HOME"], "crash_points", task_instance.dag_id, task_instance.run_id)
    for number, fields in enumerate(points):
        wanted = {"task_id": task_instance.task_id, **fields}
        if wanted.pop("task_id") != task_instance.task_id:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        marker = folder / f"{number}.{task_instance.task_id}.{task_instance.map_index}"
        point = CrashPoint(**{"marker": str(marker), **wanted})
        if point.try_number in {None, task_instance.try_number}:
            install(point)


class Listener:
    """Airflow calls this in the task process, after templates are rendered."""

    @hookimpl
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
        """Arm the points of this run; a wrong one ends the task, because Airflow would only log an error."""
        try:
            _arm(task_instance)
        except Exception as error:  # noqa: BLE001
            sys.exit(f"A crash point cannot be installed: {type(error).__name__}: {error}")


class CrashPointsPlugin(AirflowPlugin):
    """Registers the listener."""

    name = "instasent_test_crash_points"
    listeners = [Listener()]  # noqa: RUF012
