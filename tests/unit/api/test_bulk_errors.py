# SPDX-License-Identifier: Apache-2.0
"""What a refusal says: whom it names, and its reason made fit for a log."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api.bulk_attribution import attribute, named_rejections
from airflow_provider_instasent.api.bulk_errors import rejection
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageState

NO_NUMBER = {"to": ["This number cannot be reached."]}
REPEATED = {"clientId": ["This value is already used."]}


def sms(number, text="hello", client_id=None):
    return Sms(to=f"+3460000000{number}", text=text, sender="Tests", client_id=client_id)


@pytest.mark.parametrize(
    ("errors", "positions"),
    [
        ([{"index": 1, "errors": NO_NUMBER}], set()),
        ([{"index": 0, "errors": NO_NUMBER}], {0}),
        ([{"index": 3, "errors": NO_NUMBER}], {2}),
        ([{"index": 1, "errors": NO_NUMBER}, {"index": 3, "errors": NO_NUMBER}], {0, 2}),
        ([{"item": "2", "to": "+34600000002", "message": "no"}], {1}),
        ([{"position": "0", "message": "no"}, {"clientId": "c", "message": "no"}], {0, 2}),
        ({"b": NO_NUMBER}, {1}),
        ({"34600000003": NO_NUMBER}, {2}),
        (NO_NUMBER, set()),
        (["no"], set()),
        (None, set()),
    ],
)
def test_the_messages_a_refusal_names(errors, positions):
    messages = [sms(1, client_id="a"), sms(2, client_id="b"), sms(3, client_id="c")]

    named = named_rejections(messages, {"status": "error", "errors": errors})

    assert set(named) == positions
    assert all(outcome.state is MessageState.REJECTED and outcome.position == place for place, outcome in named.items())


@pytest.mark.parametrize("body", [None, [], "no", 3, {"message": "no"}])
def test_a_refusal_without_errors_names_nobody(body):
    assert named_rejections([sms(1)], body) == {}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"index": 0, "errors": NO_NUMBER}, "to: This number cannot be reached."),
        ({"clientId": "mine", "to": "+34600000001", "text": "hello", "message": "no"}, "no"),
        ({"index": 0, **NO_NUMBER}, "to: This number cannot be reached."),
        ([NO_NUMBER], "to: This number cannot be reached."),
        ("the text hello to +34600000001", "the text (text) to +34•••••001"),
        ({"index": 0}, "rejected by the API without a reason"),
        (None, "rejected by the API without a reason"),
    ],
)
def test_the_reason_of_a_rejection(said, reason):
    assert rejection(3, sms(1, client_id="mine"), said).reason == reason


def test_a_reason_repeats_no_text_of_the_request_whole_or_in_part():
    said = ["'hello' and 'hello John' were refused"]
    messages = [sms(1, "hello"), sms(2, "hello John")]

    (_, outcome) = attribute(messages, [{"id": "zero", "to": messages[0].to}], said)

    assert outcome.reason == "'(text)' and '(text)' were refused"


def test_a_client_id_that_reads_like_a_complaint_is_none():
    message = sms(1, client_id="already used")

    assert not rejection(0, message, {"clientId": "already used", "errors": NO_NUMBER}).client_id_taken
    assert rejection(0, message, {"clientId": "already used", "errors": REPEATED}).client_id_taken
