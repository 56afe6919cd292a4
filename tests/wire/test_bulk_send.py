# SPDX-License-Identifier: Apache-2.0

"""Every row accounted for, whatever the API does; and how a campaign that was stopped goes on."""

from __future__ import annotations

import json
from collections import Counter
from typing import get_args, get_type_hints

import pytest
from support.bulk_send import COUNTED, BulkTask, accounted, messages
from support.sandbox import deliverable

from airflow_provider_instasent.api.errors import (
    AuthenticationError,
    NoFundsError,
    NotFoundError,
    NotSentError,
    RateLimitedError,
    UnavailableError,
    UnconfirmedError,
)
from airflow_provider_instasent.campaign.errors import PlanError, RejectedError
from airflow_provider_instasent.sandbox.faults import AFTER, BEFORE
from airflow_provider_instasent.sandbox.settings import Settings

SHAPES = get_args(get_type_hints(Settings)["bulk_errors"])
REJECTED, CALL_REFUSED = "920", "922"


@pytest.fixture
def task(sandbox, tmp_path):
    return BulkTask(sandbox, tmp_path)


def ending(index: int, last: str) -> str:
    """A number with an ending that the sandbox gives a meaning."""
    return f"+346{index:05d}{last}"


def mixed(total: int = 230) -> list[object]:
    """Rows of every kind, in one pattern."""
    rows: list[object] = []
    for index in range(total):
        row = {"to": deliverable(index), "text": f"text to keep private {index}"}
        if index % 23 == 7:
            row["to"] = ending(index, REJECTED)
        if index % 29 == 11:
            row = {"to": "12", "text": "private"}
        if index % 31 == 13:
            row = {"to": deliverable(0), "text": "text to keep private 0"}
        if index % 37 == 17:
            row["to"] = deliverable(9_999)
        rows.append("no mapping" if index % 71 == 40 else row)
    return rows


def prepare(task: BulkTask, **options: object) -> None:
    task.rows = mixed()
    task.on_invalid = "skip"
    task.suppress = [deliverable(9_999)]
    task.options = {"results_path": task.folder / "results.jsonl", **options}


def refused(task: BulkTask) -> list[int]:
    """The rows whose number the API rejects."""
    return [
        position for position, row in enumerate(task.rows) if isinstance(row, dict) and row["to"].endswith(REJECTED)
    ]


def lines(task: BulkTask) -> list[dict[str, object]]:
    return [json.loads(line) for line in (task.folder / "results.jsonl").read_text().splitlines()]


def check_accounts(task: BulkTask, summary: dict[str, object]) -> None:
    """Each row is in one state, and the states agree with what the API accepted."""
    assert accounted(summary) == summary["rows"] == len(task.rows)
    records = lines(task)
    assert [record["position"] for record in records] == list(range(len(task.rows)))
    names = {"duplicate": "duplicates"}
    told = Counter(names.get(str(record["state"]), record["state"]) for record in records)
    assert {name: told[name] for name in COUNTED} == {name: summary[name] for name in COUNTED}
    accepted = {message.client_id: message for message in task.sandbox.ledger}
    for record in records:
        message = accepted.get(record["client_id"])
        if record["state"] == "accepted":
            assert message is not None
            assert record["id"] in {None, message.id}
            assert message.text == task.rows[record["position"]]["text"]
        elif record["state"] in {"rejected", "planned", "invalid", "suppressed"}:
            assert message is None
    assert not [number for number, times in task.sent().items() if times > 1]


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_of_errors_is_accounted_for(task, shape, echo):
    task.sandbox.configure(bulk_errors=shape, echo_client_id=echo)
    prepare(task)
    outcome = task.attempt()
    check_accounts(task, outcome.summary)
    counts = outcome.summary
    assert counts["accepted"] == len(task.sandbox.ledger)
    assert (counts["invalid"], counts["suppressed"], counts["duplicates"]) == (
        *(sum(record["state"] == state for record in lines(task)) for state in ("invalid", "suppressed", "duplicate")),
    )
    assert counts["invalid"] > 5
    assert counts["duplicates"] > 5
    assert counts["suppressed"] > 4
    turned_down = [
        index for index in range(len(task.rows)) if lines(task)[index]["state"] in {"rejected", "unconfirmed"}
    ]
    assert turned_down == refused(task)


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("fault", sorted((BEFORE | AFTER) - {"poll_fails"}))
def test_each_fault_is_accounted_for(task, fault, echo):
    task.sandbox.configure(echo_client_id=echo)
    task.sandbox.fault(fault, endpoint="bulk", skip=1, seconds=0.6 if fault.startswith("timeout") else 0.0)
    prepare(task)
    first = task.attempt()
    check_accounts(task, first.summary)
    second = task.attempt()
    check_accounts(task, second.summary)
    assert second.summary["planned"] == 0
    if fault in AFTER:  # what was accepted is found in the list; of what was refused nothing tells
        lost = [record["position"] for record in lines(task) if record["state"] == "unconfirmed"]
        assert set(lost) <= set(refused(task))
    assert second.summary["accepted"] == len(task.sandbox.ledger)


@pytest.mark.parametrize("policy", ["fail", "resend", "skip"])
@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "item_missing", "without_id"])
def test_what_stays_unconfirmed_follows_the_policy(task, fault, policy):
    task.rows = messages(250)
    task.policy = policy
    task.options = {"results_path": task.folder / "results.jsonl"}
    task.sandbox.fault(fault, endpoint="bulk", skip=1)
    lost = fault == "cut_before"
    outcome = task.attempt()
    check_accounts(task, outcome.summary)
    if policy == "fail" and lost:
        assert isinstance(outcome.error, UnconfirmedError)
        assert outcome.summary["unconfirmed"] in {50, 100}  # which chunk comes second is not certain
        assert str(outcome.error).startswith(f"{outcome.summary['unconfirmed']} messages are unconfirmed")
        task.policy = "resend"
        outcome = task.attempt()
    assert outcome.error is None
    gone = outcome.summary["unconfirmed"]
    assert gone in ({50, 100} if policy == "skip" and lost else {0})
    assert len(task.sandbox.ledger) == 250 - gone == outcome.summary["accepted"]


def test_the_answers_of_a_whole_campaign_may_be_lost(task):
    task.rows = messages(1_500)
    task.sandbox.fault("cut_after", endpoint="bulk", probability=1.0)
    task.sandbox.configure(page_cap=100)
    outcome = task.attempt()
    assert outcome.error is None
    assert outcome.summary["accepted"] == 1_500 == len(task.sandbox.ledger)


def test_an_api_that_does_not_answer_is_left_alone(task, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.campaign.sender.MOST_UNANSWERED", 4)
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
    task.rows = [*messages(total - 1), {"to": ending(1, CALL_REFUSED), "text": "text to keep private"}]
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
        ({}, {"max_ids": 119}, "set `results_path`"),
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
    task.options = {"results_path": task.folder / "results.jsonl"}
    task.sandbox.fault("cut_after", endpoint="bulk")
    outcome = task.attempt()
    assert outcome.error is None
    assert set(task.sandbox.ledger.client_ids()) == {f"mine-{index}" for index in range(150)}
    assert [record["client_id"] for record in lines(task)] == [f"mine-{index}" for index in range(150)]
