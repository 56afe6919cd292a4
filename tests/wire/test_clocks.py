# SPDX-License-Identifier: Apache-2.0
"""Tries on workers whose clocks are hours apart, or on one whose clock was set: nobody twice, nobody lost."""

from __future__ import annotations

import secrets
import time

import pytest
from support.bulk_send import BulkTask, Crash, messages
from support.single_send import Crash as SingleCrash
from support.single_send import Hooks, SendTask, crash

from airflow_provider_instasent.api.errors import UnavailableError, UnconfirmedError
from airflow_provider_instasent.campaign.single_result import SingleResult

HOUR = 3_600.0
SKEWS = [-HOUR, 150.0, 20 * HOUR]
with_each_skew = pytest.mark.parametrize("skew", SKEWS)
with_each_echo = pytest.mark.parametrize("echo", [True, False], ids=["echoed", "not echoed"])


def off(skew: float):
    """A clock that is this many seconds ahead."""
    return lambda: time.time() + skew


@pytest.fixture(params=[True, False], ids=["another machine", "the same machine"])
def move(request, monkeypatch):
    """Lets the next try run on another machine, or on this one, whose clock was set."""

    def one(task) -> None:
        task.clock = time.time
        if request.param:
            boot_id = secrets.token_hex(8)
            monkeypatch.setattr("airflow_provider_instasent.journal.worker_clock._boot_id", lambda: boot_id)

    return one


@with_each_echo
@with_each_skew
@pytest.mark.parametrize("policy", ["fail", "resend"])
def test_a_campaign_whose_first_answers_had_told_the_server_s_clock(sandbox, tmp_path, move, policy, skew, echo):
    sandbox.configure(echo_client_id=echo)
    task = BulkTask(sandbox, tmp_path, rows=messages(250), policy=policy, in_flight=1, clock=off(skew))
    with pytest.raises(Crash):
        task.attempt(dies_after_request=2)
    move(task)
    outcome = task.attempt()
    assert outcome.error is None
    assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (250, 0)
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 250


@with_each_skew
@pytest.mark.parametrize("policy", ["fail", "resend"])
@pytest.mark.parametrize("before", [True, False], ids=["lost", "accepted"])
def test_a_campaign_that_died_with_its_first_request_is_found_by_its_ids(sandbox, tmp_path, move, before, policy, skew):
    task = BulkTask(sandbox, tmp_path, rows=messages(250), policy=policy, in_flight=1, clock=off(skew))
    with pytest.raises(Crash):
        task.attempt(dies_before_request=int(before), dies_after_request=1)
    move(task)
    outcome = task.attempt()
    lost = before and policy == "fail"
    assert isinstance(outcome.error, UnconfirmedError) is lost
    assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == ((150, 100) if lost else (250, 0))
    assert set(task.sent().values()) == {1}


@with_each_skew
@pytest.mark.parametrize("policy", ["fail", "resend"])
def test_what_a_look_that_failed_told_of_the_server_s_clock_is_kept(sandbox, tmp_path, move, policy, skew):
    sandbox.put_before(30)
    sandbox.configure(echo_client_id=False, page_cap=10, list_order="oldest")
    sandbox.fault("cut_after", endpoint="bulk")
    sandbox.fault("error_before", endpoint="list", status=500, skip=1, times=None)
    task = BulkTask(sandbox, tmp_path, rows=messages(3), policy=policy, in_flight=1, clock=off(skew))
    assert isinstance(task.attempt().error, UnavailableError)
    sandbox.sandbox.faults.clear()
    move(task)
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 3)
    assert set(task.sent().values()) == {1}


@with_each_skew
@pytest.mark.parametrize("policy", ["fail", "resend"])
def test_where_nothing_tells_when_it_was_nobody_is_texted_twice(sandbox, tmp_path, move, policy, skew):
    """No clientIds in the list, no answer that told the server's clock: what looks like ours may be ours."""
    sandbox.configure(echo_client_id=False)
    task = BulkTask(sandbox, tmp_path, rows=messages(250), policy=policy, in_flight=1, clock=off(skew))
    with pytest.raises(Crash):
        task.attempt(dies_after_request=1)
    move(task)
    for _ in range(2):
        outcome = task.attempt()
        assert outcome.summary["accepted"] + outcome.summary["unconfirmed"] == 250
        assert (outcome.error is None) is (outcome.summary["unconfirmed"] == 0)
        assert set(task.sent().values()) == {1}


@with_each_echo
@with_each_skew
@pytest.mark.parametrize("policy", ["fail", "resend"])
def test_one_message(sandbox, tmp_path, move, policy, skew, echo):
    sandbox.configure(echo_client_id=echo)
    task = SendTask(sandbox, "path", tmp_path, policy, clock=off(skew))
    with pytest.raises(SingleCrash):
        task.attempt(Hooks(after_acceptance=crash))
    move(task)
    ended = task.run()
    assert task.accepted() == 1
    if echo:
        assert isinstance(ended, SingleResult)
    else:
        assert isinstance(ended, SingleResult | UnconfirmedError)


@with_each_echo
@pytest.mark.parametrize("skew", [-HOUR, HOUR])
def test_one_message_that_was_lost_goes_out_where_the_user_says_so(sandbox, tmp_path, move, skew, echo):
    sandbox.configure(echo_client_id=echo)
    task = SendTask(sandbox, "path", tmp_path, "resend", clock=off(skew))
    with pytest.raises(SingleCrash):
        task.attempt(Hooks(before_socket=crash))
    move(task)
    assert isinstance(task.run(), SingleResult)
    assert task.accepted() == 1
