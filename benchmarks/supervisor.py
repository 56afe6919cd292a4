# SPDX-License-Identifier: Apache-2.0
"""A campaign in a task of a real Airflow, its journal in the task state store through a real supervisor."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from support.instasent_connection import connection
from support.scheduler import AirflowDeployment

from benchmarks.campaign import write_recipients
from benchmarks.sandbox import TOKEN

DAGS = Path(__file__).parent / "dags"
TIMEOUT = 600.0


def run_campaign(url: str, messages: int) -> dict[str, Any]:
    """Send so many messages; return the task's summary.

    :param url: of the sandbox
    :param messages: how many
    :raises RuntimeError: where the task failed
    """
    environment = {"AIRFLOW_CONN_INSTASENT_DEFAULT": connection(url, password=TOKEN, extra={"sender": "Bench"})}
    with (
        TemporaryDirectory() as folder,
        AirflowDeployment(dags_folder=DAGS, env=environment) as airflow,
    ):
        recipients = write_recipients(Path(folder) / "recipients.csv", messages)
        conf = {"recipients": str(recipients), "results_path": f"{folder}/results.jsonl"}
        run_id, state = airflow.run("benchmark", timeout=TIMEOUT, conf=conf)
        if state != "success":
            raise RuntimeError(f"the campaign ended as {state}:\n{airflow.task_log('benchmark', run_id, 'campaign')}")
        summary: dict[str, Any] = airflow.xcom("benchmark", run_id, "campaign")
    return summary
