# SPDX-License-Identifier: Apache-2.0

"""`@task.instasent_bulk`: a function yields rows, and each becomes an SMS under the bulk operator's promise.

The function runs once a try, before anything is sent, and must yield the same rows each time: take the clock and
random numbers from upstream tasks or the run, not from the function.
"""

from __future__ import annotations

import os
from collections.abc import Iterator  # noqa: TC003  # Airflow reads the annotations of task functions
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only

# With several workers this must be storage they share, such as s3://bucket/journal.
JOURNAL = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "instasent_campaigns" / "journal")

with DAG(
    "instasent_taskflow",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:

    @task
    def scores() -> dict[str, int]:
        """Return points by phone number; a real DAG would ask a database."""
        return {"+34600000051": 120, "+34600000052": 15, "+34600000053": 300}

    @task.instasent_bulk(
        text="You have {{ row.points }} points",
        journal_path=JOURNAL,
        retries=3,
        retry_delay=timedelta(seconds=30),
    )
    def tell_the_best(points: dict[str, int]) -> Iterator[dict[str, Any]]:
        """Yield those who have a hundred points or more."""
        for phone, count in points.items():
            if count >= 100:  # noqa: PLR2004 - as the docstring says
                yield {"to": phone, "points": count}

    tell_the_best(scores())
