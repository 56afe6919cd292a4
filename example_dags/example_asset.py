# SPDX-License-Identifier: Apache-2.0

"""A DAG that runs when a campaign of another DAG was delivered.

The bulk operator puts its counts into the `extra` of its asset events (no phone numbers, no texts), so that the second
DAG knows how it went without asking anybody. The event comes when the task succeeds: after the wait for delivery.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_instasent.compat import DAG, Asset, task
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

# With several workers this must be storage they share, such as s3://bucket/journal.
JOURNAL = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "instasent_campaigns" / "journal")

delivered = Asset("instasent://campaigns/spring")
EXAMPLE = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "default_args": {"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    "tags": ["example", "instasent"],
    "doc_md": __doc__,
}

with DAG("instasent_asset_campaign", schedule=None, **EXAMPLE) as dag:
    InstasentBulkSmsOperator(
        task_id="send",
        recipients=["+34600000061", "+34600000062", "+34600000901"],
        text="Spring is here",
        wait_for_delivery=True,
        min_delivered_ratio=0.6,  # one of them ends in 901, which fails in the sandbox
        poll_interval=2,  # the sandbox is quick; 30 (the default) or more suits the real API
        outlets=[delivered],
        journal_path=JOURNAL,
        retries=3,
        retry_delay=timedelta(seconds=30),
    )

with DAG("instasent_asset_report", schedule=[delivered], **EXAMPLE) as report_dag:

    @task
    def report(triggering_asset_events: Any = None, triggering_dataset_events: Any = None) -> list[dict[str, int]]:
        """Return the counts of each campaign that was delivered."""
        events = triggering_asset_events or triggering_dataset_events  # the second is Airflow 2's name
        return [dict(event.extra) for each in events.values() for event in each]

    report()
