# SPDX-License-Identifier: Apache-2.0

"""The lookup operator against the sandbox: each number once, each result raw, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from importlib.util import find_spec

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSensorTimeout, TaskDeferred
from support.delivery import FakeTaskInstance, Store, as_restarted, first_event
from support.instasent_connection import connection
from support.sandbox import deliverable

from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.operators import lookup_waiting
from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
from airflow_provider_instasent.sandbox.endpoint_names import PREFIXES

HAS_STORE = find_spec("airflow.sdk") is not None
"""Below Airflow 3.3 (here: 2.11) a journal needs a path."""

MIXED = ["+34600000001", "+34600000931", "+34600000932", "+34600000933"]
WAYS = [False, True]
QUICK = {
    "poll_interval": 0.05,
    "max_polls_per_minute": 60_000,
    "timeout": 10,
    "unconfirmed_grace": 0.3,
    "retries": 1,
}


@pytest.fixture
def connect(sandbox, monkeypatch):
    def make(prefix=""):
        host = sandbox.url + prefix
        extra = {"read_timeout": 2, "default_region": "ES"}
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(host, extra=extra))

    make()
    return make


@pytest.fixture(autouse=True)
def _journals(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(Task, "journals", tmp_path_factory.mktemp("journals"))


class Task:
    """One task instance: its tries share what Airflow keeps of it.

    :param parameters: of the operator
    """

    journals = None

    def __init__(self, **parameters):
        self.parameters = {**QUICK, **parameters}
        self.ti = FakeTaskInstance()
        self.context = {"ti": self.ti}
        if HAS_STORE:
            self.context["task_state_store"] = Store()
        else:
            self.parameters.setdefault("journal_path", str(self.journals / str(id(self))))
        self.triggers = []

    def run(self, **changes):
        """Run one try to its end, deferrals included, each in an operator of its own."""

        def operator():
            return InstasentLookupOperator(task_id="look", **{**self.parameters, **changes})

        try:
            return operator().execute(self.context)
        except TaskDeferred as deferred:
            return self._resume(operator, deferred)

    def _resume(self, operator, deferred):
        while True:
            trigger = as_restarted(deferred.trigger)
            self.triggers.append(trigger)
            event = json.loads(json.dumps(asyncio.run(first_event(trigger))))
            try:
                return operator().execute_complete(self.context, event)
            except TaskDeferred as again:
                deferred = again


def states(result):
    return {row["to"]: row["state"] for row in result["lookups"]}


@pytest.mark.parametrize("deferrable", WAYS)
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("envelope", ["wrapped", "bare"])
def test_each_number_comes_back_raw_with_ours_beside(connect, sandbox, deferrable, prefix, envelope):
    connect(prefix)
    bare = envelope == "bare"
    sandbox.configure(envelope=envelope, numbers_as_strings=bare, send_created_at=not bare)

    result = Task(to=[*MIXED, "600 000 931"], deferrable=deferrable).run()

    rows = result.pop("lookups")
    assert result == {
        "rows": 5, "total": 4, "accepted": 4, "rejected": 0, "unconfirmed": 0, "planned": 0, "finished": 4,
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
def test_what_may_be_given(connect, sandbox, to, expected):
    assert list(states(Task(to=to).run())) == expected


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_in_and_a_file_out(connect, sandbox, tmp_path, ending):
    source, results = tmp_path / f"people.{ending}", tmp_path / "out" / "lookups.jsonl"
    lines = ["phone,name", *[f"{to},x" for to in MIXED]]
    if ending == "jsonl":
        lines = [json.dumps({"phone": to, "name": "x"}) for to in MIXED]
    source.write_text("\n".join(lines))

    result = Task(to=str(source), to_column="phone", results_path=str(results), max_xcom_rows=1).run()

    assert (result["lookups"], result["results_path"]) == (None, str(results))
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [(row["to"], row["state"], row["lookup"]["to"]) for row in rows] == [(to, "finished", to) for to in MIXED]


def test_a_template_of_a_list_that_became_a_string_says_so(connect, sandbox):
    with pytest.raises(AirflowFailException, match=r"`to`.*\.output"):
        Task(to="['+34600000001']").run()
    assert not sandbox.lookups.accepted


def test_more_numbers_than_xcom_takes_are_refused_before_anything_is_ordered(connect, sandbox):
    with pytest.raises(AirflowFailException, match="`max_xcom_rows`"):
        Task(to=MIXED, max_xcom_rows=3).run()
    assert not sandbox.lookups.accepted


@pytest.mark.parametrize("on_invalid", ["fail", "skip"])
def test_rows_without_a_number(connect, sandbox, on_invalid):
    task = Task(to=["+34600000001", "12", None, {"phone": "x"}], on_invalid=on_invalid)
    if on_invalid == "fail":
        with pytest.raises(AirflowFailException, match="3 of 4 rows"):
            task.run()
        assert not sandbox.lookups.accepted
        return
    result = task.run()
    assert (result["invalid"], list(states(result))) == (3, ["+34600000001"])
    assert [bad["position"] for bad in result["first_invalid"]] == [1, 2, 3]


def test_a_finished_task_that_is_cleared_orders_nothing_and_reads_anew(connect, sandbox):
    task = Task(to=MIXED)
    first, second = task.run(), task.run()
    assert first == second
    assert len(sandbox.requests.records("lookup")) == 4


@pytest.mark.parametrize("deferrable", WAYS)
def test_a_finished_lookup_is_what_the_caller_says(connect, sandbox, deferrable):
    sandbox.configure(lookup_after=3600)
    result = Task(to=MIXED, pending_statuses=["working"], deferrable=deferrable).run()
    assert {row["lookup"]["status"] for row in result["lookups"]} == {"pending"}
    assert set(states(result).values()) == {"finished"}


def test_an_entity_without_a_status_is_finished(connect, sandbox):
    body = json.dumps({"entity": {"id": "lk-1", "carrier": "X"}})
    for endpoint in ("lookup", "lookup_read"):
        sandbox.fault("error_before", endpoint, status=200, body=body, times=None)
    result = Task(to="+34600000001").run()
    assert result["lookups"] == [
        {"position": 0, "to": "+34600000001", "id": "lk-1", "state": "finished", "reason": None,
         "lookup": {"id": "lk-1", "carrier": "X"}}
    ]  # fmt: skip


@pytest.mark.parametrize("deferrable", WAYS)
def test_the_timeout_leaves_what_is_known(connect, sandbox, deferrable):
    sandbox.configure(lookup_after=3600)
    task = Task(to=MIXED, timeout=0.3, deferrable=deferrable)
    with pytest.raises(AirflowSensorTimeout, match="0 of 4 lookups finished, 4 pending"):
        task.run()
    left = task.ti.pushed["return_value"]
    assert (left["pending"], set(states(left).values())) == (4, {"pending"})


def test_without_waiting_there_is_one_look(connect, sandbox):
    sandbox.configure(lookup_after=3600)
    result = Task(to=MIXED, wait=False).run()
    assert (result["pending"], {row["lookup"]["status"] for row in result["lookups"]}) == (4, {"pending"})
    assert len(sandbox.requests.records("lookup_read")) == 4


def test_more_lookups_than_a_trigger_holds_take_turns(connect, sandbox, monkeypatch):
    monkeypatch.setattr(lookup_waiting, "MOST_DEFERRED", 20)
    sandbox.configure(lookup_after=0.5)
    numbers = [deliverable(place) for place in range(70)]
    task = Task(to=numbers, deferrable=True)
    result = task.run()
    assert result["finished"] == 70
    assert {len(trigger.lookup_ids) for trigger in task.triggers} <= {20, 10}
    assert len({trigger.deadline for trigger in task.triggers}) == 1
    assert sandbox.lookups.numbers() == Counter(numbers)


@pytest.mark.parametrize("way", ["poke", "deferrable"])
def test_lookups_that_no_list_shows_are_read_one_by_one(connect, sandbox, way):
    sandbox.fault("error_before", "lookup_list", status=200, body='{"entities": []}', times=None)
    sandbox.configure(lookup_after=0.05)
    result = Task(to=[deliverable(place) for place in range(60)], deferrable=way == "deferrable").run()
    assert result["finished"] == 60


@pytest.mark.parametrize("deferrable", WAYS)
def test_a_lookup_that_is_never_found_is_told(connect, sandbox, deferrable, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.api.watch.MISSING_GRACE", 0.2)
    result = Task(to=["+34600000001", "+34600000910"], deferrable=deferrable).run()
    assert states(result) == {"+34600000001": "finished", "+34600000910": "not_found"}
    assert result["not_found"] == 1


def test_none_found_at_all_is_a_failure(connect, sandbox, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.api.watch.MISSING_GRACE", 0.2)
    task = Task(to=["+34600000910"])
    with pytest.raises(AirflowFailException, match="base path"):
        task.run()
    assert states(task.ti.pushed["return_value"]) == {"+34600000910": "not_found"}


@pytest.mark.parametrize("fault", ["cut_after", "error_after", "html", "truncated", "empty", "without_id"])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_order_without_an_answer_is_found_in_the_list(connect, sandbox, fault, order):
    sandbox.configure(list_order=order)
    sandbox.fault(fault, "lookup", skip=1)
    result = Task(to=MIXED).run()
    assert set(states(result).values()) == {"finished"}
    assert sandbox.lookups.numbers() == Counter(MIXED)


@pytest.mark.parametrize("policy", ["fail", "resend", "skip"])
def test_an_order_that_is_not_found_follows_the_policy(connect, sandbox, policy):
    sandbox.fault("cut_before", "lookup", skip=1)
    task = Task(to=MIXED, on_unconfirmed=policy, max_in_flight=1)
    if policy == "fail":
        with pytest.raises(AirflowFailException, match="1 lookups are unconfirmed"):
            task.run()
        assert task.ti.pushed["return_value"]["unconfirmed"] == 1
        task.parameters["on_unconfirmed"] = "resend"
        assert task.run()["finished"] == 4
    else:
        result = task.run()
        assert Counter(states(result).values()) == (
            {"finished": 4} if policy == "resend" else {"finished": 3, "unconfirmed": 1}
        )
    assert max(sandbox.lookups.numbers().values()) == 1


def test_no_funds_stop_it_and_the_next_try_goes_on(connect, sandbox):
    sandbox.configure(balance=0.025)
    task = Task(to=MIXED, max_in_flight=1)
    with pytest.raises(AirflowFailException, match="HTTP 402"):
        task.run()
    left = task.ti.pushed["return_value"]
    assert (left["accepted"], left["planned"]) == (3, 1)
    sandbox.configure(balance=None)
    assert task.run()["finished"] == 4
    assert sandbox.lookups.numbers() == Counter(MIXED)


@pytest.mark.parametrize("ratio", [0.0, 0.5])
def test_a_number_the_api_refuses_is_rejected(connect, sandbox, ratio):
    sandbox.fault("error_before", "lookup", status=422, body='{"errors": {"to": ["unknown"]}}')
    task = Task(to=MIXED, max_rejected_ratio=ratio, max_in_flight=1)
    if ratio:
        result = task.run()
    else:
        with pytest.raises(AirflowFailException, match="`max_rejected_ratio`"):
            task.run()
        result = task.ti.pushed["return_value"]
    assert (result["rejected"], result["accepted"]) == (1, 3)
    assert "unknown" in result["lookups"][0]["reason"]


def test_an_api_that_is_down_is_tried_again_by_the_next_try(connect, sandbox, monkeypatch):
    sandbox.fault("poll_fails", times=None)
    task = Task(to=MIXED, max_poll_failures=2)
    with pytest.raises(Exception, match="2 polls in a row") as caught:
        task.run()
    assert not isinstance(caught.value, AirflowFailException)
    sandbox.clear_faults()
    assert task.run()["finished"] == 4
    assert sandbox.lookups.numbers() == Counter(MIXED)
    assert not issubclass(UnavailableError, AirflowFailException)


@pytest.mark.parametrize("deferrable", WAYS)
def test_a_journal_under_a_path_works_without_a_store(connect, sandbox, tmp_path, deferrable):
    task = Task(to=MIXED, journal_path=str(tmp_path), deferrable=deferrable)
    task.context.pop("task_state_store", None)
    assert task.run() == task.run()
    assert sandbox.lookups.numbers() == Counter(MIXED)
    (directory,) = tmp_path.iterdir()
    journal = "".join(file.read_text() for file in directory.iterdir())
    assert not [to for to in MIXED if to[1:] in journal]


@pytest.mark.parametrize(
    ("parameters", "told"), [({"retries": 1}, "`retries` is 1"), ({"retries": 0, "deferrable": True}, "`deferrable`")]
)
def test_without_a_journal_it_does_not_start_what_it_cannot_keep(connect, sandbox, parameters, told):
    task = Task(to=MIXED, journal_path=None, **parameters)
    task.context.pop("task_state_store", None)
    with pytest.raises(AirflowFailException, match=told):
        task.run()
    assert not sandbox.lookups.accepted


def test_numbers_that_come_and_go_between_tries(connect, sandbox):
    task = Task(to=MIXED)
    task.run()
    result = task.run(to=[MIXED[2], "+34600000005", MIXED[0]])
    assert list(states(result)) == [MIXED[2], "+34600000005", MIXED[0]]
    assert sandbox.lookups.numbers() == Counter([*MIXED, "+34600000005"])


def test_several_are_in_flight(connect, sandbox):
    sandbox.configure(latency=0.05)
    Task(to=[deliverable(place) for place in range(24)], max_in_flight=8).run()
    assert max(record.in_flight for record in sandbox.requests.records("lookup")) > 4
