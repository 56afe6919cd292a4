# SPDX-License-Identifier: Apache-2.0

"""Whatever ends a call of the hook while its request is out, or while its answer is read: the task is not retried."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from contextlib import contextmanager

import pytest
import requests
import urllib3
from support.instasent_connection import connection

from airflow_provider_instasent.api import BulkStoppedError, MessageState, NotSentError
from airflow_provider_instasent.api.exchange import Answer, Pause
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.compat import AirflowException, AirflowFailException, AirflowTaskTimeout
from airflow_provider_instasent.hooks.errors import InstasentPartlySentError, InstasentUnconfirmedError
from airflow_provider_instasent.hooks.instasent import InstasentHook

ACCEPTED, PLANNED, UNCONFIRMED = MessageState.ACCEPTED, MessageState.PLANNED, MessageState.UNCONFIRMED
TEXT, NUMBER = "a private text", "+34600000001"
ENDPOINTS = ["send", "bulk", "lookup"]


class Terminated(BaseException):
    """What Airflow's SIGTERM handler raises, on some version."""


STRUCK = [AirflowException, AirflowTaskTimeout, KeyboardInterrupt, SystemExit, Terminated]


@pytest.fixture
def hook(sandbox, monkeypatch):
    value = connection(sandbox.url, extra={"sender": "Tests", "read_timeout": 30})
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", value)
    with InstasentHook() as hook:
        yield hook


def rows(count):
    return [{"to": f"+34600{place:06}", "text": TEXT} for place in range(count)]


def call(hook, endpoint, count=3):
    """Make the call of an endpoint."""
    if endpoint == "send":
        return hook.send_sms(NUMBER, TEXT, client_id="id-1")
    return hook.lookup(NUMBER) if endpoint == "lookup" else hook.send_bulk(rows(count))


def accepted(sandbox):
    return sandbox.ledger.accepted + sandbox.lookups.accepted


def assert_ends_the_task(caught, states):
    assert isinstance(caught.value, AirflowFailException)
    assert [outcome.state for outcome in caught.value.outcomes] == states
    for secret in (TEXT, "600000001"):
        assert secret not in str(caught.value)


DEEP = '{"message": ' + '{"a": [' * 240 + "1" + "]}" * 240 + "}"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("status", [302, 408, 409, 499, 500])
@pytest.mark.parametrize("body", [DEEP, "[" * 100_000, json.dumps({"message": "\ud800"}), "\ud800"], ids=range(4))
def test_no_body_of_an_error_after_acceptance_gets_a_retry(hook, sandbox, endpoint, status, body):
    sandbox.fault("error_after", endpoint, times=None, status=status, body=body)

    with pytest.raises(InstasentUnconfirmedError) as caught:
        call(hook, endpoint)

    assert_ends_the_task(caught, [UNCONFIRMED] * (3 if endpoint == "bulk" else 1))
    assert len(sandbox.requests) == 1
    assert accepted(sandbox) == (3 if endpoint == "bulk" else 1)


RAISED = [
    RecursionError,
    MemoryError,
    LookupError,
    ValueError,
    UnicodeDecodeError("utf-8", b"", 0, 1, "?"),
    AttributeError,
]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("raised", RAISED, ids=repr)
@pytest.mark.parametrize("where", ["head", "body", "json", "settings"])
def test_whatever_is_raised_while_an_answer_is_read_gets_no_retry(hook, sandbox, monkeypatch, endpoint, raised, where):
    def broken(*_arguments, **_named):
        raise raised

    target, name = {
        "head": (requests.adapters.HTTPAdapter, "build_response"),
        "body": (urllib3.response.HTTPResponse, "stream"),
        "json": (Answer, "json"),
        "settings": (type(hook.get_conn().settings), "answer"),
    }[where]
    monkeypatch.setattr(target, name, broken)

    with pytest.raises(InstasentUnconfirmedError) as caught:
        call(hook, endpoint)

    assert_ends_the_task(caught, [UNCONFIRMED] * (3 if endpoint == "bulk" else 1))
    assert len(sandbox.requests) == 1


@contextmanager
def struck(error, when):
    """Raise an error in this thread, as a signal does, once something is so.

    :param error: its class
    :param when: tells
    """
    main, over = threading.get_ident(), threading.Event()

    def strike(_number, _frame):
        raise error

    def watch():
        while not over.is_set():
            if when():
                signal.pthread_kill(main, signal.SIGUSR1)
                return
            time.sleep(0.005)

    former = signal.signal(signal.SIGUSR1, strike)
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        signal.signal(signal.SIGUSR1, former)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("error", [*STRUCK, MemoryError, RuntimeError])
def test_whatever_strikes_while_a_request_is_out_gets_no_retry(hook, sandbox, endpoint, error):
    sandbox.fault("timeout_after", endpoint, seconds=60)

    with pytest.raises(InstasentUnconfirmedError) as caught, struck(error, lambda: accepted(sandbox)):
        call(hook, endpoint)

    assert_ends_the_task(caught, [UNCONFIRMED] * (3 if endpoint == "bulk" else 1))
    assert isinstance(caught.value.__cause__, error) is (error in STRUCK)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("error", STRUCK)
def test_of_a_bulk_send_only_what_was_out_is_in_doubt(hook, sandbox, error):
    sandbox.fault("timeout_after", "bulk", skip=1, seconds=60)

    two_calls = struck(error, lambda: sandbox.ledger.accepted == 200)
    with pytest.raises(InstasentUnconfirmedError, match="100 of 250 messages") as caught, two_calls:
        call(hook, "bulk", 250)

    assert_ends_the_task(caught, [ACCEPTED] * 100 + [UNCONFIRMED] * 100 + [PLANNED] * 50)


def pausing(thread):
    """Tell whether a thread is performing a pause of a flow: the client's frame is its innermost one."""
    frame = sys._current_frames()[thread]
    return frame.f_code.co_name == "perform" and isinstance(frame.f_locals.get("step"), Pause)


@pytest.mark.parametrize("error", STRUCK)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_strikes_while_a_refusal_is_waited_out_may_be_retried(hook, sandbox, endpoint, error):
    """Nothing of a rate-limited request was accepted."""
    sandbox.fault("rate_limited", endpoint, seconds=60)
    main = threading.get_ident()

    with pytest.raises(error) as caught, struck(error, lambda: pausing(main)):
        call(hook, endpoint)

    assert not isinstance(caught.value, AirflowFailException)
    assert accepted(sandbox) == 0


def test_what_strikes_between_two_calls_says_what_was_sent(hook, sandbox):
    sandbox.fault("rate_limited", "bulk", skip=1, seconds=60)
    main = threading.get_ident()
    interrupted = struck(KeyboardInterrupt, lambda: pausing(main))

    with pytest.raises(InstasentPartlySentError, match="KeyboardInterrupt") as caught, interrupted:
        call(hook, "bulk", 250)

    assert_ends_the_task(caught, [ACCEPTED] * 100 + [PLANNED] * 150)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_what_is_raised_before_anything_left_may_be_retried(hook, sandbox, monkeypatch, endpoint):
    def broken(*_arguments, **_named):
        raise KeyError("a mistake of ours")

    client = hook.get_conn(retry_policy=ONE_ATTEMPT)
    monkeypatch.setattr(hook, "_client", client)
    monkeypatch.setattr(client._session, "request", broken)

    with client, pytest.raises((NotSentError, BulkStoppedError)) as caught:
        call(hook, endpoint)

    assert NotSentError in (type(caught.value), type(caught.value.__cause__))
    assert len(sandbox.requests) == 0
