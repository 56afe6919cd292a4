# SPDX-License-Identifier: Apache-2.0

"""What stops a campaign and how it goes on, what is refused before anything is sent, and what goes out."""

from __future__ import annotations

import pytest
from support.bulk_send import ENDS_A_CALL, REJECTED, BulkTask, accounted, ending, messages
from support.sandbox import deliverable

from airflow_provider_instasent.api.errors import (
    AuthenticationError,
    NoFundsError,
    NotFoundError,
    NotSentError,
    RateLimitedError,
    UnavailableError,
)
from airflow_provider_instasent.journal.errors import PlanError, RejectedError


@pytest.fixture
def task(sandbox, tmp_path):
    return BulkTask(sandbox, tmp_path)


def test_an_api_that_does_not_answer_is_left_alone(task, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.campaign.unanswered.MOST_UNANSWERED", 4)
    task.rows = messages(3_000)
    task.sandbox.fault("error_before", endpoint="bulk", probability=1.0)
    outcome = task.attempt()
    assert isinstance(outcome.error, UnavailableError)
    assert outcome.summary["planned"] >= 3_000 - 100 * (4 + task.in_flight)
    assert task.requests() <= 4 + task.in_flight
    task.sandbox.clear_faults()
    task.policy = "resend"
    again = task.attempt()
    assert again.error is None
    assert len(task.sandbox.ledger) == 3_000


def test_no_funds_after_40_percent_then_the_task_is_cleared(task):
    task.rows = messages(2_000)
    task.sandbox.fault("no_funds", endpoint="bulk", skip=8, times=None)
    first = task.attempt()
    assert isinstance(first.error, NoFundsError)
    assert accounted(first.summary) == 2_000
    assert (first.summary["accepted"], first.summary["planned"]) == (800, 1_200)
    assert task.requests() <= 8 + task.in_flight
    task.sandbox.clear_faults()
    second = task.attempt()
    assert second.error is None
    assert second.summary["accepted"] == 2_000
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 2_000


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unauthorized", AuthenticationError),
        ("forbidden", AuthenticationError),
        ("not_found", NotFoundError),
        ("rate_limited", RateLimitedError),
    ],
)
def test_what_stops_a_campaign_leaves_the_rest_planned(task, fault, error):
    task.rows = messages(1_000)
    task.sandbox.fault(fault, endpoint="bulk", skip=2, times=None, seconds=0.0)
    outcome = task.attempt()
    assert isinstance(outcome.error, error)
    assert (outcome.summary["accepted"], outcome.summary["planned"]) == (200, 800)


def test_the_reason_to_stop_outlives_a_list_that_fails(task):
    task.rows = messages(1_000)
    task.sandbox.fault("cut_after", endpoint="bulk")
    task.sandbox.fault("no_funds", endpoint="bulk", times=None)
    task.sandbox.fault("poll_fails", probability=1.0)
    outcome = task.attempt()
    assert isinstance(outcome.error, NoFundsError)
    assert outcome.summary["unconfirmed"] == 100
    assert outcome.summary["planned"] == 900


def test_an_unreachable_api_leaves_everything_planned(task):
    task.rows = messages(300)
    sandbox, url = task.sandbox, task.sandbox.url

    class Nowhere:
        token = sandbox.token
        url = "http://127.0.0.1:9"

    task.sandbox = Nowhere()  # type: ignore[assignment]
    outcome = task.attempt()
    assert isinstance(outcome.error, NotSentError)
    assert outcome.summary["planned"] == 300
    task.sandbox = sandbox
    assert task.sandbox.url == url
    assert task.attempt().summary["accepted"] == 300


@pytest.mark.parametrize("total", [1, 100, 101, 250])
def test_one_refused_number_among_many_is_found_by_halving(task, total):
    task.rows = [*messages(total - 1), {"to": ending(1, ENDS_A_CALL), "text": "text to keep private"}]
    outcome = task.attempt()
    assert (outcome.summary["accepted"], outcome.summary["rejected"]) == (total - 1, 1)
    assert accounted(outcome.summary) == total


def test_a_body_that_is_too_large_is_halved(task):
    task.sandbox.configure(max_body_bytes=3_000)
    task.rows = messages(200)
    outcome = task.attempt()
    assert outcome.summary["accepted"] == 200 == len(task.sent())


def test_too_many_rejections_fail_after_everything_was_tried(task):
    task.rows = [*messages(97), *({"to": ending(index, REJECTED), "text": "private text"} for index in range(3))]
    task.options = {"max_rejected_ratio": 0.02}
    outcome = task.attempt()
    assert isinstance(outcome.error, RejectedError)
    assert (outcome.summary["accepted"], outcome.summary["rejected"]) == (97, 3)
    task.options = {"max_rejected_ratio": 0.03}
    again = task.attempt()
    assert again.error is None
    assert len(task.sandbox.ledger) == 97


def test_nothing_to_send_is_a_success(task):
    outcome = task.attempt()
    assert outcome.error is None
    assert accounted(outcome.summary) == 0 == task.requests()
    assert outcome.summary["message_ids"] == []


def test_a_finished_campaign_sends_nothing_and_returns_its_result(task):
    task.rows = messages(120)
    first = task.attempt().summary
    task.rows = messages(130)
    again = task.attempt().summary
    assert again == first
    assert len(again["message_ids"]) == 120
    assert task.requests() == 2


@pytest.mark.parametrize(("total", "bad"), [(20_000, 18_000)])
def test_one_bad_row_and_nothing_is_sent(task, total, bad):
    task.rows = messages(total)
    task.rows[bad] = {"to": "+341", "text": "text to keep private"}
    with pytest.raises(PlanError, match=rf"^1 of {total} rows cannot be sent.* row {bad}: `to`"):
        task.attempt()
    assert task.sandbox.requests.total == 0


@pytest.mark.parametrize(
    ("plan", "options", "words"),
    [
        ({"max_messages": 119}, {}, "`max_messages` is 119 and the plan has 120"),
        ({"max_total_parts": 119}, {}, "`max_total_parts` is 119 and the plan has 120"),
        ({}, {"max_reported": 119}, "set `results_path`"),
    ],
)
def test_a_plan_above_a_bound_is_refused(task, plan, options, words):
    task.rows, task.plan, task.options = messages(120), plan, options
    with pytest.raises(PlanError, match=words):
        task.attempt()
    assert task.sandbox.requests.total == 0
    assert words in task.send().preview()["refused"]


def test_a_suppression_list_with_a_bad_number_is_refused(task):
    task.rows, task.suppress = messages(3), [deliverable(1), "what"]
    with pytest.raises(PlanError, match=r"`suppress`: row 1 is no number"):
        task.attempt()
    assert task.sandbox.requests.total == 0


def test_messages_that_repeat_are_sent_where_that_is_wanted(task):
    task.rows = [*messages(60), *messages(60)]
    task.plan = {"deduplicate": False}
    outcome = task.attempt()
    assert outcome.summary["accepted"] == 120
    assert set(task.sent().values()) == {2}
    assert len(task.sandbox.ledger.client_ids()) == 120


def test_ids_that_the_user_gave_go_out(task):
    task.rows = [{**message, "client_id": f"mine-{index}"} for index, message in enumerate(messages(150))]
    task.options = {"results_path": task.results_path}
    task.sandbox.fault("cut_after", endpoint="bulk")
    outcome = task.attempt()
    assert outcome.error is None
    assert set(task.sandbox.ledger.client_ids()) == {f"mine-{index}" for index in range(150)}
    assert [record["client_id"] for record in task.results()] == [f"mine-{index}" for index in range(150)]
