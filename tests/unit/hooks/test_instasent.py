# SPDX-License-Identifier: Apache-2.0

"""The hook up to the socket: the connection, its defaults, the clients it makes."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
from unittest.mock import Mock

import pytest
from support.instasent_connection import TOKEN, connection

from airflow_provider_instasent import __version__
from airflow_provider_instasent.api import ConfigurationError, InvalidMessageError, Sms
from airflow_provider_instasent.api.headers import request_headers
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.compat import airflow_version
from airflow_provider_instasent.hooks.instasent import InstasentHook

HOST = "http://127.0.0.1:9"


@pytest.fixture
def connect(monkeypatch):
    """Set the default connection and return a hook for it."""

    def set_connection(host=HOST, **fields):
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(host, **fields))
        return InstasentHook()

    return set_connection


def test_importing_the_hook_loads_nothing_that_parsing_does_not_need():
    code = (
        "import sys, json; from airflow_provider_instasent.compat import AirflowFailException, BaseHook; "
        "before = set(sys.modules); import airflow_provider_instasent.hooks.instasent as it; it.InstasentHook(); "
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "airflow_provider_instasent" in loaded
    assert not loaded & {"requests", "phonenumbers", "httpx", "jsonschema", "aiohttp", "wtforms"}


def test_the_constructor_touches_no_connection(monkeypatch):
    monkeypatch.setattr(InstasentHook, "get_connection", None)
    hook = InstasentHook("a_connection_that_does_not_exist")
    assert hook.instasent_conn_id == "a_connection_that_does_not_exist"
    hook.close()


def test_the_same_client_serves_until_the_hook_is_closed(connect):
    with connect() as hook:
        client = hook.get_conn()
        assert hook.get_conn() is client
        assert client.settings.base_url == HOST
        hook.close()
        assert hook.get_conn() is not client
    with hook.get_conn(retry_policy=ONE_ATTEMPT) as other:
        assert other is not hook.get_conn()
        assert other.settings.retry_policy is ONE_ATTEMPT
    hook.close()


async def test_the_asynchronous_client_has_the_same_settings(connect):
    extra = {"connect_timeout": "2", "read_timeout": 3, "max_in_flight": 4, "allow_http": "true"}
    hook = connect("sms.example.com", schema="http", port=8080, extra=extra)
    async with await hook.aget_conn(retry_policy=ONE_ATTEMPT) as client:
        with hook.get_conn(retry_policy=ONE_ATTEMPT) as synchronous:
            assert client.settings == synchronous.settings
        assert client.settings.base_url == "http://sms.example.com:8080"
        assert client.settings.read_timeout == 3


async def test_the_connection_is_read_off_the_event_loop(connect, monkeypatch):
    """A synchronous call to the supervisor on the loop's thread can deadlock."""
    hook = connect()

    def refuse(*_args):
        pytest.fail("the connection was read on the event loop's thread")

    monkeypatch.setattr(InstasentHook, "settings", property(refuse))
    if hasattr(InstasentHook, "aget_connection"):
        monkeypatch.setattr(InstasentHook, "get_connection", refuse)
    else:
        monkeypatch.setattr(InstasentHook, "get_connection", not_on_the_loop(InstasentHook.get_connection))
    async with await hook.aget_conn() as client:
        assert client.settings.base_url == HOST


def not_on_the_loop(get_connection):
    def checked(conn_id):
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return get_connection(conn_id)

    return staticmethod(checked)


async def test_after_the_asynchronous_reading_messages_need_no_other(connect, monkeypatch):
    hook = connect(extra={"sender": "Acme"})
    await hook.aget_settings()
    monkeypatch.delenv("AIRFLOW_CONN_INSTASENT_DEFAULT")
    assert hook.message(to="+34600000001", text="x").sender == "Acme"


def test_the_user_agent_names_package_python_and_airflow(connect):
    with connect() as hook:
        agent = request_headers(hook.get_conn().settings, "library/1")["User-Agent"]
    assert agent == (
        f"airflow-provider-instasent/{__version__} Python/{platform.python_version()} library/1 "
        f"Airflow/{airflow_version()}"
    )
    assert airflow_version()[0] in "23"


@pytest.mark.parametrize("host", [HOST, f"{HOST}/transactional/v1", "127.0.0.1"])
def test_a_connection_survives_the_uri_that_the_test_button_makes_of_it(connect, monkeypatch, host):
    from airflow.models.connection import Connection

    extra = {"sender": "Acme", "allow_unicode": True, "read_timeout": 3}
    schema, port = (None, None) if "://" in host else ("http", 9)
    original = connect(host, schema=schema, port=port, password="to/k@n?&#-and-more", extra=extra)
    made = Connection(
        conn_type="instasent",
        host=host,
        schema=schema,
        port=port,
        password="to/k@n?&#-and-more",
        extra=json.dumps(extra),
    )
    monkeypatch.setenv("AIRFLOW_CONN_BY_URI", made.get_uri())
    assert InstasentHook("by_uri").settings == original.settings
    assert original.settings.base_url.startswith(HOST if "://" in host else "http://127.0.0.1:9")


def test_unknown_extras_are_warned_of_once_with_the_known_ones(connect, monkeypatch):
    log = Mock()
    monkeypatch.setattr(InstasentHook, "log", log)
    with connect(extra={"default_sender": "Acme", "sender": "Secret Inc"}) as hook:
        hook.get_conn()
        hook.message(to="+34600000001", text="x")
    (call,) = log.warning.call_args_list
    warning = call.args[0] % call.args[1:]
    assert "unknown extras: default_sender." in warning
    assert "default_region" in warning
    assert "Secret Inc" not in warning


def test_a_message_takes_the_defaults_of_the_connection(connect):
    hook = connect(extra={"sender": "Acme", "default_region": "es", "allow_unicode": "true"})
    assert hook.message(to="600 000 001", text="x") == Sms("+34600000001", "x", "Acme", allow_unicode=True)
    given = hook.message(to="+4915112345678", text="x", sender="Other", allow_unicode=False, client_id="id-1")
    assert given == Sms("+4915112345678", "x", "Other", allow_unicode=False, client_id="id-1")


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("to", {"to": "600000001"}),
        ("to", {"to": None}),
        ("text", {"text": " "}),
        ("sender", {}),
        ("sender", {"sender": "TwelveLetter"}),
        ("client_id", {"sender": "Acme", "client_id": "x" * 41}),
        ("allow_unicode", {"sender": "Acme", "allow_unicode": "yes"}),
    ],
)
def test_a_bad_message_is_refused_by_its_field(connect, field, fields):
    with pytest.raises(InvalidMessageError, match=f"^`{field}`") as caught:
        connect().message(**{"to": "+34600000001", "text": "x"} | fields, position=7)
    assert caught.value.position == 7


@pytest.mark.parametrize(
    ("field", "fields"), [("API token", {"password": None}), ("Base URL or host", {"host": "http://example.com"})]
)
def test_a_bad_connection_is_refused_before_any_request(connect, field, fields):
    with pytest.raises(ConfigurationError, match=f"^`{field}`"):
        connect(**fields).send_sms("+34600000001", "x", "Acme")


def test_nothing_shows_the_token(connect):
    with connect() as hook:
        client = hook.get_conn()
        for shown in (repr(hook), repr(hook.settings), repr(client), repr(client.settings), str(vars(hook))):
            assert TOKEN not in shown
