# SPDX-License-Identifier: Apache-2.0

"""DAGs that fire alerts in every place where Airflow runs a callback, each with a connection that Airflow stores."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG, AsyncCallback, DeadlineAlert, DeadlineReference, task

from airflow_provider_instasent.notifications.sms import send_instasent_notification

NUMBER = "+34600000071"
SETTINGS = {"to": NUMBER, "instasent_conn_id": "instasent_sandbox"}
notify = send_instasent_notification(**SETTINGS)
DELAY = timedelta(seconds=1)

with DAG("alerts_tasks", schedule=None, on_failure_callback=notify):

    @task(on_success_callback=notify)
    def works():
        pass

    @task(retries=1, retry_delay=DELAY, on_retry_callback=notify, on_failure_callback=notify)
    def breaks():
        raise ValueError("on purpose")

    works() >> breaks()

# Airflow 3 does not run the callbacks of a task whose process was killed, but those of its DAG.
with DAG("alerts_killed", schedule=None, on_failure_callback=notify):

    @task(on_failure_callback=notify)
    def dies():
        os.kill(os.getpid(), signal.SIGKILL)

    dies()

with DAG("alerts_abandoned", schedule=None):

    @task(on_failure_callback=notify)
    def outlives():
        time.sleep(600)

    outlives()

with DAG("alerts_success", schedule=None, on_success_callback=notify):

    @task
    def fine():
        pass

    fine()

with DAG(
    "alerts_late",
    schedule=None,
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=DELAY,
        callback=AsyncCallback(send_instasent_notification, kwargs=SETTINGS),
    ),
):

    @task
    def slow(run_id=None):
        go = Path(os.environ["AIRFLOW_HOME"], f"go-{run_id}")
        while not go.exists():  # the test makes it once the alert is there
            time.sleep(0.1)

    slow()

with DAG("alerts_human", schedule=None):
    HITLOperator(
        task_id="ask",
        subject="Go on?",
        options=["yes", "no"],
        defaults="yes",
        response_timeout=timedelta(seconds=1),
        notifiers=[send_instasent_notification(text="{{ task.subject }} ({{ dag.dag_id }})", **SETTINGS)],
    )
