# SPDX-License-Identifier: Apache-2.0

"""What a campaign leaves behind: the results file, the stored result, and for whom."""

from __future__ import annotations

import dataclasses
import errno
import os

import pytest
from support.bulk_send import REJECTED, BulkTask, ending, messages

from airflow_provider_instasent.api.errors import UnavailableError
from airflow_provider_instasent.journal.errors import JournalStoreError, PlanError, RejectedError


def test_a_results_file_that_cannot_be_written_loses_no_outcome(sandbox, tmp_path):
    in_the_way = tmp_path / "taken"
    in_the_way.write_text("a file where a folder should be")
    task = BulkTask(sandbox, tmp_path, rows=messages(3), options={"results_path": in_the_way / "results.jsonl"})
    outcome = task.attempt()
    assert isinstance(outcome.error, UnavailableError)
    assert "`results_path` could not be written" in str(outcome.error)
    assert (outcome.summary["accepted"], len(outcome.summary["message_ids"])) == (3, 3)
    in_the_way.unlink()
    again = task.attempt()
    assert (again.error, again.summary["accepted"]) == (None, 3)
    assert len((in_the_way / "results.jsonl").read_text().splitlines()) == 3
    assert set(task.sent().values()) == {1}


@pytest.mark.parametrize("has_file", [False, True])
def test_a_rejection_names_the_first_rows_and_reasons(sandbox, tmp_path, has_file):
    rows = [*messages(3), *({"to": ending(place, REJECTED), "text": "no way"} for place in range(12))]
    options = {"max_rejected_ratio": 0.0, **({"results_path": tmp_path / "results.jsonl"} if has_file else {})}
    outcome = BulkTask(sandbox, tmp_path, rows=rows, options=options).attempt()
    assert isinstance(outcome.error, RejectedError)
    said = str(outcome.error)
    assert "3 accepted, 12 rejected, 0 unconfirmed of 15. Everything was tried. Rejected: row 3: to: " in said
    assert "; row 12: to: This number cannot be reached; and 2 more." in said
    assert "row 13" not in said


def test_rejections_that_are_allowed_are_named_in_the_log(sandbox, tmp_path, caplog):
    rows = [*messages(3), {"to": ending(7, REJECTED), "text": "no way"}]
    outcome = BulkTask(sandbox, tmp_path, rows=rows, options={"max_rejected_ratio": 0.5}).attempt()
    assert outcome.error is None
    (line,) = (one.getMessage() for one in caplog.records if "rejected" in one.getMessage())
    assert line == "The API rejected 1 messages: row 3: to: This number cannot be reached."


def test_a_rejection_of_an_earlier_try_is_named_too(sandbox, tmp_path):
    task = BulkTask(
        sandbox,
        tmp_path,
        rows=[*messages(3), {"to": ending(7, REJECTED), "text": "no way"}],
        options={"max_rejected_ratio": 0.0},
    )
    told = [str(task.attempt().error) for _ in range(2)]
    assert told[0] == told[1]
    assert "Rejected: row 3: to: This number cannot be reached." in told[1]


@pytest.fixture
def shared(sandbox, tmp_path) -> BulkTask:
    """A campaign that a first task has finished."""
    task = BulkTask(sandbox, tmp_path, "path", messages(3), campaign_id="spring", owner="dag/run/first/-1")
    assert task.attempt().summary["accepted"] == 3
    return task


@pytest.mark.parametrize("policy", ["fail", "continue"])
def test_another_task_of_a_finished_campaign_does_not_get_its_result(shared, policy):
    other = dataclasses.replace(shared, owner="dag/run/second/-1", rows=messages(5, start=100), on_plan_change=policy)
    if policy == "fail":
        with pytest.raises(PlanError, match="0 messages are the same, 5 are new, 3 are gone"):
            other.attempt()
        return
    first = other.attempt().summary
    assert (first["total"], first["accepted"]) == (5, 5)
    assert other.attempt().summary == first
    assert len(first["message_ids"]) == 5
    stored = shared.attempt().summary
    assert (stored["total"], stored["accepted"]) == (3, 3)
    assert len(shared.sent()) == 8
    assert set(shared.sent().values()) == {1}


def test_another_task_with_the_same_messages_sends_nothing(shared):
    requests = shared.requests()
    other = dataclasses.replace(shared, owner="dag/another run/first/-1")
    assert other.attempt().summary["accepted"] == 3
    assert other.requests() == requests


def test_a_file_system_without_hard_links_is_refused(sandbox, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    task = BulkTask(sandbox, tmp_path, "path", messages(3))
    with pytest.raises(JournalStoreError, match="file system with hard links"):
        task.attempt()
    assert task.requests() == 0
