# SPDX-License-Identifier: Apache-2.0
"""A parameter is checked by the rule of its name, whichever operator, sensor, trigger or notifier takes it."""

from __future__ import annotations

import inspect
import os
from importlib import import_module

import pytest
from support import airflow_home

from airflow_provider_instasent.parameters import PARAMETERS

airflow_home.isolate()
# Or importing Airflow 2.11's models warns of its own future.
os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"

TAKERS = {
    "operators.sms:InstasentSendSmsOperator": {"task_id": "t", "to": "+34600000001", "text": "hello"},
    "operators.sms:InstasentBulkSmsOperator": {"task_id": "t", "messages": []},
    "operators.sms:InstasentSmsHistoryOperator": {"task_id": "t", "results_path": "/tmp/sms.jsonl"},
    "operators.lookup:InstasentLookupOperator": {"task_id": "t", "to": "+34600000001"},
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
