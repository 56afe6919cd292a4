# SPDX-License-Identifier: Apache-2.0

"""The mapped campaign: whatever is tried again, cleared or found at another place in the list is sent once."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.airflow_home import run_dag
from support.examples import FOLDER, load
from support.instasent_connection import connection

REGIONS = FOLDER / "data" / "regions"
FILES = ["center.csv", "north.csv", "south.csv"]

pytestmark = [
    pytest.mark.airflow,
    # Airflow 2.11's own paths warn of universal-pathlib's future.
    pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning"),
    # To render a `map_index_template`, Airflow 2.11 reads the whole context, and warns of that.
    pytest.mark.filterwarnings("ignore:Accessing .* from the template is deprecated"),
]


class Sent(NamedTuple):
    """What a mapped task says of its file."""

    campaign_id: str
    accepted: int
    tries: int


@pytest.fixture
def example(sandbox, monkeypatch, tmp_path):
    """The example's module, with a journal of this test's own."""
    extra = {"sender": "Acme", "default_region": "ES"}
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_SANDBOX", connection(sandbox.url, extra=extra))
    with monkeypatch.context() as while_loading:
        while_loading.setenv("AIRFLOW_HOME", str(tmp_path))
        module = load("example_mapped_campaign")
    module.dag.get_task("send").partial_kwargs["retry_delay"] = timedelta(0)
    return module


@pytest.fixture
def regions(tmp_path):
    """A folder of files, in which a test may put more."""
    folder = tmp_path / "regions"
    folder.mkdir()
    for name in reversed(FILES):  # so that the order of their making is not the order of their names
        (folder / name).write_bytes((REGIONS / name).read_bytes())
    return folder


def everybody(folder=REGIONS):
    """How often each number is in the files, in E.164."""
    rows = [row for path in folder.iterdir() for row in csv.DictReader(path.read_text("utf-8").splitlines())]
    numbers = [row["to"].replace(" ", "") for row in rows]
    return Counter(number if number.startswith("+") else f"+34{number}" for number in numbers)


def sent(run: Any) -> list[Sent]:
    """What each mapped task says of its file, by map index."""
    tasks = [one for one in run.get_task_instances() if one.task_id == "send"]
    told = []
    for one in sorted(tasks, key=lambda task: task.map_index):
        result = one.xcom_pull(task_ids="send", map_indexes=one.map_index)
        told.append(Sent(result["campaign_id"], result["accepted"], one.try_number))
    return told


def test_each_file_is_a_campaign_and_each_number_gets_one_message(example, sandbox):
    run = run_dag(example.dag)
    assert run.state == "success"
    assert sent(run) == [Sent("regions/center", 3, 1), Sent("regions/north", 2, 1), Sent("regions/south", 4, 1)]
    assert sandbox.ledger.numbers() == everybody() == Counter(dict.fromkeys(everybody(), 1))
    assert {message.text for message in sandbox.ledger} >= {"Rocío, the shop near you opens on Monday"}
    instances = [one for one in run.get_task_instances() if one.task_id == "send"]
    assert {(one.pool, one.rendered_map_index) for one in instances} == {
        ("instasent", f"regions/{Path(name).stem}") for name in FILES
    }


def test_each_file_has_a_results_file_of_its_own(example, sandbox):
    run_dag(example.dag)
    found = {}
    for path in Path(example.FOLDER, "regions").iterdir():
        found[path.name] = [json.loads(line) for line in path.read_text().splitlines()]
    assert {name: len(lines) for name, lines in found.items()} == {
        "center.jsonl": 3,
        "north.jsonl": 2,
        "south.jsonl": 4,
    }
    ids = [line["id"] for lines in found.values() for line in lines]
    assert sorted(ids) == sorted(message.id for message in sandbox.ledger)


def test_a_retry_sends_nothing_twice(example, sandbox):
    def fail_at_first(context, result):
        if context["ti"].try_number == 1 and context["ti"].map_index > 0:
            raise RuntimeError("after the send, before the task was done")

    example.dag.get_task("send").partial_kwargs["post_execute"] = fail_at_first
    sandbox.fault("cut_after", endpoint="bulk")  # and of one file the answer is lost
    run = run_dag(example.dag)
    assert run.state == "success"
    assert [(one.accepted, one.tries) for one in sent(run)] == [(3, 1), (2, 2), (4, 2)]
    assert sandbox.ledger.numbers() == everybody()
    assert len(sandbox.requests.records("bulk")) == len(FILES)


def test_cleared_tasks_send_nothing_twice(example, sandbox):
    from support.clearing import ClearOnce

    example.dag.get_task("send") >> ClearOnce(task_id="clear", target="send", dag=example.dag)
    run = run_dag(example.dag)
    assert run.state == "success"
    assert [(one.accepted, one.tries) for one in sent(run)] == [(3, 2), (2, 2), (4, 2)]
    assert sandbox.ledger.numbers() == everybody()
    assert len(sandbox.requests.records("bulk")) == len(FILES)


def test_a_file_that_comes_in_between_is_all_that_the_next_run_sends(example, regions, sandbox):
    assert run_dag(example.dag, run_conf={"folder": str(regions)}).state == "success"
    before = len(sandbox.ledger)
    (regions / "coast.csv").write_text("to,name\n+34600000231,Mar\n", "utf-8")
    run = run_dag(example.dag, run_conf={"folder": str(regions)})
    assert run.state == "success"
    assert [one.campaign_id for one in sent(run)] == [
        "regions/center",
        "regions/coast",  # where `north` was
        "regions/north",
        "regions/south",
    ]
    assert [message.to for message in sandbox.ledger][before:] == ["+34600000231"]
    assert sandbox.ledger.numbers() == everybody(regions)


def test_a_file_that_changed_since_it_was_sent_fails_and_sends_nothing(example, regions, sandbox):
    assert run_dag(example.dag, run_conf={"folder": str(regions)}).state == "success"
    before = sandbox.ledger.numbers()
    with (regions / "north.csv").open("a", encoding="utf-8") as rows:
        rows.write("+34600000241,Olmo\n")
    run = run_dag(example.dag, run_conf={"folder": str(regions)})
    states = {one.map_index: (str(one.state), one.try_number) for one in run.get_task_instances() if one.map_index >= 0}
    assert states == {0: ("success", 1), 1: ("failed", 1), 2: ("success", 1)}
    assert sandbox.ledger.numbers() == before


def test_a_file_that_one_run_could_not_send_is_sent_by_the_next(example, sandbox):
    sandbox.fault("no_funds", endpoint="bulk")
    assert run_dag(example.dag).state == "failed"
    assert 0 < len(sandbox.ledger) < everybody().total()
    run = run_dag(example.dag)
    assert run.state == "success"
    assert [one.accepted for one in sent(run)] == [3, 2, 4]
    assert sandbox.ledger.numbers() == everybody()
