# SPDX-License-Identifier: Apache-2.0
"""Both clients and a proxy: what has left where something went wrong on the way, and what the proxy is told."""

from __future__ import annotations

import socket
import time
from types import SimpleNamespace

import pytest
from httpcore._async import http11
from support.certificates import account_server, write_certificate
from support.clients import sms
from support.never_sent import assert_never_sent
from support.proxies import THIS_MACHINE, real_proxy
from support.wires import Proxy, closed_port, deaf_port

from airflow_provider_instasent.api import errors, watched_connections


@pytest.fixture
def via(monkeypatch):
    """Makes the environment name a proxy."""

    def set_proxy(url):
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("https_proxy", url)

    return set_proxy


@pytest.fixture
def connect_there(connect, sandbox):
    """Makes callers whose base URL is not on loopback, to which a proxy would not be asked."""

    def make(scheme, **settings):
        url = sandbox.url.replace("http:", f"{scheme}:").replace("127.0.0.1", THIS_MACHINE)
        return connect(base_url=url, allow_http=True, **settings)

    return make


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_is_not_there(connect_there, sandbox, via, scheme):
    via(f"http://127.0.0.1:{closed_port()}")

    assert_never_sent(connect_there(scheme), "the proxy did not connect")
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_whose_name_nobody_knows(connect_there, via, monkeypatch, scheme):
    def unknown(*_arguments, **_named):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    via("http://proxy.invalid:3128")

    assert_never_sent(connect_there(scheme), "the proxy did not connect")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_does_not_accept_in_time(connect_there, via, scheme):
    with deaf_port() as port:
        via(f"http://127.0.0.1:{port}")

        assert_never_sent(connect_there(scheme, connect_timeout=0.05), "connect_timeout")


@pytest.mark.parametrize("status", [302, 403, 407, 502])
def test_a_proxy_that_refuses_the_tunnel(connect_there, sandbox, via, status):
    with Proxy(status).serving() as proxy:
        via(proxy.url)

        assert_never_sent(connect_there("https"), "the proxy did not connect")

    assert all(head.startswith(b"CONNECT ") for head in proxy.heads)
    assert not any(sandbox.token.encode() in head for head in proxy.heads)


def test_a_proxy_that_never_answers(connect_there, via):
    with Proxy(0).serving() as proxy:
        via(proxy.url)

        assert_never_sent(connect_there("https", connect_timeout=0.1, read_timeout=0.1), "connect_timeout")


def test_tls_that_fails_behind_a_proxy(connect_there, via):
    with Proxy(200).serving() as proxy:
        via(proxy.url)

        assert_never_sent(connect_there("https"), "TLS failure")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_speaks_no_tls(connect_there, sandbox, via, scheme):
    """Something that speaks HTTP is named as an `https://` proxy."""
    via(sandbox.url.replace("http:", "https:").removesuffix(sandbox.base_path))

    assert_never_sent(connect_there(scheme), "TLS failure")
    assert len(sandbox.requests) == 0


def test_a_proxy_that_cuts_a_request_it_had_taken(connect_there, via):
    """It went out in the clear, so the proxy may have passed it on."""
    with Proxy(-1).serving() as proxy:
        via(proxy.url)
        client = connect_there("http")

        error = client.fails(errors.UnconfirmedError, client.send, sms())

    assert "the connection was cut" in str(error)
    assert len(proxy.heads) == 1


def test_a_tunnel_that_idled_is_opened_again(connect, via, tmp_path, monkeypatch):
    """And the request does not go to the proxy itself, which could read it where TLS is spoken with it."""
    later = 0.0
    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + later)
    for module in (watched_connections, http11):
        monkeypatch.setattr(module, "time", clock)
    certificate = write_certificate(tmp_path, "ours")
    tls = ["--cert-file", str(certificate[0]), "--key-file", str(certificate[1])]
    with account_server(certificate) as (port, heads), real_proxy(tmp_path, *tls) as proxy:
        via(f"https://{proxy.place}")
        client = connect(base_url=f"https://{THIS_MACHINE}:{port}", ca_bundle=str(certificate[0]))
        for pause in (0.0, 10.1, 10.1):
            later += pause
            assert client.account()["available"] == "12.34"
        client.close_client()

        assert proxy.news(3, 0) == [("CONNECT", f"{THIS_MACHINE}:{port}")] * 3
    assert len(heads) == 3


def test_messages_go_out_and_are_read_by_a_proxy(connect_there, sandbox, via, tmp_path):
    """In the clear, so that the proxy is asked by the whole URL."""
    with real_proxy(tmp_path) as proxy:
        via(proxy.place)
        client = connect_there("http")
        ids = [outcome.id for outcome in client.bulk([sms(number) for number in range(3)])]
        assert [client.read(identifier)["id"] for identifier in ids] == ids
        client.send(sms(7))
        client.close_client()

        place = f"{THIS_MACHINE}:{sandbox._port}"
        assert set(proxy.news(1, 0)) <= {("POST", place), ("GET", place)}
    assert sandbox.ledger.accepted == 4
    assert {record.token for record in sandbox.requests.records()} == {"right"}
