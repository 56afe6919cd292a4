# SPDX-License-Identifier: Apache-2.0

"""Three DAGs a slot: two by where the journal is, and one that waits for delivery.

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

VARIANTS = {
    "store": {},
    "path": {"journal_path": "{{ dag_run.conf['journal_path'] }}"},
    "wait": {"wait_for_delivery": True, "deferrable": True, "poll_interval": 1.0},
}

for slot in range(int(os.environ["INSTASENT_CHAOS_SLOTS"])):
    for name, variant in VARIANTS.items():
        with DAG(f"chaos_{slot}_{name}", schedule=None):
            InstasentBulkSmsOperator(
                task_id="campaign",
                instasent_conn_id=f"instasent_slot_{slot}",
                **SETTINGS,
                **variant,
            )
