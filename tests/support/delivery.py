# SPDX-License-Identifier: Apache-2.0
"""The delivery sensor run to its end in each of its modes, without a scheduler: quick enough for many cases."""

from __future__ import annotations

import asyncio
import json
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from support import airflow_home
from support.events import LONG
from support.instasent_connection import connection
from support.sandbox import call, message

airflow_home.isolate()
# Or importing Airflow 2.11's models warns of its own future.
os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"
# Airflow 2 runs operators only on the thread that was the first to import this: a trigger's may be another one.
import_module("airflow_provider_instasent.compat").BaseOperator  # noqa: B018 - resolved with the first use

MODES = ("poke", "reschedule", "reschedule without memory", "deferrable")
QUICK = {"poke_interval": 0.05, "max_polls_per_minute": 60_000, "timeout": LONG}
MORE_OF_THE_SAME = 600
"""Times by which a sensor's deadline comes sooner than the base class's here than it does elsewhere."""


@pytest.fixture
def connected(sandbox, monkeypatch):
    """The sandbox, and a default connection to it."""
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url, password=sandbox.token))
    return sandbox


def accepted(sandbox, *endings: str) -> list[str]:
    """Send a message for each three-digit ending and return the ids."""
    ids = []
    for start in range(0, len(endings), 100):
        batch = [message(f"+34600000{ending}") for ending in endings[start : start + 100]]
        ids += [one["id"] for one in call(sandbox, "POST", "/sms/bulk", batch).json["entities"]]
    return ids


def turning_final(sandbox, at_read: int, *endings: str) -> list[str]:
    """Do the same, and have the messages turn final when the n-th read comes, and not before."""
    sandbox.stop_clock()
    ids = accepted(sandbox, *endings)
    sandbox.at(at_read, "read", lambda: sandbox.advance(60))
    return ids


def reads(sandbox, sms_id: str = "") -> list[Any]:
    """The requests for single messages, or for one of them."""
    return [one for one in sandbox.requests.records("read") if one.path.endswith(sms_id)]


def spaced(sandbox, began: float, seconds: float) -> bool:
    """Whether the n-th read came n times so many seconds after the beginning: a slow machine only delays it.

    :param began: the sandbox's time then
    """
    return all(one.time - began > place * seconds - 0.01 for place, one in enumerate(reads(sandbox)))


class Store(dict[str, Any]):
    """Airflow's task state store."""

    def set(self, key, value, **_: Any) -> None:
        self[key] = json.loads(json.dumps(value))

    def delete(self, key) -> None:
        self.pop(key, None)


@dataclass
class FakeTaskInstance:
    """As much of a task instance as a sensor asks for."""

    first_poke: datetime | None = None
    pushed: dict[str, Any] = field(default_factory=dict)
    max_tries: int = 0
    dag_id: str = "a_dag"
    task_id: str = "wait"
    run_id: str = "a_run"
    map_index: int = -1
    try_number: int = 1

    def xcom_push(self, key, value) -> None:
        self.pushed[key] = json.loads(json.dumps(value))

    def get_first_reschedule_date(self, _context: Any) -> datetime | None:
        return self.first_poke


@dataclass
class Run:
    """How a sensor ended."""

    result: Any = None
    error: BaseException | None = None
    pushed: Any = None
    pokes: int = 1
    trigger: Any = None

    @property
    def ended_as(self) -> str:
        return "" if self.error is None else type(self.error).__name__


def run_sensor(mode: str, monkeypatch, **parameters: Any) -> Run:
    """Run a sensor to its end.

    :param mode: one of :data:`MODES`
    """
    run, ti = Run(), FakeTaskInstance()
    context: dict[str, Any] = {"ti": ti}
    if mode == "reschedule":
        context["task_state_store"] = Store()
    settings = {**QUICK, "mode": mode.split(maxsplit=1)[0], "deferrable": False, **parameters}
    if mode == "deferrable":
        settings |= {"mode": "poke", "deferrable": True}
    else:
        settings["timeout"] += give_our_deadline_a_head_start(monkeypatch)
    try:
        run.result = _DRIVERS[mode.split(maxsplit=1)[0]](settings, context, run, monkeypatch)
    except Exception as error:  # noqa: BLE001 - what it raised is what the test asks for
        run.error = error
    run.pushed = ti.pushed.get("return_value")
    if mode == "reschedule":
        assert not context["task_state_store"], "a finished sensor leaves nothing behind"
    return run


def give_our_deadline_a_head_start(monkeypatch) -> float:
    """Let the base class's timeout come so much later that a busy machine cannot bring it before ours.

    :returns: seconds that the timeout has to be longer for our deadline to stay where it was
    """
    from airflow_provider_instasent.sensors import account, deferring, sms

    for module in (sms, account):
        monkeypatch.setattr(module, "SOONER", deferring.SOONER * MORE_OF_THE_SAME)
    return deferring.SOONER * (MORE_OF_THE_SAME - 1)


def new_sensor(**settings: Any) -> Any:
    from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor

    return InstasentDeliverySensor(task_id="wait", **settings)


def _poke(settings, context, run, _monkeypatch):
    return new_sensor(**settings).execute(context)


def _reschedule(settings, context, run, monkeypatch):
    from airflow.exceptions import AirflowRescheduleException

    ti = context["ti"]
    with suppress(ImportError):
        import airflow.sensors.base as two

        if hasattr(two, "_orig_start_date"):
            monkeypatch.setattr(two, "_orig_start_date", lambda **_: ti.first_poke)
    started = datetime.now(tz=UTC)
    while True:
        try:
            return new_sensor(**settings).execute(context)
        except AirflowRescheduleException as again:
            ti.first_poke = started
            run.pokes += 1
            time.sleep(max(0.0, (again.reschedule_date - datetime.now(tz=UTC)).total_seconds()))


def _deferrable(settings, context, run, _monkeypatch):
    from airflow_provider_instasent.compat import TaskDeferred

    try:
        return new_sensor(**settings).execute(context)
    except TaskDeferred as deferred:
        run.trigger = as_restarted(deferred.trigger)
        event = asyncio.run(first_event(run.trigger))
        return new_sensor(**settings).resume_execution(
            deferred.method_name, {"event": json.loads(json.dumps(event))}, context
        )


_DRIVERS = {"poke": _poke, "reschedule": _reschedule, "deferrable": _deferrable}


def as_restarted(trigger: Any) -> Any:
    """The trigger that a triggerer makes of another's arguments."""
    path, kwargs = trigger.serialize()
    module, name = path.rsplit(".", 1)
    return getattr(import_module(module), name)(**json.loads(json.dumps(kwargs)))


async def first_event(trigger: Any) -> dict[str, Any]:
    """Run a trigger to its end, which must be one event."""
    events = [event.payload async for event in trigger.run()]
    (payload,) = events
    return payload


@pytest.fixture
def single_reads(monkeypatch):
    """Have every message read by itself, however many there are: the list has tests of its own."""
    monkeypatch.setattr("airflow_provider_instasent.waiting.account_reader.FEW", 10_000)
