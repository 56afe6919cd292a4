# SPDX-License-Identifier: Apache-2.0
"""Operators and sensors that wait, each in a process of its own as a worker runs it; see :func:`main`."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks.code_under_test import check_code

if TYPE_CHECKING:
    from collections.abc import Callable

WAITING: dict[str, Any] = {"task_id": "wait", "timeout": 24 * 3600.0}


def main(kind: str, home: str, messages: Any, poll_interval: float, sends: int = 1) -> dict[str, Any]:
    """Execute one task and tell how it ended and when.

    :param kind: one of those in :data:`KINDS`
    :param home: a folder for files
    :param messages: how many to send, or those that a sensor waits for: lists of id and time of acceptance
    :param poll_interval: seconds
    :param sends: how many tasks, one after the other
    """
    from airflow.sdk.bases.operator import ExecutorSafeguard

    check_code()
    ExecutorSafeguard.test_mode = True
    ended: list[dict[str, Any]] = []
    for number in range(sends):
        operator = KINDS[kind](Path(home), messages, poll_interval)
        _end_as_airflow_does(operator)
        ended.append(_execute(operator, _context(number)))
    return {"ended": ended}


def _end_as_airflow_does(operator: Any) -> None:
    """Airflow 3.3's task process answers SIGTERM so (`_on_term`); 2.11 raises an exception after it."""
    signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())


def _execute(operator: Any, context: dict[str, Any]) -> dict[str, Any]:
    try:
        operator.execute(context)
    except BaseException as error:  # noqa: BLE001 - a deferral, a reschedule and what ends the process are none
        raised = time.time()
        trigger = getattr(error, "trigger", None)
        return {
            "at": raised,
            "as": type(error).__name__,
            "told": str(error)[:300],
            "serialized": trigger.serialize() if trigger is not None else None,
        }
    return {"at": time.time(), "as": "success", "told": "", "serialized": None}


def _context(number: int) -> dict[str, Any]:
    ti = SimpleNamespace(
        dag_id="waits", run_id="bench", task_id="wait", map_index=number, try_number=1, max_tries=0,
        xcom_push=lambda **_: None, get_first_reschedule_date=lambda _: None,
    )  # fmt: skip
    run = SimpleNamespace(start_date=None, run_after=None, clear_number=0, data_interval_end=None)
    return {"ti": ti, "dag_run": run, "run_id": "bench", "params": {}, "task_state_store": _state_store()}


def _state_store() -> Any:
    from benchmarks.campaign import StateStore

    class Store(StateStore):
        """With the names of Airflow's own."""

        def set(self, key: str, value: Any, **_: Any) -> None:
            super().set(key, value)

        def delete(self, key: str) -> None:
            self._values.pop(key, None)

    return Store()


def _sensor(mode: str) -> Callable[[Path, Any, float], Any]:
    def make(home: Path, messages: Any, poll_interval: float) -> Any:
        from airflow_provider_instasent.sensors.sms import InstasentDeliverySensor
        from benchmarks.waits_loop import write_accepted

        write_accepted(home / "results.jsonl", messages)
        return InstasentDeliverySensor(
            **WAITING, mode=mode, results_path=str(home / "results.jsonl"), poke_interval=poll_interval
        )

    return make


def _bulk(*, deferrable: bool) -> Callable[[Path, Any, float], Any]:
    def make(home: Path, messages: Any, poll_interval: float) -> Any:
        from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator
        from benchmarks.campaign import TEXT, write_recipients

        return InstasentBulkSmsOperator(
            **WAITING,
            recipients=str(write_recipients(home / "recipients.csv", messages)),
            text=TEXT,
            results_path=str(home / "results.jsonl"),
            wait_for_delivery=True,
            deferrable=deferrable,
            poll_interval=poll_interval,
        )

    return make


def _single(*, deferrable: bool) -> Callable[[Path, Any, float], Any]:
    def make(_home: Path, _messages: Any, poll_interval: float) -> Any:
        from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator

        return InstasentSendSmsOperator(
            **WAITING,
            to="+34600000001",
            text="Hello",
            wait_for_delivery=True,
            deferrable=deferrable,
            poll_interval=poll_interval,
        )

    return make


def _lookup(home: Path, messages: Any, poll_interval: float) -> Any:
    from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
    from benchmarks.campaign import number_of

    return InstasentLookupOperator(
        **WAITING, to=[number_of(index) for index in range(messages)], wait=True, deferrable=False,
        poll_interval=poll_interval, results_path=str(home / "results.jsonl"),
    )  # fmt: skip


KINDS: dict[str, Callable[[Path, Any, float], Any]] = {
    "sensor, poke": _sensor("poke"),
    "sensor, reschedule": _sensor("reschedule"),
    "bulk send": _bulk(deferrable=False),
    "bulk send, deferring": _bulk(deferrable=True),
    "single send": _single(deferrable=False),
    "single send, deferring": _single(deferrable=True),
    "lookup": _lookup,
}
