# SPDX-License-Identifier: Apache-2.0

"""A query's rows become messages: one SMS for each invoice that is due, with the columns of its row in the text.

`warehouse` is a connection to any database that common-sql has a hook for, with a table
`invoices (id, phone, name, amount, due)`. ORDER BY keeps positions the same in each try; the query names the rows of
one day, so that a retry sees the rows of the first try.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.transfers.sql_to_sms import SqlToInstasentOperator

# With several workers this must be storage they share, such as s3://bucket/campaigns.
JOURNAL = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "instasent_campaigns" / "journal")

with DAG(
    "instasent_sql",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    params={"day": "2026-11-23"},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    SqlToInstasentOperator(
        task_id="remind",
        conn_id="warehouse",
        sql="SELECT phone, name, amount FROM invoices WHERE due = '{{ params.day }}' ORDER BY id",
        to_column="phone",
        text="{{ row.name }}, your invoice of {{ '%.2f' | format(row.amount) }} EUR is due on {{ params.day }}",
        journal_path=JOURNAL,
        retries=3,
        retry_delay=timedelta(seconds=30),
    )
