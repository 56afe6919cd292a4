# SPDX-License-Identifier: Apache-2.0

"""What an alert puts on the wire and says in the log, whatever the API, the network and the context are like."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
from airflow.providers.common.compat.notifier import BaseNotifier
from support.instasent_connection import connection

from airflow_provider_instasent.notifications import sms
from airflow_provider_instasent.notifications.sms import InstasentNotifier

TO, OTHER = "+34600000021", "+34600000022"
DEADLINE = {
    "dag_run": {"dag_id": "late", "dag_run_id": "manual__1", "state": "running"},
    "deadline": {"id": "0199", "deadline_time": "2026-01-01T00:00:00Z"},
}
MODES = [
    "sync",
    pytest.param(
        "async",
        marks=pytest.mark.skipif(not hasattr(BaseNotifier, "async_notify"), reason="needs Airflow 3.1"),
    ),
]


def context_of_try(number=1, **values):
    ti = SimpleNamespace(
        dag_id="etl", task_id="load", run_id="manual__1", map_index=-1, try_number=number, state="failed"
    )
    return {"ti": ti, "run_id": "manual__1", **values}


@pytest.fixture(params=MODES)
def fire(request):
    """Fire a notifier as a callback does, or as the triggerer does."""

    def fire(notifier, context):
        if request.param == "sync":
            assert notifier(context) is None
            return
        notifier.context = context

        async def run():
            assert await notifier is None

        asyncio.run(run())

    return fire


@pytest.fixture
def connected(sandbox, monkeypatch):
    def connect(host=sandbox.url, **fields):
        extra = {"sender": "Acme", "default_region": "ES", **fields.pop("extra", {})}
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(host, extra=extra, **fields))
        return sandbox

    connect()
    return connect


# Airflow 3 logs by structlog, past the standard library and what listens there, and ends in lines of this form.
OURS = "airflow_provider_instasent"
PRINTED = re.compile(rf"\[(?:warning|error|critical) *\] (.*?) +\[{OURS}")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def said(caplog, capfd, secrets_guard):
    """The log lines of level warning and up; none of them may hold a secret."""
    caplog.set_level(logging.INFO)

    def said():
        printed = COLOURS.sub("", "".join(capfd.readouterr()))
        secrets_guard.hear(printed)
        logged = [one for one in caplog.records if one.levelno >= logging.WARNING and one.name.startswith(OURS)]
        return [one.getMessage() for one in logged] or PRINTED.findall(printed)

    return said


CONNECTS = Counter()


@pytest.fixture
def connects():
    """How often a connection to each port was tried; an audit hook stays for good, so there is one."""
    if not CONNECTS["hooked"]:
        CONNECTS["hooked"] = 1

        def note(event, arguments):
            if event == "socket.connect" and isinstance(arguments[1], tuple):
                CONNECTS[arguments[1][1]] += 1

        sys.addaudithook(note)
    return CONNECTS


@pytest.mark.parametrize(
    ("fault", "accepted", "words"),
    [
        ("unauthorized", 0, "The alert was not sent: AuthenticationError"),
        ("no_funds", 0, "The alert was not sent: NoFundsError"),
        ("rate_limited", 0, "The alert was not sent: RateLimitedError"),
        ("redirect", 0, "The alert was not sent: RefusedError"),
        ("cut_before", 0, "The alert may or may not have been sent, and is not sent again: UnconfirmedError"),
        ("cut_after", 1, "The alert may or may not have been sent, and is not sent again: UnconfirmedError"),
        ("error_before", 0, "The alert may or may not have been sent"),
        ("error_after", 1, "The alert may or may not have been sent"),
        ("html", 1, "The alert may or may not have been sent"),
        ("empty", 1, "The alert may or may not have been sent"),
    ],
)
def test_an_answer_that_is_no_success_is_one_request_and_one_line(connected, fire, said, fault, accepted, words):
    sandbox = connected()
    sandbox.fault(fault, times=None)
    fire(InstasentNotifier(to=TO), context_of_try())
    assert len(sandbox.requests) == 1
    assert len(sandbox.ledger) == accepted
    (line,) = said()
    assert words in line


@pytest.mark.parametrize(("fault", "accepted"), [("timeout_before", 0), ("timeout_after", 1)])
def test_a_silent_api_is_given_up_after_the_notifiers_own_timeout(connected, fire, said, monkeypatch, fault, accepted):
    assert (sms.CONNECT_TIMEOUT, sms.READ_TIMEOUT) <= (5, 10)  # not the connection's, which may be minutes
    monkeypatch.setattr(sms, "READ_TIMEOUT", 0.3)
    sandbox = connected(extra={"read_timeout": 600})
    sandbox.fault(fault, times=None, seconds=5)
    fire(InstasentNotifier(to=TO), context_of_try())
    assert (len(sandbox.requests), len(sandbox.ledger)) == (1, accepted)
    (line,) = said()
    assert "may or may not" in line


def test_where_nobody_listens_it_is_tried_twice(connected, fire, said, connects):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    connected(f"http://127.0.0.1:{port}")
    fire(InstasentNotifier(to=[TO, OTHER]), context_of_try())
    assert connects[port] == 2
    (line,) = said()
    assert "The alert was not sent to 2 of 2 recipients" in line
    assert "could not be reached" in line


@pytest.mark.parametrize(
    ("connection_fields", "notifier", "words"),
    [
        ({"password": None}, {}, "`token` is missing"),
        ({"host": "http://192.0.2.1"}, {}, "shows the token"),
        ({}, {"instasent_conn_id": "nowhere_to_be_found"}, "nowhere_to_be_found"),
        ({}, {"to": "12"}, "InvalidMessageError: `to`"),
        ({}, {"to": "{{ params.nobody }}"}, "UndefinedError"),
        ({}, {"text": "{{ 1 +"}, "TemplateSyntaxError"),
        ({}, {"sender": "much too long a sender"}, "InvalidMessageError: `sender`"),
    ],
)
def test_what_cannot_be_sent_is_no_request_and_one_line(connected, fire, said, connection_fields, notifier, words):
    sandbox = connected(**connection_fields)
    fire(InstasentNotifier(**{"to": TO, **notifier}), context_of_try())
    assert len(sandbox.requests) == 0
    (line,) = said()
    assert line.startswith("The alert was not sent: ")
    assert words in line


def test_one_bad_number_does_not_keep_the_alert_from_the_others(connected, fire, said):
    sandbox = connected()
    fire(InstasentNotifier(to=["12", TO, "", TO, OTHER]), context_of_try())
    assert [message.to for message in sandbox.ledger] == [TO, OTHER]
    assert [line.partition(":")[0] for line in said()] == [
        "The alert was not sent to recipient 0", "The alert was not sent to recipient 2"
    ]  # fmt: skip


def test_a_number_the_api_rejects_is_named_by_its_place_alone(connected, fire, said):
    sandbox = connected()
    fire(InstasentNotifier(to=[TO, "+34600000920", OTHER]), context_of_try())
    assert [message.to for message in sandbox.ledger] == [TO, OTHER]
    (line,) = said()
    assert line.startswith("The alert was accepted for 2 of 3 recipients: 1 rejected: ")


def test_the_same_alert_of_the_same_try_has_the_same_client_id(connected, fire):
    sandbox = connected()
    clock = iter(range(100))
    alert = InstasentNotifier(to=TO, text="It is {{ clock() }} o'clock")
    plain = InstasentNotifier(to=TO)
    for notifier in (alert, plain):
        fire(notifier, context_of_try(1, clock=lambda: next(clock)))
        fire(notifier, context_of_try(1, clock=lambda: next(clock)))
        fire(notifier, context_of_try(2, clock=lambda: next(clock)))
    ids = [message.client_id for message in sandbox.ledger]
    assert [ids.index(client_id) for client_id in ids] == [0, 0, 2, 3, 3, 5]
    assert len({message.text for message in sandbox.ledger}) == 5


def test_each_event_of_a_try_and_each_number_has_an_id_of_its_own(connected, fire):
    sandbox = connected()
    notifier = InstasentNotifier(to=[TO, OTHER], text="look at it")
    context = context_of_try()
    fire(notifier, context)
    context["ti"].state = "running"
    fire(notifier, context)
    context["ti"].map_index = 3
    fire(notifier, context)
    fire(notifier, {"reason": "task_failure", "run_id": "manual__1", "ti": context["ti"]})
    fire(notifier, DEADLINE)
    assert len(sandbox.ledger.client_ids()) == 10


def test_alerts_of_no_run_have_no_client_id(connected, fire):
    sandbox = connected()
    for _ in range(2):
        fire(InstasentNotifier(to=TO), {"dag": SimpleNamespace(dag_id="slow")})
    assert [(message.client_id, message.text) for message in sandbox.ledger] == [(None, "Airflow: DAG slow")] * 2


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (context_of_try(2), "Airflow: etl.load failed, try 2, run manual__1"),
        (DEADLINE, "Airflow: DAG late missed its deadline, run manual__1"),
        (
            {"dag": SimpleNamespace(dag_id="etl"), "run_id": "r", "reason": "all_tasks_deadlocked"},
            "Airflow: DAG etl failed (all_tasks_deadlocked), run r",
        ),
        ({"dag_run": SimpleNamespace(dag_id="etl", run_id="r", state="success")}, "Airflow: DAG etl success, run r"),
        ({}, "Airflow: DAG ?"),
    ],
)
def test_the_default_text_says_what_the_context_knows(connected, fire, context, text):
    sandbox = connected()
    fire(InstasentNotifier(to=TO), context)
    fire(InstasentNotifier(to=TO, text="  "), context)
    assert [message.text for message in sandbox.ledger] == [text] * 2


@pytest.mark.parametrize("max_parts", [1, 2, 3])
@pytest.mark.parametrize("unicode", [False, True])
@pytest.mark.parametrize("word", ["disk ", "€uro ", "niño ", "día 🎉 "])
def test_a_long_text_is_never_billed_as_more_parts(connected, fire, max_parts, unicode, word):
    sandbox = connected(extra={"allow_unicode": unicode})
    fire(InstasentNotifier(to=TO, text=word * 400, max_parts=max_parts), context_of_try())
    (message,) = sandbox.ledger
    assert message.parts == max_parts
    assert message.text.endswith(("...", "…"))


def test_the_context_is_left_as_it_was(connected, fire):
    context = context_of_try()
    before = dict(context)
    fire(InstasentNotifier(to=TO, text="hello there"), context)
    assert context == before


def test_many_recipients_of_a_call_the_api_refuses_are_told_of_in_one_line(connected, fire, said):
    sandbox = connected()
    sandbox.fault("unauthorized", times=None)
    fire(InstasentNotifier(to=[TO, OTHER]), context_of_try())
    assert len(sandbox.requests) == 1
    (line,) = said()
    assert line.startswith("The alert was not sent to 2 of 2 recipients: ")


@pytest.mark.parametrize(("field", "value"), [("to", ""), ("to", []), ("max_parts", 0), ("max_parts", "2")])
def test_a_wrong_parameter_is_named_when_the_dag_is_parsed(field, value):
    with pytest.raises(ValueError, match=f"`{field}`"):
        InstasentNotifier(**{"to": TO, field: value})


CALLBACK = "airflow_provider_instasent.notifications.sms.InstasentNotifier"


def test_a_deadlines_callback_trigger_sends_it(connected):
    """With the keyword arguments of Airflow: the user's, and a context of `dag_run` and `deadline` alone."""
    callback = pytest.importorskip("airflow.triggers.callback", reason="needs Airflow 3.1")
    sandbox = connected()

    async def states():
        trigger = callback.CallbackTrigger(CALLBACK, {"to": TO, "max_parts": 1, "context": dict(DEADLINE)})
        return [str(event.payload["state"]) async for event in trigger.run()]

    assert asyncio.run(states())[-1] == "success"
    assert [message.text for message in sandbox.ledger] == ["Airflow: DAG late missed its deadline, run manual__1"]


def test_a_deadlines_callback_in_an_executor_sends_it(connected):
    supervisor = pytest.importorskip("airflow.sdk.execution_time.callback_supervisor", reason="needs Airflow 3.2")
    sandbox = connected()
    structlog = pytest.importorskip("structlog")
    log = structlog.get_logger("callback")
    assert supervisor.execute_callback(CALLBACK, {"to": TO, "context": dict(DEADLINE)}, "dag.py", None, log) == (
        True,
        None,
    )
    assert len(sandbox.ledger) == 1
