# SPDX-License-Identifier: Apache-2.0

"""The hook against the sandbox: what it sends, what it raises, and what the connection test says."""

from __future__ import annotations

import socket

import pytest
from support.instasent_connection import TOKEN, connection

from airflow_provider_instasent.api import (
    AuthenticationError,
    BulkStoppedError,
    InvalidMessageError,
    InvalidRequestError,
    MessageState,
    NoFundsError,
    NotFoundError,
)
from airflow_provider_instasent.compat import AirflowFailException
from airflow_provider_instasent.hooks.errors import InstasentPartlySentError, InstasentUnconfirmedError
from airflow_provider_instasent.hooks.instasent import InstasentHook

EXTRA = {"sender": "Tests", "default_region": "ES"}
UNCERTAIN = ["cut_before", "cut_after", "error_before", "error_after", "html", "truncated", "empty", "without_id"]


@pytest.fixture
def connect(sandbox, monkeypatch):
    """Set the default connection, the sandbox's unless said otherwise, and return a hook for it."""
    hooks = []

    def set_connection(host=sandbox.url, *, extra=None, **fields):
        value = connection(host, extra=EXTRA | (extra or {}), **fields)
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", value)
        hooks.append(InstasentHook())
        return hooks[-1]

    yield set_connection
    for hook in hooks:
        hook.close()


def number(position, last_digits=0):
    return f"+34600{position:03}{last_digits:03}"


def test_a_message_is_sent_and_read_with_the_connections_defaults(connect, sandbox):
    hook = connect(extra={"allow_unicode": "true"})
    entity = hook.send_sms("600 000 001", "Hola 👋", client_id="id-1")
    (accepted,) = sandbox.ledger
    assert (accepted.id, accepted.to, accepted.sender, accepted.text, accepted.client_id, accepted.allow_unicode) == (
        entity["id"],
        "+34600000001",
        "Tests",
        "Hola 👋",
        "id-1",
        True,
    )
    assert hook.get_sms(entity["id"])["id"] == entity["id"]
    assert [one["id"] for one in hook.iter_sms(per_page=5)] == [entity["id"]]
    assert hook.get_account()["currency"] == "EUR"
    with pytest.raises(NotFoundError):
        hook.get_sms("none")
    records = sandbox.requests.records()
    assert {record.connection for record in records} == {records[0].connection}
    assert all("Airflow/" in record.headers["user-agent"] for record in records)


async def test_the_asynchronous_client_reads_what_the_synchronous_one_sent(connect, sandbox):
    hook = connect()
    entity = hook.send_sms("+34600000001", "hello")
    async with await hook.aget_conn() as client:
        assert (await client.get_sms(entity["id"]))["id"] == entity["id"]
        assert [one["id"] async for one in client.iter_sms()] == [entity["id"]]
        assert "available" in await client.get_account()


@pytest.mark.parametrize("fault", UNCERTAIN)
def test_an_uncertain_send_is_made_once_and_ends_the_task(connect, sandbox, fault):
    sandbox.fault(fault, endpoint="send")
    with pytest.raises(InstasentUnconfirmedError, match=r"1 of 1 messages .*position 0") as caught:
        connect().send_sms("+34600000001", "a private text", client_id="id-1")
    assert isinstance(caught.value, AirflowFailException)
    (outcome,) = caught.value.outcomes
    assert (outcome.state, outcome.client_id) == (MessageState.UNCONFIRMED, "id-1")
    assert len(sandbox.requests) == 1
    for secret in (TOKEN, "a private text", "600000001"):
        assert secret not in str(caught.value)


def test_a_send_without_an_answer_in_time_is_uncertain(connect, sandbox):
    sandbox.fault("timeout_after", endpoint="send")
    with pytest.raises(InstasentUnconfirmedError, match="read_timeout"):
        connect(extra={"read_timeout": 0.1}).send_sms("+34600000001", "hello")
    assert len(sandbox.ledger) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [("unauthorized", AuthenticationError), ("forbidden", AuthenticationError), ("no_funds", NoFundsError)],
)
def test_a_refused_send_is_a_plain_error_because_a_retry_is_safe(connect, sandbox, fault, error):
    sandbox.fault(fault, endpoint="send")
    with pytest.raises(error) as caught:
        connect().send_sms("+34600000001", "hello")
    assert not isinstance(caught.value, AirflowFailException)
    assert len(sandbox.ledger) == 0


def test_a_number_the_api_rejects_is_a_plain_error_with_its_reason(connect):
    with pytest.raises(InvalidRequestError, match="422") as caught:
        connect().send_sms(number(0, 920), "hello")
    assert number(0, 920)[1:] not in str(caught.value)


def test_a_rate_limited_send_waits_and_goes_out_once(connect, sandbox):
    sandbox.fault("rate_limited", endpoint="send", seconds=1)
    connect().send_sms("+34600000001", "hello")
    assert [record.status for record in sandbox.requests.records()] == [429, 201]
    assert len(sandbox.ledger) == 1


def test_bulk_goes_out_in_calls_of_100_with_each_outcome_at_its_place(connect, sandbox):
    messages = [{"to": number(place), "text": f"text {place}"} for place in range(150)]
    messages[120] = {"to": number(120, 920), "text": "rejected", "sender": "Other"}
    outcomes = connect().send_bulk(messages)
    assert [outcome.position for outcome in outcomes] == list(range(150))
    assert [outcome.position for outcome in outcomes if outcome.state is MessageState.REJECTED] == [120]
    assert [record.items for record in sandbox.requests.records()] == [100, 50]
    sent = {message.id: message.text for message in sandbox.ledger}
    assert {outcome.id: f"text {outcome.position}" for outcome in outcomes if outcome.id} == sent


def test_a_bad_message_anywhere_means_that_nothing_is_sent(connect, sandbox):
    messages = [{"to": number(place), "text": "hello"} for place in range(120)]
    messages[110] = {"to": "12", "text": "hello"}
    with pytest.raises(InvalidMessageError, match=r"`to`.*\(message 110\)"):
        connect().send_bulk(messages)
    assert len(sandbox.requests) == 0


def test_a_bulk_call_that_gets_no_answer_leaves_its_messages_unconfirmed(connect, sandbox):
    sandbox.fault("cut_after", endpoint="bulk", skip=1)
    with pytest.raises(InstasentUnconfirmedError, match=r"50 of 150 messages .*position 100, .*, …\)") as caught:
        connect().send_bulk([{"to": number(place), "text": "hello"} for place in range(150)])
    states = [outcome.state for outcome in caught.value.outcomes]
    assert states == [MessageState.ACCEPTED] * 100 + [MessageState.UNCONFIRMED] * 50
    assert len(sandbox.ledger) == 150


def test_a_bulk_send_that_stops_half_way_is_not_retried(connect, sandbox):
    sandbox.fault("no_funds", endpoint="bulk", skip=1)
    with pytest.raises(InstasentPartlySentError, match=r"100 accepted.*The task is not retried") as caught:
        connect().send_bulk([{"to": number(place), "text": "hello"} for place in range(150)])
    assert isinstance(caught.value, AirflowFailException)
    planned = [one.position for one in caught.value.outcomes if one.state is MessageState.PLANNED]
    assert planned == list(range(100, 150))
    assert len(sandbox.ledger) == 100


def test_a_bulk_send_that_stops_before_anything_was_accepted_may_be_retried(connect, sandbox):
    sandbox.fault("unauthorized", endpoint="bulk")
    with pytest.raises(BulkStoppedError) as caught:
        connect().send_bulk([{"to": number(place), "text": "hello"} for place in range(3)])
    assert not isinstance(caught.value, AirflowFailException)
    assert {one.state for one in caught.value.outcomes} == {MessageState.PLANNED}
    assert len(sandbox.ledger) == 0


@pytest.mark.parametrize("settings", [{}, {"envelope": "bare"}, {"numbers_as_strings": True}])
def test_the_connection_test_tells_the_balance(connect, sandbox, settings):
    sandbox.configure(balance=12.34, **settings)
    works, said = connect().test_connection()
    assert works
    assert said == f"Balance 12.34 EUR; API at {sandbox.url}"
    assert [record.endpoint for record in sandbox.requests.records()] == ["account"]


@pytest.mark.parametrize(
    ("fault", "options", "advice"),
    [
        ("unauthorized", {}, "the API token is wrong or revoked"),
        ("forbidden", {}, "the API token lacks the scope"),
        ("not_found", {}, "its path is probably wrong; the base URLs are https://api.instasent.com (Legacy API), "),
        ("html", {}, "not with an Instasent account"),
        ("empty", {}, "not with an Instasent account"),
        ("error_before", {"status": 502}, "HTTP 502"),
        ("error_before", {"status": 503}, "try again later"),
        ("redirect", {}, "set the final address as `Base URL or host`"),
        ("rate_limited", {}, "the rate limit is used up"),
        ("cut_before", {}, "the connection was cut"),
        ("timeout_before", {}, "no answer in time (`read_timeout`)"),
    ],
)
def test_the_connection_test_says_what_is_wrong_after_one_request(connect, sandbox, fault, options, advice):
    sandbox.fault(fault, times=5, **options)
    works, said = connect(extra={"read_timeout": 0.1}).test_connection()
    assert not works
    assert advice in said
    assert said.startswith(f"API at {sandbox.url}: ")
    assert TOKEN not in said
    assert len(sandbox.requests) == 1


def test_the_connection_test_refuses_a_wrong_token(connect):
    works, said = connect(password="another-token").test_connection()
    assert not works
    assert "HTTP 401" in said
    assert (
        "the API token is wrong or revoked; put a valid one into that field of the connection (its `password`)" in said
    )
    assert "another-token" not in said


def test_the_connection_test_names_a_wrong_base_path(connect, sandbox):
    works, said = connect(f"{sandbox.url}/transactional/v9").test_connection()
    assert not works
    assert "https://api.instasent.com/transactional/v1 (Transactional API)" in said


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ({"password": None}, "`API token` is missing: put it into that field of the connection (its `password`)"),
        ({"password": f"Bearer {TOKEN}"}, "leave out `Authorization:` and `Bearer`"),
        ({"host": "http://sms.example.com"}, "`allow_http`"),
        ({"host": "http:/sms.example.com"}, "`Base URL or host` begins like a URL that lost its `://`"),
        ({"extra": {"api": "product"}}, "`api` must be one of: legacy, transactional"),
        ({"extra": {"ca_bundle": "/nowhere/ca.pem"}}, "`ca_bundle`"),
    ],
)
def test_the_connection_test_names_a_wrong_setting(connect, sandbox, fields, advice):
    works, said = connect(**fields).test_connection()
    assert not works
    assert advice in said
    assert len(sandbox.requests) == 0


def test_the_connection_test_notices_that_nothing_listens(connect):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        works, said = connect(f"http://127.0.0.1:{bound.getsockname()[1]}").test_connection()
    assert not works
    assert "nothing listens there" in said


def unknown_name(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_the_connection_test_notices_an_unknown_host(connect, monkeypatch):
    hook = connect("https://sms.invalid")
    hook.get_conn()
    unknown_name(monkeypatch)
    works, said = hook.test_connection()
    assert not works
    assert "API at https://sms.invalid: " in said
    assert "the host name is not known" in said


async def test_the_asynchronous_client_tells_an_unknown_host_from_a_closed_port(connect, monkeypatch):
    from airflow_provider_instasent.api import NotSentError
    from airflow_provider_instasent.api.retry import ONE_ATTEMPT

    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        async with await connect(f"http://127.0.0.1:{bound.getsockname()[1]}").aget_conn(
            retry_policy=ONE_ATTEMPT
        ) as client:
            with pytest.raises(NotSentError, match="nothing listens there"):
                await client.get_account()
    async with await connect("https://sms.invalid").aget_conn(retry_policy=ONE_ATTEMPT) as client:
        unknown_name(monkeypatch)
        with pytest.raises(NotSentError, match="the host name is not known"):
            await client.get_account()


def test_the_connection_test_notices_that_tls_fails(connect, sandbox):
    works, said = connect(sandbox.url.replace("http://", "https://")).test_connection()
    assert not works
    assert "TLS failure" in said


@pytest.mark.parametrize("fields", [{}, {"port": 0}])
def test_a_host_and_port_without_a_scheme_is_told_to_add_one(connect, sandbox, fields):
    works, said = connect(sandbox.url.removeprefix("http://"), **fields).test_connection()
    assert not works
    assert "where the server speaks no TLS, as a sandbox does, `Base URL or host` must begin with http://" in said


@pytest.mark.parametrize("port", [0, None])
def test_the_port_that_the_form_sends_for_an_empty_one_is_none(connect, sandbox, port):
    assert connect(sandbox.url, port=port).test_connection()[0]


def test_the_connection_test_also_checks_the_defaults_of_messages(connect, sandbox):
    sandbox.configure(balance=12.34)
    works, said = connect(extra={"sender": "Acme Parcels", "default_region": "ES"}).test_connection()
    assert not works
    assert said == (
        "`sender`: has 12 characters; a sender with a letter has at most 11, so shorten it "
        f"(a default of this connection). Balance 12.34 EUR; API at {sandbox.url}"
    )


def test_the_connection_test_answers_for_a_connection_that_does_not_exist():
    works, said = InstasentHook("no_such_connection").test_connection()
    assert not works
    assert "no_such_connection" in said
