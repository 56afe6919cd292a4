# SPDX-License-Identifier: Apache-2.0

"""The examples of alerts, SQL, TaskFlow and assets, run against the sandbox and real databases."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from importlib import metadata
from types import SimpleNamespace

import pytest
from support.airflow_home import returned, run_dag
from support.examples import load
from support.instasent_connection import connection

from airflow_provider_instasent.compat import task
from airflow_provider_instasent.decorators.sms import instasent_bulk_task
from airflow_provider_instasent.waiting.account_reader import FEW

DAY = "2026-11-23"

pytestmark = [
    pytest.mark.airflow,
    # Airflow 2.11's own paths warn of universal-pathlib's future.
    pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning"),
    # Common-sql hands the whole context to `rows_processor`, and reading all of it warns on Airflow 2.11.
    pytest.mark.filterwarnings("ignore:Accessing .* from the template is deprecated"),
]


@pytest.fixture
def connected(sandbox, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_SANDBOX", connection(sandbox.url, extra={"sender": "Acme"}))
    return sandbox


@pytest.fixture
def warehouse(tmp_path, monkeypatch):
    """Run SQL in the examples' database."""
    file = tmp_path / "warehouse.db"
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "sqlite", "host": str(file)}))

    def run(statement, rows=()):
        with closing(sqlite3.connect(file)) as opened:
            found = opened.executemany(statement, rows) if rows else opened.execute(statement)
            fetched = found.fetchall()
            opened.commit()
            return fetched

    return run


def final_after_the_first_look(sandbox, messages):
    """Let so many messages turn final when they are read for the second time: more than a few are, by the page."""
    sandbox.stop_clock()
    endpoint, number = ("list", 2) if messages > FEW else ("read", messages + 1)
    sandbox.at(number, endpoint, lambda: sandbox.advance(60))


def received(sandbox):
    return [(message.to, message.text) for message in sandbox.ledger]


def test_alert(connected):
    run = run_dag(load("example_alert").dag)
    assert run.state == "failed"
    told = "instasent_alert.nightly_load failed at try 1: no file came last night"
    assert received(connected) == [
        ("+34600000041", told),
        ("+34600000042", told),
        ("+34600000043", f"Airflow: DAG instasent_alert failed (task_failure), run {run.run_id}"),
    ]


def test_alert_never_reaches_another_machine(connected, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_SANDBOX", connection("https://192.0.2.1", extra={"sender": "Acme"}))
    callback = load("example_alert").guarded(load("example_alert").dag_failed)
    with pytest.raises(Exception, match=r"leads to 192\.0\.2\.1.*Nothing was sent"):
        callback({"run_id": "manual__1"})


def test_sql(connected, warehouse):
    warehouse("CREATE TABLE invoices (id INTEGER, phone TEXT, name TEXT, amount REAL, due TEXT)")
    rows = [
        (2, "+34600000032", "Leo", 7.5, DAY),
        (1, "+34600000031", "Ana", 12, DAY),
        (3, "+34600000033", "Eva", 1, ""),
    ]
    warehouse("INSERT INTO invoices VALUES (?, ?, ?, ?, ?)", rows)
    assert run_dag(load("example_sql").dag).state == "success"
    assert received(connected) == [
        ("+34600000031", f"Ana, your invoice of 12.00 EUR is due on {DAY}"),
        ("+34600000032", f"Leo, your invoice of 7.50 EUR is due on {DAY}"),
    ]


def test_sql_outcomes(connected, warehouse):
    final_after_the_first_look(connected, 4)
    phones = ["+34600000031", "+34600000901", "+34600000032", "+34600000920", "+34600000031"]
    warehouse("CREATE TABLE customers (id INTEGER, phone TEXT, name TEXT)")
    warehouse("INSERT INTO customers VALUES (?, ?, 'Ana')", [(10 - place, phone) for place, phone in enumerate(phones)])
    dag = load("example_sql_outcomes").dag
    dag.get_task("send").max_rejected_ratio = 0.5
    run = run_dag(dag)
    assert run.state == "success"
    kept = warehouse(
        "SELECT r.customer_id, c.phone, o.state, o.status, o.sms_id FROM sms_outcomes o "
        "JOIN sms_recipients r USING (run_id, position) JOIN customers c ON c.id = r.customer_id ORDER BY c.id"
    )
    told = {10 - place: phone for place, phone in enumerate(phones)}
    assert {customer: phone for customer, phone, *_ in kept} == told
    assert Counter((state, status) for _, _, state, status, _ in kept) == {
        ("accepted", "delivered"): 3,
        ("accepted", "failed"): 1,
        ("rejected", None): 1,
    }
    ids = {message.id: message.to for message in connected.ledger}
    assert {sms_id: phone for _, phone, state, _, sms_id in kept if state == "accepted"} == ids


def states(run):
    return {one.task_id: one.state for one in run.get_task_instances()}


def test_sql_outcomes_of_a_campaign_that_failed_are_kept_and_the_run_has_failed(connected, warehouse):
    final_after_the_first_look(connected, 3)
    warehouse("CREATE TABLE customers (id INTEGER, phone TEXT, name TEXT)")
    warehouse(
        "INSERT INTO customers VALUES (?, ?, 'Ana')", [(1, "+34600000901"), (2, "+34600000902"), (3, "+34600000031")]
    )
    run = run_dag(load("example_sql_outcomes").dag)
    assert run.state == "failed"
    assert states(run) == {"choose": "success", "send": "failed", "keep": "success", "sent": "upstream_failed"}
    kept = warehouse("SELECT position, status FROM sms_outcomes ORDER BY position")
    assert [position for position, _ in kept] == [0, 1, 2]
    assert kept[2] == (2, "delivered")
    assert len(connected.ledger) == 3


def test_sql_outcomes_of_a_campaign_that_never_began_are_none_and_the_run_has_failed(connected, warehouse):
    warehouse("CREATE TABLE customers (id INTEGER, phone TEXT, name TEXT)")
    warehouse("INSERT INTO customers VALUES (?, ?, 'Ana')", [(1, "12")])
    run = run_dag(load("example_sql_outcomes").dag)
    assert run.state == "failed"
    assert states(run) == {"choose": "success", "send": "failed", "keep": "skipped", "sent": "upstream_failed"}
    assert len(connected.requests) == 0


def test_taskflow(connected, monkeypatch):
    try:
        metadata.distribution("airflow-provider-instasent")
    except metadata.PackageNotFoundError:
        # Airflow finds the decorator by the installed distribution; here there is the checkout alone.
        monkeypatch.setattr(type(task), "instasent_bulk", staticmethod(instasent_bulk_task), raising=False)
    run = run_dag(load("example_taskflow").dag)
    assert run.state == "success"
    assert received(connected) == [
        ("+34600000051", "You have 120 points"),
        ("+34600000053", "You have 300 points"),
    ]
    assert returned(run, "tell_the_best")["accepted"] == 2


def test_asset(connected):
    final_after_the_first_look(connected, 3)
    module = load("example_asset")
    if hasattr(module.dag, "bulk_write_to_db"):  # Airflow 2 records events only of what its database knows
        module.dag.bulk_write_to_db([module.dag, module.report_dag])
    run = run_dag(module.dag)
    assert run.state == "success"
    (event,) = asset_events()
    counts = dict(event.extra)
    assert (counts["accepted"], counts["delivered"], counts["undeliverable"], counts["pending"]) == (3, 2, 1, 0)
    assert all(type(value) is int for value in counts.values())
    said = str(event.extra)
    assert not [message for message in connected.ledger if message.to[1:] in said or message.id in said]
    report = module.report_dag.get_task("report").python_callable
    # On Airflow 3.1 an asset is no key of a dictionary, and what Airflow hands over is none either.
    assert report(triggering_asset_events=SimpleNamespace(values=lambda: [[event]])) == [counts]


def asset_events():
    from airflow.utils.session import create_session

    try:
        from airflow.models.asset import AssetEvent
    except ImportError:
        from airflow.models.dataset import DatasetEvent as AssetEvent
    with create_session() as session:
        found = session.query(AssetEvent).filter(AssetEvent.source_dag_id == "instasent_asset_campaign").all()
        session.expunge_all()
        return found
