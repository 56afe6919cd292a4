# SPDX-License-Identifier: Apache-2.0

"""Alerts where a real Airflow runs them: task process, DAG processor, triggerer; each in the sandbox's ledger, once."""

from __future__ import annotations

import time
from collections import Counter

import pytest

pytestmark = pytest.mark.scheduler

FINAL = {
    "alerts_tasks": "failed",
    "alerts_killed": "failed",
    "alerts_abandoned": "failed",
    "alerts_success": "success",
    "alerts_late": "success",
    "alerts_human": "success",
}


def test_each_alert_reaches_the_api_once(airflow, instasent):
    instasent.reset()
    # The supervisor of one task dies: its failure is noticed by the scheduler, and told by the DAG processor.
    crashes = {"alerts_abandoned": [{"delay": 1.0, "kill": "supervisor"}]}
    runs = {dag_id: airflow.trigger(dag_id, crash_points=crashes.get(dag_id, ())) for dag_id in FINAL}
    assert {dag_id: airflow.wait(dag_id, run_id) for dag_id, run_id in runs.items()} == FINAL
    expected = [
        f"Airflow: alerts_tasks.works success, try 1, run {runs['alerts_tasks']}",
        f"Airflow: alerts_tasks.breaks up for retry, try 1, run {runs['alerts_tasks']}",
        f"Airflow: alerts_tasks.breaks failed, try 2, run {runs['alerts_tasks']}",
        f"Airflow: DAG alerts_tasks failed (task_failure), run {runs['alerts_tasks']}",
        f"Airflow: DAG alerts_killed failed (task_failure), run {runs['alerts_killed']}",
        f"Airflow: alerts_abandoned.outlives failed, try 1, run {runs['alerts_abandoned']}",
        f"Airflow: DAG alerts_success succeeded (success), run {runs['alerts_success']}",
        f"Airflow: DAG alerts_late missed its deadline, run {runs['alerts_late']}",
        "Go on? (alerts_human)",
    ]
    deadline = time.monotonic() + 60
    while len(instasent.ledger) < len(expected) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)  # one that comes twice, comes soon
    times = Counter(message.text for message in instasent.ledger)
    # Airflow itself may ask for the callback of a lost task twice; both alerts then carry one clientId.
    lost = next(text for text in expected if "abandoned" in text)
    assert times.pop(lost) in {1, 2}
    assert times == {text: 1 for text in expected if text != lost}
    assert len(instasent.ledger.client_ids()) == len(expected)
