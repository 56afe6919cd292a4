# SPDX-License-Identifier: Apache-2.0
"""Memory and CPU of a campaign from CSV, and what going on with it after 90 % costs."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.children import run_child
from benchmarks.report import Bar, Section
from benchmarks.sandbox import SandboxProcess

MEMORY_BAR_MIB, CPU_BAR_MICROSECONDS, READS_BAR, PLAN_BAR_SECONDS = 150.0, 90.0, 600, 60.0
STOP_AFTER = 0.9
TIMEOUT = 1_500.0


def section(*, quick: bool) -> Section:
    """Campaigns of several sizes, each in a fresh process; the largest is stopped at 90 % and resumed."""
    sizes = (2_000, 10_000, 20_000) if quick else (10_000, 100_000, 1_000_000)
    with SandboxProcess() as sandbox:
        found = []
        for messages in sizes:
            sandbox.fresh()
            resumed = messages == sizes[-1]
            found.append(run_child("footprint", TIMEOUT, url=sandbox.url, messages=messages, resumed=resumed))
            accepted = sandbox.accepted()
            if accepted != {"accepted": messages, "different": messages}:
                raise RuntimeError(f"{messages} messages were to be accepted once each, and the ledger says {accepted}")
        planned = run_child("footprint", TIMEOUT, url="", messages=sizes[-1], resumed=False)
    middle, largest = found[1], found[-1]
    bars = [
        Bar(
            f"memory above the imported baseline, {sizes[-1]:,} rows",
            f"at most {MEMORY_BAR_MIB:.0f} MiB",
            f"{largest['peak_mib']:.0f} MiB",
            largest["peak_mib"] <= MEMORY_BAR_MIB,
        ),
        Bar(
            f"CPU a message, plan and send, {sizes[1]:,} rows",
            f"at most {CPU_BAR_MICROSECONDS:.0f} µs",
            f"{middle['cpu_us']:.0f} µs",
            middle["cpu_us"] <= CPU_BAR_MICROSECONDS,
        ),
        Bar(
            f"CPU of planning {sizes[-1]:,} rows",
            f"at most {PLAN_BAR_SECONDS * sizes[-1] / 1_000_000:g} s",
            f"{planned['cpu_us'] * sizes[-1] / 1e6:.1f} s ({planned['cpu_us']:.0f} µs a row)",
            planned["cpu_us"] <= PLAN_BAR_SECONDS,
        ),
        Bar(
            f"journal reads on resume, {sizes[-1]:,} messages after {STOP_AFTER:.0%}",
            f"at most {READS_BAR}",
            str(largest["resume_reads"]),
            largest["resume_reads"] <= READS_BAR,
        ),
    ]
    return Section(
        "Memory, CPU and resuming",
        "One campaign a process, from CSV, de-duplicated on disk, with journal and results file; the sandbox at 0 ms "
        "in another process. Memory is the peak resident set above that after the imports. CPU is that of the process, "
        "all threads, from the first row to the results file. The last campaign was asked to stop after "
        f"{STOP_AFTER:.0%}, and a second try planned all rows again and went on: CPU and seconds are those of both.",
        (
            "rows",
            "peak MiB above baseline",
            "baseline MiB",
            "CPU µs a message",
            "seconds",
            "journal writes",
            "journal reads to resume",
        ),
        [_row(one) for one in found],
        bars,
    )


def main(url: str, messages: int, resumed: bool) -> dict[str, Any]:
    """Send a campaign in this process and measure it; only plan it where there is no URL."""
    from benchmarks import campaign

    if not url:
        return _planned(messages)

    store = campaign.StateStore()
    with TemporaryDirectory() as folder:
        recipients = campaign.write_recipients(Path(folder) / "recipients.csv", messages)
        results = Path(folder) / "results.jsonl"
        baseline = status("VmRSS")
        began, cpu = time.perf_counter(), time.process_time()
        reads = 0
        if resumed:
            _first_try(url, recipients, store, results, int(messages * STOP_AFTER))
            reads = -store.reads
        outcome = campaign.send(url, recipients, store, results)
        reads += store.reads
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    if outcome.error is not None or outcome.summary["accepted"] != messages:
        raise RuntimeError(f"the campaign failed: {outcome.error}, {outcome.summary}")
    return {
        "messages": messages,
        "peak_mib": status("VmHWM") - baseline,
        "baseline_mib": baseline,
        "cpu_us": cpu / messages * 1e6,
        "seconds": seconds,
        "writes": store.writes,
        "resume_reads": reads,
    }


def _planned(messages: int) -> dict[str, Any]:
    from benchmarks import campaign

    with TemporaryDirectory() as folder:
        recipients = campaign.write_recipients(Path(folder) / "recipients.csv", messages)
        cpu = time.process_time()
        total = campaign.plan(recipients)["total"]
        cpu = time.process_time() - cpu
    if total != messages:
        raise RuntimeError(f"{total} of {messages} rows were planned")
    return {"cpu_us": cpu / messages * 1e6}


def _first_try(url: str, recipients: Path, store: Any, results: Path, enough: int) -> None:
    """Run a try that is asked to stop once so many messages were accepted."""
    from airflow_provider_instasent.journal.errors import StoppedError
    from airflow_provider_instasent.journal.stopping import Stop
    from benchmarks import campaign

    stop, over = Stop(), threading.Event()
    watcher = threading.Thread(target=_stop_at, args=(url, enough // 100, stop, over))
    watcher.start()
    try:
        campaign.send(url, recipients, store, results, stop)
    except StoppedError:
        return
    finally:
        over.set()
        watcher.join()
    raise RuntimeError("the first try was over before it was asked to stop")


def _stop_at(url: str, requests: int, stop: Any, over: threading.Event) -> None:
    import httpx

    with httpx.Client(base_url=url, trust_env=False, timeout=30) as admin:
        while not over.wait(0.1):
            found = admin.get("/_admin/requests", params={"endpoint": "bulk", "summary": 1}).json()["found"]
            if found >= requests:
                stop.set()
                return


def status(name: str) -> float:
    """Return a line of /proc/self/status in MiB; unlike getrusage's, the peak is this program's own.

    :param name: such as `VmRSS`, what is resident, or `VmHWM`, its peak
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {name}")


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"{one['messages']:,}",
        f"{one['peak_mib']:.0f}",
        f"{one['baseline_mib']:.0f}",
        f"{one['cpu_us']:.0f}",
        f"{one['seconds']:.1f}",
        f"{one['writes']:,}",
        str(one["resume_reads"]) if one["resume_reads"] else "",
    )
