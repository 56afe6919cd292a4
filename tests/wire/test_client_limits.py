# SPDX-License-Identifier: Apache-2.0
"""An answer has a bound and a request a deadline, however it trickles in or is packed."""

from __future__ import annotations

import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3
from support.clients import sms

from airflow_provider_instasent.api import InstasentClient, client_settings, errors, watched_connections
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.api.watched_connections import wire

MIB = 1024 * 1024
SIZE = 64 * MIB
SHORT, LONG = 0.4, 60.0
"""Seconds: a deadline, and a read timeout that ends nothing here."""

TOO_LARGE, OVERDUE = "larger than 16 MiB", "did not come to its end in time"
MESSAGES = [sms(number) for number in (1, 2, 3)]


def lookup(client):
    return client._call("lookup", "+34600000001")


@pytest.fixture
def hurry(monkeypatch):
    """Lets a request take no longer than a moment, whatever its timeouts."""
    monkeypatch.setattr(ClientSettings, "request_deadline", property(lambda _self: SHORT))


def asked(sandbox, names):
    """Wait until these are the requests that the sandbox has met: it may learn of one after its client gave up."""
    deadline = time.monotonic() + LONG
    while (found := [record.endpoint for record in sandbox.requests.records()]) != names:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)


def assert_unconfirmed(client, sandbox, says):
    """Each send is made once and unconfirmed; a read is unavailable."""
    for call in (lambda: client.send(MESSAGES[0]), lambda: lookup(client)):
        assert says in str(client.fails(errors.UnconfirmedError, call))
    outcomes = client.bulk(MESSAGES)
    assert [outcome.state for outcome in outcomes] == [MessageState.UNCONFIRMED] * 3
    assert says in outcomes[0].reason
    assert says in str(client.fails(errors.UnavailableError, client.list))
    asked(sandbox, ["send", "lookup", "bulk", "list"])


@pytest.mark.parametrize("fault", ["huge", "huge_gzip"])
def test_a_body_is_read_as_far_as_its_bound(connect, sandbox, fault):
    client = connect(read_timeout=LONG, retry_policy=ONE_ATTEMPT)
    sandbox.fault(fault, times=None, size=SIZE)

    assert_unconfirmed(client, sandbox, TOO_LARGE)
    assert (sandbox.ledger.accepted, sandbox.lookups.accepted) == (4, 1)


def test_memory_does_not_grow_with_a_body(sandbox):
    sandbox.fault("huge_gzip", "list", times=None, size=SIZE)
    with InstasentClient(sandbox.token, base_url=sandbox.url, read_timeout=LONG, retry_policy=ONE_ATTEMPT) as client:
        client.get_account()
        tracemalloc.start()
        try:
            with pytest.raises(errors.UnavailableError, match=TOO_LARGE):
                client.list_sms()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 48 * MIB


@pytest.mark.parametrize(("fault", "size"), [("gzip", 0), ("huge_gzip", 15 * MIB), ("huge", 15 * MIB)])
def test_a_body_within_its_bound_is_read(connect, sandbox, fault, size):
    client = connect(read_timeout=LONG)
    sandbox.fault(fault, times=None, size=size)

    assert client.send(MESSAGES[0])["id"] == sandbox.ledger.message(0).id
    assert lookup(client)["id"]
    assert [outcome.state for outcome in client.bulk(MESSAGES)] == [MessageState.ACCEPTED] * 3
    assert len(client.list().entities) == 4


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("fault", ["drip_head", "drip_body"])
def test_a_drip_ends_at_the_deadline(connect, sandbox, fault):
    client = connect(read_timeout=LONG, retry_policy=ONE_ATTEMPT)
    sandbox.fault(fault, times=None, seconds=0.02)

    assert_unconfirmed(client, sandbox, OVERDUE)


@pytest.mark.usefixtures("hurry")
@pytest.mark.parametrize("fault", ["timeout_after", "timeout_before"])
def test_silence_ends_at_the_deadline_where_that_comes_first(connect, sandbox, fault):
    client = connect(read_timeout=LONG)
    sandbox.fault(fault, "send", seconds=LONG)

    assert OVERDUE in str(client.fails(errors.UnconfirmedError, client.send, MESSAGES[0]))


def test_a_head_without_end_is_not_read_on(connect, sandbox):
    client = connect(read_timeout=LONG, retry_policy=ONE_ATTEMPT)
    sandbox.fault("endless_head", times=None)

    assert_unconfirmed(client, sandbox, "the connection was cut")


class Clock:
    """What the connections take for the time.

    :ivar ahead: seconds by which it is ahead of the real one
    """

    ahead = 0.0

    def monotonic(self):
        return time.monotonic() + self.ahead


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(watched_connections, "time", clock)
    return clock


def test_waiting_for_a_free_connection_is_no_part_of_a_request(sandbox, monkeypatch, clock):
    get = urllib3.HTTPConnectionPool._get_conn

    def waiting(*arguments, **named):
        clock.ahead += 10 * LONG
        return get(*arguments, **named)

    monkeypatch.setattr(urllib3.HTTPConnectionPool, "_get_conn", waiting)
    with InstasentClient(sandbox.token, base_url=sandbox.url, read_timeout=LONG) as client:
        for number in range(3):
            assert client.send_sms(sms(number))["id"]


def test_a_connection_that_was_nearly_overdue_serves_the_next_request_as_usual(sandbox, clock, monkeypatch):
    """For the last moments of an answer its timeout is that of the deadline; and then as it was."""
    allowed = ClientSettings(sandbox.token, read_timeout=LONG).request_deadline
    timeouts = []
    usual_response = watched_connections._WatchedConnection.getresponse

    def late_response(connection):
        clock.ahead += allowed - LONG / 2
        response = usual_response(connection)
        timeouts.append((wire.seconds_left(), connection.sock.gettimeout()))
        return response

    monkeypatch.setattr(watched_connections._WatchedConnection, "getresponse", late_response)
    monkeypatch.setattr(client_settings, "LONGEST_IDLE", 10 * LONG)
    with InstasentClient(sandbox.token, base_url=sandbox.url, read_timeout=LONG) as client:
        client.get_account()
        client.get_account()

    assert [usual for _, usual in timeouts] == [LONG] * 2
    assert all(left < LONG / 2 for left, _ in timeouts)
    assert len({record.connection for record in sandbox.requests.records()}) == 1


def test_threads_have_deadlines_of_their_own(sandbox, monkeypatch):
    """Each thread's lookup drips for ever and its account is answered; no thread is left behind."""
    monkeypatch.setattr(
        ClientSettings, "request_deadline", property(lambda self: SHORT if self.max_in_flight == 4 else LONG)
    )
    before = threading.active_count()
    sandbox.fault("drip_body", "lookup", times=None, seconds=0.02)
    settings = {"base_url": sandbox.url, "read_timeout": LONG, "retry_policy": ONE_ATTEMPT}

    def call(_number):
        try:
            hasty.lookup("+34600000001")
        except errors.UnconfirmedError:
            return patient.get_account()["currency"]

    with (
        InstasentClient(sandbox.token, max_in_flight=4, **settings) as hasty,
        InstasentClient(sandbox.token, max_in_flight=8, **settings) as patient,
        ThreadPoolExecutor(8) as threads,
    ):
        assert list(threads.map(call, range(8))) == ["EUR"] * 8
    assert threading.active_count() == before
