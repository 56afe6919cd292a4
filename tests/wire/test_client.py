# SPDX-License-Identifier: Apache-2.0
"""Both clients against the sandbox: each fault on each endpoint."""

from __future__ import annotations

import pytest
from support.clients import sms

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.message_outcome import MessageState

ACCEPTED, REJECTED, UNCONFIRMED, PLANNED = (
    MessageState.ACCEPTED,
    MessageState.REJECTED,
    MessageState.UNCONFIRMED,
    MessageState.PLANNED,
)
NUMBERS = (1, 2, 3)
MESSAGES = [sms(number) for number in NUMBERS]

# fault -> is a send accepted all the same
LOST = {
    "cut_before": False,
    "cut_after": True,
    "error_before": False,
    "error_after": True,
    "html_before": False,
    "html": True,
    "truncated": True,
    "truncated_json": True,
    "empty": True,
}
SLOW = {"timeout_before": False, "timeout_after": True}
# fault -> (error, requests of a call that can be made again as often as the policy has it)
REFUSED = {
    "rate_limited": (errors.RateLimitedError, 2),
    "no_funds": (errors.NoFundsError, 1),
    "unauthorized": (errors.AuthenticationError, 1),
    "forbidden": (errors.AuthenticationError, 1),
    "not_found": (errors.NotFoundError, 1),
    "too_large": (errors.TooLargeError, 1),
}
READS = ["read", "list", "account"]


@pytest.fixture
def quick(connect):
    """A client that does not wait long for an answer."""
    return connect(read_timeout=0.1)


def reader(client, name):
    """A call that reads what the sandbox has, after it got something to read."""
    identifier = client.send(MESSAGES[0])["id"]
    return {"read": lambda: client.read(identifier), "list": client.list, "account": client.account}[name]


def states(outcomes):
    return [outcome.state for outcome in outcomes]


@pytest.mark.parametrize("fault", [*LOST, "without_id"])
def test_a_send_that_is_lost_is_unconfirmed_and_made_once(client, sandbox, fault):
    sandbox.fault(fault, "send", times=None)

    error = client.fails(errors.UnconfirmedError, client.send, MESSAGES[0])

    assert "may or may not have been accepted" in str(error)
    assert len(sandbox.requests) == 1
    assert sandbox.ledger.accepted == LOST.get(fault, True)


@pytest.mark.parametrize("fault", SLOW)
def test_a_send_that_is_not_answered_in_time_is_unconfirmed_and_made_once(quick, sandbox, fault):
    sandbox.fault(fault, "send", times=None)

    error = quick.fails(errors.UnconfirmedError, quick.send, MESSAGES[0])

    assert "read_timeout" in str(error)
    assert len(sandbox.requests) == 1
    assert sandbox.ledger.accepted == SLOW[fault]


@pytest.mark.parametrize("fault", REFUSED)
def test_a_send_that_is_refused_was_not_accepted(client, sandbox, fault):
    error, requests = REFUSED[fault]
    sandbox.fault(fault, "send", times=None)

    caught = client.fails(error, client.send, MESSAGES[0])

    assert f"HTTP {caught.status}" in str(caught)
    assert (len(sandbox.requests), sandbox.ledger.accepted) == (requests, 0)


@pytest.mark.parametrize("fault", ["poll_fails", "item_missing", "shuffled"])
def test_a_fault_of_other_calls_leaves_a_send_alone(client, sandbox, fault):
    sandbox.fault(fault, times=None)

    assert client.send(MESSAGES[0])["id"] == sandbox.ledger.message(0).id
    assert (len(sandbox.requests), sandbox.ledger.accepted) == (1, 1)


@pytest.mark.parametrize("fault", [*LOST, "without_id"])
def test_a_bulk_call_that_is_lost_is_unconfirmed_and_made_once(client, sandbox, fault):
    sandbox.fault(fault, "bulk", times=None)

    outcomes = client.bulk(MESSAGES)

    assert states(outcomes) == [UNCONFIRMED] * 3
    assert all(outcome.reason for outcome in outcomes)
    assert len(sandbox.requests) == 1
    assert sandbox.ledger.accepted == 3 * LOST.get(fault, True)


@pytest.mark.parametrize("fault", SLOW)
def test_a_bulk_call_that_is_not_answered_in_time_is_unconfirmed_and_made_once(quick, sandbox, fault):
    sandbox.fault(fault, "bulk", times=None)

    assert states(quick.bulk(MESSAGES)) == [UNCONFIRMED] * 3
    assert (len(sandbox.requests), sandbox.ledger.accepted) == (1, 3 * SLOW[fault])


@pytest.mark.parametrize("fault", [fault for fault in REFUSED if fault != "too_large"])
def test_a_bulk_call_that_is_refused_stops_with_all_planned(client, sandbox, fault):
    error, requests = REFUSED[fault]
    sandbox.fault(fault, "bulk", times=None)

    caught = client.fails(errors.BulkStoppedError, client.bulk, MESSAGES)

    assert type(caught.__cause__) is error
    assert states(caught.outcomes) == [PLANNED] * 3
    assert (len(sandbox.requests), sandbox.ledger.accepted) == (requests, 0)


def test_a_bulk_call_too_large_even_for_one_message_rejects_each(client, sandbox):
    sandbox.fault("too_large", "bulk", times=None)

    assert states(client.bulk(MESSAGES)) == [REJECTED] * 3
    assert (len(sandbox.requests), sandbox.ledger.accepted) == (5, 0)


@pytest.mark.parametrize("echo", [True, False])
def test_an_item_missing_from_a_bulk_answer_is_the_one_unconfirmed(client, sandbox, echo):
    sandbox.configure(echo_client_id=echo)
    sandbox.fault("item_missing", "bulk", seed=1)

    outcomes = client.bulk(MESSAGES)

    assert sorted(states(outcomes)) == [ACCEPTED, ACCEPTED, UNCONFIRMED]
    found = {outcome.position: outcome.id for outcome in outcomes if outcome.id}
    assert found == {i: sandbox.ledger.message(i).id for i in found}
    assert (len(sandbox.requests), sandbox.ledger.accepted) == (1, 3)


@pytest.mark.parametrize("echo", [True, False])
def test_entities_in_another_order_find_their_messages(client, sandbox, echo):
    sandbox.configure(echo_client_id=echo)
    sandbox.fault("shuffled", "bulk", times=None)

    outcomes = client.bulk(MESSAGES)

    assert [outcome.id for outcome in outcomes] == [message.id for message in sandbox.ledger]


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("fault", LOST)
def test_a_read_without_a_usable_answer_is_made_again_and_then_unavailable(client, sandbox, name, fault):
    read = reader(client, name)
    sandbox.fault(fault, name, times=None)

    client.fails(errors.UnavailableError, read)

    assert len(sandbox.requests.records(name)) == 2


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("fault", SLOW)
def test_a_read_that_is_not_answered_in_time_is_unavailable(quick, sandbox, name, fault):
    read = reader(quick, name)
    sandbox.fault(fault, name, times=None)

    assert "read_timeout" in str(quick.fails(errors.UnavailableError, read))
    assert len(sandbox.requests.records(name)) == 2


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("fault", [*LOST, "rate_limited"])
def test_a_read_gets_over_a_fault_that_goes_away(client, sandbox, name, fault):
    read = reader(client, name)
    sandbox.fault(fault, name)

    assert read()
    assert len(sandbox.requests.records(name)) == 2


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("fault", REFUSED)
def test_a_read_that_is_refused(client, sandbox, name, fault):
    error, requests = REFUSED[fault]
    read = reader(client, name)
    sandbox.fault(fault, name, times=None)

    client.fails(error, read)

    assert len(sandbox.requests.records(name)) == requests


@pytest.mark.parametrize(
    ("name", "fault", "requests"),
    [
        ("read", "poll_fails", 2),
        ("list", "poll_fails", 2),
        ("account", "poll_fails", 0),
        ("read", "without_id", 2),
        ("list", "without_id", 2),
        ("account", "without_id", 0),
        *((name, fault, 0) for name in READS for fault in ("item_missing", "shuffled")),
    ],
)
def test_a_fault_of_some_reads(client, sandbox, name, fault, requests):
    read = reader(client, name)
    sandbox.fault(fault, times=None)

    if requests:
        client.fails(errors.UnavailableError, read)
    else:
        read()

    assert len(sandbox.requests.records(name)) == (requests or 1)
