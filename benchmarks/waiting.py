# SPDX-License-Identifier: Apache-2.0
"""One trigger that waits for a whole campaign: requests, seconds, and how much it delays the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from benchmarks.children import run_child
from benchmarks.report import Bar, Section
from benchmarks.sandbox import TOKEN, SandboxProcess

REQUESTS_BAR, DELAY_BAR_MS = 150, 50.0
FINAL_AFTER = 20.0
POLL_INTERVAL = 5.0
LONGEST = 150.0
TICK = 0.005
CHUNK = 100


def section(*, quick: bool) -> Section:
    """Wait for 10,000 deliveries in one trigger."""
    messages = 1_000 if quick else 10_000
    with SandboxProcess(final_after=FINAL_AFTER, sent_after=1.0) as sandbox:
        _accept(sandbox.url, messages)
        accepted = time.time()
        ids = sandbox.ids()
        with TemporaryDirectory() as home:
            environment = os.environ | {
                "AIRFLOW_HOME": home,
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
                "AIRFLOW_CONN_INSTASENT_DEFAULT": json.dumps(
                    {"conn_type": "instasent", "host": sandbox.url, "password": TOKEN}
                ),
            }
            found = run_child("waiting", LONGEST * 3, environment=environment, ids=ids)
        polls = sandbox.request_count("list") + sandbox.request_count("read")
    per_sweep = polls / max(1, found["sweeps"])
    delivered = found["counts"].get("delivered", 0)
    bars = [
        Bar(
            f"requests a sweep over {messages:,} messages, 100 a page",
            f"at most {REQUESTS_BAR}",
            f"{per_sweep:.0f}",
            per_sweep <= REQUESTS_BAR and delivered == messages,
        ),
        Bar(
            "event-loop delay p99 while waiting",
            f"at most {DELAY_BAR_MS:.0f} ms",
            f"{found['p99_ms']:.1f} ms",
            found["p99_ms"] <= DELAY_BAR_MS,
        ),
    ]
    seconds = found["ended"] - accepted - FINAL_AFTER
    return Section(
        f"Waiting for {messages:,} deliveries",
        "One `InstasentDeliveryTrigger` on an event loop of its own; the sandbox delivers each message "
        f"{FINAL_AFTER:.0f} s after it accepted it and serves 100 a page; `poll_interval` {POLL_INTERVAL:.0f} s, "
        "`max_polls_per_minute` as by default. Seconds are those between the last delivery and the trigger's event. "
        f"The loop's delay is how much later than asked for a sleep of {TICK * 1000:.0f} ms ended, on the same loop.",
        (
            "messages", "delivered", "sweeps", "requests", "requests a sweep", "seconds after the last delivery",
            "loop delay p50 ms", "p99 ms", "longest ms",
        ),
        [(
            f"{messages:,}", f"{delivered:,}", str(found["sweeps"]), f"{polls:,}", f"{per_sweep:.0f}", f"{seconds:.1f}",
            f"{found['p50_ms']:.1f}", f"{found['p99_ms']:.1f}", f"{found['longest_ms']:.0f}",
        )],
        bars,
    )  # fmt: skip


def main(ids: list[str], environment: dict[str, str]) -> dict[str, Any]:
    """Wait in this process."""
    os.environ.update(environment)
    return asyncio.run(_wait(ids))


async def _wait(ids: list[str]) -> dict[str, Any]:
    from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger
    from airflow_provider_instasent.waiting.delivery_watch import Watch

    sweeps = _count_calls(Watch, "sweep_ended")
    trigger = InstasentDeliveryTrigger(ids, time.time() + LONGEST, poll_interval=POLL_INTERVAL)
    delays: list[float] = []
    measuring = asyncio.create_task(measure_delays(delays))
    event = await anext(aiter(trigger.run()))
    ended = time.time()
    measuring.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await measuring
    delays.sort()
    return {
        "ended": ended,
        "sweeps": sweeps["calls"],
        "counts": event.payload["counts"],
        "p50_ms": delays[len(delays) // 2] * 1000,
        "p99_ms": delays[int(len(delays) * 0.99)] * 1000,
        "longest_ms": delays[-1] * 1000,
    }


async def measure_delays(delays: list[float]) -> None:
    """Note how much later than asked for each short sleep on this loop ends, until it is cancelled.

    :param delays: seconds, in the order of the sleeps
    """
    while True:
        began = time.monotonic()
        await asyncio.sleep(TICK)
        delays.append(time.monotonic() - began - TICK)


def _count_calls(owner: type, name: str) -> dict[str, int]:
    original, count = getattr(owner, name), {"calls": 0}

    def counted(*arguments: Any, **keywords: Any) -> Any:
        count["calls"] += 1
        return original(*arguments, **keywords)

    setattr(owner, name, counted)
    return count


def _accept(url: str, messages: int) -> None:
    from benchmarks.campaign import number_of

    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False) as client:
        for start in range(0, messages, CHUNK):
            chunk = [
                {"from": "Bench", "to": number_of(index), "text": "Hello"} for index in range(start, start + CHUNK)
            ]
            client.post("/sms/bulk", json=chunk).raise_for_status()
