# SPDX-License-Identifier: Apache-2.0
"""Tries that die, doubt or overlap: the next one knows what it must not send."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.sandbox import call, deliverable, message
from support.single_send import (
    Crash,
    Hooks,
    assert_accepted,
    crash,
    new_task,
    nothing_private_is_logged,
    with_a_journal,
    with_each_journal,
    with_each_policy,
)

from airflow_provider_instasent.api.errors import NoFundsError, NotSentError, UnavailableError, UnconfirmedError
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.campaign import search
from airflow_provider_instasent.campaign.single_result import SingleResult
from airflow_provider_instasent.campaign.unconfirmed import MOST_RESENDS
from airflow_provider_instasent.journal.errors import (
    JournalConflictError,
    JournalWriteError,
)
from airflow_provider_instasent.journal.stale_intents import STALE_INTENT_SECONDS
from airflow_provider_instasent.journal.worker_clock import elapsed

__all__ = ["new_task", "nothing_private_is_logged"]

pytestmark = pytest.mark.usefixtures("nothing_private_is_logged")


# --- a process that dies ---


@with_each_policy
@with_each_journal
def test_a_try_that_dies_before_its_intent_sent_nothing(new_task, policy, journal):
    task = new_task(journal, policy)
    point = "before_socket" if journal == "none" else "before_intent"
    ended = task.run(Hooks(**{point: crash}))
    assert_accepted(task, ended)
    assert (task.tries, task.sends()) == (2, 1)
    assert (ended.sent_now, ended.changed, task.send.in_doubt) == (True, False, False)


@with_each_policy
@with_each_journal
def test_a_try_that_dies_between_intent_and_socket(new_task, policy, journal):
    task = new_task(journal, policy)
    ended = task.run(Hooks(before_socket=crash))
    if journal == "none" or policy == "resend":
        assert_accepted(task, ended)
        return
    assert task.sends() == 0
    assert task.state() is MessageState.INTENDED
    assert isinstance(ended, UnconfirmedError) if policy == "fail" else ended.outcome.state is MessageState.UNCONFIRMED


@with_each_policy
@with_each_journal
@pytest.mark.parametrize("point", ["after_acceptance", "after_record", "before_look"])
def test_a_try_that_dies_after_the_acceptance(new_task, sandbox, policy, journal, point):
    task = new_task(journal, policy)
    if point == "before_look":
        sandbox.fault("cut_after", endpoint="send")
    if point == "after_record" and journal == "none":
        point = "after_acceptance"
    ended = task.run(Hooks(**{point: crash}))
    assert_accepted(task, ended)
    assert (task.tries, task.sends()) == (2, 1)
    assert ended.outcome.id == next(iter(sandbox.ledger)).id
    assert ended.outcome.client_id == next(iter(sandbox.ledger)).client_id
    assert (ended.sent_now, ended.changed) == (False, False)


@with_each_policy
@with_each_journal
def test_what_a_long_list_may_hide_is_not_sent_again(new_task, sandbox, monkeypatch, policy, journal):
    sandbox.configure(page_cap=1)
    monkeypatch.setattr(search, "MOST_PAGES", 4)
    task = new_task(journal, policy)
    with pytest.raises(Crash):
        task.attempt(Hooks(after_acceptance=crash))
    for index in range(8):
        call(sandbox, "POST", "/sms", message(deliverable(1_000 + index)))
    ended = task.run()
    assert len([sms for sms in sandbox.ledger if sms.to == task.message.to]) == 1
    if policy == "skip":
        assert ended.outcome.state is MessageState.UNCONFIRMED
    elif journal == "none" or policy == "resend":
        assert "at most 4 pages" in str(ended)
    monkeypatch.undo()
    assert task.run().outcome.id == next(iter(sandbox.ledger)).id


@with_each_policy
@with_each_journal
def test_tries_that_die_everywhere_in_turn(new_task, policy, journal):
    """Before the intent, before the socket, after the acceptance, while looking, after the record."""
    task = new_task(journal, policy)
    deaths = [
        Hooks(before_socket=crash),
        Hooks(after_acceptance=crash),
        Hooks(before_look=crash),
        Hooks(after_record=crash),
    ]
    ended = task.run(Hooks(before_intent=crash), *deaths, most=8)
    if journal == "none" or policy == "resend":
        assert_accepted(task, ended)
    else:
        assert task.sends() == 0
    assert task.accepted() <= 1


@with_each_policy
@with_a_journal
def test_a_death_after_the_acceptance_with_a_lagging_list(new_task, sandbox, policy, journal):
    """`resend` may text twice here, as documented; `fail` and `skip` must not, and find it once it is listed."""
    sandbox.configure(list_lag=1000.0)
    task = new_task(journal, policy)
    ended = task.run(Hooks(after_acceptance=crash))
    if policy == "resend":
        assert task.accepted() == 2
        return
    assert task.accepted() == 1
    assert isinstance(ended, UnconfirmedError) if policy == "fail" else ended.outcome.state is MessageState.UNCONFIRMED
    sandbox.configure(list_lag=0.0)
    assert_accepted(task, task.run())
    assert task.sends() == 1


@with_a_journal
def test_a_client_id_that_was_changed_after_a_refusal_is_looked_for(new_task, sandbox, journal):
    task = new_task(journal)
    task.message = replace(task.message, client_id="first")
    sandbox.fault("no_funds", endpoint="send")
    with pytest.raises(NoFundsError):
        task.attempt()
    task.message = replace(task.message, client_id="second")
    sandbox.fault("cut_after", endpoint="send")
    assert_accepted(task, ended := task.attempt())
    assert ended.outcome.client_id == "second"
    assert task.sends() == 2


@with_a_journal
def test_a_client_id_that_was_changed_in_doubt_does_not_hide_the_former_one(new_task, sandbox, journal):
    sandbox.configure(list_lag=1000.0)
    task = new_task(journal, "resend")
    task.message = replace(task.message, client_id="first")
    with pytest.raises(Crash):
        task.attempt(Hooks(after_acceptance=crash))
    task.message = replace(task.message, client_id="second")
    sandbox.fault("error_before", endpoint="send", status=500)
    sandbox.at(1, "send", lambda: sandbox.configure(list_lag=0.0))
    assert_accepted(task, ended := task.attempt())
    assert ended.outcome.client_id == "first"
    assert task.sends() == 2


@with_each_journal
def test_one_try_sends_again_only_so_often(new_task, sandbox, journal):
    task = new_task(journal, "resend")
    sandbox.fault("error_before", endpoint="send", status=500, times=1 + MOST_RESENDS)
    with pytest.raises(UnavailableError, match=f"^{1 + MOST_RESENDS} sends in a row ended without an answer"):
        task.attempt()
    assert task.sends() == 1 + MOST_RESENDS
    assert task.send.in_doubt
    assert_accepted(task, task.run())
    assert task.sends() == 2 + MOST_RESENDS


def test_without_a_journal_a_retry_relies_on_the_list(new_task, sandbox):
    """The documented limit of a send without a journal: it is looked up before a retry sends, and that is all."""
    sandbox.configure(list_lag=1000.0)
    task = new_task("none", "fail")
    assert isinstance(task.run(Hooks(after_acceptance=crash)), SingleResult)
    assert task.accepted() == 2


@with_a_journal
def test_a_refused_repetition_proves_the_acceptance(new_task, sandbox, journal):
    sandbox.configure(list_lag=1000.0, repeated_client_id="refuse")
    task = new_task(journal, "resend")
    assert_accepted(task, task.run(Hooks(after_acceptance=crash)))
    assert task.sends() == 2
    assert_accepted(task, task.run())
    assert task.sends() == 2


# --- doubt survives refusals ---


@with_a_journal
@pytest.mark.parametrize("fault", ["no_funds", "too_large", "not_found"])
def test_a_refused_repetition_does_not_settle_the_first_request(new_task, sandbox, journal, fault):
    """Accepted, answer lost, list lagging; the repetition is refused. Once it is listed, nothing goes out again."""
    sandbox.configure(list_lag=1000.0)
    task = new_task(journal, "resend")
    sandbox.fault("cut_after", endpoint="send")
    sandbox.fault(fault, endpoint="send")
    task.run(most=1)
    assert task.accepted() == 1
    assert task.sends() == 2
    assert task.send.in_doubt
    assert task.state() is MessageState.UNCONFIRMED
    sandbox.configure(list_lag=0.0)
    assert_accepted(task, task.run())
    assert task.sends() == 2


@with_a_journal
def test_an_unreachable_api_does_not_settle_the_first_request(new_task, sandbox, journal):
    sandbox.configure(list_lag=1000.0)
    task = new_task(journal, "resend")
    with pytest.raises(Crash):
        task.attempt(Hooks(after_acceptance=crash))

    def unreachable() -> None:
        raise NotSentError("the API could not be reached")

    with pytest.raises(NotSentError):
        task.attempt(Hooks(before_socket=unreachable))
    assert task.send.in_doubt
    assert task.state() is MessageState.UNCONFIRMED
    sandbox.configure(list_lag=0.0)
    assert_accepted(task, task.run())
    assert task.sends() == 1


# --- two tries at once ---


def test_a_superseded_try_that_wakes_up_late_sends_nothing(new_task):
    """Try 1 hangs between intent and socket; try 2 looks, sends; try 1 wakes up and finds that it is fenced off."""
    late = 0.0
    first, second = new_task("path", "resend"), new_task("path", "resend")
    first.elapsed = lambda: elapsed() + late

    def hang() -> None:
        nonlocal late
        assert isinstance(second.attempt(), SingleResult)
        late = STALE_INTENT_SECONDS + 1

    with pytest.raises(JournalConflictError, match="another try of this campaign is alive"):
        first.attempt(Hooks(before_socket=hang))
    assert first.sends() == 1
    assert_accepted(second, second.attempt())
    assert first.sends() == 1


def test_a_superseded_try_may_finish_what_the_next_then_finds(new_task, sandbox):
    """Try 1 is slow with its answer; try 2 starts meanwhile, finds the message and sends nothing."""
    first, second = new_task("path", "resend"), new_task("path", "resend")
    results = []
    result = first.attempt(Hooks(after_acceptance=lambda: results.append(second.attempt())))
    assert result.outcome.id == results[0].outcome.id == next(iter(sandbox.ledger)).id
    assert first.sends() == 1


def test_an_intent_that_went_stale_is_written_again_before_the_message_leaves(new_task, sandbox):
    task, late = new_task("values"), 0.0
    task.elapsed = lambda: elapsed() + late
    written = []

    def wait() -> None:
        nonlocal late
        written.append(task.values.get("instasent.journal.1"))
        late = STALE_INTENT_SECONDS + 1

    def note() -> None:
        written.append(task.values.get("instasent.journal.1"))

    task.attempt(Hooks(before_socket=wait, after_acceptance=note))
    assert written[0] != written[1]
    assert task.sends() == 1


def test_a_rate_limit_is_waited_for_under_a_fresh_intent(new_task, sandbox):
    """The fence holds for each request of a try, not only for the first."""
    sandbox.fault("rate_limited", endpoint="send", seconds=0.3)
    task, late = new_task("values"), 0.0
    task.elapsed = lambda: elapsed() + late
    seen = []

    def step() -> None:
        nonlocal late
        seen.append(task.sends())
        late += STALE_INTENT_SECONDS + 1
        if task.sends():
            task.values.failing = BrokenPipeError("the supervisor is gone")

    with pytest.raises(JournalWriteError):
        task.attempt(Hooks(before_socket=step))
    assert seen == [0, 1]
    assert task.accepted() == 0


def test_funds_that_ran_out_are_waited_for_by_clearing(new_task, sandbox):
    sandbox.configure(balance=0.0)
    task = new_task("values")
    assert isinstance(task.run(), NoFundsError)
    sandbox.configure(balance=10.0)
    assert_accepted(task, task.run())
    assert task.sends() == 2


def test_of_two_doubts_that_are_both_found_the_message_of_this_try_counts(new_task, sandbox):
    """The first try's text shows up late, beside the second try's: both are known then, and the own one is told."""
    task = new_task("values", "skip")
    sandbox.configure(list_lag=3_600.0)
    sandbox.fault("cut_after", endpoint="send", times=2)
    assert task.attempt().outcome.state is MessageState.UNCONFIRMED
    task.policy, task.message = "resend", replace(task.message, text="another text to keep private")

    result = task.attempt(Hooks(before_socket=lambda: sandbox.configure(list_lag=0.0)))

    first, second = sandbox.ledger
    assert (result.outcome.id, result.changed, result.sent_now) == (second.id, False, True)
    assert {message.id for message in task.listed()} == {first.id, second.id}
    assert task.attempt().outcome.id == second.id
    assert task.sends() == 2
