# SPDX-License-Identifier: Apache-2.0

"""Lookups whose answers are lost, refused or late, over several tries: each number is ordered once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from support.events import LONG
from support.lookup_operator import MIXED, WAYS, new_task, states
from support.sandbox import deliverable

from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.compat import AirflowFailException

__all__ = ["new_task"]


@pytest.mark.parametrize("fault", ["cut_after", "error_after", "html", "truncated", "empty", "without_id"])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_order_without_an_answer_is_found_in_the_list(new_task, sandbox, fault, order):
    sandbox.configure(list_order=order)
    sandbox.fault(fault, "lookup", skip=1)
    result = new_task(to=MIXED).run()
    assert set(states(result).values()) == {"finished"}
    assert sandbox.lookups.numbers() == Counter(MIXED)


@pytest.mark.parametrize("policy", ["fail", "resend", "skip"])
def test_an_order_that_is_not_found_follows_the_policy(new_task, sandbox, policy):
    sandbox.fault("cut_before", "lookup", skip=1)
    task = new_task(to=MIXED, on_unconfirmed=policy, max_in_flight=1)
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


def test_no_funds_stop_it_and_the_next_try_goes_on(new_task, sandbox):
    sandbox.configure(balance=0.025)
    task = new_task(to=MIXED, max_in_flight=1)
    with pytest.raises(AirflowFailException, match="HTTP 402"):
        task.run()
    left = task.ti.pushed["return_value"]
    assert (left["accepted"], left["planned"]) == (3, 1)
    sandbox.configure(balance=None)
    assert task.run()["finished"] == 4
    assert sandbox.lookups.numbers() == Counter(MIXED)


@pytest.mark.parametrize("ratio", [0.0, 0.5])
def test_a_number_the_api_refuses_is_rejected(new_task, sandbox, ratio):
    sandbox.fault("error_before", "lookup", status=422, body='{"errors": {"to": ["unknown"]}}')
    task = new_task(to=MIXED, max_rejected_ratio=ratio, max_in_flight=1)
    if ratio:
        result = task.run()
    else:
        with pytest.raises(AirflowFailException, match="`max_rejected_ratio`"):
            task.run()
        result = task.ti.pushed["return_value"]
    assert (result["rejected"], result["accepted"]) == (1, 3)
    assert "unknown" in result["lookups"][0]["reason"]


def test_an_api_that_is_down_is_tried_again_by_the_next_try(new_task, sandbox, monkeypatch):
    sandbox.fault("poll_fails", times=None)
    task = new_task(to=MIXED, max_poll_failures=2)
    with pytest.raises(Exception, match="2 sweeps in a row") as caught:
        task.run()
    assert not isinstance(caught.value, AirflowFailException)
    sandbox.clear_faults()
    assert task.run()["finished"] == 4
    assert sandbox.lookups.numbers() == Counter(MIXED)
    assert not issubclass(UnavailableError, AirflowFailException)


@pytest.mark.parametrize("deferrable", WAYS)
def test_a_journal_under_a_path_works_without_a_store(new_task, sandbox, tmp_path, deferrable):
    task = new_task(to=MIXED, journal_path=str(tmp_path), deferrable=deferrable)
    task.context.pop("task_state_store", None)
    assert task.run() == task.run()
    assert sandbox.lookups.numbers() == Counter(MIXED)
    (directory,) = tmp_path.iterdir()
    journal = "".join(file.read_text() for file in directory.iterdir())
    assert not [to for to in MIXED if to[1:] in journal]


@pytest.mark.parametrize(
    ("parameters", "told"), [({"retries": 1}, "`retries` is 1"), ({"retries": 0, "deferrable": True}, "`deferrable`")]
)
def test_without_a_journal_it_does_not_start_what_it_cannot_keep(new_task, sandbox, parameters, told):
    task = new_task(to=MIXED, journal_path=None, **parameters)
    task.context.pop("task_state_store", None)
    with pytest.raises(AirflowFailException, match=told):
        task.run()
    assert not sandbox.lookups.accepted


def test_numbers_that_come_and_go_between_tries(new_task, sandbox):
    task = new_task(to=MIXED)
    task.run()
    result = task.run(to=[MIXED[2], "+34600000005", MIXED[0]])
    assert list(states(result)) == [MIXED[2], "+34600000005", MIXED[0]]
    assert sandbox.lookups.numbers() == Counter([*MIXED, "+34600000005"])


def test_several_are_in_flight(new_task, sandbox):
    sandbox.configure(lookup_after=0)
    task = new_task(to=[deliverable(place) for place in range(60)], max_in_flight=8)
    held = ExitStack()
    held.enter_context(sandbox.holding())

    def let_go() -> None:
        with held:
            sandbox.wait_for_in_flight(8)

    with ThreadPoolExecutor(1) as thread:  # Airflow 2.11 runs an operator on the thread that loaded it
        seen = thread.submit(let_go)
        assert task.run()["finished"] == 60
        seen.result(LONG)
    assert max(record.in_flight for record in sandbox.requests.records("lookup")) == 8
