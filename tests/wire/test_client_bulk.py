# SPDX-License-Identifier: Apache-2.0
"""Both clients with many messages: chunks, halves, who was rejected, what stops; lists page by page; rate limits."""

from __future__ import annotations

from itertools import islice
from typing import get_args

import pytest
from support.clients import TINY_WAITS, sms

from airflow_provider_instasent.api import bulk_flows, errors, flows
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.sandbox.settings import BulkErrors

ACCEPTED, REJECTED, UNCONFIRMED, PLANNED = (
    MessageState.ACCEPTED,
    MessageState.REJECTED,
    MessageState.UNCONFIRMED,
    MessageState.PLANNED,
)
REJECTED_ITEM, REFUSED_CALL = "+34600000920", "+34600000922"


def batch(count):
    return [sms(number) for number in range(count)]


def with_number(messages, position, to):
    wrong = Sms(to, "another text", "Tests", client_id="wrong")
    return [*messages[:position], wrong, *messages[position + 1 :]]


def states(outcomes):
    return [outcome.state for outcome in outcomes]


def sizes(sandbox):
    return [record.items for record in sandbox.requests.records("bulk")]


def assert_accepted_once(sandbox, messages):
    assert [message.client_id for message in sandbox.ledger] == [message.client_id for message in messages]


def test_250_messages_go_in_three_calls(client, sandbox):
    messages = batch(250)

    outcomes = client.bulk(messages)

    assert sizes(sandbox) == [100, 100, 50]
    assert [outcome.id for outcome in outcomes] == [message.id for message in sandbox.ledger]
    assert [outcome.position for outcome in outcomes] == list(range(250))
    assert_accepted_once(sandbox, messages)


def test_no_messages_make_no_call(client, sandbox):
    assert client.bulk([]) == []
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("shape", get_args(BulkErrors))
def test_a_rejected_item_is_the_one_that_was_rejected(client, sandbox, shape, echo):
    sandbox.configure(bulk_errors=shape, echo_client_id=echo)
    messages = with_number(batch(5), 3, REJECTED_ITEM)

    outcomes = client.bulk(messages)

    expected = UNCONFIRMED if shape == "missing" else REJECTED
    assert states(outcomes) == [ACCEPTED, ACCEPTED, ACCEPTED, expected, ACCEPTED]
    assert_accepted_once(sandbox, messages[:3] + messages[4:])
    if expected is REJECTED:
        assert "This number cannot be reached." in outcomes[3].reason


@pytest.mark.parametrize("shape", [shape for shape in get_args(BulkErrors) if shape != "missing"])
def test_a_batch_rejected_with_a_422_is_rejected(client, sandbox, shape):
    sandbox.configure(bulk_errors=shape, bulk_rejection_status=422)
    messages = [Sms(f"+3460000{number}920", "another text", "Tests", client_id=str(number + 5)) for number in range(4)]

    outcomes = client.bulk(messages)

    assert states(outcomes) == [REJECTED] * 4
    assert sandbox.ledger.accepted == 0


def test_a_call_refused_for_one_message_is_halved_until_that_one_is_alone(client, sandbox):
    messages = with_number(batch(8), 5, REFUSED_CALL)

    outcomes = client.bulk(messages)

    assert states(outcomes) == [REJECTED if position == 5 else ACCEPTED for position in range(8)]
    assert sizes(sandbox) == [8, 4, 4, 2, 1, 1, 2]
    assert_accepted_once(sandbox, messages[:5] + messages[6:])


def test_a_body_too_large_is_halved_until_it_fits(client, sandbox):
    sandbox.configure(max_body_bytes=1500)
    messages = batch(100)

    outcomes = client.bulk(messages)

    assert states(outcomes) == [ACCEPTED] * 100
    assert_accepted_once(sandbox, messages)
    assert len(sandbox.requests) < 40


def test_a_client_id_refused_as_used_is_marked(client, sandbox):
    sandbox.configure(repeated_client_id="refuse")
    client.send(sms(1))

    outcomes = client.bulk([sms(1), sms(2)])

    assert states(outcomes) == [REJECTED, ACCEPTED]
    assert [outcome.client_id_taken for outcome in outcomes] == [True, False]


@pytest.mark.parametrize(
    ("fault", "error", "requests"),
    [
        ("no_funds", errors.NoFundsError, 2),
        ("unauthorized", errors.AuthenticationError, 2),
        ("forbidden", errors.AuthenticationError, 2),
        ("rate_limited", errors.RateLimitedError, 3),
    ],
)
def test_a_bulk_stopped_half_way_says_what_became_of_each(client, sandbox, fault, error, requests):
    messages = batch(250)
    sandbox.fault(fault, "bulk", skip=1, times=None)

    stopped = client.fails(errors.BulkStoppedError, client.bulk, messages)

    assert type(stopped.__cause__) is error
    assert stopped.status == stopped.__cause__.status
    assert states(stopped.outcomes) == [ACCEPTED] * 100 + [PLANNED] * 150
    assert [outcome.id for outcome in stopped.outcomes[:100]] == [message.id for message in sandbox.ledger]
    assert "so far: 150 planned, 100 accepted" in str(stopped)
    assert len(sandbox.requests) == requests


def test_money_that_runs_out_stops_before_the_next_call(client, sandbox):
    sandbox.configure(balance=4.99, price_per_part=0.05)

    stopped = client.fails(errors.BulkStoppedError, client.bulk, batch(150))

    assert states(stopped.outcomes) == [ACCEPTED] * 100 + [PLANNED] * 50


def test_a_call_that_is_lost_does_not_keep_the_others_from_going(client, sandbox):
    sandbox.fault("cut_after", "bulk", skip=1)

    outcomes = client.bulk(batch(250))

    assert states(outcomes) == [ACCEPTED] * 100 + [UNCONFIRMED] * 100 + [ACCEPTED] * 50
    assert (len(sandbox.requests), sandbox.ledger.accepted) == (3, 250)


@pytest.fixture
def listed(client, sandbox):
    """25 messages in the list of the sandbox, of which a page shows 10 at most."""
    client.bulk(batch(25))
    sandbox.configure(page_cap=10)
    return [message.id for message in sandbox.ledger]


def pages(sandbox):
    return [int(record.query["page"]) for record in sandbox.requests.records("list")]


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("per_page", [5, 10, 50])
def test_a_list_is_read_to_its_end_whatever_a_page_shows(client, sandbox, listed, order, per_page):
    sandbox.configure(list_order=order)

    found = [entity["id"] for entity in client.iterate(per_page=per_page)]

    assert found == (listed if order == "oldest" else listed[::-1])
    assert pages(sandbox) == ([1, 2, 3, 4, 5, 6] if per_page == 5 else [1, 2, 3, 4])


def test_pages_are_asked_for_as_they_are_needed(client, sandbox, listed):
    entities = client.iterate(per_page=10)

    assert pages(sandbox) == []
    assert len(list(islice(entities, 10))) == 10
    assert pages(sandbox) == [1]
    next(entities)
    assert pages(sandbox) == [1, 2]


def test_an_empty_list_is_one_call(client, sandbox):
    assert list(client.iterate()) == []
    assert pages(sandbox) == [1]


def test_a_list_whose_last_page_repeats_for_ever_has_an_end(client, sandbox, listed, monkeypatch):
    page = sandbox.ledger.page
    monkeypatch.setattr(sandbox.ledger, "page", lambda number, *rest: page(min(number, 3), *rest))

    assert [entity["id"] for entity in client.iterate(per_page=10)] == listed[::-1]
    assert pages(sandbox) == [1, 2, 3, 4]


def test_messages_that_arrive_meanwhile_shift_the_pages_and_nothing_is_told_twice(client, sandbox, listed):
    found = []
    for position, entity in enumerate(client.iterate(per_page=10)):
        found.append(entity["id"])
        if position in (9, 19):
            client.bulk([sms(100 + position + more) for more in range(3)])

    assert found == listed[::-1]


def test_a_list_that_fails_half_way_says_so(client, sandbox, listed):
    sandbox.fault("error_before", "list", skip=1, times=None)
    entities = client.iterate(per_page=10)

    client.fails(errors.UnavailableError, lambda: list(entities))

    assert pages(sandbox) == [1, 2, 2]


@pytest.mark.parametrize("skew", [-3600, -20, 0, 20, 3600])
def test_a_rate_limit_is_waited_for_on_the_servers_clock(client, sandbox, skew):
    sandbox.configure(clock_skew=skew)
    sandbox.fault("rate_limited", "send", seconds=7)
    waits = []

    client.perform(flows.send_sms(sms(), RetryPolicy()), sleep=waits.append)

    (wait,) = waits
    assert 7 <= wait <= 8.1 * 1.1
    assert sandbox.ledger.accepted == 1


def test_a_window_that_is_used_up_is_waited_out_and_everything_goes(client, sandbox):
    sandbox.configure(rate_limit=2, rate_window=60)
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        sandbox.advance(seconds)

    outcomes = client.perform(bulk_flows.send_bulk(batch(500), RetryPolicy()), sleep=sleep)

    assert states(outcomes) == [ACCEPTED] * 500
    assert [record.status for record in sandbox.requests.records()] == [201, 201, 429, 201, 201, 429, 201]
    assert all(50 < wait <= 68 for wait in waits)


def test_a_wait_for_a_reset_is_never_longer_than_two_minutes(client, sandbox):
    sandbox.fault("rate_limited", "send", seconds=100_000)
    waits = []

    client.perform(flows.send_sms(sms(), RetryPolicy()), sleep=waits.append)

    assert 120 <= waits[0] <= 132


def test_what_is_raised_while_waiting_ends_the_call(client, sandbox):
    sandbox.fault("rate_limited", "bulk", skip=1)

    def interrupted(_seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.perform(bulk_flows.send_bulk(batch(200), TINY_WAITS), sleep=interrupted)

    assert sandbox.ledger.accepted == 100
