# SPDX-License-Identifier: Apache-2.0

"""A single send with each kind of journal, for tests that kill it."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG

from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator

JOURNALS = {"store": None, "path": "{{ dag_run.conf['journal_path'] }}"}

for name, journal_path in JOURNALS.items():
    with DAG(f"send_{name}", schedule=None):
        InstasentSendSmsOperator(
            task_id="send",
            to="+34611222001",
            text="Words to keep private {{ run_id }}",
            sender="Tests",
            on_unconfirmed="{{ dag_run.conf['policy'] }}",
            unconfirmed_grace=0.5,
            journal_path=journal_path,
            retries=2,
            retry_delay=timedelta(seconds=1),
        )
