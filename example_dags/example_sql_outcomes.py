# SPDX-License-Identifier: Apache-2.0

"""From SQL to SMS and back: what became of each message ends in a table beside the query's rows.

`warehouse` is a connection to any database that common-sql has a hook for, with a table `customers (id, phone, name)`.
First the recipients of this run are written down, each with its position; so a retry sends to the same rows whatever
happens to `customers` meanwhile, and an outcome finds its customer. The results file has one line a position, with the
final status after the wait. It is written to the table even where the send or the wait failed.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

from airflow_provider_instasent.compat import DAG, AirflowSkipException, BaseHook, ObjectStoragePath, task
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.transfers.sql_to_sms import SqlToInstasentOperator

if TYPE_CHECKING:
    from collections.abc import Iterator

# With several workers this must be storage they share, such as s3://bucket/campaigns.
FOLDER = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "instasent_campaigns")
COLUMNS = ("run_id", "position", "sms_id", "state", "status")

CREATE = [
    """
    CREATE TABLE IF NOT EXISTS sms_recipients (
        run_id TEXT, position INTEGER, customer_id INTEGER, phone TEXT, name TEXT, PRIMARY KEY (run_id, position)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS sms_outcomes (
        run_id TEXT, position INTEGER, sms_id TEXT, state TEXT, status TEXT, PRIMARY KEY (run_id, position)
    )
    """,
]
# Once written they stay, so that clearing the whole run later changes nobody's position.
CHOOSE = """
INSERT INTO sms_recipients
SELECT '{{ run_id }}', ROW_NUMBER() OVER (ORDER BY id) - 1, id, phone, name FROM customers
WHERE NOT EXISTS (SELECT 1 FROM sms_recipients WHERE run_id = '{{ run_id }}')
"""


def outcomes(summary: dict[str, Any], run_id: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of `sms_outcomes`, from the results file of a campaign."""
    for line in ObjectStoragePath(summary["results_path"]).read_text().splitlines():
        outcome = json.loads(line)
        yield run_id, outcome["position"], outcome["id"], outcome["state"], outcome["status"]


with DAG(
    "instasent_sql_outcomes",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    choose = SQLExecuteQueryOperator(task_id="choose", conn_id="warehouse", sql=[*CREATE, CHOOSE])
    send = SqlToInstasentOperator(
        task_id="send",
        conn_id="warehouse",
        sql="SELECT phone, name FROM sms_recipients WHERE run_id = '{{ run_id }}' ORDER BY position",
        to_column="phone",
        text="Hello {{ row.name }}, your order is ready",
        deduplicate=False,  # one message a row, also where two rows are alike
        journal_path=f"{FOLDER}/journal",
        results_path=FOLDER + "/{{ run_id }}/outcomes.jsonl",
        wait_for_delivery=True,
        min_delivered_ratio=0.5,
        poll_interval=2,  # the sandbox is quick; 30 (the default) or more suits the real API
        retries=3,
        retry_delay=timedelta(seconds=30),
    )

    @task(trigger_rule="all_done")
    def keep(summary: dict[str, Any] | None, run: str) -> None:
        """Write what became of each position into `sms_outcomes`, in place of what a former try wrote."""
        if summary is None:
            raise AirflowSkipException("The campaign never began.")
        warehouse = BaseHook.get_hook("warehouse")
        mark = warehouse.placeholder  # `%s`, `?` or whatever its driver takes
        warehouse.run(f"DELETE FROM sms_outcomes WHERE run_id = {mark}", parameters=(run,))  # noqa: S608
        warehouse.insert_rows(
            "sms_outcomes", outcomes(summary, run), target_fields=COLUMNS, commit_every=1_000, executemany=True
        )

    @task
    def sent() -> None:
        """Do nothing. Without this last task, a run whose send failed would be a success, because `keep` is one."""

    choose >> send >> [keep(send.output, "{{ run_id }}"), sent()]
