# SPDX-License-Identifier: Apache-2.0

"""One campaign a file, sent by several workers at once: `expand_kwargs` over a sorted list, in a pool.

Each file is a campaign with the file's name and a journal of its own. Its place in the list is no name for it: a file
that comes in between moves all after it, and a cleared run would then hold one file against another one's journal.
So a file is sent once, whichever task, try or run finds it. New rows belong in a new file: one that changed since it
was sent fails its task and sends nothing (`on_plan_change`). The list is sorted because storage lists in any order:
whoever clears map index 3 means a file.

All workers share the account's rate limit, so ever more of them send no faster. The pool says how many campaigns run
at once, over all DAGs that name it. Airflow starts no task of a pool that does not exist; make it once:

    airflow pools set instasent 2 "SMS campaigns at once"
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow_provider_instasent.compat import DAG, ObjectStoragePath, task
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

# With several workers both must be storage they share, such as s3://bucket/campaigns.
REGIONS = str(Path(__file__).parent / "data" / "regions")
FOLDER = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "instasent_campaigns")


@task
def campaigns(folder: str) -> list[dict[str, str]]:
    """Return what the task of each file is given, by file name."""
    files = [path for path in ObjectStoragePath(folder).iterdir() if path.suffix == ".csv"]
    return [
        {
            "recipients": str(path),
            "campaign_id": f"regions/{path.stem}",
            "results_path": f"{FOLDER}/regions/{path.stem}.jsonl",
        }
        for path in sorted(files, key=lambda path: path.name)
    ]


with DAG(
    "instasent_mapped_campaign",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    params={"folder": REGIONS},
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    InstasentBulkSmsOperator.partial(
        task_id="send",
        text="{{ row.name }}, the shop near you opens on Monday",  # a row template: rendered once a row
        allow_unicode=True,
        journal_path=f"{FOLDER}/journal",
        pool="instasent",
        map_index_template="{{ task.campaign_id }}",  # what the UI shows in place of the index
        retries=3,
        retry_delay=timedelta(seconds=30),
    ).expand_kwargs(campaigns("{{ params.folder }}"))
