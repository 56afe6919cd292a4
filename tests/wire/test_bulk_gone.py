# SPDX-License-Identifier: Apache-2.0
"""What an earlier try sent stays in every count, file and verdict, though its rows are there no more."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from support.bulk_send import BulkTask, Crash, accounted, messages
from support.sandbox import call

from airflow_provider_instasent.api.errors import UnavailableError, UnconfirmedError
from airflow_provider_instasent.campaign import campaign_try
from airflow_provider_instasent.campaign.unconfirmed import MOST_RESENDS
from airflow_provider_instasent.planning.changed_rows import withhold
from airflow_provider_instasent.waiting.results_file import watch_of_results

if TYPE_CHECKING:
    from airflow_provider_instasent.campaign.bulk_send import BulkOutcome

NEW = "another text"


@pytest.fixture(params=["values", "path"])
def task(request, sandbox, tmp_path) -> BulkTask:
    return BulkTask(sandbox, tmp_path, request.param, messages(3), in_flight=1)


def left_in_doubt(task: BulkTask, fault: str) -> None:
    """Let a first try end with all of its messages unconfirmed."""
    if fault == "error_before":
        task.sandbox.fault(fault, endpoint="bulk", status=500)
    else:
        task.sandbox.configure(list_lag=3_600.0)
        task.sandbox.fault(fault, endpoint="bulk")
    outcome = task.attempt()
    assert isinstance(outcome.error, UnconfirmedError)
    assert outcome.summary["unconfirmed"] == len(task.rows)


def adds_up(task: BulkTask, outcome: BulkOutcome) -> bool:
    summary = outcome.summary
    return accounted(summary) - summary["gone"] == summary["rows"] == len(task.rows)


CHANGES: dict[str, list[dict[str, Any]]] = {
    "other texts": messages(3, text=NEW),
    "other people": messages(3, start=10),
    "one is left": messages(1),
    "nobody": [],
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("fault", ["error_before", "cut_after"])
def test_a_message_in_doubt_stays_so_and_fails_though_its_row_has_changed(task, change, fault):
    left_in_doubt(task, fault)
    sent_before = sum(task.sent().values())
    task.rows, task.on_plan_change = CHANGES[change], "continue"
    for _ in range(2):
        outcome = task.attempt()
        assert isinstance(outcome.error, UnconfirmedError)
        assert outcome.summary["unconfirmed"] == 3
        assert adds_up(task, outcome)
    strangers = 3 if change == "other people" else 0
    assert sum(task.sent().values()) == sent_before + strangers
    assert set(task.sent().values()) <= {1}


@pytest.mark.parametrize("change", CHANGES)
def test_with_skip_it_is_counted(task, change):
    left_in_doubt(task, "error_before")
    task.rows, task.on_plan_change, task.policy = CHANGES[change], "continue", "skip"
    outcome = task.attempt()
    assert outcome.error is None
    assert (outcome.summary["unconfirmed"], outcome.summary["gone"]) == (3, 2 if change == "one is left" else 3)
    assert adds_up(task, outcome)


def test_with_resend_its_number_gets_the_new_text(task):
    left_in_doubt(task, "error_before")
    task.rows, task.on_plan_change, task.policy = messages(3, text=NEW), "continue", "resend"
    outcome = task.attempt()
    assert outcome.error is None
    assert [one.text for one in task.sandbox.ledger] == [row["text"] for row in task.rows]
    assert (outcome.summary["accepted"], outcome.summary["suppressed"], outcome.summary["unconfirmed"]) == (3, 0, 3)
    assert adds_up(task, outcome)
    assert task.attempt().summary == outcome.summary


def test_with_resend_one_that_is_found_after_all_keeps_the_new_text_back(task):
    left_in_doubt(task, "cut_after")
    task.sandbox.configure(list_lag=0.0)
    task.rows, task.on_plan_change, task.policy = messages(3, text=NEW), "continue", "resend"
    outcome = task.attempt()
    assert outcome.error is None
    assert (outcome.summary["accepted"], outcome.summary["suppressed"], outcome.summary["gone"]) == (3, 3, 3)
    assert set(task.sent().values()) == {1}
    assert adds_up(task, outcome)


def test_with_resend_a_doubt_about_one_of_them_keeps_back_only_what_goes_to_its_number(task):
    """Another system has sent the same to the first, and the list does not tell when."""
    left_in_doubt(task, "error_before")
    old = task.rows[0]
    sms = {"from": "Acme", "to": old["to"], "text": old["text"]}
    assert call(task.sandbox, "POST", "/sms", sms).status == 201
    task.sandbox.configure(send_created_at=False)
    task.rows, task.on_plan_change, task.policy = messages(4, text=NEW), "continue", "resend"
    outcome = task.attempt()
    assert isinstance(outcome.error, UnconfirmedError)
    assert "cannot be read" in str(outcome.error)
    assert [one.text for one in task.sandbox.ledger][1:] == [row["text"] for row in task.rows[1:]]
    assert (outcome.summary["accepted"], outcome.summary["suppressed"], outcome.summary["unconfirmed"]) == (3, 1, 3)
    assert adds_up(task, outcome)


def test_with_resend_what_was_held_back_for_a_doubt_that_the_list_settles_later_goes_out_in_the_next_try(task):
    """Another system has sent the same to the first two hours before, and the list tells so once it is read again."""
    old = task.rows[0]
    assert call(task.sandbox, "POST", "/sms", {"from": "Acme", "to": old["to"], "text": old["text"]}).status == 201
    task.sandbox.advance(7_200)
    task.sandbox.configure(clock_skew=-7_200.0)
    left_in_doubt(task, "error_before")
    task.sandbox.configure(send_created_at=False)
    task.sandbox.at(1, "bulk", lambda: task.sandbox.configure(send_created_at=True))
    task.rows, task.on_plan_change, task.policy = messages(4, text=NEW), "continue", "resend"
    outcome = task.attempt()
    assert isinstance(outcome.error, UnavailableError)
    assert "1 messages whose rows are gone were in doubt" in str(outcome.error)
    assert (outcome.summary["accepted"], outcome.summary["suppressed"]) == (3, 1)
    outcome = task.attempt()
    assert outcome.error is None
    assert (outcome.summary["accepted"], outcome.summary["suppressed"], outcome.summary["unconfirmed"]) == (4, 0, 3)
    assert {one.text for one in task.sandbox.ledger} - {old["text"]} == {row["text"] for row in task.rows}


def test_with_resend_what_was_not_sent_again_for_such_a_doubt_goes_out_in_the_next_try(task, monkeypatch):
    """The same, but what goes to the number is itself in doubt."""
    old = task.rows[0]
    assert call(task.sandbox, "POST", "/sms", {"from": "Acme", "to": old["to"], "text": old["text"]}).status == 201
    task.sandbox.advance(7_200)
    task.sandbox.configure(clock_skew=-7_200.0)
    left_in_doubt(task, "error_before")
    task.rows, task.on_plan_change, task.policy = messages(3, text=NEW), "continue", "resend"
    task.sandbox.fault("error_before", endpoint="bulk", status=500, times=1 + MOST_RESENDS)
    outcome = task.attempt()
    assert isinstance(outcome.error, UnavailableError)
    assert (outcome.summary["unconfirmed"], outcome.summary["accepted"]) == (6, 0)

    def once_it_tells_when(*arguments: Any) -> int:
        task.sandbox.configure(send_created_at=True)
        return withhold(*arguments)

    task.sandbox.configure(send_created_at=False)
    with monkeypatch.context() as patch:
        patch.setattr(campaign_try, "withhold", once_it_tells_when)
        outcome = task.attempt()
    assert isinstance(outcome.error, UnavailableError)
    assert "1 messages whose rows are gone were in doubt" in str(outcome.error)
    outcome = task.attempt()
    assert outcome.error is None
    assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (3, 3)
    assert {one.text for one in task.sandbox.ledger} - {old["text"]} == {row["text"] for row in task.rows}


@pytest.mark.parametrize("dies", range(1, 9))
def test_with_resend_rows_that_come_back_are_not_sent_beside_what_their_numbers_have_got(task, dies):
    first = task.rows
    left_in_doubt(task, "error_before")
    task.rows, task.on_plan_change, task.policy = messages(3, text=NEW), "continue", "resend"
    with suppress(Crash):
        task.attempt(dies_at_write=dies)
    accepted = len(task.sandbox.ledger)
    task.rows = first
    outcome = task.attempt()
    assert outcome.error is None
    assert set(task.sent().values()) == {1}
    assert outcome.summary["accepted"] == len(task.sandbox.ledger) == 3
    assert outcome.summary["unconfirmed"] == (3 if accepted else 0)


def test_with_resend_a_list_that_cannot_be_read_to_its_end_keeps_the_new_text_back(task, monkeypatch):
    left_in_doubt(task, "cut_after")
    others = BulkTask(task.sandbox, task.folder / "others", "none", messages(60, start=100))
    assert others.attempt().error is None
    monkeypatch.setattr("airflow_provider_instasent.campaign.search.MOST_PAGES", 2)
    task.sandbox.configure(list_lag=0.0, page_cap=10)
    task.rows, task.on_plan_change, task.policy = messages(3, text=NEW), "continue", "resend"
    with pytest.raises(UnconfirmedError, match="does not reach back"):
        task.attempt()
    assert set(task.sent().values()) == {1}


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_accepted_is_reported_and_waited_for_though_its_row_is_gone(task, change):
    task.options["results_path"] = task.results_path
    task.rows = messages(5)
    task.sandbox.fault("no_funds", endpoint="bulk", skip=1)
    task.rows = messages(150)
    assert task.attempt().summary["accepted"] == 100
    sent = {one.id for one in task.sandbox.ledger}
    task.rows, task.on_plan_change = CHANGES[change], "continue"
    outcome = task.attempt()
    assert outcome.error is None
    assert sent <= set(outcome.summary["message_ids"])
    assert outcome.summary["accepted"] == len(task.sandbox.ledger)
    assert adds_up(task, outcome)
    gone = [row for row in task.results() if row["position"] is None]
    assert len(gone) == outcome.summary["gone"]
    assert all(row["state"] == "accepted" and row["id"] in sent and row["client_id"] for row in gone)
    assert len(task.results()) == outcome.summary["rows"] + outcome.summary["gone"]
    assert set(watch_of_results(task.results_path, _rules()).pending) == {one.id for one in task.sandbox.ledger}


def _rules() -> Any:
    from airflow_provider_instasent.waiting.delivery_watch import WatchRules

    return WatchRules()


def test_a_rejected_message_whose_row_was_mended_is_no_failure(task):
    task.rows, task.options["max_rejected_ratio"] = [{"to": "+34600000920", "text": "t"}, *messages(2)], 0.0
    assert task.attempt().summary["rejected"] == 1
    task.rows, task.on_plan_change = messages(3), "continue"
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"], outcome.summary["rejected"]) == (None, 3, 0)
    assert adds_up(task, outcome)


# --- two texts for one number ---


@pytest.mark.parametrize("funds", [0, 1])
def test_a_plan_that_was_listed_and_never_noted_is_none(task, funds):
    """Rows A are listed and their note fails; rows B go out in part; then rows A again."""
    rows = {"A": messages(300), "B": messages(300, text=NEW)}
    task.on_plan_change = "continue"
    writes = 0
    while True:  # each write of a try of rows A up to its first request
        writes += 1
        one = BulkTask(
            task.sandbox, task.folder / str(writes), task.journal, rows["A"], in_flight=1, on_plan_change="continue"
        )
        with pytest.raises(Crash):
            one.attempt(dies_at_write=writes)
        if task.sandbox.requests.records("bulk"):
            break
        one.rows = rows["B"]
        task.sandbox.fault("no_funds", endpoint="bulk", skip=1 + funds)
        one.attempt()
        one.rows = rows["A"]
        assert one.attempt().error is None
        assert set(one.sent().values()) == {1}, writes
        assert len(one.sent()) == 300
        task.sandbox.reset()
    assert writes > 3


def test_rows_that_come_back_are_held_back_in_every_later_try(task):
    """A is in part accepted, B in part, then A again and again: the second time nothing about the rows has changed."""
    task.rows, task.on_plan_change = messages(300), "continue"
    task.sandbox.fault("no_funds", endpoint="bulk", skip=1)
    task.attempt()
    task.rows = messages(300, text=NEW)
    task.sandbox.fault("no_funds", endpoint="bulk", skip=1)
    task.attempt()
    task.rows = messages(300)
    task.sandbox.fault("no_funds", endpoint="bulk", skip=0)
    task.attempt()
    task.on_plan_change = "fail"
    outcome = task.attempt()
    assert outcome.error is None
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 300


@pytest.mark.parametrize("seed", range(12))
def test_rows_that_change_at_every_try_text_no_number_twice(sandbox, tmp_path, seed):
    dice = random.Random(seed)
    task = BulkTask(sandbox, tmp_path, dice.choice(["values", "path"]), in_flight=1, on_plan_change="continue")
    plans = [messages(220, text=text) for text in ("a", "b", "c")]
    for _ in range(6):
        task.rows = dice.choice(plans)
        fault = dice.choice(["no_funds", "cut_after", "crash"])
        if fault != "crash":
            sandbox.fault(fault, endpoint="bulk", skip=dice.randint(0, 2))
        with suppress(Crash):
            task.attempt(dies_at_write=dice.randint(1, 7) if fault == "crash" else 0)
        sandbox.clear_faults()
        assert set(task.sent().values()) <= {1}
    outcome = task.attempt()
    assert outcome.error is None
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 220


def test_two_numbers_are_never_taken_for_one(task):
    """Their 40-bit digests were the same once, so the second was withheld for ever."""
    task.campaign_id = "collision"
    pair = ["+34600169054", "+34600782355"]
    task.rows = [{"to": pair[0], "text": "a"}]
    assert task.attempt().error is None
    other = BulkTask(task.sandbox, task.folder, task.journal, [{"to": pair[1], "text": "b"}], values=task.values)
    other.campaign_id, other.owner, other.on_plan_change = "collision", "dag/another run/task/-1", "continue"
    outcome = other.attempt()
    assert (outcome.summary["accepted"], outcome.summary["suppressed"]) == (1, 0)
    assert set(task.sent()) == set(pair)
