# SPDX-License-Identifier: Apache-2.0
"""When a send gives its slot back, and how soon a wait ends that is asked to."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from benchmarks.report import Bar
from benchmarks.sandbox import SandboxProcess
from benchmarks.waits_list import LATENCY, LIMIT, START, accept

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.code_under_test import Child, CodeUnderTest

HELD_BAR, REQUESTS_BAR, EXIT_BAR = 2.0, 3, 5.0
NEVER = 24 * 3600.0
READS = ("list", "read", "lookup_list", "lookup_read")
SLOW = 20.0
"""Latency under which a read hangs when SIGTERM comes."""
PATIENCE = 30.0
"""Seconds after SIGTERM at which a process is given up and killed."""
SETTLING = 6.0
"""Seconds after the last acceptance at which a wait is in its pause."""
GIVEN_BACK = ("TaskDeferred", "AirflowRescheduleException")
"""Exceptions with which a task leaves its slot while its wait goes on."""
MOST = {"single send": 1, "lookup": 200}
"""A lookup is ordered by a request of its own."""
AT_ONCE = 3
"""Tasks that are ended side by side."""
TRIGGER = "trigger on a loop"


@dataclass(frozen=True)
class Slot:
    """One campaign's way to its deferral.

    :param held: seconds from the last acceptance until the operator deferred
    :param requests: reads between the two
    """

    held: float
    requests: int


@dataclass(frozen=True)
class Ended:
    """One wait that was asked to end.

    :param kind: which wait
    :param moment: what it did at the time
    :param seconds: until its process was gone; None where it was not
    :param how: how it ended, in words
    """

    kind: str
    moment: str
    seconds: float | None
    how: str


SLOT_HEADER = ("code", "messages", "campaigns", "slot held s: median", "longest", "requests: most")
ENDED_HEADER = ("code", "wait", "SIGTERM while", "s until its process is gone", "how it ended")


def slot_row(code: str, messages: int, slots: Sequence[Slot]) -> tuple[str, ...]:
    """Return the row of the slots."""
    held = sorted(slot.held for slot in slots)
    return (
        code, f"{messages:,}", str(len(slots)), f"{held[len(held) // 2]:.2f}", f"{held[-1]:.2f}",
        str(max(slot.requests for slot in slots)),
    )  # fmt: skip


def ended_row(code: str, ended: Ended) -> tuple[str, ...]:
    """Return the row of one wait."""
    seconds = f"more than {PATIENCE:.0f}" if ended.seconds is None else f"{ended.seconds:.1f}"
    return code, ended.kind, ended.moment, seconds, ended.how


def slot_bars(messages: int, slots: Sequence[Slot]) -> list[Bar]:
    """What has to hold of the slots; of so few campaigns the 99th percentile is the longest."""
    held, requests = max(slot.held for slot in slots), max(slot.requests for slot in slots)
    name = f"{messages:,} messages, deferrable"
    late = Bar(
        f"{name}: slot held after the last acceptance", f"under {HELD_BAR:.0f} s", f"{held:.2f} s", held < HELD_BAR
    )
    asked = Bar(
        f"{name}: requests before deferring", f"at most {REQUESTS_BAR}", str(requests), requests <= REQUESTS_BAR
    )
    return [late, asked]


def ended_bar(all_ended: Sequence[Ended]) -> Bar:
    """What has to hold of the waits that were asked to end."""
    late = [one for one in all_ended if one.seconds is None or one.seconds > EXIT_BAR]
    told = f"{len(all_ended) - len(late)} of {len(all_ended)}"
    return Bar("SIGTERM during a wait: exit", f"within {EXIT_BAR:.0f} s in each mode", told, not late)


def measure_slots(code: CodeUnderTest, messages: int, campaigns: int, longest: float) -> list[Slot]:
    """Send campaigns one after the other, each in a process of its own.

    :param code: what sends
    :param messages: of each campaign
    :param campaigns: how many
    :param longest: seconds after which no other one is begun
    """
    slots: list[Slot] = []
    until = time.monotonic() + longest
    with SandboxProcess(final_after=NEVER, sent_after=1.0) as sandbox:
        while len(slots) < campaigns and time.monotonic() < until:
            sandbox.fresh(rate_limit=LIMIT, latency=LATENCY)
            with TemporaryDirectory() as home:
                child = code.child(
                    "waits_task", home, sandbox.url, kind="bulk send, deferring", home=home, messages=messages,
                    poll_interval=30.0,
                )  # fmt: skip
                (ended,) = child.result(longest + START)["ended"]
            accepted = sandbox.messages()
            if ended["as"] != "TaskDeferred" or len(accepted) != messages:
                raise RuntimeError(f"the campaign did not defer: {ended}")
            last = accepted[-1]["acceptedAtUnix"]
            reads = sum(last <= one["time"] <= ended["at"] for kind in READS for one in sandbox.requests(kind))
            slots.append(Slot(ended["at"] - last, reads))
    return slots


def measure_ends(code: CodeUnderTest, messages: int) -> list[Ended]:
    """End a wait of each kind with SIGTERM, once while it reads and once in its pause.

    :param code: what waits
    :param messages: of each wait
    """
    waits: list[Callable[[], Ended]] = [
        partial(_end, code, kind, min(messages, MOST.get(kind, messages)), reading=reading)
        for kind in ("sensor, poke", "bulk send", "single send", "lookup", TRIGGER)
        for reading in (True, False)
    ]
    # These two read or are over: they have no pause.
    waits += [
        partial(_end, code, kind, messages, reading=True) for kind in ("sensor, reschedule", "bulk send, deferring")
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [future.result() for future in [pool.submit(wait) for wait in waits]]


def _end(code: CodeUnderTest, kind: str, messages: int, *, reading: bool) -> Ended:
    with (
        SandboxProcess(final_after=NEVER, lookup_after=NEVER, sent_after=1.0) as sandbox,
        TemporaryDirectory() as home,
    ):
        given: Any = messages
        if kind.startswith("sensor") or kind == TRIGGER:
            accept(sandbox.url, messages)
            given = [(one["id"], one["acceptedAtUnix"]) for one in sandbox.messages()]
        sandbox.configure(rate_limit=LIMIT, latency=SLOW if reading and given is not messages else LATENCY)
        child = _start(code, kind, home, sandbox.url, given, poll_interval=2.0 if reading else 60.0)
        moment = f"a read takes {SLOW:.0f} s" if reading else "it pauses"
        try:
            _await(partial(_accepted, sandbox, kind, messages), child)
            if reading:
                sandbox.configure(latency=SLOW)
                _await(lambda: any(not one["finished"] for name in READS for one in sandbox.requests(name)), child)
                time.sleep(1)
            else:
                # A sensor's pause follows its first reads, which come when it is up.
                if given is not messages:
                    _await(lambda: any(sandbox.request_count(name) for name in READS), child)
                time.sleep(SETTLING)
            if child.process.poll() is not None:
                if (how := _how(child)) not in GIVEN_BACK:
                    raise RuntimeError(f"the wait ended before it was asked to:\n{child.output()[-2000:]}")
                return Ended(kind, moment, 0.0, f"had given its slot back: {how}")
            began = time.monotonic()
            child.process.send_signal(signal.SIGTERM)
            if not child.ended_within(PATIENCE):
                return Ended(kind, moment, None, "killed")
            return Ended(kind, moment, time.monotonic() - began, _how(child))
        finally:
            child.kill()


def _start(code: CodeUnderTest, kind: str, home: str, url: str, given: Any, *, poll_interval: float) -> Child:
    if kind != TRIGGER:
        return code.child("waits_task", home, url, kind=kind, home=home, messages=given, poll_interval=poll_interval)
    wait = {"messages": given, "parameters": {"poll_interval": poll_interval}}
    return code.child(
        "waits_loop", home, url, waits=[wait], until=time.time() + NEVER, home=home, cancelled_by_term=True
    )


def _accepted(sandbox: SandboxProcess, kind: str, messages: int) -> bool:
    if kind == "lookup":
        return bool(sum(one["accepted"] for one in sandbox.requests("lookup")) >= messages)
    return bool(sandbox.accepted()["accepted"] >= messages)


def _await(what: Callable[[], bool], child: Child) -> None:
    deadline = time.monotonic() + START
    while not what() and child.process.poll() is None:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the wait did not begin:\n{child.output()[-2000:]}")
        time.sleep(0.1)


def _how(child: Child) -> str:
    if child.process.returncode < 0:
        return signal.Signals(-child.process.returncode).name
    told = child.result(0)
    return ", ".join(one["as"] for one in told["ended"]) if isinstance(told["ended"], list) else "cancelled"
