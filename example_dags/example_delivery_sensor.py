# SPDX-License-Identifier: Apache-2.0

"""Wait for messages that other tasks sent: one sensor for all of them.

`message_ids` takes the `.output` of a send task, mapped or not, of a bulk task, or a list of ids. Here two of three
messages arrive (a number that ends in 901 fails in the sandbox), and `min_delivered_ratio` says that this is enough.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator
from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor

with DAG(
    "instasent_delivery_sensor",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    send = InstasentSendSmsOperator.partial(task_id="send", text="Your table is ready").expand(
        to=["+34600000021", "+34600000022", "+34600000901"]
    )
    InstasentDeliverySensor(
        task_id="wait",
        message_ids=send.output,
        min_delivered_ratio=0.6,
        deferrable=True,
        poke_interval=2,  # the sandbox is quick; 60 (the default) suits the real API
    )
