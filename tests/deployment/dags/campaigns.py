# SPDX-License-Identifier: Apache-2.0

"""The campaigns of the deployment: one that waits for delivery, one a slice, and one that is measured."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, get_current_context, task

from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

JOURNAL = "s3://instasent_s3@journals/journal"
GIVEN = {name: f"{{{{ dag_run.conf['{name}'] }}}}" for name in ("recipients", "results_path")}
SETTINGS = {
    "text": "Run {{ run_id }} for {{ row.name }}",
    # The sandbox lists at once what it accepted, so what is not listed by then was not accepted.
    "on_unconfirmed": "resend",
    "unconfirmed_grace": 5.0,
    "retries": 8,
    "retry_delay": timedelta(seconds=1),
    "instasent_conn_id": "instasent_sandbox",
}

with DAG("campaign", schedule=None):
    InstasentBulkSmsOperator(
        task_id="send",
        journal_path=JOURNAL,
        wait_for_delivery=True,
        deferrable=True,
        poll_interval=1.0,
        **GIVEN,
        **SETTINGS,
    )

with DAG("mapped_campaign", schedule=None):

    @task
    def slices() -> list[dict[str, str]]:
        """What the task of each slice is given."""
        return get_current_context()["dag_run"].conf["slices"]

    InstasentBulkSmsOperator.partial(task_id="send", pool="campaigns", **SETTINGS).expand_kwargs(slices())

for place, where in {"store": {}, "s3": {"journal_path": JOURNAL}}.items():
    with DAG(f"measured_{place}", schedule=None):
        InstasentBulkSmsOperator(task_id="send", **GIVEN, **SETTINGS, **where)
