# SPDX-License-Identifier: Apache-2.0
"""Tries that are cleared, find another message than before, or a broken journal."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.campaign import SECRET
from support.single_send import (
    Crash,
    Hooks,
    SendTask,
    assert_accepted,
    crash,
    new_task,
    nothing_private_is_logged,
    with_a_journal,
    with_each_journal,
    with_each_policy,
)

from airflow_provider_instasent.api.client_ids import is_generated
from airflow_provider_instasent.api.errors import InvalidRequestError, UnconfirmedError
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.campaign.single_result import SingleResult, told
from airflow_provider_instasent.journal.errors import (
    JournalForeignError,
    JournalStoreError,
    JournalWriteError,
    PlanError,
)

__all__ = ["new_task", "nothing_private_is_logged"]

pytestmark = pytest.mark.usefixtures("nothing_private_is_logged")


# --- the message changes between tries ---


@with_each_policy
@with_each_journal
def test_a_text_that_changes_after_the_acceptance_is_not_sent(new_task, policy, journal, caplog):
    task = new_task(journal, policy)
    first = task.run()
    task.message = replace(task.message, text="another text")
    if journal == "none":  # nothing says that the two are one message
        assert task.run().outcome.id != first.outcome.id
        return
    assert (first.sent_now, first.changed) == (True, False)
    again = task.run()
    assert again.outcome.id == first.outcome.id
    assert (again.outcome.position, again.sent_now, again.changed) == (0, False, True)
    assert task.accepted() == 1
    assert "the change was not sent" in caplog.text


@with_each_policy
@with_a_journal
@pytest.mark.parametrize("known", [True, False])
def test_another_number_than_the_one_written_to_is_an_error(new_task, policy, journal, known):
    task = new_task(journal, policy)
    if known:
        task.run()
    else:
        with pytest.raises(Crash):
            task.attempt(Hooks(after_acceptance=crash))
    task.message = replace(task.message, to="+34600000002")
    for _ in range(2):
        with pytest.raises(PlanError, match="to another number, and nothing was sent by this try"):
            task.attempt()
    assert task.sends() == 1


@with_a_journal
@pytest.mark.parametrize("client_id", [None, "order-42"])
def test_a_text_that_changes_while_in_doubt(new_task, sandbox, journal, client_id, caplog):
    task = new_task(journal, "fail")
    task.message = replace(task.message, client_id=client_id)
    with pytest.raises(Crash):
        task.attempt(Hooks(after_acceptance=crash))
    old = task.message
    task.message = replace(old, text="another text")
    ended = task.run()
    assert ended.outcome.id == next(iter(sandbox.ledger)).id
    assert ended.outcome.client_id == client_id or (client_id is None and is_generated(ended.outcome.client_id))
    assert task.sends() == 1
    assert "the change was not sent" in caplog.text
    assert (ended.sent_now, ended.changed) == (False, True)
    assert_accepted(task, again := task.run())
    assert (again.sent_now, again.changed) == (False, True)
    task.message = old
    assert_accepted(task, again := task.run())
    assert (again.sent_now, again.changed) == (False, False)
    assert task.sends() == 1


@with_a_journal
def test_a_change_that_was_sent_before_the_first_text_was_found_is_told(new_task, sandbox, journal, caplog):
    sandbox.configure(list_lag=1000.0)
    task = new_task(journal, "resend")
    with pytest.raises(Crash):
        task.attempt(Hooks(after_acceptance=crash))
    task.message = replace(task.message, text="another text")
    sandbox.fault("error_before", "send", status=500)
    sandbox.at(1, "send", lambda: sandbox.configure(list_lag=0.0))
    ended = task.run()
    assert (ended.outcome.id, ended.changed) == (next(iter(sandbox.ledger)).id, True)
    assert "the change was sent too, and may arrive as well" in caplog.text
    assert task.sends() == 2


@with_a_journal
def test_a_refusal_of_a_new_text_proves_nothing_about_the_old_one(new_task, sandbox, journal, monkeypatch):
    """Only the clientId of the first text was ever in doubt; that another one is taken is no evidence."""
    monkeypatch.setattr("airflow_provider_instasent.journal.journal.new_secret", lambda: SECRET)
    sandbox.configure(list_lag=1000.0, repeated_client_id="refuse")
    task = new_task(journal, "resend")
    other = replace(task.message, text="another text")
    elsewhere = new_task("none", campaign_id=task.campaign_id)
    elsewhere.message = other
    assert isinstance(elsewhere.run(), SingleResult)
    with pytest.raises(Crash):
        task.attempt(Hooks(before_socket=crash))
    task.message = other
    assert isinstance(task.run(), InvalidRequestError)


@with_each_journal
@pytest.mark.parametrize("ending", ["920", "921", "922"])
def test_a_rejected_message_goes_out_once_it_is_mended(new_task, journal, ending):
    task = new_task(journal)
    good = task.message
    task.message = replace(good, to=f"+34600000{ending}")  # the sandbox rejects these endings
    assert isinstance(task.run(), InvalidRequestError)
    assert (task.tries, task.accepted()) == (1, 0)
    assert task.state() in {MessageState.REJECTED, None}
    task.message = good
    assert isinstance(task.run(), SingleResult)
    assert task.accepted() == 1


# --- clientIds of the user ---


@with_each_policy
@with_each_journal
@pytest.mark.parametrize("point", ["before_socket", "after_acceptance"])
def test_a_client_id_of_the_user_is_looked_for_and_sent(new_task, sandbox, policy, journal, point):
    task = new_task(
        journal, policy, message=Sms("+34600000001", "a text to keep private", "Acme", client_id="order-42")
    )
    ended = task.run(Hooks(**{point: crash}))
    assert task.accepted() <= 1
    if point == "after_acceptance" or journal == "none" or policy == "resend":
        assert_accepted(task, ended)
        assert ended.outcome.client_id == "order-42"
        assert list(sandbox.ledger.client_ids()) == ["order-42"]


@with_a_journal
def test_that_a_client_id_of_the_user_is_taken_proves_nothing(new_task, sandbox, journal):
    """Somebody else may have used it; ours may be the one that was not accepted."""
    sandbox.configure(repeated_client_id="refuse")
    message = Sms("+34600000001", "a text to keep private", "Acme", client_id="order-42")
    other = new_task("none", campaign_id="another")
    other.message = replace(message, to="+34600000002")
    assert isinstance(other.run(), SingleResult)
    task = new_task(journal, "resend", message=message)
    ended = task.run(Hooks(before_socket=crash))
    assert isinstance(ended, InvalidRequestError)
    assert task.accepted() == 1
    assert task.state() is MessageState.UNCONFIRMED


@with_a_journal
def test_that_the_list_has_a_client_id_of_the_user_with_a_different_text_leaves_a_doubt(sandbox, tmp_path, journal):
    """It was used for that text to this number a moment ago; or the API lists another text than was sent."""
    message = Sms("+34600000001", "a text to keep private", "Acme", client_id="order-42")
    other = SendTask(sandbox, "none", tmp_path, campaign_id="another", message=replace(message, text="older"))
    assert isinstance(other.run(), SingleResult)
    task = SendTask(sandbox, journal, tmp_path, "resend", message=message)
    ended = task.run(Hooks(before_socket=crash))
    assert isinstance(ended, UnconfirmedError)
    assert "a different text" in str(ended)
    assert task.accepted() == 1


# --- cleared after success ---


@with_each_policy
@with_a_journal
def test_a_task_cleared_after_success_sends_nothing_and_asks_nothing(new_task, sandbox, policy, journal):
    task = new_task(journal, policy)
    first = task.run()
    requests = len(sandbox.requests)
    for _ in range(3):
        again = task.run()
        assert (again.outcome.id, again.outcome.client_id) == (first.outcome.id, first.outcome.client_id)
        assert not again.sent_now
    assert len(sandbox.requests) == requests
    assert "accepted by an earlier try and nothing sent now, id " in told(task.message, again)


def test_another_dag_run_sends_its_own(new_task):
    assert isinstance(new_task("path", campaign_id="run 1").run(), SingleResult)
    assert isinstance(new_task("path", campaign_id="run 2").run(), SingleResult)
    assert new_task("path").accepted() == 2


# --- journals that fail ---


def test_a_journal_that_cannot_be_written_sends_nothing(new_task):
    task = new_task("values")
    task.values.failing = BrokenPipeError("the supervisor is gone")
    with pytest.raises(JournalWriteError):
        task.attempt()
    assert task.sends() == 0
    task.values.failing = None
    assert_accepted(task, task.run())


def test_a_journal_that_fails_after_the_acceptance(new_task, sandbox, caplog):
    """The message is out: the try says so; a later one finds it in the list."""
    task = new_task("values")

    def fail() -> None:
        task.values.failing = BrokenPipeError("the supervisor is gone")

    ended = task.attempt(Hooks(after_acceptance=fail))
    assert ended.outcome.id == next(iter(sandbox.ledger)).id
    assert "could not be written to the journal" in caplog.text
    task.values.failing = None
    assert task.state() is MessageState.INTENDED
    assert_accepted(task, task.run())
    assert task.sends() == 1


def test_a_resend_needs_its_journal(new_task, sandbox):
    """No answer, not found, and the journal has failed meanwhile: no second request may leave."""
    task = new_task("values", "resend")
    sandbox.fault("cut_before", endpoint="send")

    def fail() -> None:
        task.values.failing = BrokenPipeError("the supervisor is gone")

    with pytest.raises(JournalWriteError):
        task.attempt(Hooks(before_look=fail))
    assert task.sends() == 1


@with_a_journal
def test_a_journal_of_another_campaign_sends_nothing(new_task, journal, tmp_path):
    task = new_task(journal)
    task.run()
    old = next(tmp_path.glob("*"), None)
    task.campaign_id = "another"
    if journal == "path":
        new = task._segments()._folder._path
        new.mkdir()
        for segment in old.glob("*.jsonl"):
            (new / segment.name).write_bytes(segment.read_bytes())
    with pytest.raises(JournalForeignError, match="another campaign"):
        task.attempt()
    assert task.sends() == 1


def test_a_damaged_journal_sends_nothing(new_task, tmp_path):
    task = new_task("path")
    task.run()
    (segment,) = tmp_path.glob("*/00000001.jsonl")
    segment.write_bytes(segment.read_bytes()[:-30])
    ended = task.run()
    assert type(ended).__name__ == "JournalCorruptError"
    assert task.sends() == 1


def test_a_journal_path_that_cannot_be_one_sends_nothing(new_task, tmp_path):
    task = new_task("path")
    task.folder = tmp_path / "folder"
    task.folder.mkdir()
    task.folder.joinpath(task._segments()._folder._path.name).write_text("a file where the folder should be")
    with pytest.raises(Exception, match="journal") as caught:
        task.attempt()
    assert not isinstance(caught.value, JournalStoreError)
    assert task.sends() == 0
