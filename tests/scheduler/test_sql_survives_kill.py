# SPDX-License-Identifier: Apache-2.0

"""SQL to SMS and back to SQL: 10,000 rows, killed on the way, each sent once and each with its final state."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest
from support.airflow_home import has_task_state_store
from support.instasent_connection import TOKEN, connection
from support.postgres import postgres
from support.sandbox import deliverable
from support.scheduler import AirflowDeployment

from airflow_provider_instasent.sandbox.server import SandboxServer

__all__ = ["postgres"]

DAGS = Path(__file__).parent / "sql_dags"
ROWS, FAILING = 10_000, 25
CLIENT, RESULTS = (
    "airflow_provider_instasent.api.client:InstasentClient",
    "airflow_provider_instasent.waiting.results_file",
)

pytestmark = [
    pytest.mark.scheduler,
    pytest.mark.skipif(not has_task_state_store(), reason="the harness needs Airflow 3.3"),
]


def numbers():
    """All different; 25 of them end in 901 and fail."""
    return [deliverable(index) for index in range(ROWS - FAILING)] + [
        f"+34611{index:03d}901" for index in range(FAILING)
    ]


def test_each_row_is_sent_once_and_has_its_final_state_whoever_dies(postgres):
    everybody = numbers()
    values = ", ".join(f"({index}, '{phone}', 'Person {index}')" for index, phone in enumerate(everybody))
    postgres.run("CREATE TABLE customers (id INTEGER, phone TEXT, name TEXT)", f"INSERT INTO customers VALUES {values}")
    points = [
        # In the middle of the send: chunks in flight, one of them accepted and not recorded.
        {"target": f"{CLIENT}._exchange", "when": "after", "call": 50, "task_id": "send"},
        # And when the statuses are about to be kept.
        {"target": f"{RESULTS}:keep_statuses", "call": 1, "task_id": "send", "try_number": 2},
    ]
    with SandboxServer(TOKEN, sent_after=0.1, final_after=0.5) as sandbox:
        environment = {
            "AIRFLOW_CONN_INSTASENT_SANDBOX": connection(sandbox.url, extra={"sender": "Acme"}),
            "AIRFLOW_CONN_WAREHOUSE": postgres.airflow_connection,
        }
        with AirflowDeployment(dags_folder=DAGS, env=environment) as airflow:
            began = time.monotonic()
            run_id, state = airflow.run("instasent_sql_outcomes", crash_points=points)
            print(f"{ROWS} rows, killed twice: {time.monotonic() - began:.1f} s")
            (send,) = [one for one in airflow.task_instances("instasent_sql_outcomes", run_id) if one.task_id == "send"]
            assert (state, send.try_number) == ("success", 3)
            assert len(airflow.crashes("instasent_sql_outcomes", run_id)) == 2
        assert sandbox.ledger.accepted == ROWS
        assert sandbox.ledger.numbers() == Counter(everybody)
        truth = {message.id: (message.to, message.text, sandbox.status_of(message)) for message in sandbox.ledger}
    kept = postgres.run(
        "SELECT o.sms_id, c.phone, 'Hello ' || c.name || ', your order is ready', o.status FROM sms_outcomes o "
        "JOIN sms_recipients r USING (run_id, position) JOIN customers c ON c.id = r.customer_id "
        "WHERE o.state = 'accepted'"
    )
    assert {row[0]: row[1:] for row in kept} == truth
    assert Counter(status for _, _, _, status in kept) == {"delivered": ROWS - FAILING, "failed": FAILING}
