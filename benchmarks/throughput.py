# SPDX-License-Identifier: Apache-2.0
"""How many messages a second, beside other ways to send, and under the rate limit."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any

from benchmarks import supervisor
from benchmarks.children import run_child
from benchmarks.report import Bar, Section
from benchmarks.sandbox import SandboxProcess

if TYPE_CHECKING:
    from collections.abc import Sequence

LATENCY = 0.2
RATE_LIMIT, RATE_WINDOW = 120, 6.0
SHARE_TO_HOLD = 0.95
TIMEOUT = 900.0
SUPERVISED = "this operator, in a task of a real Airflow"
NAMES = {
    "operator": "this operator's sender",
    "sdk": "PyPI `instasent` 0.1.4, one call a message",
    "sequential": "bare loop, prepared 100-message requests",
    "parallel": "the same, 8 in flight (the floor)",
}


@dataclass(frozen=True)
class Sizes:
    """How many messages each contender sends, by latency.

    :param at_once: at 0 ms
    :param distant: at 200 ms
    :param limited: under the rate limit
    """

    at_once: dict[str, int]
    distant: dict[str, int]
    limited: dict[str, int]
    supervised: int


FULL = Sizes(
    {"operator": 40_000, "sdk": 1_000, "sequential": 40_000, "parallel": 40_000},
    {"operator": 40_000, "sdk": 60, "sequential": 5_000, "parallel": 40_000},
    {"operator": 60_000, "sdk": 60, "sequential": 12_000, "parallel": 60_000},
    60_000,
)
QUICK = Sizes(
    {"operator": 4_000, "sdk": 100, "sequential": 4_000, "parallel": 4_000},
    {"operator": 4_000, "sdk": 10, "sequential": 1_000, "parallel": 4_000},
    {"operator": 30_000, "sdk": 10, "sequential": 2_000, "parallel": 30_000},
    30_000,
)


def at_latencies(*, quick: bool) -> Section:
    """Side by side at 0 and at 200 ms, without a rate limit."""
    sizes = QUICK if quick else FULL
    rows = []
    with SandboxProcess() as sandbox:
        for latency, counts in ((0.0, sizes.at_once), (LATENCY, sizes.distant)):
            for name, messages in counts.items():
                sandbox.fresh(latency=latency, lenient_booleans=True)
                took = run_child("contenders", TIMEOUT, name=name, url=sandbox.url, messages=messages)
                rows.append(_row(name, latency, messages, took, _records(sandbox, name)))
                _check_ledger(sandbox, messages)
    return Section(
        "Throughput",
        "Each way in a process of its own, against one sandbox in another. `while sending` is from the first request "
        "to the last answer, on the sandbox's clock; `in all` has planning, journal and results file in it. This "
        "operator's journal takes 12.5 ms a write here, as Airflow's task state store does; the others keep none. At "
        "0 ms the sandbox itself, one Python process, is the limit. The SDK's base URL is set by a subclass, which "
        "also cuts off the slash at the end of its paths.",
        (
            "way",
            "latency",
            "messages",
            "requests",
            "most in flight",
            "seconds",
            "messages/s while sending",
            "messages/s in all",
            "CPU µs a message",
        ),
        rows,
    )


def under_the_limit(*, quick: bool) -> Section:
    """At 200 ms and under a scaled rate limit; through a real supervisor too."""
    sizes = QUICK if quick else FULL
    rows, bars = [], []
    with SandboxProcess(latency=LATENCY, rate_limit=RATE_LIMIT, rate_window=RATE_WINDOW) as sandbox:
        for name, messages in sizes.limited.items():
            sandbox.fresh(lenient_booleans=True)
            run_child("contenders", TIMEOUT, name=name, url=sandbox.url, messages=messages)
            rows.append(_limited_row(NAMES[name], messages, paced(_records(sandbox, name))))
            _check_ledger(sandbox, messages)
        sandbox.fresh()
        supervisor.run_campaign(sandbox.url, sizes.supervised)
        _check_ledger(sandbox, sizes.supervised)
        pace = paced(sandbox.requests("bulk"))
        rows.append(_limited_row(SUPERVISED, sizes.supervised, pace))
        bars += [
            Bar(
                "throughput at 200 ms under the limit, journal through a real supervisor",
                f"at least {SHARE_TO_HOLD:.0%} of the ceiling",
                f"{pace.share:.1%}",
                pace.share >= SHARE_TO_HOLD,
            ),
            Bar("requests refused after the first window", "0", str(pace.refused_later), pace.refused_later == 0),
        ]
    return Section(
        "Under the rate limit",
        f"200 ms latency and {RATE_LIMIT} requests per {RATE_WINDOW:.0f} s: 1,200 a minute, in windows scaled from "
        f"60 s to {RATE_WINDOW:.0f} s, so that what is lost at a window's edge weighs ten times as much as in reality. "
        "`of the ceiling` is the share of the requests allowed in all windows but the last that were made. The bare "
        "loops wait for the reset when they are refused.",
        ("way", "messages", "messages/s", "of the ceiling", "refused (429)", "of these after the first window"),
        rows,
        bars,
    )


@dataclass(frozen=True)
class Pace:
    """How a run used its windows.

    :param share: of the requests allowed in all windows but the last, those made
    :param rate: requests accepted a second over the whole run
    :param refused: requests refused
    :param refused_later: those after the first window
    """

    share: float
    rate: float
    refused: int
    refused_later: int


def paced(records: Sequence[dict[str, Any]]) -> Pace:
    """Return how a run used its windows of whole seconds, which began with its first request."""
    start = floor(min(record["time"] for record in records))

    def window(record: dict[str, Any]) -> int:
        return int((record["time"] - start) // RATE_WINDOW)

    made = [record for record in records if record["status"] == 201]
    refused = [record for record in records if record["status"] == 429]
    last = max(window(record) for record in made)
    seconds = max(record["time"] for record in made) + LATENCY - min(record["time"] for record in made)
    used = sum(window(record) < last for record in made)
    share = used / (last * RATE_LIMIT) if last else len(made) / (RATE_LIMIT * seconds / RATE_WINDOW)
    return Pace(share, len(made) / seconds, len(refused), sum(window(record) > 0 for record in refused))


def _limited_row(name: str, messages: int, pace: Pace) -> tuple[str, ...]:
    per_request = 1 if "one call" in name else 100
    share = pace.share / (100 / per_request)
    return (
        name,
        f"{messages:,}",
        f"{pace.rate * per_request:,.0f}",
        f"{share:.1%}",
        str(pace.refused),
        str(pace.refused_later),
    )


def _row(
    name: str, latency: float, messages: int, took: dict[str, float], records: Sequence[dict[str, Any]]
) -> tuple[str, ...]:
    first = min(record["time"] for record in records)
    sending = max(record["time"] for record in records) + latency - first
    return (
        NAMES[name],
        f"{latency * 1000:.0f} ms",
        f"{messages:,}",
        f"{len(records):,}",
        str(max(record["in_flight"] for record in records)),
        f"{took['seconds']:.2f}",
        f"{messages / sending:,.0f}",
        f"{messages / took['seconds']:,.0f}",
        f"{took['cpu'] / messages * 1e6:,.0f}",
    )


def _records(sandbox: SandboxProcess, name: str) -> list[dict[str, Any]]:
    return sandbox.requests("send" if name == "sdk" else "bulk")


def _check_ledger(sandbox: SandboxProcess, messages: int) -> None:
    found = sandbox.accepted()
    if found != {"accepted": messages, "different": messages}:
        raise RuntimeError(f"{messages} messages were to be accepted once each, and the ledger says {found}")
