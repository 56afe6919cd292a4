# SPDX-License-Identifier: Apache-2.0

"""What the other DAG tests stand on: retries, deferrals and XComs work in ``run_dag``, on every Airflow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.airflow_home import isolate, returned, run_dag

from airflow_provider_instasent.compat import DAG, BaseOperator, conf

try:
    from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
except ImportError:  # Airflow 2
    from airflow.triggers.temporal import TimeDeltaTrigger


class FlakyThenDeferring(BaseOperator):
    """Fails its first ``failures`` tries, then waits in a trigger and returns what it saw."""

    def __init__(self, *, failures, **kwargs):
        super().__init__(**kwargs)
        self.failures = failures

    def execute(self, context):
        if context["ti"].try_number <= self.failures:
            msg = "a try that fails on purpose"
            raise RuntimeError(msg)
        self.defer(
            trigger=TimeDeltaTrigger(timedelta(milliseconds=50)),
            method_name="resume",
            timeout=timedelta(minutes=10),
        )

    def resume(self, context, event):
        return {"tries": context["ti"].try_number, "event": str(event)}


def dag_with(failures, dag_id):
    dag = DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)
    FlakyThenDeferring(task_id="wait", failures=failures, retries=1, retry_delay=timedelta(seconds=0), dag=dag)
    return dag


@pytest.mark.airflow
def test_a_task_retries_defers_and_returns():
    before = datetime.now(tz=UTC)
    run = run_dag(dag_with(failures=1, dag_id="retries_once"))
    assert run.state == "success"
    result = returned(run, "wait")
    assert result["tries"] == 2
    assert before < datetime.fromisoformat(result["event"]) <= datetime.now(tz=UTC)


@pytest.mark.airflow
def test_a_task_that_keeps_failing_ends_the_run_as_failed():
    run = run_dag(dag_with(failures=2, dag_id="fails_twice"))
    assert run.state == "failed"
    task_instance = run.get_task_instance("wait")
    assert (task_instance.state, task_instance.try_number) == ("failed", 2)
    assert returned(run, "wait") is None


@pytest.mark.airflow
def test_airflow_lives_in_the_throw_away_home(airflow_database):
    home = isolate()
    assert airflow_database.parent == home
    assert conf.get("database", "sql_alchemy_conn") == f"sqlite:///{airflow_database}"
    assert Path(conf.get("core", "dags_folder")).parent == home
    assert conf.getboolean("core", "load_examples") is False
