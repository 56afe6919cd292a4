# SPDX-License-Identifier: Apache-2.0
"""Waits on one event loop, as a triggerer runs them; a process of its own, see :func:`main`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.code_under_test import check_code
from benchmarks.waiting import measure_delays

FAR_AWAY = 24 * 3600.0


def main(
    waits: list[dict[str, Any]], until: float, home: str, spread: float = 0.0, cancelled_by_term: bool = False
) -> dict[str, Any]:
    """Run waits until all are over or a moment has come.

    :param waits: each with `messages`, lists of id and time of acceptance, and `parameters` of the trigger; or with
        `serialized`, a trigger as Airflow stores it
    :param until: unix seconds at which those that are left are cancelled
    :param home: a folder for results files
    :param spread: seconds between the starts of two waits
    :param cancelled_by_term: end them at SIGTERM, as a triggerer does
    """
    check_code()
    triggers = [_trigger(wait, Path(home) / f"results-{index}.jsonl") for index, wait in enumerate(waits)]
    return asyncio.run(_run(triggers, until, spread, cancelled_by_term=cancelled_by_term))


def _trigger(wait: dict[str, Any], results: Path) -> Any:
    if "serialized" in wait:
        path, arguments = wait["serialized"]
        module, _, name = path.rpartition(".")
        return getattr(import_module(module), name)(**arguments)
    from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger

    write_accepted(results, wait["messages"])
    return InstasentDeliveryTrigger([], time.time() + FAR_AWAY, results_path=str(results), **wait["parameters"])


def write_accepted(path: Path, messages: list[tuple[str, float]]) -> None:
    """Write the results file of a campaign that was accepted, with the fields that the code under test has.

    :param path: where
    :param messages: the id of each and when it was accepted, in unix seconds
    """
    from airflow_provider_instasent.waiting.results_file import RESULT_FIELDS, write_results

    records = (
        {
            "position": position,
            "client_id": None,
            "id": sms_id,
            "state": "accepted",
            "status": "enqueued",
            "reason": None,
            "accepted_at": accepted,
        }
        for position, (sms_id, accepted) in enumerate(messages)
    )
    write_results(path, ({name: record[name] for name in RESULT_FIELDS} for record in records))


async def _run(triggers: list[Any], until: float, spread: float, *, cancelled_by_term: bool) -> dict[str, Any]:
    ends: list[dict[str, Any] | None] = [None] * len(triggers)
    delays: list[float] = []
    measuring = asyncio.create_task(measure_delays(delays))
    began, cpu = time.time(), time.process_time()

    async def wait(index: int) -> None:
        await asyncio.sleep(index * spread)
        event = await anext(aiter(triggers[index].run()))
        ends[index] = {"ended": time.time(), "counts": event.payload["counts"]}

    running = [asyncio.create_task(wait(index)) for index in range(len(triggers))]
    if cancelled_by_term:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _cancel, running)
    await asyncio.wait(running, timeout=max(0.0, until - time.time()))
    ended, cpu = time.time(), time.process_time() - cpu
    delivered = _delivered()
    for task in [measuring, *running]:
        task.cancel()
    for task in [measuring, *running]:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    delays.sort()
    return {
        "began": began,
        "ended": ended,
        "cpu": cpu,
        "ends": ends,
        "delivered": delivered,
        "p50_ms": delays[len(delays) // 2] * 1000,
        "p99_ms": delays[int(len(delays) * 0.99)] * 1000,
        "longest_ms": delays[-1] * 1000,
    }


def _cancel(running: list[asyncio.Task[None]]) -> None:
    for task in running:
        task.cancel()


def _delivered() -> list[int]:
    """Return what each watch that goes on knows to be delivered: the only way to look into a wait that hangs."""
    results = [
        found.result()
        for found in gc.get_objects()
        if type(found).__name__ == "Watch" and type(found).__module__.startswith("airflow_provider_instasent.")
    ]
    return sorted(result.delivered for result in results if result.pending)
