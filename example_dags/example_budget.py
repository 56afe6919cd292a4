# SPDX-License-Identifier: Apache-2.0

"""What would it cost? A preview's parts by country times the price profile; above the budget nothing is sent.

The profile's real path and shape are not published. The path is a setting of the connection
(`price_profile_sms_path`); for another shape, change `cost_of`. A country that the profile does not name counts at its
highest price, and a profile without any price is an error: nothing is ever free by mistake.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.hooks.sandbox_only import sandbox_only
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

# With several workers this must be storage they share, such as s3://bucket/campaigns.
FOLDER = str(Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "instasent_campaigns")

CAMPAIGN = {
    "recipients": str(Path(__file__).parent / "data" / "demo_recipients.csv"),
    "text": "{{ row.name }}, {{ row.text }}",  # a row template: rendered once a row, not by Airflow
    "allow_unicode": True,
}


@task
def prices() -> list[dict[str, Any]]:
    """Read what an SMS part costs per country."""
    with InstasentHook("instasent_sandbox") as hook:
        return hook.get_price_profile("sms")


def cost_of(preview: dict[str, Any], profile: list[dict[str, Any]]) -> Decimal:
    """Return what a preview would cost, in the profile's currency."""
    price = {entry["country"]: Decimal(str(entry["price"])) for entry in profile}
    dearest = max(price.values())
    return sum(
        (parts * price.get(country, dearest) for country, parts in preview["parts_by_country"].items()), Decimal(0)
    )


@task.short_circuit
def within_budget(preview: dict[str, Any], profile: list[dict[str, Any]], budget: str) -> bool:
    """Tell whether it is within the budget; if not, the tasks below are skipped."""
    cost = cost_of(preview, profile)
    print(f"{preview['parts']} parts cost {cost}, the budget is {budget}")  # noqa: T201  # goes to the task's log
    return cost <= Decimal(budget)


with DAG(
    "instasent_budget",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    params={"budget": "5.00"},
    default_args={"instasent_conn_id": "instasent_sandbox", "pre_execute": sandbox_only},
    tags=["example", "instasent"],
    doc_md=__doc__,
) as dag:
    preview = InstasentBulkSmsOperator(task_id="preview", preview=True, **CAMPAIGN)
    profile = prices()
    affordable = within_budget(preview.output, profile, "{{ params.budget }}")
    send = InstasentBulkSmsOperator(
        task_id="send",
        journal_path=f"{FOLDER}/journal",
        results_path=FOLDER + "/{{ run_id }}/results.jsonl",
        retries=3,
        retry_delay=timedelta(seconds=30),
        **CAMPAIGN,
    )
    preview >> profile
    affordable >> send
