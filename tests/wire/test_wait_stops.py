# SPDX-License-Identifier: Apache-2.0
"""A wait in a worker ends when it is asked to, also while the API does not answer: Airflow 3 does no more than ask."""

from __future__ import annotations

import threading

import pytest
from support.delivery import connected, new_sensor, run_sensor
from support.events import LONG, wait_until
from support.sandbox import HELD

from airflow_provider_instasent.journal.errors import StoppedError

__all__ = ["connected"]


def asked_to_stop(call, moment, ask):
    """Run something, have it asked to stop from another thread at a moment, and return how it ended.

    :param call: what waits; on this thread, as in a worker
    :param moment: waits until it is to be asked
    :param ask: asks it
    """

    def ask_then():
        moment()
        ask()

    asking = threading.Thread(target=ask_then, daemon=True)
    asking.start()
    try:
        call()
    except Exception as error:  # noqa: BLE001 - what it raised is what the test asks for
        return error
    finally:
        asking.join(LONG)
    return None


def accept(sandbox, count):
    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.message import Sms

    with InstasentClient(sandbox.token, base_url=sandbox.url) as client:
        messages = [Sms.create(to=f"+3460000{place:04d}", text="Hello", sender="Acme") for place in range(count)]
        return [outcome.id for outcome in client.send_bulk(messages)]


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("moment", ["a read is out", "between two reads"])
def test_a_sensor(connected, count, moment):
    connected.stop_clock()
    ids = accept(connected, count)
    if moment == "a read is out":
        connected.configure(latency=HELD)
    sensor = new_sensor(message_ids=ids, deferrable=False, poke_interval=LONG * 2, timeout=LONG * 10)

    def until_then():
        if moment == "a read is out":
            connected.wait_for_in_flight(1)
        else:
            wait_until(lambda: sensor._wait and sensor._wait.reader and sensor._wait.reader.subscription.sweeps)

    error = asked_to_stop(lambda: sensor.execute({"ti": None}), until_then, sensor.on_kill)
    assert type(error).__name__ == "StoppedWaitError"
    assert "asked to stop" in str(error)


def test_a_balance_sensor(connected):
    from airflow_provider_instasent.sensors.account import InstasentBalanceSensor

    connected.stop_clock()
    connected.configure(latency=HELD)
    sensor = InstasentBalanceSensor(task_id="wait", min_available=1, deferrable=False)
    error = asked_to_stop(lambda: sensor.execute({"ti": None}), lambda: connected.wait_for_in_flight(1), sensor.on_kill)
    assert "asked to stop" in str(error)


@pytest.mark.parametrize("moment", ["a read is out", "between two reads"])
def test_an_operators_own_wait(connected, moment):
    from airflow_provider_instasent.journal.stopping import Stop
    from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator
    from airflow_provider_instasent.operators.wait_for_delivery import DeliveryWait

    connected.stop_clock()
    ids = accept(connected, 50)
    operator = InstasentBulkSmsOperator(
        task_id="send", messages=[], retries=0, poll_interval=LONG * 2, wait_for_delivery=True
    )
    operator._stop = Stop()
    if moment == "a read is out":
        connected.configure(latency=HELD)

    def until_then():
        if moment == "a read is out":
            connected.wait_for_in_flight(1)
        else:
            wait_until(lambda: connected.requests.records("list"))

    wait = DeliveryWait(operator)
    error = asked_to_stop(lambda: wait.wait(ids, deferrable=False, carried={}), until_then, operator.on_kill)
    assert isinstance(error, StoppedError)


def test_a_wait_that_is_not_asked_goes_on(connected, monkeypatch):
    connected.configure(sent_after=0, final_after=0)
    run = run_sensor("poke", monkeypatch, message_ids=accept(connected, 5))
    assert run.error is None
    assert run.result["delivered"] == 5
