# SPDX-License-Identifier: Apache-2.0

"""What an Airflow has to give for SMS to be sent and waited for: names, a place for the journal, a triggerer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.airflow_home import returned, run_dag

try:
    from airflow.sdk import DAG, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.models.dag import DAG

from airflow_provider_instasent.notifications.sms import InstasentNotifier
from airflow_provider_instasent.operators.account import InstasentAccountOperator
from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator, InstasentSendSmsOperator
from airflow_provider_instasent.sensors.account import InstasentBalanceSensor
from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor

DELIVERED = ["+34600000001", "+34600000002"]
WAYS = pytest.mark.parametrize("deferrable", [False, True], ids=["in the worker", "deferred"])


@pytest.fixture
def new_dag(request):
    def make():
        name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
        return DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)

    return make


def states(run):
    return {one.task_id: (str(one.state), one.try_number) for one in run.get_task_instances()}


def texts(sandbox):
    return sorted((message.to, message.text) for message in sandbox.ledger)


def test_a_send_leaves_once_though_its_answer_is_lost(connected, new_dag, tmp_path):
    connected.fault("cut_after", endpoint="send")
    with new_dag() as dag:
        InstasentSendSmsOperator(
            task_id="send",
            to=DELIVERED[0],
            text="Load done: {{ dag.dag_id }}",
            journal_path=str(tmp_path),
            retries=2,
            retry_delay=timedelta(0),
        )
    run = run_dag(dag)

    assert str(run.state) == "success"
    assert texts(connected) == [(DELIVERED[0], f"Load done: {dag.dag_id}")]
    (accepted,) = connected.ledger
    assert str(returned(run, "send")["id"]) == accepted.id  # which may be of digits alone


@WAYS
def test_a_campaign_is_sent_and_a_sensor_waits_for_it(connected, new_dag, tmp_path, deferrable):
    with new_dag() as dag:
        send = InstasentBulkSmsOperator(
            task_id="send",
            recipients=DELIVERED,
            text="{{ row.to }}",
            journal_path=f"{tmp_path}/journal",
            results_path=f"{tmp_path}/results.jsonl",
            retries=1,
        )
        InstasentDeliverySensor(
            task_id="wait", message_ids=send.output, deferrable=deferrable, poke_interval=0.2, timeout=60
        )
    run = run_dag(dag)

    assert states(run) == {"send": ("success", 1), "wait": ("success", 1)}
    assert texts(connected) == [(to, to) for to in DELIVERED]
    assert returned(run, "wait")["counts"] == {"delivered": len(DELIVERED)}


@WAYS
def test_a_send_that_waits_fails_at_once_where_it_cannot_arrive(connected, new_dag, tmp_path, deferrable):
    with new_dag() as dag:
        InstasentSendSmsOperator(
            task_id="send",
            to="+34600000901",
            text="hello",
            journal_path=str(tmp_path),
            wait_for_delivery=True,
            deferrable=deferrable,
            poll_interval=0.2,
            timeout=60,
            retries=2,
            retry_delay=timedelta(0),
        )
    run = run_dag(dag)

    assert states(run) == {"send": ("failed", 1)}
    assert len(connected.ledger) == 1


@WAYS
def test_lookups_and_the_balance_are_waited_for(connected, new_dag, tmp_path, deferrable):
    with new_dag() as dag:
        InstasentLookupOperator(
            task_id="look",
            to=DELIVERED,
            journal_path=str(tmp_path),
            deferrable=deferrable,
            poll_interval=0.2,
        )
        InstasentBalanceSensor(task_id="funds", min_available=1, deferrable=deferrable, poke_interval=0.2, timeout=60)
        InstasentAccountOperator(task_id="account")
    run = run_dag(dag)

    assert states(run) == {"look": ("success", 1), "funds": ("success", 1), "account": ("success", 1)}


def test_a_functions_rows_are_sent(connected, new_dag, tmp_path):
    with new_dag() as dag:

        @task.instasent_bulk(text="{{ row.name }}", journal_path=str(tmp_path))
        def people(dag_run):
            yield {"to": DELIVERED[0], "name": dag_run.dag_id}

        people()
    run = run_dag(dag)

    assert states(run) == {"people": ("success", 1)}
    assert texts(connected) == [(DELIVERED[0], dag.dag_id)]


def test_a_task_that_fails_alerts(connected, new_dag):
    def fail():
        raise RuntimeError("on purpose")

    with new_dag() as dag:
        task(on_failure_callback=InstasentNotifier(to=DELIVERED[0], text="{{ ti.task_id }} failed"))(fail)()
    run_dag(dag)

    assert texts(connected) == [(DELIVERED[0], "fail failed")]
