# SPDX-License-Identifier: Apache-2.0

"""Alerts where a real Airflow runs them: task process, DAG processor, triggerer; each in the sandbox's ledger, once."""

from __future__ import annotations

from collections import Counter

import pytest
from support.events import wait_until
from support.scheduler import LONG_RUN

pytestmark = pytest.mark.scheduler

FINAL = {
    "alerts_tasks": "failed",
    "alerts_killed": "failed",
    "alerts_abandoned": "failed",
    "alerts_success": "success",
    "alerts_late": "success",
    "alerts_human": "success",
}


def texts(instasent):
    return [message.text for message in instasent.ledger]


def test_each_alert_reaches_the_api_once(airflow, instasent):
    instasent.reset()
    # The supervisor of one task dies: its failure is noticed by the scheduler, and told by the DAG processor.
    crashes = {"alerts_abandoned": [{"delay": 1.0, "kill": "supervisor"}]}
    runs = {dag_id: airflow.trigger(dag_id, crash_points=crashes.get(dag_id, ())) for dag_id in FINAL}
    late = f"Airflow: DAG alerts_late missed its deadline, run {runs['alerts_late']}"
    wait_until(lambda: late in texts(instasent), "the alert of a missed deadline", seconds=LONG_RUN, look=0.1)
    (airflow.home / f"go-{runs['alerts_late']}").touch()
    assert {dag_id: airflow.wait(dag_id, run_id) for dag_id, run_id in runs.items()} == FINAL
    expected = [
        f"Airflow: alerts_tasks.works success, try 1, run {runs['alerts_tasks']}",
        f"Airflow: alerts_tasks.breaks up for retry, try 1, run {runs['alerts_tasks']}",
        f"Airflow: alerts_tasks.breaks failed, try 2, run {runs['alerts_tasks']}",
        f"Airflow: DAG alerts_tasks failed (task_failure), run {runs['alerts_tasks']}",
        f"Airflow: DAG alerts_killed failed (task_failure), run {runs['alerts_killed']}",
        f"Airflow: alerts_abandoned.outlives failed, try 1, run {runs['alerts_abandoned']}",
        f"Airflow: DAG alerts_success succeeded (success), run {runs['alerts_success']}",
        late,
        "Go on? (alerts_human)",
    ]
    wait_until(lambda: len(instasent.ledger) >= len(expected), "all alerts", look=0.1)
    # One that comes twice has come by the time that the alert of a later run is there.
    last, _ = airflow.run("alerts_success")
    expected.append(f"Airflow: DAG alerts_success succeeded (success), run {last}")
    wait_until(lambda: expected[-1] in texts(instasent), "the last alert", look=0.1)
    times = Counter(message.text for message in instasent.ledger)
    # Airflow itself may ask for the callback of a lost task twice; both alerts then carry one clientId.
    lost = next(text for text in expected if "abandoned" in text)
    assert times.pop(lost) in {1, 2}
    assert times == {text: 1 for text in expected if text != lost}
    assert len(instasent.ledger.client_ids()) == len(expected)
