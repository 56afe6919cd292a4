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


class Asked:
    """Runs something on a thread, asks it to stop, and tells how it ended."""

    def __init__(self, call):
        self.error = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call):
        try:
            call()
        except BaseException as error:  # noqa: BLE001 - what it raised is what the test asks for
            self.error = error

    def ended(self):
        self._thread.join(LONG)
        assert not self._thread.is_alive(), "it went on waiting"
        return self.error


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
    asked = Asked(lambda: sensor.execute({"ti": None}))
    if moment == "a read is out":
        connected.wait_for_in_flight(1)
    else:
        wait_until(lambda: sensor._wait is not None and sensor._wait.reader.subscription.sweeps)
    sensor.on_kill()
    error = asked.ended()
    assert type(error).__name__ == "StoppedWaitError"
    assert "asked to stop" in str(error)


def test_a_balance_sensor(connected):
    from airflow_provider_instasent.sensors.account import InstasentBalanceSensor

    connected.stop_clock()
    connected.configure(latency=HELD)
    sensor = InstasentBalanceSensor(task_id="wait", min_available=1, deferrable=False)
    asked = Asked(lambda: sensor.execute({"ti": None}))
    connected.wait_for_in_flight(1)
    sensor.on_kill()
    assert "asked to stop" in str(asked.ended())


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
    asked = Asked(lambda: DeliveryWait(operator).wait(ids, deferrable=False, carried={}))
    if moment == "a read is out":
        connected.wait_for_in_flight(1)
    else:
        wait_until(lambda: connected.requests.records("list"))
    operator.on_kill()
    assert isinstance(asked.ended(), StoppedError)


def test_a_wait_that_is_not_asked_goes_on(connected, monkeypatch):
    connected.configure(sent_after=0, final_after=0)
    assert run_sensor("poke", monkeypatch, message_ids=accept(connected, 5)).result["delivered"] == 5
