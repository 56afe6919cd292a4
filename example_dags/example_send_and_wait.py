# SPDX-License-Identifier: Apache-2.0

"""Send one SMS and wait until it has arrived. Deferrable: while it waits, it holds no worker slot.

The task fails as soon as the message cannot be delivered any more. Try a number that ends in 901 with the sandbox.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator

with DAG(
    "instasent_send_and_wait",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    InstasentSendSmsOperator(
        task_id="send_and_wait",
        to="+34600000002",
        text="Your order {{ ds_nodash | default('today') }} is on its way",
        wait_for_delivery=True,
        deferrable=True,
        poll_interval=2,  # the sandbox is quick; 30 (the default) or more suits the real API
    )
