# SPDX-License-Identifier: Apache-2.0

"""A campaign from a CSV file: preview, send, wait for delivery, report. This is what `make demo` runs.

The preview plans everything and says what would be sent; a bad row or a blown budget stops the send before anyone is
texted. The send is one task for any number of rows: with the journal, a retry goes on where the last try ended. The
sensor waits for all of them in one trigger. The report joins the results file, the recipients and the final statuses
by position and id.
"""

from __future__ import annotations

import csv
import json
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_instasent.compat import DAG, ObjectStoragePath, task
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator
from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor

log = logging.getLogger(__name__)

RECIPIENTS = Path(__file__).parent / "data" / "demo_recipients.csv"
# With several workers this must be storage they share, such as s3://bucket/campaigns.
FOLDER = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "instasent_campaigns")

CAMPAIGN = {
    "recipients": str(RECIPIENTS),
    "text": "{{ row.name }}, {{ row.text }}",  # a row template: rendered once a row, not by Airflow
    "allow_unicode": True,  # or emoji would not survive
    "max_total_parts": 100,
}


@task
def report(summary: dict[str, Any], delivery: dict[str, Any]) -> dict[str, int]:
    """Log one line a recipient, keep the lines in a file, and return the counts."""
    results = ObjectStoragePath(summary["results_path"])
    outcomes = [json.loads(line) for line in results.read_text().splitlines()]
    with RECIPIENTS.open(encoding="utf-8", newline="") as rows:
        people = list(csv.DictReader(rows))
    lines = []
    for outcome in outcomes:
        number = people[outcome["position"]]["to"].replace(" ", "")
        last = delivery["statuses"].get(outcome["id"], outcome)
        lines.append({"to": f"{number[:3]}•••••{number[-3:]}", "id": outcome["id"], "status": last["status"]})
        # Airflow would show printed lines later than they came.
        log.info("%(to)s  %(status)s", lines[-1])
    (results.parent / "report.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return delivery["counts"]


with DAG(
    "instasent_campaign",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    preview = InstasentBulkSmsOperator(task_id="preview", preview=True, **CAMPAIGN)
    send = InstasentBulkSmsOperator(
        task_id="send",
        journal_path=f"{FOLDER}/journal",
        results_path=FOLDER + "/{{ run_id }}/results.jsonl",
        retries=3,
        retry_delay=timedelta(seconds=30),
        **CAMPAIGN,
    )
    wait = InstasentDeliverySensor(
        task_id="wait",
        message_ids=send.output,
        min_delivered_ratio=0.7,  # some numbers of a real list are always dead
        deferrable=True,
        poke_interval=2,  # the sandbox is quick; 60 (the default) suits the real API
    )
    preview >> send
    report(send.output, wait.output)
