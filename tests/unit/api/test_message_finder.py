# SPDX-License-Identifier: Apache-2.0
"""An entity with a clientId is the message that was sent with it, and no other, whatever else it is like."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api.bulk_attribution import attribute
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_finder import MessageFinder
from airflow_provider_instasent.api.message_outcome import MessageState

MESSAGES = [Sms("+34600000001", "one", "Acme", client_id="mine-1"), Sms("+34600000002", "two", "Acme")]


def entity(**fields):
    return {"id": "sms-1", "from": "Acme", "to": "+34600000001", "text": "one", **fields}


@pytest.mark.parametrize("find", ["by_unique_number", "by_unique_content", "by_content"])
@pytest.mark.parametrize("client_id", ["theirs", "mine-2", 7])
def test_an_entity_with_a_foreign_client_id_is_found_by_nothing_else(find, client_id):
    finder = MessageFinder(MESSAGES)
    assert getattr(finder, find)(entity(), {}) == 0
    assert getattr(finder, find)(entity(clientId=client_id), {}) is None
    assert finder.by_client_id(entity(clientId=client_id), {}) is None


def test_a_message_whose_number_has_an_entity_of_somebody_else_stays_unconfirmed():
    theirs = entity(clientId="theirs")
    ours = entity(id="sms-2", to="+34600000002", text="two")
    assert [one.state for one in attribute(MESSAGES, [theirs, ours], [])] == [
        MessageState.UNCONFIRMED,
        MessageState.ACCEPTED,
    ]
    assert [one.id for one in attribute(MESSAGES, [entity(clientId="mine-1"), ours], [])] == ["sms-1", "sms-2"]
