# SPDX-License-Identifier: Apache-2.0

"""Rows that changed between two tries, and the pace under the rate limit."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest
from support.bulk_send import BulkTask, Crash, accounted, messages

from airflow_provider_instasent.api.client_ids import KEY_BYTES
from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.campaign import sender
from airflow_provider_instasent.campaign.rate_gate import RateGate
from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError, PlanError
from airflow_provider_instasent.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.sandbox import SandboxOfTests


@pytest.fixture(params=["values", "path"])
def half_sent(request, sandbox, tmp_path) -> BulkTask:
    """A campaign of 400 messages of which 200 are accepted: the funds ended."""
    task = BulkTask(sandbox, tmp_path, request.param, messages(400), in_flight=1)
    sandbox.fault("no_funds", endpoint="bulk", skip=2)
    assert task.attempt().summary["accepted"] == 200
    return task


def numbers(rows: list[dict[str, str]]) -> set[str]:
    return {row["to"] for row in rows}


def test_another_order_goes_on(half_sent):
    half_sent.rows = messages(400)[::-1]
    outcome = half_sent.attempt()
    assert outcome.error is None
    assert outcome.summary["accepted"] == 400
    assert set(half_sent.sent().values()) == {1}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (messages(450), "400 messages are the same, 50 are new, 0 are gone"),
        (messages(350), "350 messages are the same, 0 are new, 50 are gone"),
        (messages(400, start=100), "300 messages are the same, 100 are new, 100 are gone"),
        (messages(400, text="another text"), "0 messages are the same, 400 are new, 400 are gone"),
    ],
    ids=["added", "removed", "both", "changed"],
)
def test_another_set_sends_nothing_and_says_so(half_sent, rows, told):
    half_sent.rows = rows
    before = half_sent.requests()
    for _ in range(2):
        with pytest.raises(PlanError, match=told):
            half_sent.attempt()
    assert half_sent.requests() == before


@pytest.mark.parametrize("then", ["fail", "continue"])
def test_continue_sends_new_rows_and_leaves_out_what_is_gone(half_sent, then):
    half_sent.rows, half_sent.on_plan_change = messages(400, start=100), "continue"
    half_sent.sandbox.fault("no_funds", endpoint="bulk", skip=1)
    half_sent.attempt()
    half_sent.on_plan_change = then  # the set is now the known one
    outcome = half_sent.attempt()
    assert outcome.error is None
    summary = outcome.summary
    assert (summary["rows"], summary["accepted"], summary["gone"], summary["suppressed"]) == (400, 500, 100, 0)
    assert numbers(messages(500)) == set(half_sent.sent())
    assert set(half_sent.sent().values()) == {1}


def test_continue_writes_to_no_number_twice(half_sent):
    half_sent.rows, half_sent.on_plan_change = messages(400, text="another text"), "continue"
    outcome = half_sent.attempt()
    assert outcome.error is None
    assert (outcome.summary["suppressed"], outcome.summary["accepted"], outcome.summary["gone"]) == (200, 400, 200)
    assert accounted(outcome.summary) - outcome.summary["gone"] == 400 == outcome.summary["rows"]
    assert set(half_sent.sent().values()) == {1}
    assert len(half_sent.sent()) == 400


def test_continue_writes_to_no_number_twice_though_the_text_changes_back(half_sent):
    half_sent.rows, half_sent.on_plan_change = messages(400, text="another text"), "continue"
    half_sent.sandbox.fault("no_funds", endpoint="bulk", skip=1)
    half_sent.attempt()
    assert len(half_sent.sent()) == 300
    half_sent.rows = messages(400)
    outcome = half_sent.attempt()
    assert outcome.error is None
    assert set(half_sent.sent().values()) == {1}
    assert len(half_sent.sent()) == 400
    assert (outcome.summary["accepted"], outcome.summary["suppressed"], outcome.summary["gone"]) == (400, 100, 100)


def test_continue_keeps_several_messages_to_one_number(sandbox, tmp_path):
    task = BulkTask(sandbox, tmp_path, rows=[*messages(100), *messages(100, text="a second one")], in_flight=1)
    sandbox.fault("no_funds", endpoint="bulk", skip=1)
    task.attempt()
    task.rows, task.on_plan_change = [*task.rows, *messages(1, start=500)], "continue"
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["suppressed"]) == (None, 0)
    assert sorted(task.sent().values()) == [1] + [2] * 100


def test_continue_does_not_write_to_a_number_in_doubt(sandbox, tmp_path):
    task = BulkTask(sandbox, tmp_path, rows=messages(100))
    sandbox.configure(list_lag=3_600.0)
    sandbox.fault("cut_after", endpoint="bulk")
    task.attempt()
    task.rows, task.on_plan_change, task.policy = messages(101, text="another text"), "continue", "skip"
    outcome = task.attempt()
    assert outcome.summary["suppressed"] == 100
    assert set(task.sent().values()) == {1}


def test_the_journal_of_another_campaign_is_refused(half_sent):
    if half_sent.journal == "path":
        pytest.skip("under a path each campaign has a directory of its own")
    half_sent.campaign_id = "another"
    before = half_sent.requests()
    with pytest.raises(JournalForeignError, match="belongs to another campaign"):
        half_sent.attempt()
    assert half_sent.requests() == before


@pytest.mark.parametrize("kind", ["intend", "settle", "twice", "single"])
def test_a_journal_that_contradicts_itself_is_refused(sandbox, tmp_path, kind):
    task = BulkTask(sandbox, tmp_path, rows=messages(10))
    with Journal(task.segments()) as journal:
        list(journal.replay())
        journal.enlist([bytes(KEY_BYTES)], [None])
        if kind == "intend":
            journal.intend_places(1, [(0, 2)])[1].result()
        elif kind == "settle":
            journal.settle(7, [_settled()])
        elif kind == "twice":
            journal.enlist([bytes(KEY_BYTES)], [None])
        else:
            journal.intend(1, [bytes(KEY_BYTES)], [None])
    error = JournalForeignError if kind == "single" else JournalCorruptError
    with pytest.raises(error, match="nothing was sent"):
        task.attempt()
    assert task.requests() == 0


def _settled():
    from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState

    return MessageOutcome(0, MessageState.ACCEPTED, id="x")


@pytest.mark.parametrize("damage", ["cut", "gone", "swapped"])
def test_a_damaged_merged_file_is_no_loss_and_a_damaged_segment_is_an_error(sandbox, tmp_path, monkeypatch, damage):
    monkeypatch.setattr("airflow_provider_instasent.journal.merged_files.SEGMENTS", 3)
    task = BulkTask(sandbox, tmp_path, "path", messages(500), in_flight=1)
    with pytest.raises(Crash):
        task.attempt(dies_at_write=10)
    folder = next(tmp_path.iterdir())
    merged = sorted(folder.glob("merged-*"))
    assert [path.name for path in merged] == [f"merged-{n:08d}-{n + 2:08d}.jsonl" for n in (1, 4, 7)]
    if damage == "cut":
        merged[0].write_text(merged[0].read_text()[:-9])
    elif damage == "gone":
        merged[1].unlink()
    else:
        merged[0].write_text(merged[1].read_text())
    task.policy = "resend"
    outcome = task.attempt()
    assert outcome.error is None
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 500
    (folder / "00000002.jsonl").unlink()
    with pytest.raises(JournalCorruptError, match="segment 2 is missing"):
        task.attempt()


class OwnGate(RateGate):
    """A gate on the sandbox's clock, which moves while a request waits here and none is on its way.

    :param sandbox: whose clock stands else
    """

    def __init__(self, sandbox: SandboxOfTests, check: Callable[[], None]) -> None:
        super().__init__(check, sandbox.sandbox.server_time)
        wait = self._changed.wait

        def pass_time(seconds: float) -> None:
            if self._window.in_flight:
                wait(0.01)
            else:
                sandbox.advance(seconds)

        self._changed.wait = pass_time


@pytest.fixture
def limited(sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(sender, "RateGate", lambda check, _clock: OwnGate(sandbox, check))
    sandbox.stop_clock()
    sandbox.configure(rate_limit=20, rate_window=2.0)
    return BulkTask(sandbox, tmp_path, rows=messages(6_000), in_flight=8, retry_policy=RetryPolicy())


def statuses(task: BulkTask) -> list[int | None]:
    """How our requests were answered."""
    return [record.status for record in task.sandbox.requests.records("bulk")]


def test_the_rate_limit_is_waited_for_and_never_run_into(limited):
    began = limited.sandbox.sandbox.clock.now()
    outcome = limited.attempt()
    assert outcome.error is None
    assert statuses(limited) == [201] * 60  # three windows of 20 requests: two resets were waited for
    assert limited.sandbox.sandbox.clock.now() - began > 2.0


def test_the_pace_adapts_to_others_who_use_the_limit(limited):
    limited.rows = messages(4_000)
    requests, sandbox = count(1), limited.sandbox.sandbox

    def other() -> None:
        if next(requests) % 3 == 0:
            sandbox.limiter.hit("bulk", sandbox.server_time(), sandbox.settings)

    limited.sandbox.each("bulk", other)
    outcome = limited.attempt()
    assert outcome.error is None
    assert outcome.summary["accepted"] == 4_000
    assert statuses(limited).count(201) == 40
    assert statuses(limited).count(429) <= 6  # where the other took what the last answer had promised
