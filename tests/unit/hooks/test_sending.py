# SPDX-License-Identifier: Apache-2.0

"""What the hook's sends check first, and the errors that keep Airflow from sending again."""

from __future__ import annotations

import pickle
from functools import partial

import pytest

from airflow_provider_instasent.api import InvalidMessageError, MessageOutcome, MessageState, Sms
from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.compat import AirflowFailException, AirflowTaskTimeout
from airflow_provider_instasent.hooks.errors import (
    InstasentPartlySentError,
    InstasentSendError,
    InstasentUnconfirmedError,
)
from airflow_provider_instasent.hooks.sending import checked, send_many, send_one

create = partial(Sms.create, default_region="ES")
GOOD = {"to": "600000001", "text": "x", "sender": "Acme"}
SMS = create(**GOOD)


def test_mappings_and_messages_may_be_mixed():
    assert checked(iter([GOOD, SMS, GOOD | {"client_id": "a"}]), create) == [
        SMS,
        SMS,
        create(**GOOD, client_id="a"),
    ]
    assert checked([], create) == []


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("to", {"text": "x", "sender": "Acme"}),
        ("to", GOOD | {"to": "12"}),
        ("text", GOOD | {"text": None}),
        ("text", GOOD | {"text": ""}),
        ("sender", GOOD | {"sender": ""}),
        ("client_id", GOOD | {"client_id": "taken"}),
        ("messages", GOOD | {"from": "Acme"}),
        ("messages", GOOD | {"+34600000001": "x"}),
        ("messages", "+34600000001"),
        ("messages", None),
    ],
)
def test_the_first_bad_message_is_named_by_field_and_position(field, bad):
    with pytest.raises(InvalidMessageError, match=rf"^`{field}`.*\(message 2\)$") as caught:
        checked([GOOD | {"client_id": "taken"}, GOOD, bad, {}], create)
    assert "600000001" not in str(caught.value)


@pytest.mark.parametrize("messages", ["+34600000001", GOOD, b"x"])
def test_one_message_is_no_list_of_messages(messages):
    with pytest.raises(InvalidMessageError, match=r"^`messages`: must be a list"):
        checked(messages, create)


@pytest.mark.parametrize("kind", [InstasentUnconfirmedError, InstasentPartlySentError])
def test_the_errors_end_a_task_without_retry_and_keep_what_is_known(kind):
    error = kind("what happened", [MessageOutcome(0, MessageState.UNCONFIRMED)])
    assert isinstance(error, AirflowFailException)
    assert isinstance(error, InstasentSendError)
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (type(copy), str(copy), copy.outcomes) == (kind, "what happened", error.outcomes)


class OutOfTime(InstasentClient):
    """A client in whose call the task's `execution_timeout` strikes."""

    def __init__(self, *, before_the_request):
        super().__init__(token="t", base_url="http://127.0.0.1:9")
        self.before_the_request = before_the_request

    def perform(self, flow, *, before_send=None, **_options):
        next(flow)
        if not self.before_the_request:
            before_send()
        flow.close()
        raise AirflowTaskTimeout


@pytest.mark.parametrize("send", [lambda client: send_one(client, SMS), lambda client: send_many(client, [SMS])])
def test_a_timeout_of_the_task_after_a_request_left_is_no_reason_to_send_again(send):
    with OutOfTime(before_the_request=False) as client, pytest.raises(InstasentUnconfirmedError) as caught:
        send(client)
    assert isinstance(caught.value.__cause__, AirflowTaskTimeout)
    assert [outcome.state for outcome in caught.value.outcomes] == [MessageState.UNCONFIRMED]
    with OutOfTime(before_the_request=True) as client, pytest.raises(AirflowTaskTimeout):
        send(client)
