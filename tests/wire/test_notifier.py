# SPDX-License-Identifier: Apache-2.0

"""An alert that cannot be sent, or may not have been: few requests, one line in the log, and nothing raised."""

from __future__ import annotations

import socket

import pytest
from support.notifier import OTHER, TO, connected, connects, context_of_try, fire, said

from airflow_provider_instasent.notifications import alert
from airflow_provider_instasent.notifications.sms import InstasentNotifier

__all__ = ["connected", "connects", "fire", "said"]


@pytest.mark.parametrize(
    ("fault", "accepted", "words"),
    [
        ("unauthorized", 0, "The alert was not sent: AuthenticationError"),
        ("no_funds", 0, "The alert was not sent: NoFundsError"),
        ("rate_limited", 0, "The alert was not sent: RateLimitedError"),
        ("redirect", 0, "The alert may or may not have been sent, and is not sent again: UnconfirmedError"),
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
    assert (alert.CONNECT_TIMEOUT, alert.READ_TIMEOUT) <= (5, 10)  # not the connection's, which may be minutes
    monkeypatch.setattr(alert, "READ_TIMEOUT", 0.1)
    sandbox = connected(extra={"read_timeout": 600})
    sandbox.fault(fault, times=None)
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
        ({"password": None}, {}, "`API token` is missing"),
        ({"host": "http://192.0.2.1"}, {}, "shows the API token"),
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


def test_many_recipients_of_a_call_the_api_refuses_are_told_of_in_one_line(connected, fire, said):
    sandbox = connected()
    sandbox.fault("unauthorized", times=None)
    fire(InstasentNotifier(to=[TO, OTHER]), context_of_try())
    assert len(sandbox.requests) == 1
    (line,) = said()
    assert line.startswith("The alert was not sent to 2 of 2 recipients: ")
