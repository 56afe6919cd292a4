# SPDX-License-Identifier: Apache-2.0

"""An SMS when something breaks: `on_failure_callback=send_instasent_notification(to=...)`, for a task or a whole DAG.

The task fails on purpose, so there are two alerts: the task's, with a text of its own, and the DAG's, with the default
one. An alert that cannot be sent is one line in the log, and never breaks the callbacks after it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.notifications.sms import send_instasent_notification

ON_CALL = ["+34600000041", "+34600000042"]

task_failed = send_instasent_notification(
    to=ON_CALL,
    text="{{ ti.dag_id }}.{{ ti.task_id }} failed at try {{ ti.try_number }}: {{ exception }}",
    instasent_conn_id="instasent_sandbox",
)
dag_failed = send_instasent_notification(to="+34600000043", instasent_conn_id="instasent_sandbox")


def guarded(notifier: Any) -> Any:
    """Return a callback for examples alone: in a DAG of yours give the notifier itself."""

    def alert(context: Any) -> None:
        sandbox_only({"task": notifier})  # raises where the connection leads to another machine
        notifier(context)

    return alert


with DAG(
    "instasent_alert",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    on_failure_callback=guarded(dag_failed),
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:

    @task(on_failure_callback=guarded(task_failed))
    def nightly_load() -> None:
        """Fail."""
        raise ValueError("no file came last night")

    nightly_load()
