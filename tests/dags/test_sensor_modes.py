# SPDX-License-Identifier: Apache-2.0

"""The delivery sensor as Airflow runs it, in each of its modes, on every Airflow."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from support.airflow_home import has_task_state_store, returned, run_dag
from support.delivery import accepted, connected, give_our_deadline_a_head_start, reads, turning_final
from support.events import LONG

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor
from airflow_provider_instasent.waiting import delivery_watch

__all__ = ["connected"]

pytestmark = pytest.mark.airflow

MODES = {
    "poke": {"mode": "poke", "deferrable": False},
    "reschedule": {"mode": "reschedule", "deferrable": False},
    "deferrable": {"mode": "poke", "deferrable": True},
}
modes = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def new_dag(request):
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)

    def make(**options):
        return DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, **options)

    return make


def wait_for(message_ids, mode="poke", **parameters):
    settings = {"poke_interval": 0.2, "timeout": LONG, "retries": 2, "retry_delay": timedelta(0), **MODES[mode]}
    return InstasentDeliverySensor(task_id="wait", message_ids=message_ids, **{**settings, **parameters})


@modes
def test_mapped_results_are_waited_for(connected, new_dag, mode):
    connected.stop_clock()
    connected.at(4, "read", lambda: connected.advance(60))

    @task
    def send(ending):
        return {"id": accepted(connected, ending)[0], "state": "accepted"}

    with new_dag() as dag:
        wait_for(send.expand(ending=["001", "002", "901"]), mode, min_delivered_ratio=0.6)
    run = run_dag(dag)
    assert run.state == "success"
    result = returned(run, "wait")
    assert (result["total"], result["delivered"], result["counts"]) == (3, 2, {"delivered": 2, "failed": 1})
    assert len(reads(connected)) == 6, "two sweeps"


@modes
def test_undeliverable_fails_without_retry_and_leaves_its_result(connected, new_dag, mode):
    with new_dag() as dag:
        wait_for(accepted(connected, "001", "901"), mode)
    run = run_dag(dag)
    waited = run.get_task_instance("wait")
    assert (run.state, waited.state, waited.try_number) == ("failed", "failed", 1)
    result = returned(run, "wait")
    assert (result["undeliverable"], result["counts"]["failed"]) == (1, 1)


@modes
def test_the_timeout_ends_it_with_counts(connected, new_dag, mode, monkeypatch):
    connected.configure(final_after=0.0)
    timeout = 2 + (0 if mode == "deferrable" else give_our_deadline_a_head_start(monkeypatch))
    with new_dag() as dag:
        wait_for(accepted(connected, "001", "908"), mode, timeout=timeout)
    run = run_dag(dag)
    waited = run.get_task_instance("wait")
    assert (waited.state, waited.try_number) == ("failed", 1)
    assert returned(run, "wait")["counts"] == {"delivered": 1, "sent": 1}


@modes
def test_soft_fail_skips(connected, new_dag, mode):
    with new_dag() as dag:
        wait_for(accepted(connected, "901"), mode, soft_fail=True)
    run = run_dag(dag)
    assert run.get_task_instance("wait").state == "skipped"


def test_a_404_for_ever_ends_over_several_rescheduled_processes(connected, new_dag, monkeypatch):
    monkeypatch.setattr(delivery_watch, "MISSING_GRACE", 3600)
    # Each process reads it when it starts, so the third is the first for which the grace is over.
    connected.at(2, "read", lambda: monkeypatch.setattr(delivery_watch, "MISSING_GRACE", 0))
    with new_dag() as dag:
        wait_for(accepted(connected, "910"), "reschedule")
    run = run_dag(dag)
    assert run.get_task_instance("wait").state == "failed"
    assert returned(run, "wait")["counts"] == {"not_found": 1}
    assert len(reads(connected)) == 3


@pytest.mark.skipif(not has_task_state_store(), reason="the task state store is Airflow 3.3's")
def test_failures_count_over_rescheduled_processes_and_start_anew_with_a_retry(connected, new_dag):
    connected.fault("poll_fails", times=None)
    with new_dag() as dag:
        wait_for(accepted(connected, "001"), "reschedule", max_poll_failures=2, retries=1)
    run = run_dag(dag)
    waited = run.get_task_instance("wait")
    assert (waited.state, waited.try_number) == ("failed", 2)
    assert len(reads(connected)) == 4


def test_final_messages_are_not_read_by_later_pokes(connected, new_dag):
    connected.stop_clock()
    (final,) = accepted(connected, "001")
    connected.advance(60)
    (late,) = turning_final(connected, 6, "002")
    with new_dag() as dag:
        wait_for([final, late], "reschedule")
    assert run_dag(dag).state == "success"
    again = len(reads(connected, late))
    assert again > 1
    # Below 3.3 there is nowhere to remember it.
    assert len(reads(connected, final)) == (1 if has_task_state_store() else again)


@pytest.mark.parametrize("native", [True, False])
def test_a_template_needs_native_rendering(connected, new_dag, native):
    ids = accepted(connected, "001", "002")

    @task
    def send():
        return ids

    with new_dag(render_template_as_native_obj=native) as dag:
        send() >> wait_for("{{ ti.xcom_pull(task_ids='send') }}", retries=0)
    run = run_dag(dag)
    assert run.state == ("success" if native else "failed")
    assert bool(reads(connected)) == native


@pytest.mark.parametrize("sent", [True, False])
def test_what_a_branch_skipped_is_not_waited_for(connected, new_dag, sent):
    connected.configure(final_after=0.0)
    ids = accepted(connected, "001")

    @task.branch
    def choose():
        return ["day"] if sent else ["other"]

    @task
    def day():
        return {"id": ids[0], "state": "accepted"}

    @task
    def night():
        return ids

    @task
    def other():
        pass

    with new_dag() as dag:
        by_day, by_night = day(), night()
        choose() >> [by_day, by_night, other()]
        wait_for([by_night, by_day], trigger_rule="none_failed")
    run = run_dag(dag)
    assert run.get_task_instance("wait").state == ("success" if sent else "skipped")
    assert run.get_task_instance("night").state == "skipped"
    assert len({one.path for one in reads(connected)}) == sent


@modes
def test_a_rendered_connection_is_asked_also_from_the_triggerer(connected, new_dag, mode, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_1E5", os.environ["AIRFLOW_CONN_INSTASENT_DEFAULT"])
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", "")
    connected.stop_clock()
    connected.at(4, "read", lambda: connected.advance(60))
    settings = {"poke_interval": timedelta(seconds=0.2), "timeout": timedelta(seconds=LONG)}
    with new_dag(params={"connection": "1e5"}, render_template_as_native_obj=True) as dag:
        wait_for(accepted(connected, "001", "002"), mode, instasent_conn_id="{{ params.connection }}", **settings)
    run = run_dag(dag)
    assert (run.state, returned(run, "wait")["delivered"]) == ("success", 2)
