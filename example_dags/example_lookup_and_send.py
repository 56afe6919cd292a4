# SPDX-License-Identifier: Apache-2.0

"""Look up, drop the dead numbers, send.

Each lookup is billed, and the journal sees to it that no number is looked up twice, whatever dies on the way. What a
lookup says of a number is not published: `absent` and `type` are the sandbox's words, so look at one of your own
results before you copy `dead_numbers`. (In the sandbox, a number that ends in 931 is absent and one in 933 a landline.)
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

# With several workers this must be storage they share, such as s3://bucket/campaigns.
FOLDER = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "instasent_campaigns")

PEOPLE = [
    {"to": "+34600000001", "name": "Ana"},
    {"to": "+34600000931", "name": "Berta"},
    {"to": "+34600000932", "name": "Carla"},
    {"to": "+34600000933", "name": "Diego"},
]


@task
def dead_numbers(lookups: list[dict[str, Any]]) -> list[str]:
    """Return the numbers that no SMS will reach; those that are merely not known stay in."""
    known = [row for row in lookups if row["state"] == "finished"]
    return [row["to"] for row in known if row["lookup"].get("absent") or row["lookup"].get("type") == "landline"]


with DAG(
    "instasent_lookup_and_send",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={
        "instasent_conn_id": "instasent_sandbox",
        "pre_execute": sandbox_only,
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
    },
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    look_up = InstasentLookupOperator(
        task_id="look_up",
        to=PEOPLE,
        on_invalid="skip",
        deferrable=True,
        poll_interval=2,  # the sandbox is quick; 30 (the default) suits the real API
        journal_path=f"{FOLDER}/journal",
    )
    InstasentBulkSmsOperator(
        task_id="send",
        recipients=PEOPLE,
        text="{{ row.name }}, your order is on its way",
        suppress=dead_numbers(look_up.output["lookups"]),
        journal_path=f"{FOLDER}/journal",
    )
