# SPDX-License-Identifier: Apache-2.0

"""The campaign that is measured inside Airflow."""

from __future__ import annotations

from airflow.sdk import DAG

from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator
from benchmarks.campaign import TEXT

with DAG("benchmark", schedule=None):
    InstasentBulkSmsOperator(
        task_id="campaign",
        recipients="{{ dag_run.conf['recipients'] }}",
        text=TEXT,
        results_path="{{ dag_run.conf['results_path'] }}",
        retries=1,
    )
