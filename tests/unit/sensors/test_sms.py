# SPDX-License-Identifier: Apache-2.0
"""The delivery sensor up to the socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest
from support.delivery import FakeTaskInstance, Store, as_restarted, new_sensor

from airflow_provider_instasent.compat import TaskDeferred, airflow_version
from airflow_provider_instasent.sensors import sms
from airflow_provider_instasent.sensors.deferring import SOONER
from airflow_provider_instasent.sensors.memory import KEY, PokeMemory


def test_parsing_loads_nothing_that_only_running_needs():
    code = (
        "import sys, json; from airflow_provider_instasent.compat import BaseSensorOperator; "
        "before = set(sys.modules); from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor; "
        "InstasentDeliverySensor(task_id='wait', message_ids=[]); "
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "airflow_provider_instasent.sensors.sms" in loaded
    heavy = {"requests", "phonenumbers", "httpx", "jsonschema", "aiohttp"}
    assert not heavy & {name.split(".")[0] for name in loaded}
    assert not [name for name in loaded if name.startswith("airflow_provider_instasent.triggers")]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"min_delivered_ratio": 1.01}, "min_delivered_ratio"),
        ({"min_delivered_ratio": "0.9"}, "min_delivered_ratio"),
        ({"success_statuses": []}, "success_statuses"),
        ({"success_statuses": "sent"}, "success_statuses"),
        ({"poke_interval": 0}, "poke_interval"),
        ({"poke_interval": timedelta(seconds=-1)}, "poke_interval"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": None}, "timeout"),
        ({"max_poll_failures": 0}, "max_poll_failures"),
        ({"max_polls_per_minute": 0}, "max_polls_per_minute"),
        ({"max_polls_per_minute": 1.5}, "max_polls_per_minute"),
    ],
)
def test_bad_parameters_are_errors_at_dag_parsing(parameters, field):
    with pytest.raises(ValueError, match=f"`{field}`"):
        new_sensor(message_ids=[], **parameters)


def test_defaults_are_those_that_the_design_promises():
    sensor = new_sensor(message_ids=[])
    assert (sensor.timeout, sensor.poke_interval, sensor.max_poll_failures) == (49 * 3600, 60, 10)
    assert (sensor.max_polls_per_minute, sensor.min_delivered_ratio) == (None, 1.0)
    assert set(sensor.template_fields) == {"message_ids", "results_path", "instasent_conn_id"}
    assert sensor.deferrable is False


def test_our_deadline_comes_before_the_base_classs(monkeypatch):
    monkeypatch.setattr(sms, "time", SimpleNamespace(time=lambda: 1_000.0))
    wait = new_sensor(message_ids=["a"], timeout=100)._begin({"ti": FakeTaskInstance()})
    assert wait.deadline == 1_100.0 - SOONER
    assert 0.05 <= SOONER < 1


def test_timedeltas_are_taken():
    sensor = new_sensor(message_ids=[], poke_interval=timedelta(minutes=2), timeout=timedelta(hours=1))
    assert (sensor.poke_interval, sensor.timeout) == (120, 3600)


def test_more_ids_than_a_trigger_carries_are_refused_before_any_poll():
    sensor = new_sensor(message_ids=[f"id-{place}" for place in range(1_001)], deferrable=True)
    with pytest.raises(ValueError, match=r'these are 1001.*mode="reschedule"'):
        sensor.execute({"ti": FakeTaskInstance()})


def deferred(ids, settled, **parameters):
    sensor = new_sensor(message_ids=ids, deferrable=True, **parameters)
    wait = sensor._begin({"ti": FakeTaskInstance()})
    for sms_id in settled:
        wait.watch.saw(sms_id, {"status": "delivered"})
    return sensor._trigger(wait), wait


@pytest.mark.parametrize(("messages", "looks"), [(0, 1), (1, 1), (3, 1), (4, 0), (1_000, 0)])
def test_only_a_few_messages_are_asked_for_before_the_slot_is_given_back(messages, looks, monkeypatch):
    monkeypatch.setattr(sms, "time", SimpleNamespace(time=lambda: 1_000.0))
    sensor = new_sensor(message_ids=[f"id-{place}" for place in range(messages)], deferrable=True, poke_interval=7)
    wait = sensor._begin({"ti": FakeTaskInstance()})
    looked: list[int] = []
    monkeypatch.setattr(sensor, "_look", lambda wait: looked.append(len(wait.watch.pending)))
    with pytest.raises(TaskDeferred) as deferral:
        sensor._defer({"ti": FakeTaskInstance()}, wait)
    assert looked == [messages] * looks
    # What was looked at is looked at again after an interval; what was not, at once.
    assert deferral.value.trigger.serialize()[1]["memory"]["next_sweep"] == (1_007.0 if looks else 0.0)


def test_the_trigger_gets_the_parameters_and_what_the_first_poke_learned(monkeypatch):
    monkeypatch.setattr(sms, "time", SimpleNamespace(time=lambda: 1_000.0))
    trigger, wait = deferred(
        ["a", "b"],
        ["b"],
        success_statuses=["sent"],
        min_delivered_ratio=0.5,
        poke_interval=7,
        timeout=100,
        max_poll_failures=3,
        max_polls_per_minute=60,
        instasent_conn_id="mine",
    )
    path, kwargs = trigger.serialize()
    assert path == "airflow_provider_instasent.triggers.sms.InstasentDeliveryTrigger"
    assert kwargs == json.loads(json.dumps(kwargs)) == as_restarted(trigger).serialize()[1]
    memory = kwargs.pop("memory")
    assert memory["settled"] == {"b": ["delivered", None]}
    assert (wait.deadline, memory["next_sweep"], memory["accepted"]) == (1_100.0, 0.0, None)
    assert kwargs == {
        "message_ids": ["a"],
        "deadline": wait.deadline,
        "instasent_conn_id": "mine",
        "success_statuses": ["sent"],
        "min_delivered_ratio": 0.5,
        "poll_interval": 7.0,
        "max_poll_failures": 3,
        "max_polls_per_minute": 60,
        "results_path": None,
        "carried": {},
    }


def test_a_trigger_fits_into_airflows_database():
    ids = [f"{place:036d}" for place in range(1_000)]
    trigger, _ = deferred(ids, ids[:990])
    kwargs = trigger.serialize()[1]
    assert len(json.dumps(kwargs)) * 4 / 3 < 64_000
    assert set(kwargs["message_ids"]) | set(kwargs["memory"]["settled"]) == set(ids)
    with pytest.raises(ValueError, match=r"reschedule"):
        deferred([f"{place:060d}" for place in range(1_000)], [])


@pytest.mark.parametrize(
    ("policy", "ends"),
    [
        ({}, "AirflowSensorTimeout"),
        ({"soft_fail": True}, "AirflowSkipException"),
        ({"never_fail": True}, "AirflowSkipException"),
    ],
)
def test_a_triggerer_that_never_answers_is_a_timeout(policy, ends):
    words = "Trigger/execution timeout" if airflow_version().startswith("2.") else "Trigger timeout"
    with pytest.raises(Exception) as raised:  # noqa: PT011 - its type is what is looked at
        new_sensor(message_ids=["a"], **policy).resume_execution("__fail__", {"error": words}, {})
    assert type(raised.value).__name__ == ends


def test_a_trigger_that_broke_is_no_timeout():
    with pytest.raises(Exception, match="Trigger failure") as raised:
        new_sensor(message_ids=["a"]).resume_execution("__fail__", {"error": "Trigger failure"}, {})
    assert type(raised.value).__name__ == "TaskDeferralError"


def test_memory_is_kept_as_long_as_it_fits():
    store = Store()
    memory = PokeMemory({"task_state_store": store})
    assert memory.load() == {}
    memory.keep({"settled": {"a": ["delivered", None]}, "missing": {}, "failed_sweeps": 2})
    assert memory.load()["settled"] == {"a": ["delivered", None]}
    large = {f"{place:036d}": ["delivered", None] for place in range(2_000)}
    memory.keep({"settled": large, "missing": {}, "failed_sweeps": 3})
    assert memory.load() == {"settled": {}, "missing": {}, "failed_sweeps": 3}
    assert len(store[KEY]) < 64_000
    memory.forget()
    assert not store


def test_without_a_state_store_nothing_is_remembered():
    memory = PokeMemory({})
    memory.keep({"settled": {}})
    memory.forget()
    assert not memory
    assert memory.load() == {}
