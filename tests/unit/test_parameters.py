# SPDX-License-Identifier: Apache-2.0
"""A parameter is checked by the rule of its name, whichever operator, sensor, trigger or notifier takes it."""

from __future__ import annotations

import inspect
import os
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from support import airflow_home

from airflow_provider_instasent.parameters import PARAMETERS
from airflow_provider_instasent.templating import TemplatedFields

airflow_home.isolate()
# Or importing Airflow 2.11's models warns of its own future.
os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"

TAKERS = {
    "operators.sms:InstasentSendSmsOperator": {"task_id": "t", "to": "+34600000001", "text": "hello"},
    "operators.sms:InstasentBulkSmsOperator": {"task_id": "t", "messages": []},
    "operators.sms:InstasentSmsHistoryOperator": {"task_id": "t", "results_path": "/tmp/sms.jsonl"},
    "operators.lookup:InstasentLookupOperator": {"task_id": "t", "to": "+34600000001"},
    "operators.account:InstasentAccountOperator": {"task_id": "t"},
    "sensors.sms:InstasentDeliverySensor": {"task_id": "t", "message_ids": []},
    "sensors.account:InstasentBalanceSensor": {"task_id": "t", "min_available": 1},
    "triggers.sms:InstasentDeliveryTrigger": {"message_ids": [], "deadline": 0},
    "triggers.lookup:InstasentLookupTrigger": {"lookup_ids": [], "deadline": 0},
    "triggers.account:InstasentBalanceTrigger": {"min_available": "1", "deadline": 0},
    "notifications.sms:InstasentNotifier": {"to": "+34600000001"},
    "transfers.sql_to_sms:SqlToInstasentOperator": {
        "task_id": "t",
        "sql": "SELECT 1",
        "conn_id": "db",
        "text": "hello",
    },
}


def class_of(taker):
    module, _, name = taker.partition(":")
    return import_module(f"airflow_provider_instasent.{module}"), name


def parameters_of(taker):
    module, name = class_of(taker)
    taken = set()
    for base in inspect.getmro(getattr(module, name)):
        if base.__module__.startswith("airflow_provider_instasent"):
            taken |= set(inspect.signature(base.__init__).parameters)
    return sorted(taken & set(PARAMETERS))


CASES = [(taker, parameter) for taker in TAKERS for parameter in parameters_of(taker)]


def test_there_is_something_to_check():
    assert {parameter for _, parameter in CASES} == set(PARAMETERS)
    assert len(CASES) > 50


@pytest.mark.parametrize(("taker", "parameter"), CASES)
@pytest.mark.parametrize("wrong", ["False", -1, object()], ids=["False", "-1", "an object"])
def test_what_is_no_value_of_a_parameter_is_refused_by_name(taker, parameter, wrong):
    module, name = class_of(taker)

    with pytest.raises(ValueError, match=f"`{parameter}`"):
        getattr(module, name)(**{**TAKERS[taker], parameter: wrong})


@pytest.mark.parametrize("taker", TAKERS)
def test_each_takes_its_defaults(taker):
    module, name = class_of(taker)

    assert getattr(module, name)(**TAKERS[taker])


DURATIONS = ("poll_interval", "poke_interval", "timeout", "unconfirmed_grace")
LASTING = [(taker, parameter) for taker, parameter in CASES if parameter in DURATIONS]


def test_all_durations_are_checked_here():
    assert len(LASTING) == 19, "one more or less: is it a duration that takes a timedelta?"


@pytest.mark.parametrize(("taker", "parameter"), LASTING)
def test_a_duration_is_seconds_or_a_timedelta(taker, parameter):
    module, name = class_of(taker)
    made = getattr(module, name)(**{**TAKERS[taker], parameter: timedelta(minutes=1, milliseconds=500)})

    assert getattr(made, parameter) == 60.5
    assert type(getattr(made, parameter)) is float
    if hasattr(made, "serialize"):
        assert made.serialize()[1][parameter] == 60.5


@pytest.mark.parametrize(("taker", "parameter"), LASTING)
@pytest.mark.parametrize(
    "wrong", [True, timedelta(seconds=-1), float("nan"), float("inf"), "60", "{{ params.seconds }}"], ids=str
)
def test_what_is_no_duration_is_refused_by_name(taker, parameter, wrong):
    module, name = class_of(taker)

    with pytest.raises(ValueError, match=f"`{parameter}`"):
        getattr(module, name)(**{**TAKERS[taker], parameter: wrong})


@pytest.mark.parametrize(("taker", "parameter"), [case for case in LASTING if case[1] != "unconfirmed_grace"])
@pytest.mark.parametrize("wrong", [0, timedelta(0)], ids=str)
def test_no_time_at_all_is_no_interval_and_no_timeout(taker, parameter, wrong):
    module, name = class_of(taker)

    with pytest.raises(ValueError, match=f"`{parameter}`"):
        getattr(module, name)(**{**TAKERS[taker], parameter: wrong})


TEMPLATED = [taker for taker in TAKERS if not taker.startswith("triggers.")]


def test_the_connection_is_templated_wherever_it_is_a_parameter():
    for taker in TEMPLATED:
        module, name = class_of(taker)
        assert "instasent_conn_id" in getattr(module, name).template_fields, taker
        said = " ".join(base.__doc__ or "" for base in getattr(module, name).__mro__)
        assert ":param instasent_conn_id: the connection (templated)" in said, taker
    decorated = import_module("airflow_provider_instasent.decorators.sms")._InstasentBulkDecoratedOperator
    assert "instasent_conn_id" in decorated.template_fields


def test_all_that_airflow_renders_for_us_is_among_these():
    package = import_module("airflow_provider_instasent")
    found = set()
    for room in ("operators", "sensors", "notifications", "transfers"):
        for file in (Path(package.__file__).parent / room).glob("[!_]*.py"):
            module = import_module(f"airflow_provider_instasent.{room}.{file.stem}")
            found |= {
                one
                for one in vars(module).values()
                if isinstance(one, type)
                and issubclass(one, TemplatedFields)
                and "instasent_conn_id" in inspect.signature(one.__init__).parameters
            }
    assert len(found) >= 7
    assert found <= {getattr(*class_of(taker)) for taker in TAKERS}
