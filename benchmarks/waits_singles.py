# SPDX-License-Identifier: Apache-2.0
"""Many deferred single sends on one event loop: what they ask for, and what they cost the triggerer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.report import Bar
from benchmarks.sandbox import SandboxProcess
from benchmarks.waits_list import LATENCY, LIMIT, START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.code_under_test import CodeUnderTest

REQUESTS_BAR, P99_BAR_MS, LONGEST_BAR_MS = 30, 50.0, 200.0
INTERVAL = 30.0
NEVER = 24 * 3600.0
SENDING = 300.0


@dataclass(frozen=True)
class Setting:
    """How many wait, and for how long.

    :param sends: deferred single sends
    :param seconds: for how long they are watched
    """

    sends: int = 300
    seconds: float = 180.0


@dataclass(frozen=True)
class Found:
    """What it came to.

    :param setting: how many waited
    :param minutes: requests in each minute
    :param cpu: share of a core
    :param p99_ms: of the loop's delay
    :param longest_ms: of the loop's delay
    """

    setting: Setting
    minutes: Sequence[int]
    cpu: float
    p99_ms: float
    longest_ms: float

    @property
    def a_minute(self) -> float:
        """Requests a minute."""
        return sum(self.minutes) / self.setting.seconds * 60

    def bars(self) -> list[Bar]:
        """What has to hold."""
        name = f"{self.setting.sends} deferred single sends"
        held = self.a_minute <= REQUESTS_BAR
        return [
            Bar(f"{name}: requests a minute", f"at most {REQUESTS_BAR}", f"{self.a_minute:.0f}", held),
            Bar(
                f"{name}: loop delay p99",
                f"under {P99_BAR_MS:.0f} ms",
                f"{self.p99_ms:.1f} ms",
                self.p99_ms < P99_BAR_MS,
            ),
            Bar(
                f"{name}: longest loop delay",
                f"under {LONGEST_BAR_MS:.0f} ms",
                f"{self.longest_ms:.0f} ms",
                self.longest_ms < LONGEST_BAR_MS,
            ),
        ]


HEADER = (
    "code", "deferred single sends", "requests a minute", "minute by minute", "CPU %", "loop delay p99 ms",
    "longest ms",
)  # fmt: skip


def row(code: str, found: Found) -> tuple[str, ...]:
    """Return the row."""
    return (
        code, str(found.setting.sends), f"{found.a_minute:.0f}", " ".join(map(str, found.minutes)), f"{found.cpu:.1%}",
        f"{found.p99_ms:.1f}", f"{found.longest_ms:.0f}",
    )  # fmt: skip


def measure(code: CodeUnderTest, setting: Setting) -> Found:
    """Send as the operator does, then wait with the triggers that it deferred to.

    :param code: what sends and waits
    :param setting: how many
    """
    with SandboxProcess(final_after=NEVER, sent_after=1.0) as sandbox:
        with TemporaryDirectory() as home:
            child = code.child(
                "waits_task", home, sandbox.url, kind="single send, deferring", home=home, messages=1,
                poll_interval=INTERVAL, sends=setting.sends,
            )  # fmt: skip
            ended = child.result(SENDING)["ended"]
        if any(one["as"] != "TaskDeferred" for one in ended):
            raise RuntimeError(f"a single send did not defer: {ended[0]}")
        sandbox.configure(rate_limit=LIMIT, latency=LATENCY)
        waits = [{"serialized": one["serialized"]} for one in ended]
        with TemporaryDirectory() as home:
            child = code.child(
                "waits_loop", home, sandbox.url, waits=waits, until=time.time() + setting.seconds + START / 10,
                home=home, spread=INTERVAL / setting.sends,
            )  # fmt: skip
            told = child.result(setting.seconds + START)
        records = sandbox.requests("list") + sandbox.requests("read")
    minutes = [0] * -(-int(setting.seconds) // 60)
    for record in records:
        since = record["time"] - told["began"]
        if 0 <= since < setting.seconds:
            minutes[int(since // 60)] += 1
    cpu = told["cpu"] / (told["ended"] - told["began"])
    return Found(setting, minutes, cpu, told["p99_ms"], told["longest_ms"])
