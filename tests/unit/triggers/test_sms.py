# SPDX-License-Identifier: Apache-2.0
"""The delivery trigger up to the socket."""

from __future__ import annotations

import json

import pytest
from support.delivery import as_restarted


@pytest.fixture
def trigger_class():
    from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger

    return InstasentDeliveryTrigger


def test_its_arguments_are_json_and_make_the_same_trigger(trigger_class):
    trigger = trigger_class(("a", "b"), 1_900_000_000, success_statuses=("Sent ",), memory={"settled": {}})
    path, kwargs = trigger.serialize()
    assert path == "airflow_provider_instasent.triggers.sms.InstasentDeliveryTrigger"
    assert json.loads(json.dumps(kwargs)) == kwargs
    assert kwargs["success_statuses"] == ["sent"]
    assert kwargs["deadline"] == 1_900_000_000.0
    assert as_restarted(trigger).serialize() == (path, kwargs)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"poll_interval": 0}, "poll_interval"),
        ({"max_polls_per_minute": 0}, "max_polls_per_minute"),
        ({"max_poll_failures": -1}, "max_poll_failures"),
        ({"min_delivered_ratio": 2}, "min_delivered_ratio"),
        ({"success_statuses": ["", "sent"]}, "success_statuses"),
    ],
)
def test_bad_parameters_are_errors_when_it_is_made(trigger_class, parameters, field):
    with pytest.raises(ValueError, match=f"`{field}`"):
        trigger_class(["a"], 0.0, **parameters)


def test_it_knows_no_token_and_nothing_of_people(trigger_class):
    names = set(trigger_class([], 0.0).serialize()[1])
    assert not names & {"token", "password", "to", "text", "recipients"}
