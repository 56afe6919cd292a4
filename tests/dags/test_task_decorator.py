# SPDX-License-Identifier: Apache-2.0

"""`@task.instasent_bulk`: what a function returns or yields is sent, as Airflow finds the decorator itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib import import_module, metadata

import pytest
from support.airflow_home import returned, run_dag
from support.instasent_connection import connection
from support.sandbox import deliverable

from airflow_provider_instasent.compat import DAG, task
from airflow_provider_instasent.provider_info import get_provider_info

pytestmark = pytest.mark.airflow

CALLS = Counter()


def _by_name():
    """`task.instasent_bulk`, which Airflow only knows where the distribution is installed."""
    try:
        metadata.distribution("airflow-provider-instasent")
    except metadata.PackageNotFoundError:
        pytest.skip("airflow-provider-instasent is not installed here, so Airflow does not list its decorator")
    return task.instasent_bulk


def _by_provider_info():
    """What provider info registers, imported as Airflow would."""
    (registered,) = get_provider_info()["task-decorators"]
    assert registered["name"] == "instasent_bulk"
    module, name = registered["class-name"].rsplit(".", 1)
    return getattr(import_module(module), name)


@pytest.fixture(params=[_by_name, _by_provider_info], ids=["by_name", "by_provider_info"])
def instasent_bulk(request):
    return request.param()


@pytest.fixture
def connected(sandbox, monkeypatch):
    extra = {"sender": "Acme", "default_region": "ES"}
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url, extra=extra))
    CALLS.clear()
    return sandbox


@pytest.fixture
def a_dag(request):
    runs = iter(range(100))

    def a_dag(**kwargs):
        dag_id = f"{request.node.originalname}_{request.node.callspec.id if hasattr(request.node, 'callspec') else ''}"
        start = datetime(2026, 1, 1, tzinfo=UTC)
        return DAG(f"{dag_id}_{next(runs)}", schedule=None, start_date=start, catchup=False, **kwargs)

    return a_dag


def received(sandbox):
    return [(message.to, message.text) for message in sandbox.ledger]


def test_a_list_of_messages_is_sent(connected, instasent_bulk, a_dag):
    with a_dag() as dag:

        @instasent_bulk
        def campaign():
            """Say hello."""
            return [{"to": "600000021", "text": "hello"}, {"to": "+34600000022", "text": "good day", "sender": "Me"}]

        sent = campaign()
    run = run_dag(dag)
    assert run.state == "success"
    assert received(connected) == [("+34600000021", "hello"), ("+34600000022", "good day")]
    assert [message.sender for message in connected.ledger] == ["Acme", "Me"]
    assert returned(run, "campaign")["message_ids"] == [message.id for message in connected.ledger]
    assert sent.operator.custom_operator_name == "@task.instasent_bulk"


def test_yielded_rows_are_put_into_the_text(connected, instasent_bulk, a_dag):
    with a_dag(params={"shop": "Acme"}) as dag:

        @task
        def people():
            return ["Ana", "Leo"]

        @instasent_bulk(text="Hi {{ row.name }}, {{ row.points * 2 }} points at {{ params.shop }}", to_column="phone")
        def campaign(names, first, points=1, *, run_id=None):
            CALLS[run_id] += 1
            for index, name in enumerate(names):
                yield {"phone": deliverable(first + index), "name": name, "points": points}

        campaign(people(), 5, points=21)
    run = run_dag(dag)
    assert run.state == "success"
    assert received(connected) == [
        (deliverable(5), "Hi Ana, 42 points at Acme"),
        (deliverable(6), "Hi Leo, 42 points at Acme"),
    ]
    assert dict(CALLS) == {run.run_id: 1}


def test_arguments_and_settings_are_templated(connected, instasent_bulk, a_dag, tmp_path):
    with a_dag(params={"who": "everybody", "folder": str(tmp_path)}) as dag:

        @instasent_bulk(text="hello", results_path="{{ params.folder }}/{{ run_id }}.jsonl", suppress=["600000022"])
        def campaign(who):
            assert who == "everybody"
            return ["600000021", "600000022"]

        campaign("{{ params.who }}")
    run = run_dag(dag)
    summary = returned(run, "campaign")
    assert (summary["accepted"], summary["suppressed"]) == (1, 1)
    assert len((tmp_path / f"{run.run_id}.jsonl").read_text().splitlines()) == 2


def test_expanded_each_is_a_campaign_of_its_own(connected, instasent_bulk, a_dag):
    with a_dag() as dag:

        @instasent_bulk
        def campaign(team, text):
            return [{"to": deliverable(team * 10 + index), "text": text} for index in range(3)]

        campaign.partial(text="hello team").expand(team=[0, 1])
    run = run_dag(dag)
    assert run.state == "success"
    assert connected.ledger.accepted == len(connected.ledger.numbers()) == 6
    instances = [one for one in run.get_task_instances() if one.task_id == "campaign"]
    summaries = [one.xcom_pull(task_ids="campaign", map_indexes=one.map_index) for one in instances]
    assert [summary["accepted"] for summary in summaries] == [3, 3]
    assert len({summary["campaign_id"] for summary in summaries}) == 2


def test_a_retry_sends_the_rest_and_a_finished_task_calls_nothing(connected, instasent_bulk, a_dag, tmp_path):
    from support.clearing import ClearOnce

    def make(dag):
        with dag:

            @instasent_bulk(
                campaign_id="spring", journal_path=str(tmp_path), retries=2, retry_delay=timedelta(0), max_in_flight=1
            )
            def campaign():
                CALLS["campaign"] += 1
                for index in range(250):
                    yield {"to": deliverable(index), "text": f"number {index}"}

            campaign()
        return dag

    connected.fault("unauthorized", endpoint="bulk", skip=1, times=None)
    assert run_dag(make(a_dag())).state == "failed"
    connected.clear_faults()
    assert (connected.ledger.accepted, CALLS["campaign"]) == (100, 1)

    run = run_dag(make(a_dag()))
    assert (run.state, connected.ledger.accepted, CALLS["campaign"]) == ("success", 250, 2)
    requests = len(connected.requests)

    dag = make(a_dag())  # another run has to make its messages to know that they are the same; a cleared task has not
    dag.get_task("campaign") >> ClearOnce(task_id="clear", target="campaign", dag=dag)
    run = run_dag(dag)
    assert (run.state, len(connected.requests), CALLS["campaign"]) == ("success", requests, 3)
    assert run.get_task_instance("campaign").try_number == 2
    assert returned(run, "campaign")["accepted"] == 250
    assert set(connected.ledger.numbers().values()) == {1}


@pytest.mark.parametrize("made", [None, "600000021", {"to": "600000021", "text": "hello"}, 7, [["600000021"]]])
def test_what_is_no_list_of_messages_sends_nothing(connected, instasent_bulk, a_dag, made):
    with a_dag() as dag:

        @instasent_bulk(retries=2)
        def campaign():
            return made

        campaign()
    run = run_dag(dag)
    task_instance = run.get_task_instance("campaign")
    assert (task_instance.state, task_instance.try_number) == ("failed", 1)
    assert len(connected.requests) == 0


def test_a_function_that_fails_while_it_yields_sends_nothing(connected, instasent_bulk, a_dag):
    with a_dag() as dag:

        @instasent_bulk
        def campaign():
            yield {"to": "600000021", "text": "hello"}
            raise OSError("the source went away")

        campaign()
    assert run_dag(dag).state == "failed"
    assert len(connected.requests) == 0


def nobody():
    return []


@pytest.mark.parametrize("kwargs", [{"messages": []}, {"recipients": []}, {"min_delivered_ratio": 2}])
def test_a_wrong_parameter_is_named_when_the_dag_is_parsed(instasent_bulk, a_dag, kwargs):
    with a_dag():
        campaign = instasent_bulk(nobody, **kwargs)
        with pytest.raises(ValueError, match=f"`{next(iter(kwargs))}`"):
            campaign()


def test_async_functions_are_awaited(connected, instasent_bulk, a_dag):
    made = []

    with a_dag() as dag:

        @instasent_bulk(text="Hi {{ row.name }}")
        async def generated(first, *, run_id=None):
            for index in range(3):
                await asyncio.sleep(0)
                made.append(run_id)
                yield {"to": deliverable(first + index), "name": f"Person {index}"}

        @instasent_bulk
        async def returned_at_once(texts):
            await asyncio.sleep(0)
            return [{"to": deliverable(20 + index), "text": text} for index, text in enumerate(texts)]

        generated(10)
        returned_at_once(["one", "two"])
    run = run_dag(dag)
    assert run.state == "success"
    assert sorted(received(connected)) == sorted(
        [(deliverable(10 + index), f"Hi Person {index}") for index in range(3)]
        + [(deliverable(20), "one"), (deliverable(21), "two")]
    )
    assert made == [run.run_id] * 3


def test_an_async_function_that_makes_nothing_is_told(connected, instasent_bulk, a_dag, tmp_path):
    with a_dag() as dag:

        @instasent_bulk(retries=2, retry_delay=timedelta(0), journal_path=str(tmp_path))
        async def campaign():
            await asyncio.sleep(0)

        campaign()
    run = run_dag(dag)
    assert (run.get_task_instance("campaign").state, run.get_task_instance("campaign").try_number) == ("failed", 1)
    assert connected.requests.total == 0
