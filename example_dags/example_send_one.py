# SPDX-License-Identifier: Apache-2.0

"""Send one SMS. With retries: a try that finds the message already accepted does not send it again.

The examples talk to the sandbox (`instasent-sandbox`) over the connection `instasent_sandbox`:

    AIRFLOW_CONN_INSTASENT_SANDBOX='{"conn_type": "instasent", "host": "http://127.0.0.1:8700",
                                     "password": "instasent-sandbox-4711",
                                     "extra": {"sender": "Acme", "default_region": "ES"}}'
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator

with DAG(
    "instasent_send_one",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    InstasentSendSmsOperator(
        task_id="send",
        to="+34600000001",
        text="The nightly load is done ({{ run_id }})",
        retries=2,
        retry_delay=timedelta(seconds=30),
    )
