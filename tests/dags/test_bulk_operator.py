# SPDX-License-Identifier: Apache-2.0

"""The bulk operator as Airflow runs it, on every Airflow."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from pyarrow import parquet
from support.airflow_home import returned, run_dag
from support.sandbox import deliverable

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

pytestmark = pytest.mark.airflow

KEYS = {
    "campaign_id", "rows", "total", "gone", "accepted", "rejected", "unconfirmed", "planned", "invalid", "duplicates",
    "suppressed", "parts", "message_ids", "results_path",
}  # fmt: skip


@pytest.fixture
def new_dag(request):
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)

    def make(**options):
        return DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, **options)

    return make


@pytest.fixture
def send(tmp_path):
    def make(**parameters):
        settings = {
            "task_id": "send",
            "journal_path": f"file://{tmp_path}/journal",
            "unconfirmed_grace": 0.0,
            "retries": 1,
            "retry_delay": timedelta(0),
        }
        return InstasentBulkSmsOperator(**{**settings, **parameters})

    return make


def rows(total):
    return [{"to": deliverable(index), "name": f"N{index}"} for index in range(total)]


def write(path, kind, data):
    if kind == "csv":
        path.write_text("\ufeffto,name\n" + "".join(f"{row['to']},{row['name']}\n" for row in data))
    elif kind == "parquet":
        parquet.write_table(pa.Table.from_pylist(data), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in data))
    return path


def texts(sandbox):
    return {message.to: message.text for message in sandbox.ledger}


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_recipients_come_from_a_file(connected, new_dag, send, tmp_path, kind):
    path = write(tmp_path / f"people.{kind}", kind, rows(120))
    where = str(path) if kind == "csv" else f"file://{path}"
    with new_dag(params={"shop": "Acme"}) as dag:
        send(
            recipients="{{ params.where }}" if kind == "jsonl" else where,
            text="Hi {{ row.name }} from {{ params.shop }} {{ run_id }}",
            results_path=f"file://{tmp_path}/out/results.jsonl",
            params={"where": where},
        )
    run = run_dag(dag)
    assert run.state == "success"
    result = returned(run, "send")
    assert set(result) == KEYS
    assert (result["rows"], result["accepted"], len(result["message_ids"])) == (120, 120, 120)
    assert texts(connected) == {row["to"]: f"Hi {row['name']} from Acme {run.run_id}" for row in rows(120)}
    lines = [json.loads(line) for line in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == result["message_ids"]


def test_recipients_and_messages_come_from_upstream(connected, new_dag, send):
    @task
    def people():
        return [{"to": deliverable(1), "name": "{{ run_id }}"}, {"to": deliverable(2), "name": "B"}]

    @task
    def whole():
        return [{"to": deliverable(3), "text": "whole"}]

    with new_dag() as dag:
        send(task_id="send_rows", recipients=people(), text="Hi {{ row.name }}")
        send(task_id="send_whole", messages=whole())
        send(task_id="send_numbers", recipients=[deliverable(4), 600123123], text="Hi", sender="{{ dag.dag_id[:5] }}")
    assert run_dag(dag).state == "success"
    assert texts(connected) == {
        deliverable(1): "Hi {{ run_id }}",  # a row's value is text, not a template
        deliverable(2): "Hi B",
        deliverable(3): "whole",
        deliverable(4): "Hi",
        "+34600123123": "Hi",
    }


def test_a_list_rendered_into_a_string_says_how_to_pass_one(connected, new_dag, send):
    @task
    def whole():
        return [{"to": deliverable(3), "text": "whole"}]

    with new_dag() as dag:
        whole() >> [
            send(task_id="messages", messages="{{ ti.xcom_pull(task_ids='whole') }}"),
            send(task_id="recipients", recipients="{{ ti.xcom_pull(task_ids='whole') }}", text="t"),
        ]
    run = run_dag(dag)
    assert {run.get_task_instance(name).state for name in ("messages", "recipients")} == {"failed"}
    assert {run.get_task_instance(name).try_number for name in ("messages", "recipients")} == {1}
    assert connected.requests.total == 0


def test_mapped_tasks_send_one_file_each(connected, new_dag, tmp_path):
    paths = [str(write(tmp_path / f"{part}.jsonl", "jsonl", rows(60)[part * 30 : part * 30 + 30])) for part in range(2)]
    with new_dag() as dag:
        InstasentBulkSmsOperator.partial(
            task_id="send", text="Hi {{ row.name }}", journal_path=f"file://{tmp_path}/journal"
        ).expand(recipients=paths)
    run = run_dag(dag)
    assert run.state == "success"
    assert len(texts(connected)) == 60 == len(connected.ledger)
    last = run.get_task_instance("send", map_index=1)
    assert last.xcom_pull(task_ids="send", map_indexes=1)["accepted"] == 30


def test_a_preview_sends_nothing_and_tells_what_it_would(connected, new_dag, send):
    with new_dag() as dag:
        send(
            recipients=[*rows(5), {"to": "1", "name": "x"}, *rows(2)],
            text="Hi {{ row.name }}",
            preview="{{ 1 == 1 }}",
            suppress=[deliverable(4)],
            max_messages=3,
            max_total_parts=100,
        )
    run = run_dag(dag)
    assert run.state == "success"
    told = returned(run, "send")
    counts = [told[name] for name in ("total", "invalid", "suppressed", "duplicates")]
    assert (told["preview"], counts) == (True, [4, 1, 1, 2])
    assert "row 5" in told["refused"]
    assert connected.requests.total == 0


def test_a_lost_answer_is_found_and_an_outage_is_retried(connected, new_dag, send):
    connected.fault("cut_after", endpoint="bulk")
    connected.fault("error_before", endpoint="bulk", skip=1, times=1)
    with new_dag() as dag:
        send(recipients=rows(350), text="Hi {{ row.name }}", on_unconfirmed="resend", max_in_flight=2)
    run = run_dag(dag)
    assert run.state == "success"
    assert returned(run, "send")["accepted"] == 350
    assert set(connected.ledger.numbers().values()) == {1}


def test_no_funds_fail_without_retry_and_a_cleared_task_goes_on(connected, new_dag, send):
    connected.fault("no_funds", endpoint="bulk", skip=2, times=None)
    with new_dag() as dag:
        send(recipients=rows(500), text="Hi {{ row.name }}", max_in_flight=1, campaign_id="spring")
    run = run_dag(dag)
    sent = run.get_task_instance("send")
    assert (sent.state, sent.try_number) == ("failed", 1)
    left = returned(run, "send")
    assert (left["accepted"], left["planned"]) == (200, 300)
    connected.clear_faults()
    again = run_dag(dag)  # the same campaign, by its `campaign_id` and `journal_path`
    assert again.state == "success"
    assert returned(again, "send")["accepted"] == 500
    assert set(connected.ledger.numbers().values()) == {1}
    once_more = run_dag(dag)
    assert returned(once_more, "send")["message_ids"] == returned(again, "send")["message_ids"]
    assert len(connected.ledger) == 500


def test_a_bad_row_fails_without_a_request_and_without_retry(connected, new_dag, send):
    with new_dag() as dag:
        send(recipients=[*rows(10), {"to": "12", "name": "x"}], text="Hi {{ row.name }}")
    sent = run_dag(dag).get_task_instance("send")
    assert (sent.state, sent.try_number, connected.requests.total) == ("failed", 1, 0)


def test_without_a_place_for_a_journal_there_are_no_retries(connected, new_dag, send, monkeypatch):
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    with new_dag() as dag:
        send(task_id="retries", recipients=rows(3), text="Hi {{ row.name }}", journal_path=None)
        send(task_id="none", recipients=rows(3), text="Hi {{ row.name }}", journal_path=None, retries=0)
    run = run_dag(dag)
    assert {name: run.get_task_instance(name).state for name in ("retries", "none")} == {
        "retries": "failed",
        "none": "success",
    }
    assert len(connected.ledger) == 3


@pytest.mark.parametrize("order", [False, True])
def test_without_a_journal_a_cleared_task_is_refused(connected, new_dag, send, monkeypatch, order):
    from support.clearing import ClearOnce

    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")
    with new_dag() as dag:
        if order:
            first = InstasentLookupOperator(task_id="send", to=rows(3), wait=False, retries=0)
        else:
            first = send(recipients=rows(3), text="Hi {{ row.name }}", journal_path=None, retries=0)
        first >> ClearOnce(task_id="clear", target="send")
    run = run_dag(dag)
    ended = run.get_task_instance("send")
    assert (str(ended.state), ended.try_number) == ("failed", 2)
    assert (len(connected.ledger), len(connected.lookups)) == ((0, 3) if order else (3, 0))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "exactly one"),
        ({"messages": [], "recipients": [], "text": "t"}, "exactly one"),
        ({"messages": [], "text": "t"}, "`text`"),
        ({"recipients": []}, "needs a `text`"),
        ({"recipients": [], "text": " "}, "needs a `text`"),
        ({"messages": [], "on_invalid": "ignore"}, "`on_invalid`"),
        ({"messages": [], "on_unconfirmed": "retry"}, "`on_unconfirmed`"),
        ({"messages": [], "on_plan_change": "go"}, "`on_plan_change`"),
        ({"messages": [], "max_rejected_ratio": 1.5}, "`max_rejected_ratio`"),
        ({"messages": [], "max_messages": -1}, "`max_messages`"),
        ({"messages": [], "max_in_flight": 0}, "`max_in_flight`"),
        ({"messages": [], "max_xcom_ids": "many"}, "`max_xcom_ids`"),
        ({"messages": [], "unconfirmed_grace": -1}, "`unconfirmed_grace`"),
    ],
)
def test_a_wrong_parameter_is_named_while_the_dag_is_parsed(parameters, words):
    with pytest.raises(Exception, match=words):
        InstasentBulkSmsOperator(task_id="send", **parameters)


def test_a_literal_campaign_without_a_path_is_warned_of():
    with pytest.warns(UserWarning, match="without `journal_path`"):
        InstasentBulkSmsOperator(task_id="send", messages=[], campaign_id="spring")


def test_the_row_template_is_no_template_field():
    assert "text" not in InstasentBulkSmsOperator.template_fields
