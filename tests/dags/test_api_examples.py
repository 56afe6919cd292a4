# SPDX-License-Identifier: Apache-2.0

"""The examples of lookups, prices, account and history are run against the sandbox, and so are small DAGs of each."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from support.airflow_home import returned, run_dag
from support.examples import load
from support.history import accept
from support.instasent_connection import connection, hasten

from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.operators.account import InstasentAccountOperator
from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator, InstasentSmsHistoryOperator
from airflow_provider_instasent.sensors.account import InstasentBalanceSensor

pytestmark = [
    pytest.mark.airflow,
    # Airflow 2.11's own paths warn of universal-pathlib's future.
    pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning"),
]


def states(run):
    return {instance.task_id: instance.state for instance in run.get_task_instances()}


@pytest.fixture
def connected(sandbox, monkeypatch):
    hasten(monkeypatch)
    sandbox.configure(lookup_after=1.0)
    value = connection(sandbox.url, password=sandbox.token, extra={"sender": "Acme", "default_region": "ES"})
    for name in ("DEFAULT", "SANDBOX"):
        monkeypatch.setenv(f"AIRFLOW_CONN_INSTASENT_{name}", value)
    return sandbox


@pytest.fixture
def new_dag(request):
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    return DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)


def test_look_up_drop_the_dead_numbers_send(connected):
    dag = load("example_lookup_and_send").dag
    dag.get_task("look_up").poll_interval = 0.25
    run = run_dag(dag)
    assert set(states(run).values()) == {"success"}
    assert connected.lookups.numbers() == Counter(f"+34600000{ending}" for ending in ("001", "931", "932", "933"))
    assert {message.to: message.text.split(",")[0] for message in connected.ledger} == {
        "+34600000001": "Ana",
        "+34600000932": "Carla",
    }
    assert returned(run, "send")["suppressed"] == 2


@pytest.mark.parametrize(("budget", "sent"), [("1.35", 25), ("1.34", 0)])
def test_a_campaign_above_its_budget_is_not_sent(connected, budget, sent):
    connected.configure(numbers_as_strings=True)
    run = run_dag(load("example_budget").dag, run_conf={"budget": budget})
    assert run.state == "success"
    assert connected.ledger.accepted == sent
    assert states(run)["send"] == ("success" if sent else "skipped")


def test_a_country_without_a_price_is_never_free():
    cost_of = load("example_budget").cost_of
    profile = [{"country": "FR", "price": "0.05"}, {"country": "US", "price": 0.07}]
    assert cost_of({"parts_by_country": {"ES": 2, "FR": 1}}, profile) == Decimal("0.19")
    with pytest.raises(ValueError, match="empty"):
        cost_of({"parts_by_country": {"ES": 1}}, [])


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_lookup_task(connected, new_dag, tmp_path, deferrable):
    with new_dag:
        InstasentLookupOperator(
            task_id="look_up",
            to="600000932",
            deferrable=deferrable,
            poll_interval=0.25,
            journal_path=str(tmp_path),
            retries=1,
            retry_delay=timedelta(0),
        )
    run = run_dag(new_dag)
    assert run.state == "success"
    (row,) = returned(run, "look_up")["lookups"]
    assert (row["to"], row["state"], row["lookup"]["ported"]) == ("+34600000932", "finished", True)
    assert connected.lookups.accepted == 1


def test_a_retried_lookup_task_orders_nothing_twice(connected, new_dag, tmp_path):
    connected.fault("cut_after", "lookup", skip=1)
    connected.fault("error_before", "lookup_list", times=2)  # as many as the first try asks, so that it fails
    with new_dag:
        InstasentLookupOperator(
            task_id="look_up",
            to=["+34600000001", "+34600000002", "+34600000003"],
            poll_interval=0.25,
            max_in_flight=1,
            unconfirmed_grace=0,
            journal_path=str(tmp_path),
            retries=1,
            retry_delay=timedelta(0),
        )
    run = run_dag(new_dag)
    assert run.state == "success"
    assert run.get_task_instance("look_up").try_number == 2
    assert set(connected.lookups.numbers().values()) == {1}
    assert returned(run, "look_up")["finished"] == 3


@pytest.mark.parametrize("by", ["xcom", "path"])
def test_what_was_looked_up_is_sent_to_or_left_out(connected, new_dag, tmp_path, by):
    path = str(tmp_path / "lookups.jsonl") if by == "path" else None
    journal = {"journal_path": f"file://{tmp_path}/journal", "retries": 0}
    numbers = ["+34600000001", "+34600000002"]
    with new_dag:
        look_up = InstasentLookupOperator(
            task_id="look_up", to=numbers, poll_interval=0.25, results_path=path, **journal
        )
        found = path or look_up.output["lookups"]
        sent_to = InstasentBulkSmsOperator(task_id="sent_to", recipients=found, text="{{ row.state }}", **journal)
        left_out = InstasentBulkSmsOperator(
            task_id="left_out", recipients=[*numbers, "+34600000003"], text="Hello", suppress=found, **journal
        )
        look_up >> sent_to >> left_out
    run = run_dag(new_dag)
    assert set(states(run).values()) == {"success"}
    assert sorted((message.to, message.text) for message in connected.ledger) == [
        *((number, "finished") for number in numbers),
        ("+34600000003", "Hello"),
    ]
    assert returned(run, "left_out")["suppressed"] == 2


@pytest.mark.parametrize("way", [{"mode": "poke"}, {"mode": "reschedule"}, {"deferrable": True}], ids=str)
def test_account_and_balance(connected, new_dag, way):
    connected.configure(balance=12.5)
    with new_dag:
        sensor = InstasentBalanceSensor(task_id="enough", min_available="{{ '12.50' }}", poke_interval=0.5, **way)
        sensor >> InstasentAccountOperator(task_id="account")
    run = run_dag(new_dag)
    assert run.state == "success"
    assert returned(run, "account") == {"available": "12.5", "currency": "EUR"} == returned(run, "enough")


def test_history_of_a_data_interval(connected, new_dag, tmp_path):
    accept(connected, 0, 30)
    with new_dag:
        InstasentSmsHistoryOperator(
            task_id="history",
            results_path=str(tmp_path / "{{ run_id }}.parquet"),
            since="{{ macros.datetime(2026, 1, 1) }}",
            until="{{ macros.datetime(2100, 1, 1) }}",
        )
    run = run_dag(new_dag)
    assert run.state == "success"
    result = returned(run, "history")
    assert (result["rows"], result["complete"], result["since"]) == (30, True, "2026-01-01T00:00:00+00:00")
    assert (tmp_path / f"{run.run_id}.parquet").is_file()
