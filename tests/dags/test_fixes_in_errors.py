# SPDX-License-Identifier: Apache-2.0

"""Errors of a task or of a DAG file that cannot be parsed say what to do, and where nothing will change, once."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import pytest
from support.airflow_home import run_dag

from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
from airflow_provider_instasent.operators.sms import (
    InstasentBulkSmsOperator,
    InstasentSendSmsOperator,
    InstasentSmsHistoryOperator,
)
from airflow_provider_instasent.sensors.account import InstasentBalanceSensor
from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor
from airflow_provider_instasent.transfers.sql_to_sms import SqlToInstasentOperator

pytestmark = pytest.mark.airflow

NUMBER = "+34600000001"
BULK = {"operator": InstasentBulkSmsOperator, "text": "hello"}
SINGLE = {"operator": InstasentSendSmsOperator, "to": NUMBER, "text": "hello"}
SENSOR = {"operator": InstasentDeliverySensor}
WITH_JOURNAL = {InstasentBulkSmsOperator, InstasentSendSmsOperator, InstasentLookupOperator, SqlToInstasentOperator}
AZURE = "pip install 'apache-airflow-providers-microsoft-azure'"
S3 = "pip install 'apache-airflow-providers-amazon[s3fs]'"


@pytest.fixture
def new_dag(request):
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    return lambda **options: DAG(
        name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, **options
    )


@pytest.fixture
def fails(connected, new_dag, caplog, capfd, tmp_path):
    """Runs one task with retries, which must fail in its first try without a request; returns the log."""
    caplog.set_level("INFO")

    def run(operator, **parameters):
        if operator in WITH_JOURNAL:
            parameters = {"journal_path": f"file://{tmp_path}/journal", **parameters}
        with new_dag() as dag:
            operator(task_id="send", retries=2, retry_delay=timedelta(0), **parameters)
        (instance,) = run_dag(dag).get_task_instances()
        printed, errors = capfd.readouterr()
        assert (instance.state, instance.try_number) == ("failed", 1)
        assert not [one for one in connected.requests.records() if one.endpoint in {"send", "bulk", "lookup"}]
        return caplog.text + printed + errors

    return run


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({**BULK, "recipients": "/no/such/people.csv"}, "`recipients`: there is no file at /no/such/people.csv, or it"),
        (
            {**BULK, "recipients": [NUMBER], "suppress": "/no/stop.csv"},
            "`suppress`: there is no file at /no/stop.csv, or",
        ),
        ({**BULK, "recipients": NUMBER}, "`recipients` is a number and no path: numbers go in as a list"),
        ({**BULK, "recipients": "600 000 001; 600 000 002"}, "`recipients` is a number and no path"),
        ({**BULK, "recipients": "to\n600000001"}, "`recipients` is a text of several lines and no path"),
        (
            {**BULK, "recipients": "abfs://c@a/people.csv"},
            "abfs://c@a/people.csv is on a storage that this Airflow does not",
        ),
        ({**BULK, "recipients": "abfs://c@a/people.csv"}, AZURE),
        ({**BULK, "recipients": "abfs://key:pass4711@a/p.csv"}, "`recipients`: abfs://a/p.csv is on a storage"),
        ({**BULK, "recipients": [NUMBER], "results_path": "abfss://c@a/r.jsonl"}, AZURE),
        (
            {**BULK, "recipients": [NUMBER], "results_path": "zzz://c/r.jsonl"},
            "is the provider of its scheme installed?",
        ),
        ({**SINGLE, "journal_path": "adl://c/journal"}, AZURE),
        ({**SINGLE, "journal_path": "some/journal"}, "`journal_path` is some/journal: it must be absolute"),
        ({**SENSOR, "results_path": "abfs://c@a/r.jsonl"}, AZURE),
        ({"operator": InstasentLookupOperator, "to": "abfs://c@a/people.csv"}, AZURE),
        ({"operator": InstasentSmsHistoryOperator, "results_path": "abfs://c@a/r.jsonl"}, AZURE),
    ],
)
def test_a_path_that_leads_nowhere_is_named_and_what_to_install(fails, task, told):
    log = fails(**task)
    assert told in log
    assert "pass4711" not in "".join(line for line in log.splitlines() if "Exception: " in line)


@pytest.mark.parametrize("url", ["s3://bucket/people.csv", "s3://my_connection@bucket/people.csv"])
def test_s3_without_its_driver(fails, monkeypatch, url):
    monkeypatch.setenv("AIRFLOW_CONN_MY_CONNECTION", json.dumps({"conn_type": "aws"}))
    for module in [name for name in sys.modules if name.endswith("aws.fs.s3")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    log = fails(**BULK, recipients=url)
    assert S3 in log
    assert url in log


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("oracle", "pip install apache-airflow-providers-oracle"),
        ("mssql", "pip install apache-airflow-providers-microsoft-mssql"),
        ("gcpbigquery", "pip install apache-airflow-providers-google"),
        ("frobnicate", "is the provider of that database installed?"),
    ],
)
def test_a_database_without_its_provider(fails, monkeypatch, kind, fix):
    monkeypatch.setenv("AIRFLOW_CONN_DATABASE", json.dumps({"conn_type": kind, "host": "nowhere"}))
    log = fails(SqlToInstasentOperator, sql="SELECT 1", conn_id="database", text="hello")
    assert f"`conn_id` names a connection of type `{kind}`, and there is no hook for it here" in log
    assert fix in log


def test_a_list_that_only_the_run_shows_points_to_other_operators(fails):
    assert "send to many with InstasentBulkSmsOperator" in fails(**{**SINGLE, "to": "{{ ['+34600000001'] }}"})


ROWS = "rows belong to InstasentBulkSmsOperator, whose `text` is rendered once a row of `recipients`"
MANY = "send to many with InstasentBulkSmsOperator(recipients=…), or make a task for each"


@pytest.mark.parametrize(
    ("task", "told"),
    [
        ({**SINGLE, "to": [NUMBER]}, MANY),
        ({**SINGLE, "to": (NUMBER, NUMBER)}, MANY),
        ({**SINGLE, "to": {"to": NUMBER}}, MANY),
        ({**SINGLE, "to": f"['{NUMBER}']"}, MANY),
        ({**SINGLE, "text": "Dear {{ row.name }}"}, ROWS),
        ({**SINGLE, "text": "Dear {{ row['name'] | upper }}"}, ROWS),
        ({**SINGLE, "text": "{% if row.vip %}Hi{% endif %}"}, ROWS),
        ({**SINGLE, "to": "{{row.to}}"}, ROWS),
        ({"operator": InstasentLookupOperator, "to": "{{ row.to }}"}, ROWS),
        (
            {**BULK, "recipients": [NUMBER], "sender": "{{ row.sender }}"},
            "`sender` asks for `row`, but Airflow renders",
        ),
        (
            {"operator": InstasentBulkSmsOperator, "messages": [{"to": NUMBER, "text": "{{ row.x }}"}]},
            "`messages` asks for",
        ),
        ({**BULK, "recipients": [NUMBER], "on_invalid": "maybe"}, "`on_invalid` must be one of"),
        ({**BULK}, "give exactly one of `messages` and `recipients`"),
        ({**BULK, "recipients": [NUMBER], "max_xcom_ids": 5000, "wait_for_delivery": True}, "needs `results_path`"),
        ({**SINGLE, "timeout": -1}, "`timeout` must be a number above 0"),
        ({**SENSOR, "message_ids": ["a"], "poke_interval": 0}, "`poke_interval` must be a number above 0"),
        ({**SENSOR, "message_ids": ["a"], "results_path": "/r.jsonl"}, "give one of `message_ids` and `results_path`"),
        ({"operator": InstasentBalanceSensor, "min_available": 1, "timeout": 0}, "`timeout` must be a number above 0"),
        ({"operator": InstasentSmsHistoryOperator, "results_path": "/r.jsonl", "per_page": 0}, "`per_page` must be"),
        ({"operator": InstasentLookupOperator, "to": NUMBER, "max_xcom_rows": 0}, "`max_xcom_rows` must be"),
        ({"operator": SqlToInstasentOperator, "sql": "x", "conn_id": "y", "text": " "}, "`text` is the row template"),
    ],
)
def test_an_error_while_a_dag_is_parsed_names_the_task(new_dag, task, told):
    operator = task.pop("operator")
    with new_dag(), pytest.raises(Exception, match=r"^task `reminder`: ") as caught:
        operator(task_id="reminder", **task)
    assert told in str(caught.value)
    task["operator"] = operator


@pytest.mark.parametrize(
    "text",
    [
        "{% for row in params.rows %}{{ row.name }}{% endfor %}",
        "{% set row = params.row %}{{ row.name }}",
        "{{ params.row }}",
        "a row of {{ ds }}",
        "{{ rows }}",
        "{{ row.name",
    ],
)
def test_a_template_with_a_row_of_its_own_is_left_alone(new_dag, text):
    with new_dag():
        InstasentSendSmsOperator(task_id="reminder", to=NUMBER, text=text)


def test_a_dag_may_define_a_row(new_dag):
    with new_dag(user_defined_macros={"row": {"name": "Ana"}}):
        InstasentSendSmsOperator(task_id="reminder", to=NUMBER, text="{{ row.name }}")
