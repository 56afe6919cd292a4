# SPDX-License-Identifier: Apache-2.0
"""The message: what is refused before sending, what goes out, and the id it keeps for ever."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api import schema
from airflow_provider_instasent.api.encoding import TextSize
from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.numbers import normalise

GOOD = {"to": "+34600000001", "text": "Hello", "sender": "ACME"}


def test_a_plain_message_carries_three_fields():
    message = Sms.create(**GOOD)
    assert message.payload() == {"from": "ACME", "to": "+34600000001", "text": "Hello"}
    assert message == Sms("+34600000001", "Hello", "ACME")


def test_wanted_options_are_sent_as_the_api_spells_them():
    message = Sms.create(**GOOD, allow_unicode=True, client_id="order-1")
    assert message.payload() == {
        "from": "ACME",
        "to": "+34600000001",
        "text": "Hello",
        "clientId": "order-1",
        "allowUnicode": True,
    }


def test_numbers_are_normalised_and_texts_are_not():
    message = Sms.create(to=" 600 000 001", text="  Hi\n", sender="ACME", default_region="ES")
    assert (message.to, message.text) == ("+34600000001", "  Hi\n")
    assert Sms.create(to=normalise("+34600000001"), text="  Hi\n", sender="ACME") == message


@pytest.mark.parametrize("sender", ["A", "ACME ACME A", "+34600000001", "123456789012345", "123 456-7890 1."])
def test_senders_the_api_may_take(sender):
    schema.validate("send_request", Sms.create(**{**GOOD, "sender": sender}).payload())


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"to": "600000001"}, "to", "national format"),
        ({"to": None}, "to", "missing"),
        ({"default_region": "Narnia"}, "default_region", "no ISO country"),
        ({"text": ""}, "text", "is empty"),
        ({"text": " \n"}, "text", "is empty"),
        ({"text": None}, "text", "is missing"),
        ({"text": "half \ud83d"}, "text", "surrogate"),
        ({"sender": None}, "sender", "pass `sender` or set it on the connection"),
        ({"sender": " "}, "sender", "is empty"),
        ({"sender": "None"}, "sender", "is printed for a value that is not there"),
        ({"sender": "NaN"}, "sender", "is printed for a value that is not there"),
        ({"text": "None"}, "text", "is printed for a value that is not there"),
        ({"text": " <NA>"}, "text", "is printed for a value that is not there"),
        ({"client_id": "nan"}, "client_id", "is printed for a value that is not there"),
        ({"text": "5 \x80"}, "text", "control character"),
        ({"text": "a\x00b"}, "text", "control character"),
        ({"sender": 12345}, "sender", "must be a string"),
        ({"sender": "ACME ACME AC"}, "sender", "has 12 characters; a sender with a letter has at most 11"),
        ({"sender": "12345678901ñ"}, "sender", "with a letter"),
        ({"sender": "1234567890123456"}, "sender", "without a letter has at most 15"),
        ({"client_id": ""}, "client_id", "is empty"),
        ({"client_id": "x" * 41}, "client_id", "has 41 characters; at most 40"),
        ({"client_id": 7}, "client_id", "must be a string, not int"),
        ({"allow_unicode": "false"}, "allow_unicode", "must be true or false, not str"),
        ({"allow_unicode": None}, "allow_unicode", "must be true or false"),
    ],
)
@pytest.mark.parametrize("position", [None, 0, 41])
def test_a_bad_field_is_named(change, field, said, position):
    with pytest.raises(InvalidMessageError, match=said) as caught:
        Sms.create(**{**GOOD, **change}, position=position)
    assert (caught.value.field, caught.value.position) == (field, position)
    assert ("(message" in str(caught.value)) == (position is not None)
    assert "600000001" not in str(caught.value)


@settings(max_examples=100, deadline=None, database=None)
@given(
    text=st.text(max_size=30),
    sender=st.text(max_size=17) | st.text("0123456789+ ", max_size=17),
    client_id=st.none() | st.text(max_size=42),
    allow_unicode=st.booleans(),
)
def test_whatever_is_created_matches_the_strict_schema(text, sender, client_id, allow_unicode):
    try:
        message = Sms.create(
            to="+34600000001", text=text, sender=sender, client_id=client_id, allow_unicode=allow_unicode
        )
    except InvalidMessageError:
        return
    schema.validate("send_request", message.payload())


def test_size_follows_allow_unicode():
    assert Sms.create(**{**GOOD, "text": "я" * 71}, allow_unicode=True).size() == TextSize("UCS-2", 71, 2)
    assert Sms.create(**{**GOOD, "text": "я" * 71}).size() == TextSize("GSM-7", 71, 1)


def test_repr_shows_no_text_and_no_whole_number():
    message = Sms.create(to="+34600000001", text="PRIVATE", sender="+34600000009", client_id="to-34600000001")
    assert repr(message) == ("Sms(to=+34•••••001, sender='+34•••••009', client_id='to-•••••', allow_unicode=False)")
    assert f"{message}" == repr(message)


def test_messages_are_values():
    message = Sms.create(**GOOD)
    assert pickle.loads(pickle.dumps(message)) == copy.copy(message) == message  # noqa: S301 - our own bytes
    assert len({message, Sms.create(**GOOD)}) == 1
    with pytest.raises(FrozenInstanceError):
        message.text = "other"
