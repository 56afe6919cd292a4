# SPDX-License-Identifier: Apache-2.0
"""What is counted of requests and of what became of messages, as Airflow's metrics are told."""

from __future__ import annotations

import pytest
from support.bulk_send import REJECTED, BulkTask, Crash, ending, messages
from support.clients import sms
from support.counting import Counted
from support.instasent_connection import connection
from support.lookup_operator import MIXED, new_task
from support.single_send import Crash as SingleCrash
from support.single_send import Hooks, SendTask, crash

from airflow_provider_instasent.api.errors import InvalidRequestError, NotSentError, UnavailableError, UnconfirmedError
from airflow_provider_instasent.hooks import metrics
from airflow_provider_instasent.hooks.errors import InstasentUnconfirmedError
from airflow_provider_instasent.hooks.instasent import InstasentHook

__all__ = ["new_task"]


@pytest.fixture
def counted():
    return Counted()


@pytest.fixture
def told(counted, monkeypatch):
    """What Airflow's metrics are told of the clients of connections."""
    monkeypatch.setattr(metrics, "AIRFLOW_COUNTERS", counted)
    return counted.counts


def test_both_clients_count_requests_and_those_that_the_limit_refused(connect, sandbox, counted):
    client = connect(counters=counted)
    sandbox.fault("rate_limited", endpoint="send", seconds=0)
    client.send(sms())
    client.account()
    assert counted.counts == {"requests": 3, "requests.rate_limited": 1}
    assert sandbox.requests.total == 3


def test_a_request_that_never_left_is_none(connect, counted):
    client = connect(counters=counted, base_url="http://127.0.0.1:1")
    with pytest.raises(NotSentError):
        client.account()
    assert not counted.counts


def test_each_message_of_a_campaign_is_counted_once(sandbox, tmp_path, counted):
    rows = [*messages(240), *({"to": ending(index, REJECTED), "text": "t"} for index in range(7)), {"to": "12"}]
    task = BulkTask(sandbox, tmp_path, rows=rows, on_invalid="skip", counters=counted)
    assert task.attempt().error is None
    assert counted.counts == {
        "messages.planned": 247,
        "messages.accepted": 240,
        "messages.rejected": 7,
        "requests": task.requests(),
    }
    assert task.attempt().error is None
    assert counted.counts["messages.planned"] == 247


@pytest.mark.parametrize("journal", ["values", "path"])
def test_a_later_try_counts_what_it_learns_and_no_message_again(sandbox, tmp_path, journal, counted):
    task = BulkTask(sandbox, tmp_path, journal, messages(400), in_flight=1, counters=counted)
    with pytest.raises(Crash):
        task.attempt(dies_after_request=2)
    assert counted.counts["messages.accepted"] == 100
    assert task.attempt().error is None
    assert set(task.sent().values()) == {1}
    states = {name: number for name, number in counted.counts.items() if name.startswith("messages")}
    assert states == {"messages.planned": 400, "messages.accepted": 400}


def test_what_a_try_leaves_unconfirmed_is_counted_and_what_was_found_is_not(sandbox, tmp_path, counted):
    task = BulkTask(sandbox, tmp_path, rows=messages(300), in_flight=1, counters=counted)
    sandbox.fault("error_before", endpoint="bulk", status=500)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    assert isinstance(task.attempt().error, UnconfirmedError)
    assert (counted.counts["messages.accepted"], counted.counts["messages.unconfirmed"]) == (200, 100)
    task.policy = "resend"
    assert task.attempt().error is None
    assert (counted.counts["messages.accepted"], counted.counts["messages.unconfirmed"]) == (300, 100)


@pytest.mark.parametrize(
    ("fault", "counts"),
    [
        (None, {"accepted": 1}),
        ("cut_after", {"accepted": 1}),  # found in the list
        ("error_before", {"unconfirmed": 1}),
        ("bad_request", {"rejected": 1}),
    ],
)
@pytest.mark.parametrize("journal", ["values", "none"])
def test_a_single_message_is_counted_once(sandbox, tmp_path, counted, journal, fault, counts):
    task = SendTask(sandbox, journal, tmp_path, counters=counted)
    if fault == "bad_request":
        sandbox.fault("error_before", endpoint="send", status=400)
    elif fault is not None:
        sandbox.fault(fault, endpoint="send")
    task.run(most=2)
    states = {name: number for name, number in counted.counts.items() if name.startswith("messages")}
    assert states == {"messages.planned": 1, **{f"messages.{state}": number for state, number in counts.items()}}


def test_a_single_message_that_a_later_try_finds_is_counted_by_it(sandbox, tmp_path, counted):
    task = SendTask(sandbox, "path", tmp_path, counters=counted)
    with pytest.raises(SingleCrash):
        task.attempt(Hooks(after_acceptance=crash))
    task.attempt()
    task.attempt()
    assert (counted.counts["messages.planned"], counted.counts["messages.accepted"]) == (1, 1)


def test_lookups_are_counted_as_lookups(new_task, told):
    new_task(to=MIXED, wait=False).run()
    assert (told["lookups.planned"], told["lookups.accepted"]) == (4, 4)
    assert not [name for name in told if name.startswith("messages")]
    assert told["requests"] >= 8


@pytest.fixture
def hook(sandbox, monkeypatch):
    value = connection(sandbox.url, extra={"sender": "Tests"})
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", value)
    with InstasentHook() as opened:
        yield opened


def test_the_sends_of_the_hook_are_counted(hook, sandbox, told):
    hook.send_sms("+34600000001", "text")
    hook.lookup("+34600000001")
    hook.send_bulk([{"to": ending(index, REJECTED if index else "001"), "text": "text"} for index in range(3)])
    sandbox.fault("cut_before", endpoint="send")
    with pytest.raises(InstasentUnconfirmedError):
        hook.send_sms("+34600000001", "text")
    sandbox.fault("error_before", endpoint="send", status=400)
    with pytest.raises(InvalidRequestError):
        hook.send_sms("+34600000001", "text")
    sandbox.fault("cut_before", endpoint="bulk")
    with pytest.raises(InstasentUnconfirmedError):
        hook.send_bulk([{"to": "+34600000001", "text": "text"}] * 5)
    assert told == {
        "messages.planned": 11,
        "messages.accepted": 2,
        "messages.rejected": 3,
        "messages.unconfirmed": 6,
        "lookups.planned": 1,
        "lookups.accepted": 1,
        "requests": sandbox.requests.total,
    }


def test_a_refusal_of_what_is_in_doubt_rejects_nothing(sandbox, tmp_path, counted):
    """An earlier request for it may have been accepted all the same."""
    rows = [{"to": ending(1, REJECTED), "text": "t"}]
    task = BulkTask(sandbox, tmp_path, rows=rows, policy="resend", counters=counted)
    sandbox.fault("error_before", endpoint="bulk", status=500)
    assert task.attempt().summary["unconfirmed"] == 1
    assert task.requests() > 1
    assert (counted.counts["messages.rejected"], counted.counts["messages.unconfirmed"]) == (0, 1)


def test_what_cannot_be_looked_for_is_counted_as_unconfirmed(sandbox, tmp_path, counted):
    task = BulkTask(sandbox, tmp_path, rows=messages(10), counters=counted)
    sandbox.fault("error_after", endpoint="bulk", status=500)
    sandbox.fault("error_before", endpoint="list", status=500, times=None)
    assert isinstance(task.attempt().error, UnavailableError)
    assert counted.counts["messages.unconfirmed"] == 10


def test_a_single_message_without_a_journal_is_planned_once(sandbox, tmp_path, counted):
    task = SendTask(sandbox, "none", tmp_path, counters=counted)
    with pytest.raises(SingleCrash):
        task.attempt(Hooks(before_socket=crash))
    task.attempt()
    assert (counted.counts["messages.planned"], counted.counts["messages.accepted"]) == (1, 1)
