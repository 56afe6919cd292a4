# SPDX-License-Identifier: Apache-2.0
"""What both clients put on the wire, and what they say of what comes back."""

from __future__ import annotations

import json
import platform
import re

import pytest
from support.clients import sms

from airflow_provider_instasent import __version__
from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.message import Sms

MESSAGES = [sms(number) for number in (1, 2, 3)]


@pytest.mark.parametrize("address", ["{url}/organization/account", "http://[no address", "\N{SNOWMAN}://", ""])
def test_a_redirect_is_not_followed(client, sandbox, address):
    sandbox.fault("redirect", "send", body=address.format(url=sandbox.url))

    error = client.fails(errors.UnconfirmedError, client.send, MESSAGES[0])

    assert "redirects are off" in str(error)
    assert [record.endpoint for record in sandbox.requests.records()] == ["send"]


def test_a_refusal_is_quoted_without_token_text_and_number(client, sandbox):
    message = MESSAGES[0]
    said = f"{sandbox.token} may not send '{message.text}' to {message.to} or {message.to[1:]}"
    sandbox.fault("error_before", "send", status=401, body=json.dumps({"message": said}))

    error = client.fails(errors.AuthenticationError, client.send, message)

    assert str(error).endswith(f": (token) may not send '(text)' to +34•••••{message.to[-3:]} or •••••")


def test_a_wrong_token_is_refused_on_every_call(connect, sandbox):
    client = connect(token="another-token")

    for call in (lambda: client.send(MESSAGES[0]), lambda: client.read("any"), client.list, client.account):
        assert "password" in str(client.fails(errors.AuthenticationError, call))
    assert client.fails(errors.BulkStoppedError, client.bulk, MESSAGES).status == 401
    assert {record.token for record in sandbox.requests.records()} == {"wrong"}
    assert len(sandbox.requests) == 5


@pytest.mark.parametrize("envelope", ["wrapped", "bare"])
def test_all_calls_when_all_is_well(client, sandbox, envelope):
    sandbox.configure(envelope=envelope, balance=12.5)

    first = client.send(MESSAGES[0])
    outcomes = client.bulk(MESSAGES[1:])
    accepted = [message.id for message in sandbox.ledger]

    assert [first["id"], *(outcome.id for outcome in outcomes)] == accepted
    assert [outcome.client_id for outcome in outcomes] == ["id-2", "id-3"]
    assert client.read(accepted[1])["clientId"] == "id-2"
    assert [entity["id"] for entity in client.list(page=1, per_page=2).entities] == accepted[:0:-1]
    assert client.account() == {"available": 12.35, "currency": "EUR"}
    assert [(record.method, record.path, record.token) for record in sandbox.requests.records()] == [
        ("POST", f"{sandbox.base_path}/sms", "right"),
        ("POST", f"{sandbox.base_path}/sms/bulk", "right"),
        ("GET", f"{sandbox.base_path}/sms/{accepted[1]}", "right"),
        ("GET", f"{sandbox.base_path}/sms", "right"),
        ("GET", f"{sandbox.base_path}/organization/account", "right"),
    ]
    assert sandbox.requests.records("list")[0].query == {"page": "1", "per_page": "2"}


@pytest.mark.parametrize("allow_unicode", [True, False])
@pytest.mark.parametrize("client_id", ["order ñ 7", None])
def test_a_message_goes_out_as_utf8_json_with_what_was_asked_for_and_no_more(client, sandbox, allow_unicode, client_id):
    message = Sms("+34600000001", '¿Qué tal? \U0001f600 \n"x"', "Tests", allow_unicode, client_id)

    client.send(message)
    client.bulk([message])

    for accepted in sandbox.ledger:
        assert (accepted.to, accepted.text, accepted.sender) == (message.to, message.text, message.sender)
        assert (accepted.client_id, accepted.allow_unicode) == (client_id, allow_unicode)
    # The sandbox refuses fields it does not know; the length tells that these are all, and not escaped to ASCII.
    body = json.dumps(message.payload(), ensure_ascii=False, separators=(",", ":")).encode()
    single, bulk = sandbox.requests.records()
    assert int(single.headers["content-length"]) == len(body)
    assert int(bulk.headers["content-length"]) == len(body) + 2
    assert single.headers["content-type"] == "application/json; charset=utf-8"


def test_the_headers_say_who_is_asking(connect, sandbox, kind):
    connect(user_agent_suffix="Airflow/9.9.9").account()

    headers = sandbox.requests.records()[0].headers
    library = {"sync": "requests", "async": "httpx"}[kind]
    expected = (
        rf"airflow-provider-instasent/{re.escape(__version__)} Python/{platform.python_version()} "
        rf"{library}/[0-9.]+ Airflow/9\.9\.9"
    )
    assert re.fullmatch(expected, headers["user-agent"])
    assert headers["accept"] == "application/json"


def test_a_message_that_was_never_checked_never_leaves(client, sandbox):
    wrong = Sms("600000001", "a text to keep", "Tests")

    client.fails(errors.PayloadError, client.send, wrong)
    client.fails(errors.PayloadError, client.bulk, [MESSAGES[0], wrong])

    assert len(sandbox.requests) == 0
