# SPDX-License-Identifier: Apache-2.0

"""Four DAGs a slot: by whether the journal is in the task state store or under a path, each with and without a wait.

Each slot has a sandbox of its own; what differs between runs comes from the run's conf.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

SETTINGS = {
    "text": "Chaos run {{ run_id }} for {{ row.name }}",
    "unconfirmed_grace": 2.0,
    "retries": 6,
    "retry_delay": timedelta(seconds=1),
    "recipients": "{{ dag_run.conf['recipients'] }}",
    "on_unconfirmed": "{{ dag_run.conf['policy'] }}",
    "results_path": "{{ dag_run.conf['results_path'] }}",
}

WHERE = {"store": {}, "path": {"journal_path": "{{ dag_run.conf['journal_path'] }}"}}
WAITS = {"send": {}, "wait": {"wait_for_delivery": True, "deferrable": True, "poll_interval": 1.0}}
VARIANTS = {f"{way}_{place}": {**WAITS[way], **WHERE[place]} for way in WAITS for place in WHERE}

for slot in range(int(os.environ["INSTASENT_CHAOS_SLOTS"])):
    for name, variant in VARIANTS.items():
        with DAG(f"chaos_{slot}_{name}", schedule=None):
            InstasentBulkSmsOperator(
                task_id="campaign",
                instasent_conn_id=f"instasent_slot_{slot}",
                **SETTINGS,
                **variant,
            )
