# SPDX-License-Identifier: Apache-2.0

"""What the author wrote is what arrives, also where a DAG renders natively and it looks like a Python literal."""

from __future__ import annotations

import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from support.airflow_home import returned, run_dag
from support.delivery import accepted
from support.events import LONG
from support.instasent_connection import connection

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.notifications.sms import InstasentNotifier
from airflow_provider_instasent.operators.history import InstasentSmsHistoryOperator
from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator, InstasentSendSmsOperator
from airflow_provider_instasent.provider_info import get_provider_info
from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor
from airflow_provider_instasent.transfers.sql_to_sms import SqlToInstasentOperator

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.parametrize("native", [False, True], ids=["text", "native"]),
    # Airflow 2.11's own paths warn of universal-pathlib's future.
    pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning"),
]

SPAIN = "+34600000010"
"""As an int it is 34600000010, which in Germany is a number, too: a stranger's."""
TEXTS = [SPAIN, "0034600000010", "1e5", "123456", "'quoted'", '"quoted"', "[1, 2]", "{'a': 1}", "True", "0x10", "1_000"]
TEXTS += ["1,2", "...", "b'x'", "-0.0", "(1)"]


@pytest.fixture
def connected(sandbox, monkeypatch):
    """The sandbox, behind a connection of somebody in Germany."""
    extra = {"sender": "Acme", "default_region": "DE"}
    for name in ("INSTASENT_DEFAULT", "A1E5"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", connection(sandbox.url, password=sandbox.token, extra=extra))
    return sandbox


@pytest.fixture
def new_dag(request, native):
    name = re.sub(r"\W", "_", request.node.name)

    def make(**options):
        options |= {"render_template_as_native_obj": native}
        return DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False, **options)

    return make


@pytest.fixture
def common(tmp_path):
    return {"journal_path": str(tmp_path / "journal"), "retries": 0, "retry_delay": timedelta(0)}


def received(sandbox):
    return sorted((message.to, message.text) for message in sandbox.ledger)


def succeed(dag):
    run = run_dag(dag)
    assert run.state == "success"
    return run


def test_a_single_send(connected, new_dag, common):
    with new_dag(params={"number": SPAIN, "texts": TEXTS, "code": 5}) as dag:
        for index, text in enumerate(TEXTS):
            InstasentSendSmsOperator(task_id=f"plain{index}", to=SPAIN, text=text, **common)
            template = f"{{{{ params.texts[{index}] }}}}"
            InstasentSendSmsOperator(task_id=f"template{index}", to="{{ params.number }}", text=template, **common)
        InstasentSendSmsOperator(
            task_id="code",
            to="{{ params.number }}",
            text="{{ params.code }}",
            sender="{{ '007' }}",
            instasent_conn_id="{{ 'a1e5' }}",
            **common,
        )
    succeed(dag)
    assert received(connected) == sorted([(SPAIN, text) for text in [*TEXTS, *TEXTS, "5"]])
    assert "007" in {message.sender for message in connected.ledger}


def test_messages_and_senders(connected, new_dag, common):
    with new_dag(params={"number": SPAIN, "texts": TEXTS, "code": 5}) as dag:
        InstasentBulkSmsOperator(
            task_id="send",
            messages=[
                *({"to": SPAIN, "text": text, "client_id": f"1e{index}"} for index, text in enumerate(TEXTS)),
                *({"to": "{{ params.number }}", "text": f"+{{{{ params.texts[{index}] }}}}"} for index in range(9)),
                {"to": SPAIN, "text": "{{ params.code }}"},
            ],
            sender="1000",
            campaign_id="{{ run_id }}/1e5",
            **common,
        )
    succeed(dag)
    expected = [*TEXTS, *(f"+{text}" for text in TEXTS[:9]), "5"]
    assert received(connected) == sorted([(SPAIN, text) for text in expected])
    assert {message.sender for message in connected.ledger} == {"1000"}
    assert {"1e0", "1e5"} <= {message.client_id for message in connected.ledger}


def test_recipients_and_who_is_left_out(connected, new_dag, common):
    people = ["+34600000010", "+34600000020", "{{ '+34600000030' }}", 34600000040, {"to": "+34600000050"}]
    with new_dag(params={"opted_out": "+34600000020"}) as dag:
        InstasentBulkSmsOperator(
            task_id="send",
            recipients=[*people[:3], {"to": "0034600000060"}],
            suppress=["{{ params.opted_out }}", "+34600000030"],
            text="Hello {{ row.to }}",
            **common,
        )
    succeed(dag)
    # What comes of a row is never rendered by Airflow, and comes as it was written.
    assert received(connected) == [
        ("+34600000010", "Hello +34600000010"),
        ("+34600000060", "Hello 0034600000060"),
    ]


@pytest.mark.parametrize("from_template", [True, False])
def test_a_list_of_whom_to_leave_out_that_came_to_nothing_is_an_error(connected, new_dag, common, from_template):
    @task
    def opted_out():
        return None

    with new_dag() as dag:
        out = opted_out()
        suppress = "{{ ti.xcom_pull(task_ids='opted_out') }}" if from_template else out
        settings = {**common, "retries": 2}
        out >> InstasentBulkSmsOperator(task_id="send", recipients=[SPAIN], suppress=suppress, text="hello", **settings)
    run = run_dag(dag)
    assert (run.get_task_instance("send").state, run.get_task_instance("send").try_number) == ("failed", 1)
    assert connected.requests.total == 0


@pytest.mark.parametrize("name", ["sender", "results_path"])
def test_no_value_is_as_if_left_out_and_never_a_word(connected, new_dag, common, name, native):
    with new_dag(params={"nothing": None}) as dag:
        InstasentBulkSmsOperator(
            task_id="send", recipients=[SPAIN], text="hello", **common, **{name: "{{ params.nothing }}"}
        )
    run = run_dag(dag)
    assert run.state == ("success" if native else "failed")
    assert [message.sender for message in connected.ledger] == ["Acme"] * native


def test_a_list_from_upstream_stays_one(connected, new_dag, common, native):
    people = [{"to": SPAIN, "text": text} for text in [*TEXTS, "{{ 7 * 7 }}"]]

    @task
    def make():
        return people

    @task
    def opted_out():
        return ["+34600000099"]

    with new_dag() as dag:
        made, out = make(), opted_out()
        InstasentBulkSmsOperator(task_id="output", messages=made, suppress=out, **common)
        if native:
            template = "\n{{ ti.xcom_pull(task_ids='%s') }}\n"
            sent = InstasentBulkSmsOperator(
                task_id="template", messages=template % "make", suppress=template % "opted_out", **common
            )
            [made, out] >> sent
    succeed(dag)
    assert received(connected) == sorted((one["to"], one["text"]) for one in people * (1 + native))


def test_mapped_sends_get_what_upstream_returned(connected, new_dag, common):
    texts = ["{{ 7 * 7 }}", "'quoted'", SPAIN, "1e5"]

    @task
    def make():
        return texts

    with new_dag() as dag:
        InstasentSendSmsOperator.partial(task_id="send", to=SPAIN, **common).expand(text=make())
        InstasentSendSmsOperator.partial(task_id="literal", text="{{ '0042' }}", **common).expand(to=[SPAIN])
    succeed(dag)
    assert received(connected) == sorted((SPAIN, text) for text in [*texts, "0042"])


def test_a_function_gets_its_arguments_as_they_were_written(connected, new_dag, common, native):
    (registered,) = get_provider_info()["task-decorators"]
    module, name = registered["class-name"].rsplit(".", 1)
    instasent_bulk = getattr(import_module(module), name)

    with new_dag(params={"number": SPAIN, "limit": 5}) as dag:

        @instasent_bulk(**common)
        def campaign(number, text, limit, nested):
            assert (number, nested) == (SPAIN, {"codes": ["1e5", "'quoted'"]})
            assert limit == (5 if native else "5")
            return [{"to": number, "text": text}]

        campaign("{{ params.number }}", "123456", limit="{{ params.limit }}", nested={"codes": ["1e5", "'quoted'"]})
    succeed(dag)
    assert received(connected) == [(SPAIN, "123456")]


def test_lookups(connected, new_dag, common):
    settings = {"poll_interval": 0.05, "timeout": LONG, **common}
    with new_dag(params={"number": "+34600000020"}) as dag:
        InstasentLookupOperator(task_id="one", to=SPAIN, **settings)
        InstasentLookupOperator(task_id="more", to=["{{ params.number }}", {"to": "0034600000030"}], **settings)
    run = succeed(dag)
    looked_up = [row["to"] for name in ("one", "more") for row in returned(run, name)["lookups"]]
    assert looked_up == [SPAIN, "+34600000020", "+34600000030"]


def test_ids_of_digits_and_letters(connected, new_dag):
    """Ids such as `1e5` are read as they are: the API is asked for them, and for nothing else."""
    ids = ["123e4567", "0017", "1_000"]
    with new_dag(params={"id": ids[1]}) as dag:
        settings = {"poke_interval": 0.05, "timeout": 0.5, "retries": 0, "deferrable": False}
        InstasentDeliverySensor(task_id="one", message_ids=ids[0], **settings)
        InstasentDeliverySensor(task_id="more", message_ids=["{{ params.id }}", ids[2]], **settings)
    run = run_dag(dag)
    found = {**returned(run, "one")["statuses"], **returned(run, "more")["statuses"]}
    assert list(found) == ids


def test_a_sensor_waits_for_a_list(connected, new_dag, native):
    connected.configure(final_after=0.0)
    ids = accepted(connected, "001", "002")

    @task
    def send():
        return ids

    with new_dag() as dag:
        sent = send()
        settings = {"poke_interval": 0.05, "timeout": LONG, "retries": 2, "deferrable": False}
        InstasentDeliverySensor(task_id="output", message_ids=sent, **settings)
        sent >> InstasentDeliverySensor(
            task_id="template", message_ids="{{ ti.xcom_pull(task_ids='send') }}", **settings
        )
    run = run_dag(dag)
    assert returned(run, "output")["delivered"] == 2
    template = run.get_task_instance("template")
    # Text that was a list is nobody's id, and no retry makes it one.
    assert (template.state, template.try_number) == (("success", 1) if native else ("failed", 1))


def test_rows_of_a_query(connected, new_dag, common, tmp_path, monkeypatch, native):
    import sqlite3

    file = tmp_path / "people.db"
    with closing(sqlite3.connect(file)) as database, database as opened:
        opened.execute("CREATE TABLE people (phone TEXT, word TEXT, age INTEGER)")
        opened.executemany("INSERT INTO people VALUES (?, ?, ?)", [(SPAIN, "1e5", 5), (SPAIN, "x", 6)])
    monkeypatch.setenv("AIRFLOW_CONN_PEOPLE", f'{{"conn_type": "sqlite", "host": "{file}"}}')
    with new_dag(params={"age": 5}) as dag:
        SqlToInstasentOperator(
            task_id="send",
            sql="SELECT phone, word FROM people WHERE word = ? AND typeof(?) = ?",
            conn_id="people",
            parameters=["1e5", "{{ params.age }}", "integer" if native else "text"],
            to_column="phone",
            text="{{ row.word }}",
            **common,
        )
    succeed(dag)
    assert received(connected) == [(SPAIN, "1e5")]


def test_paths_of_digits(connected, new_dag, common, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1e5.csv").write_text(f"to\n{SPAIN}\n")
    with new_dag() as dag:
        settings = {"recipients": str(tmp_path / "1e5.csv"), "text": "hello", "results_path": str(tmp_path / "1e6")}
        InstasentBulkSmsOperator(task_id="send", **settings, **common)
        InstasentSmsHistoryOperator(
            task_id="history", results_path=str(tmp_path / "1.jsonl"), since="2020-01-01", until_id="1e5"
        )
    succeed(dag)
    assert received(connected) == [(SPAIN, "hello")]
    assert (tmp_path / "1e6").exists()


@pytest.mark.parametrize("to", [SPAIN, [SPAIN], "{{ params.number }}", ["{{ params.number }}"]], ids=str)
@pytest.mark.parametrize("text", ["123456", "'quoted'", SPAIN, "[1, 2]", "{{ params.text }}"])
def test_alerts(connected, new_dag, to, text):
    notifier = InstasentNotifier(to=to, text=text, sender="1000")
    with new_dag(params={"number": SPAIN, "text": "1e5"}) as dag:

        @task(on_success_callback=notifier)
        def done():
            pass

        done()
    succeed(dag)
    assert received(connected) == [(SPAIN, "1e5" if "{{" in text else text)]
    assert [message.sender for message in connected.ledger] == ["1000"]
