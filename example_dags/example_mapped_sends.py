# SPDX-License-Identifier: Apache-2.0

"""One task a recipient, for a list that is known only when the DAG runs: `expand`.

Each mapped task has tries, a log and a promise of its own. This suits a handful of people, such as those on call;
for more, one `InstasentBulkSmsOperator` does it in a hundredth of the requests (see `example_campaign.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator


@task
def on_call() -> list[str]:
    """Return who is on call; a real DAG would ask a rota or a database."""
    return ["+34600000011", "+447700900012", "+33639980013"]


with DAG(
    "instasent_mapped_sends",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    InstasentSendSmsOperator.partial(
        task_id="send",
        text="Disk of {{ dag.dag_id }} is 90 % full",
        retries=2,
    ).expand(to=on_call())
