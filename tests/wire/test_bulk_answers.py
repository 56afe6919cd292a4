# SPDX-License-Identifier: Apache-2.0
"""Whose outcome an item of a bulk answer is: indexes that count from 1, ids given twice, orders, funds that run out."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest
from support.bulk_send import REJECTED as REJECTED_ENDING
from support.bulk_send import BulkTask, ending, messages
from support.clients import sms
from support.single_send import SendTask

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.bulk_attribution import BY_ORDER
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.hooks.errors import InstasentPartlySentError
from airflow_provider_instasent.hooks.sending import send_many
from airflow_provider_instasent.sandbox.settings import BulkErrors

ACCEPTED, REJECTED, UNCONFIRMED, PLANNED = (
    MessageState.ACCEPTED,
    MessageState.REJECTED,
    MessageState.UNCONFIRMED,
    MessageState.PLANNED,
)
SHAPES = [shape for shape in get_args(BulkErrors) if shape != "missing"]
NAMING = [shape for shape in SHAPES if shape.startswith(("list_with", "object_by")) and shape != "object_by_field"]
COUNTING = ["list_with_index", "list_with_position", "object_by_index"]


def states(outcomes):
    return [outcome.state for outcome in outcomes]


def wrong(position):
    return Sms(ending(position, REJECTED_ENDING), "another text", "Tests", client_id=f"wrong-{position}")


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("shape", NAMING)
def test_the_rejected_are_those_that_were_rejected_however_indexes_count(client, sandbox, shape, base, echo):
    sandbox.configure(bulk_errors=shape, bulk_index_base=base, echo_client_id=echo)
    batch = [wrong(number) if number in (2, 3, 7) else sms(number) for number in range(9)]

    outcomes = client.bulk(batch)

    assert states(outcomes) == [REJECTED if number in (2, 3, 7) else ACCEPTED for number in range(9)]
    accepted = {message.client_id: message.id for message in sandbox.ledger}
    assert [outcome.id for outcome in outcomes] == [accepted.get(message.client_id) for message in batch]


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("shape", COUNTING)
@pytest.mark.parametrize("shown", ["id", "id_and_text"])
def test_indexes_that_nothing_confirms_reject_nobody(client, sandbox, shape, base, shown):
    sandbox.configure(bulk_errors=shape, bulk_index_base=base, bulk_entities=shown)
    same = "a text to keep"
    batch = [
        Sms(ending(9, REJECTED_ENDING), same, "Tests") if number == 2 else sms(number, same) for number in range(5)
    ]

    assert states(client.bulk(batch)) == [UNCONFIRMED] * 5


@pytest.mark.parametrize("base", [0, 1])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_refusal_rejects_no_innocents_however_indexes_count(client, sandbox, shape, base):
    """The API of this test refuses a call with a bad number whole, and says so by a 422 that names the number."""
    sandbox.configure(bulk_errors=shape, bulk_index_base=base, bulk_rejection_status=422)
    batch = [wrong(number) for number in range(4)]

    assert states(client.bulk(batch)) == [REJECTED] * 4
    assert sandbox.ledger.accepted == 0


@pytest.mark.parametrize("shown", ["id", "id_and_text", "whole"])
@pytest.mark.parametrize("echo", [True, False])
def test_an_id_that_comes_twice_is_claimed_once(client, sandbox, shown, echo):
    sandbox.configure(bulk_entities=shown, echo_client_id=echo)
    sandbox.fault("same_id", "bulk")
    batch = [sms(number) for number in range(5)]

    outcomes = client.bulk(batch)

    assert states(outcomes) == ([ACCEPTED] if shown == "whole" else [UNCONFIRMED]) + [UNCONFIRMED] * 4


@pytest.mark.parametrize("shown", ["id", "id_and_text"])
def test_bare_entities_in_order_are_taken_so_and_say_it(client, sandbox, shown):
    sandbox.configure(bulk_entities=shown)

    outcomes = client.bulk([sms(number) for number in range(5)])

    assert [outcome.id for outcome in outcomes] == [message.id for message in sandbox.ledger]
    assert {outcome.reason for outcome in outcomes} == {BY_ORDER}


def test_entities_with_a_text_in_another_order_find_their_messages(client, sandbox):
    sandbox.configure(bulk_entities="id_and_text")
    sandbox.fault("shuffled", "bulk", seed=1)

    outcomes = client.bulk([sms(number, f"text number {number}") for number in range(9)])

    assert [outcome.id for outcome in outcomes] == [message.id for message in sandbox.ledger]


def test_entities_that_contradict_the_order_go_to_nobody(client, sandbox):
    sandbox.configure(bulk_entities="id_and_text")
    sandbox.fault("shuffled", "bulk", seed=1)
    batch = [sms(number, "the same text" if number < 8 else "another one") for number in range(9)]

    outcomes = client.bulk(batch)

    assert states(outcomes) == [UNCONFIRMED] * 8 + [ACCEPTED]
    assert outcomes[8].id == sandbox.ledger.message(8).id


@pytest.mark.parametrize("fault", ["same_id", "without_id"])
@pytest.mark.parametrize("echo", [True, False])
def test_a_campaign_whose_answers_do_not_add_up_finds_its_messages(sandbox, tmp_path, fault, echo):
    sandbox.configure(echo_client_id=echo, bulk_entities="id")
    sandbox.fault(fault, "bulk", times=None)
    task = BulkTask(sandbox, tmp_path, rows=messages(230))

    outcome = task.attempt()

    assert (outcome.error, outcome.summary["accepted"]) == (None, 230)
    assert set(outcome.summary["message_ids"]) == {message.id for message in sandbox.ledger}
    assert set(task.sent().values()) == {1}


@pytest.fixture
def poor(sandbox):
    """An account with funds for 130 messages, which are checked message by message."""
    sandbox.configure(balance=130 * 0.05 - 0.001, price_per_part=0.05, funds_checked="item")
    return sandbox


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("status", [201, 422])
@pytest.mark.parametrize("shape", [*NAMING, "unattributed", "list_of_fields"])
def test_a_campaign_whose_funds_run_out_inside_a_call_goes_on_after_a_top_up(poor, tmp_path, shape, status, echo):
    poor.configure(bulk_errors=shape, bulk_rejection_status=status, echo_client_id=echo)
    task = BulkTask(poor, tmp_path, rows=messages(250), in_flight=1)

    first = task.attempt()
    poor.configure(balance=None)
    second = task.attempt()

    assert isinstance(first.error, errors.NoFundsError)
    assert "Not enough funds." in str(first.error)
    assert Counter(first.summary)["accepted"] == 130
    assert (first.summary["planned"], first.summary["rejected"], first.summary["unconfirmed"]) == (120, 0, 0)
    assert (second.error, second.summary["accepted"]) == (None, 250)
    assert set(task.sent().values()) == {1}
    assert len(poor.requests.records("bulk")) == 4


@pytest.mark.parametrize("shape", ["list_of_strings", "object_by_field"])
def test_funds_that_ran_out_for_nobody_knows_whom_leave_these_in_doubt_and_stop_it(poor, tmp_path, shape):
    poor.configure(bulk_errors=shape)
    task = BulkTask(poor, tmp_path, rows=messages(250), in_flight=1)

    first = task.attempt()

    assert isinstance(first.error, errors.NoFundsError)
    assert (first.summary["accepted"], first.summary["unconfirmed"], first.summary["planned"]) == (130, 70, 50)
    poor.configure(balance=None)
    task.policy = "resend"
    assert task.attempt().summary["accepted"] == 250
    assert set(task.sent().values()) == {1}


def test_a_message_that_is_bad_as_well_is_still_rejected(poor, tmp_path):
    poor.configure(bulk_errors="list_with_client_id")
    rows = [*messages(140), {"to": ending(7, REJECTED_ENDING), "text": "private"}, *messages(5, start=200)]
    task = BulkTask(poor, tmp_path, rows=rows, in_flight=1)

    first = task.attempt()
    poor.configure(balance=None)
    second = task.attempt()

    assert isinstance(first.error, errors.NoFundsError)
    assert (first.summary["rejected"], first.summary["planned"]) == (1, 15)
    assert (second.summary["accepted"], second.summary["rejected"]) == (145, 1)


def test_a_text_about_funds_that_is_rejected_stops_nobody(sandbox, tmp_path):
    text = "Insufficient funds: please top up!"
    sandbox.configure(rejection_words=f"The text '{text}' is refused.")
    rows = [{"to": ending(7, REJECTED_ENDING), "text": text}, *messages(150)]
    task = BulkTask(sandbox, tmp_path, rows=rows)

    outcome = task.attempt()

    assert (outcome.error, outcome.summary["accepted"], outcome.summary["rejected"]) == (None, 150, 1)


def test_funds_that_run_out_inside_a_call_of_the_hook_leave_the_rest_planned(connect, poor, kind):
    if kind == "async":
        stopped = connect().fails(errors.BulkStoppedError, connect().bulk, [sms(number) for number in range(250)])
        outcomes = stopped.outcomes
    else:
        with pytest.raises(InstasentPartlySentError, match="ran out of funds") as caught:
            send_many(connect().client, [sms(number) for number in range(250)])
        outcomes = caught.value.outcomes

    assert states(outcomes) == [ACCEPTED] * 130 + [PLANNED] * 120


CREATED = ["iso", "unix", "milliseconds", "microseconds", "milliseconds_string"]


@pytest.mark.parametrize("form", CREATED)
@pytest.mark.parametrize("journal", ["values", "none"])
def test_an_older_sms_of_the_same_content_is_not_taken_for_the_lost_one(sandbox, tmp_path, form, journal):
    sandbox.configure(created_form=form, echo_client_id=False)
    task = SendTask(sandbox, journal, tmp_path, policy="resend")
    assert task.run().outcome.state is ACCEPTED
    sandbox.advance(10_000)  # and nothing of that is known to the next run
    later = SendTask(sandbox, journal, tmp_path / "later", policy="resend", campaign_id="dag/later/task/-1")
    now = later.clock
    later.clock = lambda: now() + 10_000
    sandbox.fault("cut_before", "send")

    result = later.run()

    assert (result.outcome.state, result.outcome.id) == (ACCEPTED, sandbox.ledger.message(1).id)
    assert sandbox.ledger.accepted == 2


@pytest.mark.parametrize("form", CREATED)
def test_a_lost_sms_is_found_by_its_time_in_any_form(sandbox, tmp_path, form):
    sandbox.configure(created_form=form, echo_client_id=False)
    sandbox.fault("cut_after", "bulk")
    task = BulkTask(sandbox, tmp_path, rows=messages(120), policy="resend")

    outcome = task.attempt()

    assert (outcome.error, outcome.summary["accepted"]) == (None, 120)
    assert set(task.sent().values()) == {1}
