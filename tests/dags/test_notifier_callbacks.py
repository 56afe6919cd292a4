# SPDX-License-Identifier: Apache-2.0

"""Alerts fired by Airflow itself, in task and DAG callbacks, and what the sandbox accepted."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from support.airflow_home import run_dag
from support.instasent_connection import connection
from support.secrets_guard import secrets_guard

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.notifications.sms import InstasentNotifier, send_instasent_notification

pytestmark = pytest.mark.airflow

ON_CALL, BOSS = "600000021", "+34600000022"

__all__ = ["secrets_guard"]


@pytest.fixture(autouse=True)
def connected(sandbox, monkeypatch, secrets_guard):
    extra = {"sender": "Acme", "default_region": "ES"}
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url, extra=extra))
    return sandbox


def make_dag(dag_id, **kwargs):
    return DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, **kwargs)


def failing(**callbacks):
    @task(retries=1, retry_delay=timedelta(0), **callbacks)
    def load():
        raise ValueError("a load that fails on purpose")

    return load()


def texts(sandbox):
    return [message.text for message in sandbox.ledger]


def test_each_task_callback_sends_its_alert_once(connected):
    notify = send_instasent_notification(to=ON_CALL)
    with make_dag("alerts_each") as dag:

        @task(on_success_callback=notify)
        def extract():
            pass

        extract() >> failing(on_retry_callback=notify, on_failure_callback=[notify])
    run = run_dag(dag)
    assert run.state == "failed"
    assert texts(connected) == [
        f"Airflow: alerts_each.extract success, try 1, run {run.run_id}",
        f"Airflow: alerts_each.load up for retry, try 1, run {run.run_id}",
        f"Airflow: alerts_each.load failed, try 2, run {run.run_id}",
    ]
    assert {message.to for message in connected.ledger} == {f"+34{ON_CALL}"}
    assert len(connected.ledger.client_ids()) == 3
    assert len(connected.requests.records("send")) == 3


def test_everybody_gets_the_users_own_text_in_one_request(connected):
    text = "{{ dag.dag_id }}: {{ ti.task_id }} of {{ params.team }} failed: {{ exception }}"
    notify = InstasentNotifier(to=[ON_CALL, BOSS, "{{ params.third }}"], text=text, sender="Alerts")
    with make_dag("alerts_own_text", params={"team": "ETL", "third": "+34600000023"}) as dag:
        failing(on_failure_callback=notify)
    run_dag(dag)
    said = "alerts_own_text: load of ETL failed: a load that fails on purpose"
    assert [(message.to, message.text, message.sender) for message in connected.ledger] == [
        (to, said, "Alerts") for to in ("+34600000021", BOSS, "+34600000023")
    ]
    assert len(connected.requests.records("bulk")) == 1
    assert notify.text == text  # one notifier serves many callbacks: rendering must not change it


@pytest.mark.parametrize("fails", [True, False])
def test_dag_callbacks(connected, fails):
    dag_id = f"alerts_dag_{fails}".lower()
    notify = send_instasent_notification(to=BOSS)
    with make_dag(dag_id, on_failure_callback=notify, on_success_callback=notify) as dag:

        @task
        def load():
            if fails:
                raise ValueError("a load that fails on purpose")

        load()
    run = run_dag(dag)
    told = f"Airflow: DAG {dag_id} " + ("failed (task_failure)" if fails else "succeeded (success)")
    assert texts(connected) == [f"{told}, run {run.run_id}"]


@pytest.mark.parametrize(
    ("failed", "reason", "told"), [(True, "timed_out", "failed (timed_out)"), (False, "success", "succeeded (success)")]
)
def test_the_dag_processor_calls_with_a_bare_context(connected, failed, reason, told):
    """Of a run without a task instance to tell of, Airflow 3 gives a DAG's callback `dag`, `run_id` and `reason`."""
    processor = pytest.importorskip("airflow.dag_processing.processor")
    if not hasattr(processor, "_execute_dag_callbacks"):
        pytest.skip("Airflow 2 always gives the context of a task instance")
    from airflow.callbacks.callback_requests import DagCallbackRequest

    own = InstasentNotifier(
        to=BOSS, text="{{ dag.dag_id }} {{ run_id }} {{ reason }} {{ ti.task_id if ti is defined else 'nobody' }}"
    )
    callbacks = [send_instasent_notification(to=ON_CALL), own]
    dag = make_dag("alerts_bare", on_failure_callback=callbacks, on_success_callback=callbacks)
    request = DagCallbackRequest(
        filepath="alerts.py",
        bundle_name="dags-folder",
        bundle_version=None,
        dag_id=dag.dag_id,
        run_id="manual__1",
        is_failure_callback=failed,
        msg=reason,
    )
    log = pytest.importorskip("structlog").get_logger("callback")
    for _ in range(2):  # Airflow asks again where the DAG processor died
        processor._execute_dag_callbacks(SimpleNamespace(dags={dag.dag_id: dag}), request, log)
    assert (
        texts(connected)
        == [f"Airflow: DAG alerts_bare {told}, run manual__1", f"alerts_bare manual__1 {reason} nobody"] * 2
    )
    assert len(connected.ledger.client_ids()) == 2


def test_an_sla_miss_of_airflow_2_gives_no_context_at_all(connected):
    send_instasent_notification(to=BOSS)(make_dag("alerts_sla"), "load on 2026-01-01", "", [], [])
    assert texts(connected) == ["Airflow: DAG alerts_sla"]


def test_an_alert_that_cannot_be_sent_does_not_stop_the_callbacks_after_it(connected, monkeypatch, caplog):
    monkeypatch.setenv("AIRFLOW_CONN_REVOKED", connection(connected.url, password="revoked-token"))
    calls = Counter()
    callbacks = [
        InstasentNotifier(to=BOSS, instasent_conn_id="revoked", sender="Acme"),
        InstasentNotifier(to=BOSS, instasent_conn_id="nowhere_to_be_found"),
        InstasentNotifier(to=BOSS, text="{{ nothing.like.it }}"),
        InstasentNotifier(to="12"),
        lambda _context: calls.update(["reached"]),
        InstasentNotifier(to=BOSS, text="the last one"),
    ]
    with make_dag("alerts_chain") as dag:
        failing(on_failure_callback=callbacks)
    run = run_dag(dag)
    assert run.state == "failed"
    assert calls == {"reached": 1}
    assert texts(connected) == ["the last one"]
