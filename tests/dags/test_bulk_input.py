# SPDX-License-Identifier: Apache-2.0
"""What people bring to a campaign: who is texted, and who must not be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from support.airflow_home import airflow_version, returned, run_dag
from support.sandbox import deliverable

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

pytestmark = pytest.mark.airflow

NUMBERS = [deliverable(place) for place in range(3)]


@pytest.fixture
def run(request, tmp_path, connected):
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)

    def run(**parameters):
        with DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False) as dag:
            settings = {
                "task_id": "send",
                "text": "Hi {{ row.name }}",
                "journal_path": f"file://{tmp_path}/journal",
                "unconfirmed_grace": 0.0,
                "retries": 2,
                "retry_delay": timedelta(0),
            }
            InstasentBulkSmsOperator(**{**settings, **parameters})
        return run_dag(dag)

    return run


@pytest.fixture
def written(tmp_path):
    def written(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return written


def texts(sandbox):
    return {message.to: message.text for message in sandbox.ledger}


def tries_of(run, task_id="send"):
    return next(ti.try_number for ti in run.get_task_instances() if ti.task_id == task_id)


def test_a_file_of_a_spreadsheet_is_read_as_it_is(connected, run, written):
    first, second, third = NUMBERS
    people = f'"Muñoz; ""la jefa""\nAna";\'{first};1,5\r\nLeo;00{second[1:]};\r\nEva;{third[3:]};\r\n'
    content = f"sep=;\r\nname;to;x\r\n{people};;\r\n"
    ended = run(recipients=written("people.csv", content.encode("utf-16")))
    assert ended.state == "success"
    assert texts(connected) == {first: 'Hi Muñoz; "la jefa"\nAna', second: "Hi Leo", third: "Hi Eva"}


@pytest.mark.parametrize(
    "content",
    [
        'to,name\n{0},"Ana\n{1},Leo\n{2},Eva\n',
        'to,name\n{0},"Ana\n{1},Leo"\n{2},Eva\n',
        'to,name\n{0},Ana\n{1},"Leo”\n{2},"Eva”\n',
        "to;name\n{0};Ana\n{1};Leo\n{2}.00;Eva\n",
        "to,name\n{0},Ana\n{1}/2,Leo\n{2},Eva\n",
        "to,name\n{0},Ana\n6OO OOO OO1,Leo\n{2},Eva\n",
        '{{"to": "{0}", "name": "Ana"}}\n{{"to": 3.46E+10, "name": "Leo"}}\n{{"to": 3.46E+10, "name": "Eva"}}\n',
        '{{"to": "{0}", "name": "Ana"}}\n{{"to": "{1}", "name": NaN}}\n{{"to": "{2}", "name": ["Eva"]}}\n',
    ],
)
def test_a_file_with_a_doubtful_row_texts_nobody(connected, run, written, content):
    name = "people.jsonl" if content.startswith("{{") else "people.csv"
    ended = run(recipients=written(name, content.format(*NUMBERS)))
    assert (ended.state, tries_of(ended)) == ("failed", 1)
    assert connected.ledger.accepted == 0


@pytest.mark.parametrize(
    "content",
    [
        'to,reason\n{0},"stop\n{1},x\n',
        'to,reason\n{0},"stop\n{1},x"\n',
        "{0}\n6OO OOO OO1\n",
        "to\n{0}\n{1}.00\n",
        "{0};{1}\n",
        "to,reason\n{0},x\n{1}\n",
        "to\n{0}\n\xff\n",
    ],
)
def test_a_doubtful_suppression_list_texts_nobody(connected, run, written, content):
    path = written("stop.csv", content.format(*NUMBERS).encode("latin-1"))
    ended = run(recipients=NUMBERS, text="Hi", suppress=path)
    assert (ended.state, tries_of(ended)) == ("failed", 1)
    assert connected.ledger.accepted == 0


def test_a_list_of_opted_out_numbers_without_a_name_protects_the_first_too(connected, run, written):
    ended = run(recipients=NUMBERS, text="Hi", suppress=written("stop.csv", f"{NUMBERS[0]}\n{NUMBERS[2]}\n"))
    assert ended.state == "success"
    assert set(texts(connected)) == {NUMBERS[1]}


@pytest.mark.parametrize(
    ("recipients", "parameters"),
    [
        (["6OO", "7OO"], {}),
        ([None, "600.00"], {}),
        ([*NUMBERS, "6OO"], {"max_invalid_ratio": 0.2}),
        (NUMBERS, {"suppress": NUMBERS}),
    ],
)
def test_where_nothing_or_too_little_is_left_the_task_fails(connected, run, recipients, parameters):
    ended = run(recipients=recipients, text="Hi", on_invalid="skip", **parameters)
    assert (ended.state, tries_of(ended)) == ("failed", 1)
    assert connected.ledger.accepted == 0


def test_a_few_bad_rows_may_be_left_out(connected, run):
    ended = run(recipients=[*NUMBERS, "6OO"], text="Hi", on_invalid="skip", max_invalid_ratio=0.25)
    assert ended.state == "success"
    assert {name: returned(ended, "send")[name] for name in ("rows", "accepted", "invalid")} == {
        "rows": 4,
        "accepted": 3,
        "invalid": 1,
    }


@pytest.mark.skipif(
    airflow_version() < (3, 3) and pd.__version__ >= "3",
    reason="Airflow below 3.3 keeps no data frame of pandas 3 in XCom",
)
def test_a_data_frame_from_upstream_has_rows(connected, tmp_path):
    @task
    def people():
        return pd.DataFrame({"to": [*NUMBERS, None], "name": ["Ana", None, "Eva", None]})

    with DAG("data_frame", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False) as dag:
        InstasentBulkSmsOperator(
            task_id="send",
            recipients=people(),
            text="Hi {{ row.name | default('you') }}",
            journal_path=f"file://{tmp_path}/journal",
            retries=0,
        )
    assert run_dag(dag).state == "success"
    assert texts(connected) == dict(zip(NUMBERS, ["Hi Ana", "Hi you", "Hi Eva"], strict=True))


def test_a_data_frame_in_the_dag_file_has_rows_too(connected, run):
    assert run(recipients=pd.DataFrame({"to": NUMBERS, "name": ["Ana", "Leo", "Eva"]})).state == "success"
    assert set(texts(connected)) == set(NUMBERS)


def test_a_decomposed_letter_costs_one_part_and_is_the_same_text(connected, run):
    text = "mañana " * 20
    decomposed = text.replace("ñ", "n\u0303")
    messages = [{"to": NUMBERS[0], "text": decomposed}, {"to": NUMBERS[0], "text": text}]
    ended = run(messages=messages, recipients=None, text=None)
    assert ended.state == "success"
    assert {name: returned(ended, "send")[name] for name in ("accepted", "duplicates", "parts")} == {
        "accepted": 1,
        "duplicates": 1,
        "parts": 1,
    }
    assert texts(connected) == {NUMBERS[0]: text}
