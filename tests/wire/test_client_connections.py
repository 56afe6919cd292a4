# SPDX-License-Identifier: Apache-2.0
"""Connections of both clients: those that cannot be opened, those that idled, many at once, and all of them closed."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from httpcore._async import http11
from support.clients import TINY_WAITS, sms
from support.events import LONG, until, wait_until
from support.never_sent import assert_never_sent
from support.wires import closed_port, deaf_port

from airflow_provider_instasent.api import async_client, errors, flows, watched_connections
from airflow_provider_instasent.api import client as sync_client
from airflow_provider_instasent.api.client_settings import LONGEST_IDLE
from airflow_provider_instasent.api.exchange import Answer


def test_nobody_listens(connect):
    assert_never_sent(connect(base_url=f"http://127.0.0.1:{closed_port()}"), "nothing listens there")


def test_a_host_name_nobody_knows(connect, monkeypatch):
    def unknown(*_arguments, **_named):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert_never_sent(connect(base_url="http://api.instasent.invalid", allow_http=True), "the host name is not known")


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "a..example"])
def test_a_host_name_that_cannot_be_one(connect, host):
    client = connect(base_url=f"https://{host}")

    assert "nothing was sent" in str(client.fails(errors.NotSentError, client.send, sms()))


def test_nobody_accepts_in_time(connect):
    with deaf_port() as port:
        assert_never_sent(connect(base_url=f"http://127.0.0.1:{port}", connect_timeout=0.05), "connect_timeout")


def test_no_tls_there(connect, sandbox):
    assert_never_sent(connect(base_url=sandbox.url.replace("http:", "https:")), "TLS failure")
    assert len(sandbox.requests) == 0


def test_a_handshake_that_never_ends(connect):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        assert_never_sent(connect(base_url=url, connect_timeout=0.05), "connect_timeout")


def connections(sandbox):
    return [record.connection for record in sandbox.requests.records()]


def test_a_connection_is_used_again(client, sandbox):
    client.account()
    client.send(sms(1))
    client.send(sms(2))

    assert len(set(connections(sandbox))) == 1


def test_a_send_never_goes_out_on_a_connection_that_idled(connect, sandbox, monkeypatch):
    assert LONGEST_IDLE == 10
    later = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + later)
    for module in (watched_connections, http11):
        monkeypatch.setattr(module, "time", clock)
    client = connect()

    for pause in (0.0, 10.1, 0.0, 10.1):
        client.send(sms())
        later += pause
    client.send(sms())

    first, second, third, fourth, fifth = connections(sandbox)
    assert first == second != third == fourth != fifth


def test_a_connection_that_the_server_closed_is_not_used(client, sandbox):
    client.send(sms(1))
    sandbox.cut_all()

    client.send(sms(2))

    assert sandbox.ledger.accepted == 2
    assert len(set(connections(sandbox))) == 2


def test_what_is_called_around_a_send(connect, sandbox):
    client, heard = connect(), []
    sandbox.fault("rate_limited", "send")
    hooks = {"before_send": lambda: heard.append(len(sandbox.requests))}

    client.perform(flows.send_sms(sms(), TINY_WAITS), **hooks)
    client.perform(flows.get_account(TINY_WAITS), **hooks)

    assert heard == [0, 1]


def test_what_is_raised_before_a_send_keeps_it_from_leaving(client, sandbox):
    def fence():
        raise KeyError("superseded")

    with pytest.raises(KeyError, match="superseded"):
        client.perform(flows.send_sms(sms(), TINY_WAITS), before_send=fence)

    assert len(sandbox.requests) == 0


def test_many_threads_share_one_synchronous_client(sandbox, secrets_guard):
    with (
        sync_client.InstasentClient(sandbox.token, base_url=sandbox.url, max_in_flight=4) as client,
        ThreadPoolExecutor(24) as threads,
    ):
        with sandbox.holding():
            sent = [threads.submit(client.send_sms, sms(number)) for number in range(240)]
            sandbox.wait_for_in_flight(4)
        ids = [one.result(LONG)["id"] for one in sent]

    by_id = {message.id: message.client_id for message in sandbox.ledger}
    assert [by_id[identifier] for identifier in ids] == [f"id-{number}" for number in range(240)]
    assert sandbox.ledger.accepted == 240
    assert max(record.in_flight for record in sandbox.requests.records()) == 4
    assert len(set(connections(sandbox))) == 4


def test_threads_do_not_mix_up_what_left(sandbox):
    """One thread's request leaves while another's cannot: each learns its own fate."""
    sandbox.fault("cut_after", "send", times=None)
    barrier = threading.Barrier(8)

    def send(number):
        base_url = sandbox.url if number % 2 else f"http://127.0.0.1:{closed_port()}"
        with sync_client.InstasentClient(sandbox.token, base_url=base_url, retry_policy=TINY_WAITS) as client:
            barrier.wait(LONG)
            try:
                client.send_sms(sms(number))
            except errors.ApiError as error:
                return type(error)

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(send, range(8))) == [errors.NotSentError, errors.UnconfirmedError] * 4


async def test_many_tasks_share_one_asynchronous_client(sandbox):
    async with async_client.AsyncInstasentClient(sandbox.token, base_url=sandbox.url, max_in_flight=4) as client:
        with sandbox.holding():
            sent = asyncio.gather(*(client.send_sms(sms(number)) for number in range(240)))
            await asyncio.to_thread(sandbox.wait_for_in_flight, 4)
        entities = await sent

    by_id = {message.id: message.client_id for message in sandbox.ledger}
    assert [by_id[entity["id"]] for entity in entities] == [f"id-{number}" for number in range(240)]
    assert sandbox.ledger.accepted == 240
    assert max(record.in_flight for record in sandbox.requests.records()) == 4
    assert len(set(connections(sandbox))) == 4


async def test_a_cancelled_task_gives_its_connection_back(sandbox):
    sandbox.fault("timeout_before", "account", seconds=3600)
    async with async_client.AsyncInstasentClient(sandbox.token, base_url=sandbox.url, max_in_flight=1) as client:
        task = asyncio.create_task(client.get_account())
        await until(lambda: [one.fault for one in sandbox.requests.records()] == ["timeout_before"])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert (await client.get_account())["currency"] == "EUR"


@pytest.mark.parametrize("fault", [None, "cut_before", "truncated", "html"])
def test_a_closed_client_leaves_nothing_open(connect, sandbox, fault):
    client = connect()
    client.account()
    assert sandbox._server.server_state.connections
    if fault:
        sandbox.fault(fault, "send")
        client.fails(errors.UnconfirmedError, client.send, sms())
    else:
        client.send(sms())

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        client.close_client()
        client.client = None
        gc.collect()

    assert not [warning for warning in seen if issubclass(warning.category, ResourceWarning)]
    wait_until(lambda: not sandbox._server.server_state.connections, "the end of all connections")


def test_a_client_can_be_closed_twice_and_unused(connect):
    client = connect()
    client.close_client()
    client.close_client()

    assert client.account()


def test_an_answer_is_the_same_whichever_client_read_it(client):
    heard, before = [], time.time()
    client.perform(flows.send_sms(sms(), TINY_WAITS), after_send=heard.append)

    (answer,) = heard
    assert isinstance(answer, Answer)
    assert answer.status == 201
    assert answer.rate_limit(0).limit == 1200
    assert before - 2 < answer.server_time() < time.time() + 1
