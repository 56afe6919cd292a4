# SPDX-License-Identifier: Apache-2.0

"""A campaign whose process dies at every point, once or several times: nothing twice, nothing lost."""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import Any

import pytest
from support.bulk_send import BulkTask, Crash, accounted, messages
from support.events import LONG

from airflow_provider_instasent.api.errors import UnconfirmedError
from airflow_provider_instasent.api.rate_window import RateWindow
from airflow_provider_instasent.campaign import rate_gate, sender
from airflow_provider_instasent.campaign.rate_gate import RateGate
from airflow_provider_instasent.journal.errors import JournalConflictError, JournalError, StoppedError
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.stale_intents import STALE_INTENT_SECONDS
from airflow_provider_instasent.journal.stopping import Stop
from airflow_provider_instasent.journal.worker_clock import WorkerClock

TOTAL = 250
POINTS = [
    *({"dies_at_write": number} for number in range(1, 8)),
    *({"dies_at_write": number, "after_write": True} for number in range(1, 8)),
    *({"dies_before_request": number} for number in (1, 3)),
    *({"dies_after_request": number} for number in (1, 3)),
]


@pytest.fixture(params=["values", "path"])
def task(request, sandbox, tmp_path):
    return BulkTask(sandbox, tmp_path, request.param, messages(TOTAL))


def crashes(task: BulkTask, **point: object) -> bool:
    """Run a try that dies at a point; tell whether it got there."""
    try:
        task.attempt(**point)
    except Crash:
        return True
    return False


def check_at_rest(task: BulkTask, policy: str, outcome: object) -> None:
    summary = outcome.summary
    sent = task.sent()
    assert set(sent.values()) <= {1}
    assert accounted(summary) == summary["rows"]
    assert summary["accepted"] == len(sent)
    assert summary["accepted"] + summary["unconfirmed"] == TOTAL
    if policy == "resend":
        assert (outcome.error, len(sent)) == (None, TOTAL)
    elif policy == "fail" and summary["unconfirmed"]:
        assert isinstance(outcome.error, UnconfirmedError)
    else:
        assert outcome.error is None


@pytest.mark.parametrize("policy", ["fail", "resend", "skip"])
def test_it_goes_on_after_dying_at_each_point(task, policy):
    task.policy = policy
    reached = 0
    for number, point in enumerate(POINTS):
        task.sandbox.reset()
        task.campaign_id = f"campaign {number}"  # a journal of its own, at least under a path
        task.values.content.clear()
        reached += crashes(task, **point)
        check_at_rest(task, policy, task.attempt())
    assert reached > len(POINTS) - 6  # writes are shared, so the last of them may not come


@pytest.mark.parametrize("seed", range(4))
def test_it_goes_on_after_dying_again_and_again(task, seed):
    dice = random.Random(seed)
    task.policy = dice.choice(["fail", "resend", "skip"])
    task.sandbox.configure(echo_client_id=dice.random() < 0.5, list_order=dice.choice(["newest", "oldest"]))
    for _ in range(6):
        kind = dice.choice(["dies_at_write", "dies_before_request", "dies_after_request"])
        crashes(task, **{kind: dice.randint(1, 6)}, after_write=dice.random() < 0.5)
        task.sandbox.fault("cut_after", endpoint="bulk", skip=dice.randint(0, 3))
    task.sandbox.clear_faults()
    check_at_rest(task, task.policy, task.attempt())


def test_a_process_that_dies_while_it_lists_its_messages_has_sent_nothing_and_may_change_its_rows(task, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.journal.journal.KEYS_A_RECORD", 20)
    monkeypatch.setattr("airflow_provider_instasent.campaign.campaign_try.LISTED_AT_ONCE", 40)
    task.rows, task.policy = messages(200), "resend"
    assert crashes(task, dies_at_write=3)
    assert task.requests() == 0
    task.rows = messages(200, start=50)
    assert crashes(task, dies_after_request=1)  # and the next one goes on without asking
    outcome = task.attempt()
    assert outcome.error is None
    assert set(task.sent()) == {row["to"] for row in task.rows}
    assert set(task.sent().values()) == {1}


def test_a_resend_that_is_refused_leaves_the_doubt(task):
    """A refusal is about its own request: the message of the earlier one may have been accepted all the same."""
    task.rows = messages(50)
    task.sandbox.configure(list_lag=3_600.0)
    task.policy = "resend"
    task.sandbox.fault("cut_after", endpoint="bulk")
    task.sandbox.fault("no_funds", endpoint="bulk")
    first = task.attempt()
    assert (first.summary["unconfirmed"], first.summary["planned"]) == (50, 0)
    task.policy = "fail"
    second = task.attempt()
    assert isinstance(second.error, UnconfirmedError)
    assert second.summary["unconfirmed"] == 50
    assert len(task.sandbox.ledger) == 50
    task.sandbox.configure(list_lag=0.0)
    assert task.attempt().summary["accepted"] == 50


@pytest.mark.parametrize("echo", [True, False])
def test_a_used_client_id_is_evidence_for_a_message_in_doubt_alone(task, echo):
    task.rows = messages(150)
    task.policy = "resend"
    task.sandbox.configure(repeated_client_id="refuse", list_lag=3_600.0, echo_client_id=echo)
    task.sandbox.fault("cut_after", endpoint="bulk")
    outcome = task.attempt()
    assert outcome.error is None
    assert outcome.summary["accepted"] == 150 == len(task.sandbox.ledger)
    task.policy, task.journal = "fail", "none"
    task.rows = messages(150, text="another text")
    assert task.attempt().summary["accepted"] == 150
    lost = task.attempt()  # under the same ids, and with no doubt about an earlier request
    assert lost.summary["rejected"] == 150
    assert len(task.sandbox.ledger) == 300


def test_an_error_of_no_known_kind_after_a_request_left_leaves_a_doubt(task, monkeypatch):
    calls = itertools.count()

    def broken(*_: object) -> None:
        if next(calls) == 0:
            raise LookupError("a bug")

    task.rows = messages(150)
    with monkeypatch.context() as patch:
        patch.setattr(WorkerClock, "learn", broken)
        with pytest.raises(LookupError, match="a bug"):
            task.attempt()
    assert len(task.sandbox.ledger) >= 50
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 150)
    assert set(task.sent().values()) == {1}


def test_a_chunk_that_never_left_says_nothing_about_another_one(task, monkeypatch):
    """The first one is in doubt; the second ends while it waits for the rate limit."""
    calls, enter = itertools.count(), RateGate.enter

    def stopped(gate: RateGate) -> None:
        if next(calls) == 1:
            raise StoppedError("asked to stop")
        enter(gate)

    task.rows, task.in_flight = messages(200), 1
    task.sandbox.configure(list_lag=3_600.0)
    task.sandbox.fault("cut_after", endpoint="bulk")
    with monkeypatch.context() as patch:
        patch.setattr(RateGate, "enter", stopped)
        task.attempt()
    assert len(task.sandbox.ledger) == 100
    for _ in range(2):
        outcome = task.attempt()
        assert isinstance(outcome.error, UnconfirmedError)
        assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (100, 100)
    assert len(task.sandbox.ledger) == 200
    assert set(task.sent().values()) == {1}


def test_a_used_client_id_of_the_users_own_is_no_evidence(task):
    """He may have used it before, for another message."""
    task.rows = [{**row, "client_id": f"mine-{place}"} for place, row in enumerate(messages(3))]
    task.policy = "resend"
    task.sandbox.configure(repeated_client_id="refuse", list_lag=3_600.0)
    task.sandbox.fault("cut_after", endpoint="bulk")
    outcome = task.attempt()
    assert outcome.error is not None
    assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (0, 3)
    task.sandbox.configure(list_lag=0.0)
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"], len(task.sandbox.ledger)) == (None, 3, 3)


def test_of_two_live_tries_at_most_one_sends_past_its_next_journal_write(sandbox, tmp_path):
    task = BulkTask(sandbox, tmp_path, "path", messages(1_000), in_flight=1)
    held, go_on = threading.Event(), threading.Event()
    ended: list[object] = []

    def hold(number: int) -> None:
        if number == 4:
            held.set()
            go_on.wait(LONG)

    def let_go(number: int) -> None:
        if number == 2:
            go_on.set()
            old.join(LONG)  # so what it sends is there to be found

    old = threading.Thread(target=lambda: ended.append(task.attempt(before_request=hold)))
    old.start()
    assert held.wait(LONG)
    newer = BulkTask(sandbox, tmp_path, "path", messages(1_000), in_flight=1)
    outcome = newer.attempt(before_request=let_go)
    assert isinstance(ended[0].error, JournalConflictError)
    assert outcome.error is None
    assert outcome.summary["accepted"] == 1_000
    assert set(task.sent().values()) == {1}
    assert task.requests() == 10  # the old one sent the chunk that it had announced, and no other


def test_any_failure_of_the_store_ends_sending(sandbox, tmp_path):
    task = BulkTask(sandbox, tmp_path, "values", messages(1_500))

    def fail(number: int) -> None:
        if number == 5:
            task.values.failing = BrokenPipeError("the supervisor is gone")

    outcome = task.attempt(before_request=fail)
    assert isinstance(outcome.error, JournalError)
    assert task.requests() <= 5 + task.in_flight
    assert accounted(outcome.summary) == 1_500
    task.values.failing, task.policy = None, "resend"
    again = task.attempt()
    assert again.error is None
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 1_500


class Alarm(BaseException):
    """What Airflow raises on the main thread, wherever that is."""


@contextmanager
def alarm():
    """Let a test ring an alarm on the main thread; yields what rings it, from any thread."""

    def raise_alarm(*_: object) -> None:
        raise Alarm

    def ring() -> None:
        os.kill(os.getpid(), signal.SIGALRM)

    def ring_again(dropped: Any) -> None:
        if isinstance(dropped.exc_value, Alarm):
            signal.setitimer(signal.ITIMER_REAL, 0.001)
        else:
            report(dropped)

    # Python drops what a signal handler raises while a finaliser runs: that would test nothing.
    report, sys.unraisablehook = sys.unraisablehook, ring_again
    former = signal.signal(signal.SIGALRM, raise_alarm)
    try:
        yield ring
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
        sys.unraisablehook = report


@pytest.mark.parametrize("at_request", [1, 7, 14, 20])
def test_an_execution_timeout_loses_no_record(task, monkeypatch, at_request):
    """The answers of the chunks in flight are recorded, though the main thread is already leaving."""
    monkeypatch.setattr(sender, "RECORDING_SECONDS", LONG)
    task.rows = messages(2_400)
    task.sandbox.configure(latency=0.3)  # of 24 requests some are on their way when it rings, wherever that is
    with alarm() as ring:
        task.sandbox.at(at_request, "bulk", ring)
        with pytest.raises(Alarm):
            task.attempt()
    assert at_request <= task.requests() < 24
    task.sandbox.configure(latency=0.0, list_lag=3_600.0)  # nothing can be found now: all must be in the journal
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["unconfirmed"]) == (None, 0)
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 2_400


def test_a_stop_ends_a_try_within_seconds_though_the_api_hangs(task):
    task.rows = messages(1_000)
    task.read_timeout = 3_600.0
    task.sandbox.fault("timeout_after", endpoint="bulk", skip=3, seconds=3_600.0)
    stopped: list[float] = []

    def stop(number: int) -> None:
        if number == 6:
            stopped.append(time.monotonic())
            task.stop.set()

    with pytest.raises(StoppedError):
        task.attempt(before_request=stop)
    assert time.monotonic() - stopped[0] < LONG, "it waited for the answer"
    task.stop = Stop()
    outcome = task.attempt()
    assert outcome.error is None
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 1_000
    task.sandbox.cut_all()  # and lets the thread go that still waits


def test_a_stop_ends_a_wait_for_the_rate_limit(task, monkeypatch):
    task.rows = messages(2_000)
    task.sandbox.configure(rate_limit=5, rate_window=3_600.0)
    waiting, pause = threading.Event(), RateWindow.pause

    def noted(window: RateWindow) -> float:
        seconds = pause(window)
        if seconds > 60:
            waiting.set()
        return seconds

    monkeypatch.setattr(RateWindow, "pause", noted)
    monkeypatch.setattr(rate_gate, "LONGEST_RESET_WAIT", 3_600.0)
    stopper = threading.Thread(target=lambda: waiting.wait(LONG) and task.stop.set())
    stopper.start()
    began = time.monotonic()
    with pytest.raises(StoppedError):
        task.attempt()
    assert time.monotonic() - began < LONG, "it waited for the reset"
    stopper.join()
    assert 0 < len(task.sent()) <= 500


def test_a_stop_ends_a_look_at_a_list_that_does_not_answer(task):
    task.rows = messages(100)
    task.read_timeout = 3_600.0
    task.sandbox.fault("cut_after", endpoint="bulk")
    task.sandbox.fault("timeout_before", endpoint="list", seconds=3_600.0)
    task.sandbox.at(1, "list", task.stop.set)
    began = time.monotonic()
    with pytest.raises(StoppedError):
        task.attempt()
    assert time.monotonic() - began < LONG, "it waited for the answer"
    task.sandbox.cut_all()
    task.stop = Stop()
    assert task.attempt().error is None
    assert list(task.sent().values()) == [1] * 100


def test_a_slow_intent_is_written_again_before_its_chunk_leaves(sandbox, tmp_path, monkeypatch):
    """So that a try which hung is fenced off by a newer one."""
    late = 0.0
    task = BulkTask(sandbox, tmp_path, "values", messages(100), in_flight=1, elapsed=lambda: 1000.0 + late)
    intend = Journal.intend_places

    def slow(journal: Journal, *arguments: Any) -> Any:
        nonlocal late
        intended = intend(journal, *arguments)
        late = STALE_INTENT_SECONDS + 1
        return intended

    monkeypatch.setattr(Journal, "intend_places", slow)
    assert task.attempt().error is None
    with Journal(task.segments()) as journal:
        kinds = [type(event).__name__ for event in journal.replay()]
    assert kinds.count("PlacedIntent") == 2
