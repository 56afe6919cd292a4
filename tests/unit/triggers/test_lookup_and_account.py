# SPDX-License-Identifier: Apache-2.0
"""The lookup and the balance trigger up to the socket."""

from __future__ import annotations

import json

import pytest
from support.delivery import as_restarted, first_event

from airflow_provider_instasent.compat import AirflowException

HOW = {"InstasentLookupTrigger": "lookup.wait_at_reader", "InstasentBalanceTrigger": "account.InstasentHook"}
"""What of its module each trigger waits with."""

CLASSES = list(HOW)


@pytest.fixture
def make():
    from airflow_provider_instasent.triggers.account import InstasentBalanceTrigger
    from airflow_provider_instasent.triggers.lookup import InstasentLookupTrigger

    def trigger(name, **parameters):
        if name == "InstasentLookupTrigger":
            return InstasentLookupTrigger(("a", "b"), 1_900_000_000, **parameters)
        return InstasentBalanceTrigger("12.50", 1_900_000_000, **parameters)

    return trigger


@pytest.mark.parametrize("name", CLASSES)
def test_its_arguments_are_json_and_make_the_same_trigger(make, name):
    trigger = make(name, poll_interval=7, next_poll=5)
    path, kwargs = trigger.serialize()
    assert path.endswith(f".{name}")
    assert json.loads(json.dumps(kwargs)) == kwargs
    assert (kwargs["deadline"], kwargs["poll_interval"], kwargs["next_poll"]) == (1_900_000_000.0, 7, 5)
    assert as_restarted(trigger).serialize() == (path, kwargs)
    assert not set(kwargs) & {"token", "password", "to", "text"}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("field", ["poll_interval", "max_poll_failures"])
def test_bad_parameters_are_errors_when_it_is_made(make, name, field):
    with pytest.raises(ValueError, match=f"`{field}`"):
        make(name, **{field: 0})


@pytest.mark.parametrize("name", CLASSES)
async def test_a_connection_that_cannot_be_used_is_an_event(make, name, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", '{"conn_type": "instasent", "host": "http://example.com"}')
    event = await first_event(make(name))
    assert (event["outcome"], event["fail"]) == ("error", True)
    assert "connection `instasent_default`" in event["message"]


@pytest.mark.parametrize("name", CLASSES)
async def test_what_nobody_foresaw_is_an_event_that_a_retry_may_mend(make, name, monkeypatch):
    def fail(*_args, **_settings):
        raise ZeroDivisionError("+34600000001")

    monkeypatch.setattr(f"airflow_provider_instasent.triggers.{HOW[name]}", fail)
    event = await first_event(make(name))
    assert (event["outcome"], event["fail"]) == ("error", False)
    assert "ZeroDivisionError" in event["message"]
    assert "600000001" not in event["message"]


@pytest.mark.parametrize("event", [None, {}, {"outcome": "success"}, {"outcome": "x", "message": "", "fail": 1}])
def test_a_foreign_event_fails_loudly(event):
    from airflow_provider_instasent.triggers.events import end_of_goal

    with pytest.raises(AirflowException, match="none of ours"):
        end_of_goal(event)
