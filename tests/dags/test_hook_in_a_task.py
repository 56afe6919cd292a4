# SPDX-License-Identifier: Apache-2.0

"""The hook inside a `@task` with retries: it keeps no journal, and still nobody is texted twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from support.airflow_home import returned, run_dag
from support.instasent_connection import connection

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.hooks.instasent import InstasentHook


def dag_that_sends(dag_id):
    with DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False) as dag:

        @task(retries=2, retry_delay=timedelta(0))
        def send():
            with InstasentHook() as hook:
                return {"id": hook.send_sms("+34600000001", "hello", "Tests")["id"]}

        send()
    return dag


@pytest.fixture
def connected(sandbox, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url))
    return sandbox


@pytest.mark.airflow
def test_an_unconfirmed_send_is_not_retried(connected):
    connected.fault("cut_after", endpoint="send")
    run = run_dag(dag_that_sends("hook_unconfirmed"))
    assert run.get_task_instance("send").state == "failed"
    assert run.get_task_instance("send").try_number == 1
    assert len(connected.ledger) == 1


@pytest.mark.airflow
def test_a_refused_send_is_retried_and_goes_out_once(connected):
    connected.fault("unauthorized", endpoint="send")
    run = run_dag(dag_that_sends("hook_refused"))
    (accepted,) = connected.ledger
    assert returned(run, "send") == {"id": accepted.id}
    assert run.get_task_instance("send").try_number == 2
