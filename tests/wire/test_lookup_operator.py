# SPDX-License-Identifier: Apache-2.0

"""The lookup operator against the sandbox: what it takes, what comes back, and how it waits."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from support.lookup_operator import MIXED, WAYS, new_task, states
from support.sandbox import deliverable

from airflow_provider_instasent.compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_instasent.operators import wait_for_lookups

__all__ = ["new_task"]


@pytest.mark.parametrize("deferrable", WAYS)
@pytest.mark.parametrize("envelope", ["wrapped", "bare"])
def test_each_number_comes_back_raw_with_ours_beside(new_task, sandbox, deferrable, envelope):
    bare = envelope == "bare"
    sandbox.configure(envelope=envelope, numbers_as_strings=bare, send_created_at=not bare)

    result = new_task(to=[*MIXED, "600 000 931"], deferrable=deferrable).run()

    rows = result.pop("lookups")
    assert result == {
        "rows": 5, "total": 4, "gone": 0, "accepted": 4, "rejected": 0, "unconfirmed": 0, "planned": 0, "finished": 4,
        "pending": 0, "not_found": 0, "invalid": 0, "duplicates": 1, "first_invalid": [], "results_path": None,
    }  # fmt: skip
    assert [(row["position"], row["to"], row["state"]) for row in rows] == [
        (place, to, "finished") for place, to in enumerate(MIXED)
    ]
    assert all(row["id"] == row["lookup"]["id"] and row["lookup"]["status"] == "done" for row in rows)
    assert [row["lookup"]["absent"] for row in rows] == [False, True, False, False]
    assert sandbox.lookups.numbers() == Counter(MIXED)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("600000001", ["+34600000001"]),
        (34600000001, ["+34600000001"]),
        ([{"to": "+34600000001", "name": "Ana"}, "+34600000002"], ["+34600000001", "+34600000002"]),
        ([], []),
    ],
)
def test_what_may_be_given(new_task, sandbox, to, expected):
    assert list(states(new_task(to=to).run())) == expected


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_in_and_a_file_out(new_task, sandbox, tmp_path, ending):
    source, results = tmp_path / f"people.{ending}", tmp_path / "out" / "lookups.jsonl"
    lines = ["phone,name", *[f"{to},x" for to in MIXED]]
    if ending == "jsonl":
        lines = [json.dumps({"phone": to, "name": "x"}) for to in MIXED]
    source.write_text("\n".join(lines))

    result = new_task(to=str(source), to_column="phone", results_path=str(results), max_xcom_rows=1).run()

    assert (result["lookups"], result["results_path"]) == (None, str(results))
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [(row["to"], row["state"], row["lookup"]["to"]) for row in rows] == [(to, "finished", to) for to in MIXED]


def test_a_template_of_a_list_that_became_a_string_says_so(new_task, sandbox):
    with pytest.raises(AirflowFailException, match=r"`to`.*\.output"):
        new_task(to="['+34600000001']").run()
    assert not sandbox.lookups.accepted


def test_more_numbers_than_xcom_takes_are_refused_before_anything_is_ordered(new_task, sandbox):
    with pytest.raises(AirflowFailException, match="`max_xcom_rows`"):
        new_task(to=MIXED, max_xcom_rows=3).run()
    assert not sandbox.lookups.accepted


@pytest.mark.parametrize("on_invalid", ["fail", "skip"])
def test_rows_without_a_number(new_task, sandbox, on_invalid):
    task = new_task(to=["+34600000001", "12", None, {"phone": "x"}], on_invalid=on_invalid)
    if on_invalid == "fail":
        with pytest.raises(AirflowFailException, match="3 of 4 rows"):
            task.run()
        assert not sandbox.lookups.accepted
        return
    result = task.run()
    assert (result["invalid"], list(states(result))) == (3, ["+34600000001"])
    assert [bad["position"] for bad in result["first_invalid"]] == [1, 2, 3]


def test_a_finished_task_that_is_cleared_orders_nothing_and_reads_anew(new_task, sandbox):
    task = new_task(to=MIXED)
    first, second = task.run(), task.run()
    assert first == second
    assert len(sandbox.requests.records("lookup")) == 4


@pytest.mark.parametrize("deferrable", WAYS)
def test_a_finished_lookup_is_what_the_caller_says(new_task, sandbox, deferrable):
    sandbox.configure(lookup_after=3600)
    result = new_task(to=MIXED, pending_statuses=["working"], deferrable=deferrable).run()
    assert {row["lookup"]["status"] for row in result["lookups"]} == {"pending"}
    assert set(states(result).values()) == {"finished"}


def test_an_entity_without_a_status_is_finished(new_task, sandbox):
    body = json.dumps({"entity": {"id": "lk-1", "carrier": "X"}})
    for endpoint in ("lookup", "lookup_read"):
        sandbox.fault("error_before", endpoint, status=200, body=body, times=None)
    result = new_task(to="+34600000001").run()
    assert result["lookups"] == [
        {"position": 0, "to": "+34600000001", "id": "lk-1", "state": "finished", "reason": None,
         "lookup": {"id": "lk-1", "carrier": "X"}}
    ]  # fmt: skip


@pytest.mark.parametrize("deferrable", WAYS)
def test_the_timeout_leaves_what_is_known(new_task, sandbox, deferrable):
    sandbox.configure(lookup_after=3600)
    task = new_task(to=MIXED, timeout=0.3, deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout, match="0 of 4 lookups finished, 4 pending"):
        task.run()
    left = task.ti.pushed["return_value"]
    assert (left["pending"], set(states(left).values())) == (4, {"pending"})


def test_without_waiting_there_is_one_look(new_task, sandbox):
    sandbox.configure(lookup_after=3600)
    result = new_task(to=MIXED, wait=False).run()
    assert (result["pending"], {row["lookup"]["status"] for row in result["lookups"]}) == (4, {"pending"})
    assert len(sandbox.requests.records("lookup_read")) == 4


def test_more_lookups_than_a_trigger_holds_take_turns(new_task, sandbox, monkeypatch):
    monkeypatch.setattr(wait_for_lookups, "MOST_TRIGGER_IDS", 20)
    sandbox.stop_clock()
    sandbox.configure(lookup_after=100, list_order="oldest")
    for order in (41, 61):  # the first 40 are ordered at one time, the others later
        sandbox.at(order, "lookup", lambda: sandbox.advance(45))
    sandbox.at(1, "lookup_read", lambda: sandbox.advance(15))  # and each trigger finds its own done, and no others
    # A trigger, and the task that comes back, read two by themselves to learn where the others are in the list.
    for read in (5, 9):
        sandbox.at(read, "lookup_read", lambda: sandbox.advance(45))
    numbers = [deliverable(place) for place in range(70)]
    task = new_task(to=numbers, deferrable=True, max_in_flight=1)
    result = task.run()
    assert result["finished"] == 70
    assert [len(trigger.lookup_ids) for trigger in task.triggers] == [20, 20, 10]
    assert len({trigger.deadline for trigger in task.triggers}) == 1
    assert sandbox.lookups.numbers() == Counter(numbers)


@pytest.mark.parametrize("way", ["poke", "deferrable"])
def test_lookups_that_no_list_shows_are_read_one_by_one(new_task, sandbox, way):
    sandbox.fault("error_before", "lookup_list", status=200, body='{"entities": []}', times=None)
    sandbox.configure(lookup_after=0.05)
    result = new_task(to=[deliverable(place) for place in range(60)], deferrable=way == "deferrable").run()
    assert result["finished"] == 60


@pytest.mark.parametrize("deferrable", WAYS)
def test_a_lookup_that_is_never_found_is_told(new_task, sandbox, deferrable, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.waiting.delivery_watch.MISSING_GRACE", 0.2)
    result = new_task(to=["+34600000001", "+34600000910"], deferrable=deferrable).run()
    assert states(result) == {"+34600000001": "finished", "+34600000910": "not_found"}
    assert result["not_found"] == 1


def test_one_never_found_is_told_where_the_task_read_the_others_itself(new_task, sandbox, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.waiting.delivery_watch.MISSING_GRACE", 0.2)
    sandbox.configure(lookup_after=0.0)
    result = new_task(to=["+34600000001", "+34600000910"], deferrable=True).run()
    assert states(result) == {"+34600000001": "finished", "+34600000910": "not_found"}


@pytest.mark.parametrize("deferrable", WAYS)
def test_none_found_at_all_is_a_failure(new_task, sandbox, deferrable, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.waiting.delivery_watch.MISSING_GRACE", 0.2)
    task = new_task(to=["+34600000910"], deferrable=deferrable)
    with pytest.raises(AirflowFailException, match="base path"):
        task.run()
    assert states(task.ti.pushed["return_value"]) == {"+34600000910": "not_found"}
