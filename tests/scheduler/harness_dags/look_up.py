# SPDX-License-Identifier: Apache-2.0

"""A lookup of many numbers with each kind of journal, for tests that kill it."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_instasent.operators.lookup import InstasentLookupOperator

JOURNALS = {"store": None, "path": "{{ dag_run.conf['folder'] }}/journal"}

for name, journal_path in JOURNALS.items():
    with DAG(f"look_up_{name}", schedule=None):
        InstasentLookupOperator(
            task_id="look_up",
            to="{{ dag_run.conf['folder'] }}/numbers.csv",
            on_unconfirmed="{{ dag_run.conf['policy'] }}",
            unconfirmed_grace=2,
            deferrable=True,
            poll_interval=1,
            journal_path=journal_path,
            results_path="{{ dag_run.conf['folder'] }}/lookups.jsonl",
            retries=2,
            retry_delay=timedelta(seconds=1),
        )
