# SPDX-License-Identifier: Apache-2.0
"""Whatever `createdAt` looks like, what was accepted is found, or is in doubt: nobody is texted twice."""

from __future__ import annotations

from typing import get_args

import pytest
from support.bulk_send import BulkTask, messages
from support.single_send import Hooks, SendTask, crash

from airflow_provider_instasent.api.errors import UnconfirmedError
from airflow_provider_instasent.campaign.single_result import SingleResult
from airflow_provider_instasent.sandbox.settings import CreatedForm

FORMS = get_args(CreatedForm)
ZONELESS = {"local_east", "local_west", "local_far_west", "object_local"}
"""That of the place farthest east was not earlier wherever it was written, so it is ours."""

UNREADABLE = {"day", "day_first", "null", "words"}
ORDERS = ("newest", "oldest")


def texted(task):
    numbers = {row["to"] for row in task.rows}
    return {number: count for number, count in task.sent().items() if number in numbers}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("order", ORDERS)
def test_a_bulk_send_that_lost_an_answer_texts_nobody_twice(sandbox, tmp_path, form, echo, order):
    sandbox.put_before(500)
    sandbox.configure(echo_client_id=echo, created_form=form, list_order=order)
    sandbox.fault("cut_after", endpoint="bulk", skip=1)
    task = BulkTask(sandbox, tmp_path, rows=messages(300), policy="resend", in_flight=1)
    outcome = task.attempt()
    assert set(texted(task).values()) == {1}
    if echo or form not in ZONELESS | UNREADABLE:
        assert (outcome.error, outcome.summary["accepted"]) == (None, 300)
    else:
        assert isinstance(outcome.error, UnconfirmedError)
        assert ("has no zone" if form in ZONELESS else "cannot be read") in str(outcome.error)
        assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (200, 100)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("journal", ["values", "none"])
def test_a_single_send_that_lost_an_answer_texts_nobody_twice(sandbox, tmp_path, form, echo, journal):
    sandbox.configure(echo_client_id=echo, created_form=form)
    task = SendTask(sandbox, journal, tmp_path, policy="resend")
    ended = task.run(Hooks(after_acceptance=crash))
    assert task.sends() == 1
    if echo or form not in ZONELESS | UNREADABLE:
        assert isinstance(ended, SingleResult)
    else:
        assert isinstance(ended, UnconfirmedError)
        assert ("has no zone" if form in ZONELESS else "cannot be read") in str(ended)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("order", ORDERS)
def test_what_never_left_is_sent_again_whatever_the_list_looks_like(sandbox, tmp_path, form, order):
    """The list is read to its end where nothing tells its order."""
    sandbox.put_before(500)
    sandbox.configure(echo_client_id=False, created_form=form, list_order=order)
    sandbox.fault("cut_before", endpoint="bulk", skip=1)
    task = BulkTask(sandbox, tmp_path, rows=messages(300), policy="resend", in_flight=1)
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 300)
    assert set(texted(task).values()) == {1}


@pytest.mark.parametrize("form", FORMS)
def test_an_identical_message_of_two_days_ago_is_told_from_the_lost_one(sandbox, tmp_path, form):
    """Or is a doubt, where its time cannot be read."""
    sandbox.configure(echo_client_id=False, created_form=form)
    rows = messages(20)
    assert BulkTask(sandbox, tmp_path, rows=rows, campaign_id="earlier").attempt().error is None
    sandbox.advance(2 * 86_400)
    sandbox.configure(clock_skew=-2 * 86_400.0)
    sandbox.fault("cut_before", endpoint="bulk")
    task = BulkTask(sandbox, tmp_path, rows=rows, policy="resend")
    outcome = task.attempt()
    if form in UNREADABLE:
        assert isinstance(outcome.error, UnconfirmedError)
    else:
        assert outcome.summary["accepted"] == 20
    assert set(texted(task).values()) == ({1} if form in UNREADABLE else {2})
