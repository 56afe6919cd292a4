# SPDX-License-Identifier: Apache-2.0
"""Runs of one campaign that know nothing of each other, and messages that the API rejected in an earlier try."""

from __future__ import annotations

import dataclasses

import pytest
from support.bulk_send import REJECTED, BulkTask, ending, messages
from support.campaign import Values

from airflow_provider_instasent.api.errors import UnconfirmedError
from airflow_provider_instasent.journal.errors import RejectedError
from airflow_provider_instasent.sandbox.statuses import FATES

# --- no shared journal ---


def later_run(task: BulkTask) -> BulkTask:
    """The same task in a later DAG run: same campaign, same rows, another journal."""
    return dataclasses.replace(
        task, values=Values(), owner="dag/a later run/task/-1", folder=task.folder / "later", rows=list(task.rows)
    )


@pytest.mark.parametrize("journal", ["values", "path"])
def test_a_lost_request_is_not_found_as_the_message_of_an_earlier_run(sandbox, tmp_path, journal):
    """The campaign has one name in all runs, and the runs share no journal."""
    first = BulkTask(sandbox, tmp_path, journal, messages(100), campaign_id="spring")
    assert first.attempt().summary["accepted"] == 100
    second = later_run(first)
    sandbox.fault("error_before", endpoint="bulk", status=500)
    outcome = second.attempt()
    assert isinstance(outcome.error, UnconfirmedError)
    assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (0, 100)
    second.policy = "resend"
    assert second.attempt().summary["accepted"] == 100
    assert set(first.sent().values()) == {2}  # once a run


@pytest.mark.parametrize("journal", ["values", "path", "none"])
def test_two_runs_never_share_an_id(sandbox, tmp_path, journal):
    first = BulkTask(sandbox, tmp_path, journal, messages(10), campaign_id="spring", run_secret=b"first")
    second = dataclasses.replace(later_run(first), run_secret=b"second")
    assert first.attempt().error is second.attempt().error is None
    assert len({one.client_id for one in sandbox.ledger}) == 20


def test_an_id_does_not_tell_who_was_texted(sandbox, tmp_path):
    """Ids are in XCom and the results file; all numbers of a small range are soon tried."""
    tasks = [BulkTask(sandbox, tmp_path / str(n), "path", messages(50), campaign_id="spring") for n in range(2)]
    ids = []
    for task in tasks:
        task.folder.mkdir()
        task.options["results_path"] = task.results_path
        assert task.attempt().error is None
        ids.append({row["client_id"] for row in task.results()})
    assert not ids[0] & ids[1]
    assert not {one[:13] for one in ids[0]} & {one[:13] for one in ids[1]}


# --- asked again ---


@pytest.fixture(params=["values", "path"])
def rejected(request, sandbox, tmp_path) -> BulkTask:
    """A campaign of which the API rejected one of three messages."""
    rows = [*messages(2), {"to": ending(1, REJECTED), "text": "t"}]
    task = BulkTask(sandbox, tmp_path, request.param, rows, options={"max_rejected_ratio": 0.0})
    outcome = task.attempt()
    assert isinstance(outcome.error, RejectedError)
    assert (outcome.summary["accepted"], outcome.summary["rejected"]) == (2, 1)
    return task


@pytest.fixture
def let_all_pass(monkeypatch):
    """Lets the sandbox take all numbers, as if what was wrong had been mended."""
    return lambda: monkeypatch.delitem(FATES, REJECTED, raising=False)


def test_what_was_rejected_stays_so(rejected):
    requests = rejected.requests()
    assert rejected.attempt().summary["rejected"] == 1
    assert rejected.requests() == requests


def test_what_was_rejected_is_asked_for_again_where_the_user_says_so(rejected, let_all_pass):
    requests = rejected.requests()
    rejected.retry_rejected = True
    outcome = rejected.attempt()
    assert outcome.summary["rejected"] == 1
    assert rejected.requests() == requests + 1
    let_all_pass()
    outcome = rejected.attempt()
    assert outcome.error is None
    assert (outcome.summary["accepted"], outcome.summary["rejected"]) == (3, 0)
    assert set(rejected.sent().values()) == {1}


def test_a_finished_campaign_with_rejections_goes_on_where_the_user_says_so(rejected, let_all_pass):
    rejected.options["max_rejected_ratio"] = 1.0
    assert rejected.attempt().error is None
    requests = rejected.requests()
    assert rejected.attempt().summary["rejected"] == 1  # the stored result
    rejected.retry_rejected = True
    rejected.attempt()
    assert rejected.requests() == requests + 1
    let_all_pass()
    assert rejected.attempt().summary["accepted"] == 3
    rejected.attempt()
    assert set(rejected.sent().values()) == {1}


@pytest.mark.parametrize("journal", ["values", "path"])
def test_some_of_many_that_are_asked_for_again_are_as_safe_as_any(sandbox, tmp_path, journal, let_all_pass):
    """What leaves in one call stands apart in the journal."""
    rows = [{"to": ending(place, REJECTED), "text": "t"} if place % 3 else row for place, row in enumerate(messages(9))]
    task = BulkTask(sandbox, tmp_path, journal, rows)
    assert task.attempt().summary["rejected"] == 6
    let_all_pass()
    sandbox.configure(list_lag=3_600.0)
    sandbox.fault("cut_after", endpoint="bulk")
    task.retry_rejected = True
    for _ in range(2):
        outcome = task.attempt()
        assert isinstance(outcome.error, UnconfirmedError)
        assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (3, 6)
    sandbox.configure(list_lag=0.0)
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 9)
    assert set(task.sent().values()) == {1}


@pytest.mark.parametrize("asked_again", [1, 2])
def test_one_that_was_never_in_doubt_was_not_accepted_because_its_id_is_used(rejected, asked_again):
    """An API may keep the ids of what it rejects."""
    rejected.retry_rejected = True
    for _ in range(asked_again):
        taken = '{"errors": {"clientId": ["This value is already used."]}}'
        rejected.sandbox.fault("error_before", "bulk", status=422, body=taken)
        outcome = rejected.attempt()
        assert (outcome.summary["accepted"], outcome.summary["rejected"]) == (2, 1)


@pytest.mark.parametrize("fault", ["cut_after", "error_before"])
def test_one_that_is_asked_for_again_is_as_safe_as_any(rejected, let_all_pass, fault):
    let_all_pass()
    rejected.sandbox.configure(list_lag=3_600.0)
    rejected.sandbox.fault(fault, endpoint="bulk")
    rejected.retry_rejected = True
    outcome = rejected.attempt()
    assert isinstance(outcome.error, UnconfirmedError)
    assert (outcome.summary["rejected"], outcome.summary["unconfirmed"]) == (0, 1)
    for _ in range(2):
        assert isinstance(rejected.attempt().error, UnconfirmedError)
    rejected.sandbox.configure(list_lag=0.0)
    rejected.policy = "resend"
    assert rejected.attempt().summary["accepted"] == 3
    assert set(rejected.sent().values()) == {1}
