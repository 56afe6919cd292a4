# SPDX-License-Identifier: Apache-2.0
"""Every fault of the API under every policy with every kind of journal: what was accepted is what the promise says."""

from __future__ import annotations

import re

import pytest
from support.events import LONG
from support.single_send import JOURNALS, POLICIES, SendTask, nothing_private_is_logged
from support.single_send import assert_accepted as assert_state

from airflow_provider_instasent.api.errors import (
    AuthenticationError,
    NoFundsError,
    NotFoundError,
    NotSentError,
    TooLargeError,
    UnavailableError,
    UnconfirmedError,
)
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.campaign import search
from airflow_provider_instasent.sandbox.faults import AFTER, BEFORE

__all__ = ["nothing_private_is_logged"]

NOTHING_ACCEPTED = ("cut_before", "timeout_before", "error_before", "html_before", "redirect")
ANSWER_LOST = (
    "cut_after", "timeout_after", "error_after", "status_after", "redirect_after", "html", "truncated",
    "truncated_json", "empty", "without_id", "raw", "drip_head", "drip_body", "endless_head",
)  # fmt: skip
HARMLESS = ("item_missing", "shuffled", "same_id", "fields", "raw_fields", "huge", "huge_gzip", "gzip")
REFUSED_FOR_GOOD = {
    "no_funds": (NoFundsError, MessageState.PLANNED),
    "unauthorized": (AuthenticationError, MessageState.PLANNED),
    "forbidden": (AuthenticationError, MessageState.PLANNED),
    "too_large": (TooLargeError, MessageState.REJECTED),
    "not_found": (NotFoundError, MessageState.PLANNED),
}
REFUSED_FOR_NOW = ("rate_limited",)
READS = ("poll_fails",)

pytestmark = [
    pytest.mark.parametrize("policy", POLICIES),
    pytest.mark.parametrize("echo", [True, False], ids=["echoed", "not echoed"]),
    pytest.mark.parametrize("journal", JOURNALS),
    pytest.mark.usefixtures("nothing_private_is_logged"),
]


@pytest.fixture
def task(sandbox, policy, echo, journal, tmp_path):
    sandbox.configure(echo_client_id=echo)
    return SendTask(sandbox, journal, tmp_path, policy)


def fault(sandbox, name, endpoint="send", **options):
    seconds = 0.4 if name == "rate_limited" else 30.0
    sandbox.fault(name, endpoint=endpoint, seconds=seconds, **options)


def assert_accepted(task, ended):
    assert_state(task, ended)
    (sms,) = task.sandbox.ledger
    assert (ended.outcome.id, ended.outcome.client_id) == (sms.id, sms.client_id)


def assert_cleared_sends_nothing(task):
    sends = task.sends()
    assert_accepted(task, task.run())
    assert task.sends() == sends


def test_the_faults_below_are_all_there_are(policy, echo, journal):
    assert {
        *NOTHING_ACCEPTED, *ANSWER_LOST, *HARMLESS, *REFUSED_FOR_GOOD, *REFUSED_FOR_NOW, *READS,
    } == BEFORE | AFTER  # fmt: skip


@pytest.mark.parametrize("name", ANSWER_LOST)
def test_an_accepted_message_whose_answer_is_lost_is_found(task, sandbox, name):
    fault(sandbox, name)
    assert_accepted(task, task.run())
    assert task.tries == 1
    assert_cleared_sends_nothing(task)


@pytest.mark.parametrize("name", HARMLESS)
def test_a_fault_of_bulk_answers_changes_nothing(task, sandbox, name):
    fault(sandbox, name)
    assert_accepted(task, task.run())
    assert task.tries == 1


@pytest.mark.parametrize("name", NOTHING_ACCEPTED)
def test_a_message_that_may_have_been_accepted_and_was_not(task, sandbox, policy, journal, name):
    fault(sandbox, name)
    ended = task.run()
    assert task.tries == 1
    if policy == "resend":
        assert_accepted(task, ended)
        return
    assert task.accepted() == 0
    assert task.sends() == 1
    assert task.state() in {MessageState.UNCONFIRMED, None}
    if policy == "skip":
        assert ended.outcome.state is MessageState.UNCONFIRMED
        assert (ended.outcome.position, ended.outcome.id, ended.sent_now) == (0, None, False)
        assert ended.outcome.client_id == task.send.client_id
        assert "may or may not have been accepted" in ended.outcome.reason
    else:
        assert isinstance(ended, UnconfirmedError)
        said = r"1 message is unconfirmed \(.*may or may not have been accepted.*\) and was not found"
        assert re.match(said, str(ended))
        assert ("no journal" if journal == "none" else 'on_unconfirmed="resend"') in str(ended)
        assert task.send.in_doubt
    ended = task.run()
    if journal == "none":  # only a journal can say that an earlier try sent anything
        assert_accepted(task, ended)
        return
    assert task.sends() == 1
    assert isinstance(ended, UnconfirmedError) if policy == "fail" else ended.outcome.state is MessageState.UNCONFIRMED
    task.policy = "resend"
    assert_accepted(task, task.run())


@pytest.mark.parametrize("name", REFUSED_FOR_GOOD)
def test_a_refusal_ends_the_task_and_clearing_it_sends(task, sandbox, name):
    error, state = REFUSED_FOR_GOOD[name]
    fault(sandbox, name)
    assert isinstance(task.run(), error)
    assert not task.send.in_doubt
    assert (task.tries, task.sends(), task.accepted()) == (1, 1, 0)
    assert task.state() in {state, None}
    assert_accepted(task, task.run())
    assert task.sends() == 2
    assert_cleared_sends_nothing(task)


@pytest.mark.parametrize("name", REFUSED_FOR_NOW)
def test_a_refusal_that_passes_is_tried_again(task, sandbox, name):
    fault(sandbox, name)
    assert_accepted(task, task.run())
    assert task.sends() == 2
    assert task.tries == 1


@pytest.fixture
def looks(monkeypatch):
    """Looks follow each other at once, and a grace of any length is there for them."""
    monkeypatch.setattr(search, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(search, "LONGEST_PAUSE", 0.01)


@pytest.mark.usefixtures("looks")
def test_looks_that_fail_are_made_again(task, sandbox):
    fault(sandbox, "cut_after")
    fault(sandbox, "poll_fails", "list", times=3)
    task.grace = LONG
    assert_accepted(task, task.run())
    assert task.tries == 1
    assert task.sends() == 1


def test_a_list_that_stays_away(task, sandbox, policy, journal):
    """The answer is lost and the list is down for longer than the grace; then it is back."""
    fault(sandbox, "cut_after")
    fault(sandbox, "poll_fails", "list", times=1000)
    ended = task.run(most=2)
    assert task.accepted() == 1
    assert task.sends() == 1
    if journal == "none" and policy != "resend":  # a retry would not know that it must not send
        assert task.tries == 1
        assert isinstance(ended, UnconfirmedError) if policy == "fail" else ended.outcome.id is None
    else:
        assert task.tries == 2
        assert isinstance(ended, UnavailableError)
        assert "the list cannot be read" in str(ended)
        assert task.send.in_doubt
    sandbox.clear_faults()
    assert_cleared_sends_nothing(task)


@pytest.mark.usefixtures("looks")
@pytest.mark.parametrize("name", ["cut_after", "error_after"])
def test_a_list_that_lags_less_than_the_grace(task, sandbox, name):
    sandbox.stop_clock()
    sandbox.configure(list_lag=10)
    sandbox.at(3, "list", lambda: sandbox.advance(20))
    task.grace = LONG
    fault(sandbox, name)
    assert_accepted(task, task.run())
    assert task.sends() == 1
    looks = [one.query["page"] for one in sandbox.requests.records("list")]
    assert looks.count("1") >= 2


def test_a_list_that_lags_more_than_the_grace(task, sandbox, policy):
    """The documented limit of `resend`; under `fail` and `skip` the message stays one."""
    sandbox.configure(list_lag=1000.0)
    fault(sandbox, "cut_after")
    ended = task.run()
    if policy == "resend":
        assert ended.outcome.id == list(sandbox.ledger)[1].id
        assert task.accepted() == 2
        assert set(sandbox.ledger.client_ids().values()) == {2}
        return
    assert task.accepted() == 1
    assert isinstance(ended, UnconfirmedError) if policy == "fail" else ended.outcome.state is MessageState.UNCONFIRMED
    assert task.state() in {MessageState.UNCONFIRMED, None}
    sandbox.configure(list_lag=0.0)
    assert_cleared_sends_nothing(task)


def test_an_api_that_refuses_a_repeated_client_id_proves_that_it_accepted(task, sandbox, policy):
    """Sent again where the list lags: refused, since it is there. Only we make this id, so it is ours."""
    sandbox.configure(list_lag=1000.0, repeated_client_id="refuse")
    fault(sandbox, "cut_after")
    ended = task.run()
    assert task.accepted() == 1
    if policy == "resend":
        assert ended.outcome.state is MessageState.ACCEPTED
        assert ended.outcome.id is None
        assert task.sends() == 2
        assert task.state() in {MessageState.ACCEPTED, None}
    else:
        assert task.sends() == 1
        assert task.state() in {MessageState.UNCONFIRMED, None}


def test_an_api_that_is_down_is_tried_again_until_it_is_up(task, journal):
    task.base_url = "http://127.0.0.1:1"
    ended = task.run(most=2)
    assert task.tries == 2
    # Without a journal the second try has to look first, and cannot.
    assert isinstance(ended, UnavailableError if journal == "none" else NotSentError)
    assert task.state() in {MessageState.PLANNED, None}
    task.base_url = ""
    assert_accepted(task, task.run())
    assert task.sends() == 1
