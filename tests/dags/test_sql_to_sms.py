# SPDX-License-Identifier: Apache-2.0

"""A query's rows as messages, on SQLite and on a PostgreSQL server of the test's own."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice

import psutil
import pytest
from support.airflow_home import returned, run_dag
from support.events import LONG, wait_until
from support.postgres import postgres
from support.sandbox import deliverable

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.transfers.cursors import streaming_cursor
from airflow_provider_instasent.transfers.sql_to_sms import SqlToInstasentOperator

__all__ = ["postgres"]

pytestmark = pytest.mark.airflow

PEOPLE = [(deliverable(index), f"Person {index}", index % 7) for index in range(250)]
TABLE = "CREATE TABLE people (phone TEXT, name TEXT, age INTEGER)"
QUERY = "SELECT phone, name, age FROM people ORDER BY phone"
TEXT = "Hello {{ row.name }}"


class Database:
    """What a test does to a database besides the operator: the same words for both."""

    def __init__(self, kind, connect, airflow_connection):
        self.kind = kind
        self._connect = connect
        self.airflow_connection = airflow_connection
        self.mark = "?" if kind == "sqlite" else "%s"

    def run(self, statement, rows=None):
        with closing(self._connect()) as opened, closing(opened.cursor()) as cursor:
            if rows is None:
                cursor.execute(statement)
            else:
                cursor.executemany(statement, rows)
            opened.commit()

    def fill(self, people=PEOPLE):
        self.run("DROP TABLE IF EXISTS people")
        self.run(TABLE)
        self.run(f"INSERT INTO people VALUES ({', '.join([self.mark] * 3)})", people)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request, tmp_path, monkeypatch):
    if request.param == "sqlite":
        file = tmp_path / "people.db"
        extra = json.dumps({"conn_type": "sqlite", "host": str(file)})
        made = Database("sqlite", lambda: sqlite3.connect(file), extra)
    else:
        server = request.getfixturevalue("postgres")
        made = Database("postgres", server.connect, server.airflow_connection)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", made.airflow_connection)
    made.fill()
    return made


@pytest.fixture
def send(request, connected, tmp_path):
    """Run a DAG with one task; the run, and what the task returned."""
    runs = iter(range(100))
    name = re.sub(r"\W", "_", request.node.name)

    def send(**kwargs):
        kwargs = {"sql": QUERY, "text": TEXT, "to_column": "phone", "conn_id": "warehouse"} | kwargs
        kwargs = {"journal_path": str(tmp_path / "journal"), "retries": 1, "retry_delay": timedelta(0)} | kwargs
        with DAG(
            f"{name}_{next(runs)}",
            schedule=None,
            start_date=datetime(2026, 1, 1, tzinfo=UTC),
            catchup=False,
            template_searchpath=str(tmp_path),
        ) as dag:
            SqlToInstasentOperator(task_id="send", **kwargs)
        run = run_dag(dag)
        return run.get_task_instance("send"), returned(run, "send")

    return send


def received(sandbox):
    return sorted((message.to, message.text) for message in sandbox.ledger)


def test_each_row_becomes_one_message(database, connected, send):
    task, summary = send()
    assert task.state == "success"
    assert (summary["rows"], summary["accepted"], summary["parts"]) == (250, 250, 250)
    assert received(connected) == sorted((phone, f"Hello {name}") for phone, name, _ in PEOPLE)
    assert len(connected.requests.records("bulk")) == 3


def test_a_sql_file_with_parameters_and_templates(database, connected, send, tmp_path):
    (tmp_path / "young.sql").write_text(
        f"SELECT phone AS number, name, age FROM people\n"
        f"WHERE age < {database.mark} AND name LIKE {database.mark} AND name <> '{{{{ params.nobody }}}}'\n"
        f"ORDER BY phone;\n"
    )
    _, summary = send(
        sql="young.sql",
        parameters=["{{ params.limit }}", "Person %"],
        params={"limit": 2, "nobody": "Person 0"},
        to_column="number",
        text="{{ row.name }} is {{ row.age + 1 }} in {{ params.limit }}",
    )
    chosen = [(phone, f"{name} is {age + 1} in 2") for phone, name, age in PEOPLE[1:] if age < 2]
    assert summary["accepted"] == len(chosen)
    assert received(connected) == sorted(chosen)


def test_a_query_without_parameters_may_hold_percent_signs(database, connected, send):
    _, summary = send(sql="SELECT phone, name FROM people WHERE name LIKE 'Person 1%' ORDER BY phone")
    assert summary["accepted"] == sum(name.startswith("Person 1") for _, name, _ in PEOPLE)


def test_no_rows_is_a_success_with_zero_counts(database, connected, send):
    task, summary = send(sql="SELECT phone, name FROM people WHERE age > 100")
    assert (task.state, summary["rows"], summary["accepted"]) == ("success", 0, 0)
    assert len(connected.requests) == 0


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, age FROM people",  # no `phone`
        "SELECT phone, name, age AS name FROM people",
        "SELECT CASE WHEN age = 3 THEN NULL ELSE phone END AS phone, name FROM people",
        "SELECT phone, age FROM people",  # no `name` for the text
        "SELECT phone, name FROM nobody_made_it",
    ],
)
def test_rows_that_cannot_be_sent_are_no_request_at_all(database, connected, send, sql):
    task, summary = send(sql=sql, retries=0)
    assert (task.state, summary) == ("failed", None)
    assert len(connected.requests) == 0


def test_another_try_with_the_same_rows_in_another_order_goes_on_where_the_last_ended(database, connected, send):
    connected.fault("unauthorized", endpoint="bulk", skip=1, times=None)
    task, _ = send(campaign_id="spring", max_in_flight=1)
    assert (task.state, len(connected.ledger)) == ("failed", 100)
    connected.clear_faults()
    database.fill(PEOPLE[::-1])
    task, summary = send(campaign_id="spring", sql=QUERY.partition(" ORDER")[0])
    assert (task.state, summary["accepted"]) == ("success", 250)
    assert len(connected.ledger) == len(connected.ledger.client_ids()) == 250


def test_another_try_with_other_rows_sends_nothing(database, connected, send):
    connected.fault("unauthorized", endpoint="bulk", skip=1, times=None)
    send(campaign_id="spring", max_in_flight=1)
    connected.clear_faults()
    database.fill([*PEOPLE[:-1], (deliverable(999), "Somebody new", 1)])
    task, _ = send(campaign_id="spring")
    assert (task.state, len(connected.ledger)) == ("failed", 100)
    task, summary = send(campaign_id="spring", on_plan_change="continue")
    assert (task.state, summary["accepted"]) == ("success", 250)
    assert connected.ledger.numbers()[deliverable(999)] == 1
    assert len(connected.ledger) == len(connected.ledger.numbers()) == 250


def operator(**kwargs):
    kwargs = {"sql": QUERY, "text": TEXT, "to_column": "phone", "conn_id": "warehouse"} | kwargs
    return SqlToInstasentOperator(task_id="send", **kwargs)


@pytest.mark.parametrize("kind", ["cursor", "dictcursor", "realdictcursor", "namedtuplecursor"])
def test_rows_are_read_whatever_cursor_the_connection_is_set_up_for(postgres, monkeypatch, kind):
    fields = json.loads(postgres.airflow_connection) | {"extra": {"cursor": kind} if kind != "cursor" else {}}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(fields))
    made = operator(sql="SELECT '+34600000001' AS phone, 'Ana' AS name").make_rows({})
    try:
        rows = list(made)
    except ValueError as error:
        pytest.skip(f"Airflow itself refuses it: {error}")
    assert rows == [{"phone": "+34600000001", "name": "Ana"}]


def test_postgres_sends_the_rows_as_they_are_asked_for(postgres, monkeypatch):
    fields = json.loads(postgres.airflow_connection) | {"extra": {"options": f"-c statement_timeout={LONG * 1000:.0f}"}}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(fields))
    # An ordinary cursor would fetch a thousand million rows first: hours, and more memory than there is.
    rows = operator(sql="SELECT '+34600000001' AS phone, generate_series(1, 1000000000) AS name").make_rows({})
    assert [row["name"] for row in islice(rows, 5_000)] == list(range(1, 5_001))
    (open_cursors,) = postgres.run("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'FETCH FORWARD%instasent%'")
    rows.close()
    assert open_cursors == (1,)
    assert_none_left(
        postgres,
        # Not this question itself: the session that asked it last may still be ending.
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%instasent_%' AND query NOT LIKE 'SELECT count%'",
    )


def assert_none_left(postgres, count):
    """Ask until the count is 0: a server ends a session some time after its client has closed it."""
    wait_until(lambda: postgres.run(count) == [(0,)], "the end of the session", look=0.05)


def test_memory_stays_flat(database):
    """400,000 rows of 300 bytes: 120 MB for a cursor that fetches them all."""
    pad = "printf('%.300c', 'x')" if database.kind == "sqlite" else "repeat('x', 300)"
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000) SELECT i FROM n"
    if database.kind == "postgres":
        numbers = "SELECT generate_series(1, 400000) AS i"
    process, most, read = psutil.Process(), 0, 0
    before = process.memory_info().rss
    for _ in operator(sql=f"SELECT '+34600000001' AS phone, {pad} AS name FROM ({numbers}) AS numbers").make_rows({}):
        read += 1
        if read % 20_000 == 0:
            most = max(most, process.memory_info().rss - before)
    assert read == 400_000
    assert most < 30 * 2**20


def test_a_connection_that_is_no_database_is_refused(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps({"conn_type": "instasent"}))
    with pytest.raises(ConfigurationError, match="`conn_id`"):
        next(operator(conn_id="mail").make_rows({}))


def test_a_driver_without_a_server_side_cursor_gives_its_own():
    with closing(sqlite3.connect(":memory:")) as opened, closing(streaming_cursor(opened)) as cursor:
        assert type(cursor) is sqlite3.Cursor


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [({"text": " "}, "`text`"), ({"messages": []}, "`messages`"), ({"recipients": "people.csv"}, "`recipients`")],
)
def test_a_wrong_parameter_is_named_when_the_dag_is_parsed(kwargs, words):
    with pytest.raises(ValueError, match=words):
        operator(**kwargs)


CHANGES = {
    "update": "UPDATE people SET name = 'x'",
    "cte": "WITH gone AS (DELETE FROM people RETURNING phone, name) SELECT phone, name FROM gone",
    "two": "SELECT phone, name FROM people; DELETE FROM people",
    "returning": "/* all */ DELETE FROM people RETURNING phone, name",
    "file": "changes.sql",
    "template": "{{ params.verb }} FROM people",
}


@pytest.mark.parametrize("preview", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_the_database_is_refused_before_it_does(database, connected, send, tmp_path, change, preview):
    (tmp_path / "changes.sql").write_text("-- {{ run_id }}\nDELETE FROM people;\n")
    task, _ = send(sql=CHANGES[change], preview=preview, params={"verb": "DELETE"}, text="hello")
    assert (task.state, task.try_number) == ("failed", 1)
    assert connected.requests.total == 0
    assert send(preview=True)[1]["total"] == 250, "all rows are there, by their names"
