# SPDX-License-Identifier: Apache-2.0
"""Looks for lost messages in lists of every kind: what cannot be judged is not sent again, what can be is found."""

from __future__ import annotations

import pytest
from support.bulk_send import BulkTask, messages
from support.single_send import Hooks, SendTask, crash

from airflow_provider_instasent.api.errors import UnconfirmedError
from airflow_provider_instasent.campaign.single_result import SingleResult

ORDERS = ("newest", "oldest")


def texted(task):
    """How often each number of the task was texted, without those of older messages."""
    numbers = {row["to"] for row in task.rows}
    return {number: count for number, count in task.sent().items() if number in numbers}


@pytest.mark.parametrize(
    ("order", "seed"), [*(("newest", seed) for seed in (0, 3, 5, 9, 10, 11)), ("oldest", 0), ("oldest", 3)]
)
def test_a_campaign_in_a_list_whose_moments_are_off_its_order_texts_nobody_twice(sandbox, tmp_path, order, seed):
    """800 messages, 8 requests in flight, one 500 after acceptance, 5,000 older SMS, `createdAt` up to 2 s off."""
    sandbox.put_before(5_000)
    sandbox.configure(created_jitter=2.0, created_seed=seed, list_order=order, echo_client_id=bool(seed % 2))
    sandbox.fault("error_after", endpoint="bulk", status=500, skip=seed % 8)
    task = BulkTask(sandbox, tmp_path, rows=messages(800), policy="resend", in_flight=8)
    outcome = task.attempt()
    assert set(texted(task).values()) == {1}
    assert (outcome.error, outcome.summary["accepted"]) == (None, 800)


@pytest.mark.parametrize("seed", [0, 2, 6, 13])
def test_a_single_retry_without_a_journal_texts_nobody_twice(sandbox, tmp_path, seed):
    """Its answer was lost, and others sent 250 SMS since: the list's first pages are all of a few seconds."""
    sandbox.put_before(300)
    sandbox.configure(created_jitter=2.0, created_seed=seed, echo_client_id=bool(seed % 2))
    task = SendTask(sandbox, "none", tmp_path)
    others = BulkTask(sandbox, tmp_path, rows=messages(250, start=2_000))
    ended = task.run(Hooks(after_acceptance=lambda: (others.attempt(), crash())))
    assert isinstance(ended, SingleResult)
    assert task.sends() == 1


@pytest.mark.parametrize("share", [0.3, 1.0])
@pytest.mark.parametrize("order", ORDERS)
def test_what_does_not_tell_when_it_was_created_is_not_sent_again(sandbox, tmp_path, order, share):
    """No clientIds and no times to go by: the SMS that is there may be ours, and it may be an older one."""
    sandbox.configure(echo_client_id=False, created_unreadable=share, list_order=order)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=messages(300), policy="resend", in_flight=1)
    outcome = task.attempt()
    assert set(texted(task).values()) == {1}
    assert isinstance(outcome.error, UnconfirmedError)
    assert "cannot be read" in str(outcome.error)
    assert outcome.summary["accepted"] + outcome.summary["unconfirmed"] == 300
    assert outcome.summary["unconfirmed"] == (100 if share == 1.0 else pytest.approx(30, abs=20))


@pytest.mark.parametrize("journal", ["values", "none"])
def test_a_single_message_that_does_not_tell_when_it_was_created_is_not_sent_again(sandbox, tmp_path, journal):
    sandbox.configure(echo_client_id=False, created_unreadable=1.0)
    task = SendTask(sandbox, journal, tmp_path, policy="resend")
    for _ in range(2):
        ended = task.run(Hooks(after_acceptance=crash))
        assert isinstance(ended, UnconfirmedError)
        assert "cannot be read" in str(ended)
    assert task.sends() == 1
    sandbox.configure(created_unreadable=0.0)
    assert isinstance(task.run(), SingleResult)
    assert task.sends() == 1


def test_the_results_say_why_a_message_is_left_unconfirmed(sandbox, tmp_path):
    sandbox.configure(echo_client_id=False, created_unreadable=1.0)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=messages(3), policy="skip")
    task.options = {"results_path": task.results_path}
    assert task.attempt().error is None
    assert {line["reason"] for line in task.results()} == {
        "no answer, and an identical one is in the list, and when it was created (createdAt) cannot be read"
    }


def test_what_is_not_there_at_all_is_sent_again_though_nothing_tells_its_time(sandbox, tmp_path):
    sandbox.put_before(1_000)
    sandbox.configure(echo_client_id=False, created_unreadable=1.0)
    sandbox.fault("error_before", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=messages(300), policy="resend", in_flight=1)
    assert task.attempt().summary["accepted"] == 300
    assert set(texted(task).values()) == {1}


def test_what_is_there_and_cannot_be_judged_does_not_keep_the_others_from_being_sent_again(sandbox, tmp_path):
    sandbox.configure(echo_client_id=False, created_unreadable=0.5)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    sandbox.fault("error_before", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=messages(300), policy="resend", in_flight=1)
    outcome = task.attempt()
    assert set(texted(task).values()) == {1}
    assert len(texted(task)) == 300
    assert isinstance(outcome.error, UnconfirmedError)
    assert outcome.summary["accepted"] + outcome.summary["unconfirmed"] == 300


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("share", [0.01, 0.25])
@pytest.mark.parametrize("echo", [True, False])
def test_moments_that_are_an_hour_early_are_no_edge(sandbox, tmp_path, order, share, echo):
    """One server of theirs has a wrong clock: near the top of the list stand SMS that claim to be old."""
    sandbox.put_before(3_000)
    sandbox.configure(created_behind=share, list_order=order, echo_client_id=echo)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=messages(500), policy="resend", in_flight=1)
    outcome = task.attempt()
    assert set(texted(task).values()) == {1}
    if echo:
        assert (outcome.error, outcome.summary["accepted"]) == (None, 500)


@pytest.mark.parametrize("form", ["fraction", "unix", "milliseconds"])
@pytest.mark.parametrize("order", ORDERS)
def test_moments_in_another_form_are_read(sandbox, tmp_path, order, form):
    sandbox.put_before(500)
    sandbox.configure(echo_client_id=False, created_form=form, list_order=order)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=messages(300), policy="resend", in_flight=1)
    assert task.attempt().summary["accepted"] == 300
    assert set(texted(task).values()) == {1}


@pytest.mark.parametrize("form", ["local_east", "local_west"])
@pytest.mark.parametrize("order", ORDERS)
def test_a_time_without_a_zone_makes_nobody_be_texted_twice(sandbox, tmp_path, order, form):
    sandbox.put_before(500)
    sandbox.configure(echo_client_id=False, created_form=form, list_order=order)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=messages(300), policy="resend", in_flight=1)
    outcome = task.attempt()
    assert isinstance(outcome.error, UnconfirmedError)
    assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (200, 100)
    assert set(texted(task).values()) == {1}


@pytest.mark.parametrize("order", ORDERS)
def test_an_older_identical_message_is_not_taken_for_the_lost_one(sandbox, tmp_path, order):
    """The same reminder went out two hours ago; this one never left. Milliseconds taken for seconds are the future."""
    sandbox.configure(echo_client_id=False, created_form="milliseconds", list_order=order)
    rows = messages(50)
    assert BulkTask(sandbox, tmp_path, rows=rows, campaign_id="earlier").attempt().error is None
    sandbox.advance(7_200)
    sandbox.configure(clock_skew=-7_200.0)
    sandbox.fault("error_before", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=rows, policy="resend")
    assert task.attempt().summary["accepted"] == 50
    assert set(texted(task).values()) == {2}


@pytest.mark.parametrize("order", ORDERS)
def test_a_list_that_repeats_its_last_page_is_read_to_its_end(sandbox, tmp_path, order):
    sandbox.configure(echo_client_id=False, list_end="repeats", page_cap=30, list_order=order)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    sandbox.fault("error_before", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=messages(400), policy="resend", in_flight=1)
    assert task.attempt().summary["accepted"] == 400
    assert set(texted(task).values()) == {1}
