# SPDX-License-Identifier: Apache-2.0

"""Every example DAG is run against the sandbox, and what was on the wire and in XCom is compared with its promise."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.airflow_home import run_dag
from support.examples import FOLDER, load
from support.instasent_connection import connection

from airflow_provider_instasent.compat import DAG

FILES = sorted(FOLDER.glob("*.py"))
LISTED = {
    "example_campaign",
    "example_delivery_sensor",
    "example_mapped_sends",
    "example_send_and_wait",
    "example_send_one",
}
RECIPIENTS, PARTS = 25, 27
ASYNCHRONOUS = "httpx"
"""How the asynchronous client, hence a trigger, and it alone calls itself."""

pytestmark = [
    pytest.mark.airflow,
    # Airflow 2.11's own paths warn of universal-pathlib's future.
    pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning"),
]


def connect(monkeypatch, host, **extra):
    extra = {"sender": "Acme", "default_region": "ES", **extra}
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_SANDBOX", connection(host, extra=extra))


def run_example(name):
    run = run_dag(load(name).dag)
    return run, {instance.task_id: instance.state for instance in run.get_task_instances()}


def results(run, task_id):
    """What each instance of a task returned, by map index."""
    instances = [one for one in run.get_task_instances() if one.task_id == task_id]
    return [
        one.xcom_pull(task_ids=task_id, map_indexes=one.map_index)
        for one in sorted(instances, key=lambda i: i.map_index)
    ]


def polled_by_the_triggerer(sandbox):
    asked = [*sandbox.requests.records("read"), *sandbox.requests.records("list")]
    return any(ASYNCHRONOUS in one.headers["user-agent"] for one in asked)


@pytest.fixture
def connected(sandbox, monkeypatch):
    """The sandbox, where nothing is final before a trigger asks for it, and the examples' connection to it."""
    sandbox.stop_clock()
    sandbox.at(1, "any", lambda: sandbox.advance(60), agent=ASYNCHRONOUS)
    connect(monkeypatch, sandbox.url)
    return sandbox


def loaded_by(path):
    """The examples that a file of tests names where it loads or runs one."""
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"run_example", "load"} and node.args
        if isinstance(node.args[0], ast.Constant)
    }


def test_each_example_is_run_by_a_test():
    assert loaded_by(Path(__file__)) == LISTED
    everywhere = {name for path in Path(__file__).parent.glob("test_*.py") for name in loaded_by(path)}
    assert everywhere == {path.stem for path in FILES}


def test_send_one(connected):
    run, states = run_example("example_send_one")
    assert states == {"send": "success"}
    (message,) = connected.ledger
    assert (message.to, message.sender) == ("+34600000001", "Acme")
    assert message.text == f"The nightly load is done ({run.run_id})"
    (result,) = results(run, "send")
    assert (result["id"], result["client_id"], result["state"]) == (message.id, message.client_id, "accepted")


def test_send_and_wait(connected):
    run, states = run_example("example_send_and_wait")
    assert states == {"send_and_wait": "success"}
    (message,) = connected.ledger
    (result,) = results(run, "send_and_wait")
    assert (result["id"], result["status"], result["state"]) == (message.id, "delivered", "delivered")
    assert polled_by_the_triggerer(connected)


def test_mapped_sends(connected):
    run, _ = run_example("example_mapped_sends")
    assert run.state == "success"
    accepted = {message.to: message.id for message in connected.ledger}
    (to,) = results(run, "on_call")
    assert len(to) == len(accepted) == connected.ledger.accepted == 3
    assert [result["id"] for result in results(run, "send")] == [accepted[number] for number in to]


def test_delivery_sensor(connected):
    run, _ = run_example("example_delivery_sensor")
    assert run.state == "success"
    (result,) = results(run, "wait")
    assert set(result["statuses"]) == {message.id for message in connected.ledger}
    assert result["counts"] == {"delivered": 2, "failed": 1}
    assert polled_by_the_triggerer(connected)


def test_campaign(connected):
    run, states = run_example("example_campaign")
    assert states == dict.fromkeys(("preview", "send", "wait", "report"), "success")
    (preview,), (sent,), (waited,) = (results(run, task_id) for task_id in ("preview", "send", "wait"))
    assert (preview["rows"], preview["total"], preview["parts"]) == (RECIPIENTS, RECIPIENTS, PARTS)
    assert preview["encodings"] == {"GSM-7": RECIPIENTS - 1, "UCS-2": 1}
    assert (connected.ledger.accepted, connected.ledger.parts) == (RECIPIENTS, PARTS)
    assert len(connected.ledger.client_ids()) == len(connected.ledger.contents()) == RECIPIENTS
    assert sent["message_ids"] == [message.id for message in connected.ledger]
    assert len(connected.requests.records("bulk")) == 1
    assert waited["counts"] == Counter(connected.status_of(message) for message in connected.ledger)
    assert {"delivered", "failed", "expired"} <= set(waited["counts"])
    assert polled_by_the_triggerer(connected)


def test_the_campaign_reports_each_recipient_with_a_masked_number(connected):
    run, _ = run_example("example_campaign")
    (counts,) = results(run, "report")
    (sent,) = results(run, "send")
    report = Path(sent["results_path"].removeprefix("file://")).with_name("report.jsonl")
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(line["id"], line["status"]) for line in lines] == [
        (message.id, connected.status_of(message)) for message in connected.ledger
    ]
    assert Counter(line["status"] for line in lines) == counts
    assert all(len(line["to"]) == 11 and "•••••" in line["to"] for line in lines)


@pytest.mark.parametrize("name", sorted(LISTED))
def test_another_machine_is_refused(sandbox, monkeypatch, name):
    # Nothing listens there (RFC 5737): were a request tried, the reason would be another one.
    connect(monkeypatch, "https://192.0.2.1")
    run, states = run_example(name)
    assert run.state == "failed"
    first = next(one for one in run.get_task_instances() if one.state == "failed")
    assert first.try_number == 1
    assert set(states.values()) <= {"failed", "upstream_failed", "success"}
    assert not [task_id for task_id, state in states.items() if state == "success" and task_id != "on_call"]


def test_another_machine_is_let_through_with_allow_http(sandbox, monkeypatch):
    connect(monkeypatch, "http://192.0.2.1", allow_http=True)
    guard = load("example_send_one").sandbox_only
    task = load("example_send_one").dag.get_task("send")
    guard({"task": task})
    connect(monkeypatch, "http://192.0.2.1", allow_http=False)
    with pytest.raises(Exception, match=r"leads to 192\.0\.2\.1.*Nothing was sent"):
        guard({"task": task})


def test_no_host_at_all_means_the_real_api_and_is_refused(monkeypatch):
    connect(monkeypatch, None)
    module = load("example_send_one")
    with pytest.raises(Exception, match=r"leads to api\.instasent\.com"):
        module.sandbox_only({"task": module.dag.get_task("send")})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_task_of_an_example_is_guarded_and_none_is_scheduled(path):
    module = load(path.stem)
    dags = [value for value in vars(module).values() if isinstance(value, DAG)]
    assert dags
    for dag in dags:
        # By hand, or by what such a DAG brings about: never by the clock.
        assert type(dag.timetable).__name__ in {
            "NullTimetable",
            "AssetTriggeredTimetable",
            "DatasetTriggeredTimetable",
        }
        assert dag.catchup is False
        assert dag.default_args["instasent_conn_id"] == "instasent_sandbox"
        assert dag.default_args["pre_execute"] is module.sandbox_only


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_example_is_warned_of_its_retries(path):
    """A bulk send with `retries=0` is warned of, so an example has them, and a journal on each Airflow."""
    for dag in (value for value in vars(load(path.stem)).values() if isinstance(value, DAG)):
        for task in dag.tasks:
            given = {**getattr(task, "partial_kwargs", {}), **vars(task)}
            sends = {"journal_path", "results_path", "on_plan_change"} <= {*task.template_fields}
            if sends and given.get("preview") is not True:
                assert given["retries"] > 0, task.task_id
                assert given["journal_path"], task.task_id


PARSE = """
import importlib.util, json, sys
from airflow_provider_instasent.compat import DAG, Asset, task
with DAG("warm", schedule=None):
    task(lambda: None)
Asset("other://providers")  # the first one loads those that know a scheme
before = set(sys.modules)
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("example", path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
print(json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - before})))
"""


def test_parsing_the_examples_loads_no_heavy_library():
    done = subprocess.run(
        [sys.executable, "-c", PARSE, *map(str, FILES)], check=True, capture_output=True, text=True, timeout=120
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "airflow_provider_instasent" in loaded
    assert not loaded & {"requests", "phonenumbers", "aiohttp", "pyarrow", "starlette", "uvicorn"}


def test_the_recipients_come_with_the_example():
    assert (FOLDER / "data" / "demo_recipients.csv").is_file()
