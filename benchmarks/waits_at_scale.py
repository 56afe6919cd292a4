# SPDX-License-Identifier: Apache-2.0
"""Many waits at once, before and after: campaigns side by side, slots given back, single sends.

`python -m benchmarks.waits_at_scale --code DIR --only campaigns` measures one scenario with the code of a checkout and
writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import waits_list, waits_singles, waits_slots
from benchmarks.code_under_test import CodeUnderTest
from benchmarks.report import Bar, Section

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from benchmarks.waits_slots import Slot

LISTS = tuple(waits_list.SETTINGS)
SCENARIOS = (*LISTS, "slots", "ends", "singles")
AFTER, BEFORE = "this", "before"
SLOTS_LONGEST = 240.0
TEXT = f"""\
The waits run on an event loop of a process of their own, as in a triggerer, against a sandbox with {waits_list.LIMIT:,}
requests a minute and {waits_list.LATENCY} s a request (the fourth: 480 a minute, given to the connection and each
trigger as `max_polls_per_minute`); `poll_interval` {waits_list.INTERVAL:.0f} s. The messages of several waits alternate
in the list, a chunk of a hundred each; of the two campaigns, one begins 4,000 messages earlier. Rounds are intervals in
which something was asked; a round needs the pages on which something lies that no answer has shown as final. These four
run side by side. Slots: the bulk operator's, from the last acceptance to its deferral, one process a campaign. Single
sends are deferred by the operator; their triggers start within {waits_singles.INTERVAL:.0f} s, their `poll_interval`,
and their messages stay on the way. At SIGTERM the operator's `on_kill` is called, nothing else, as in Airflow 3.3."""


class Tables:
    """What was measured so far."""

    def __init__(self) -> None:
        self.lists: list[Sequence[str]] = []
        self.slots: list[Sequence[str]] = []
        self.ends: list[Sequence[str]] = []
        self.singles: list[Sequence[str]] = []
        self.bars: list[Bar] = []

    def section(self) -> Section:
        """Return all of it."""
        more = [
            (waits_slots.SLOT_HEADER, self.slots),
            (waits_slots.ENDED_HEADER, self.ends),
            (waits_singles.HEADER, self.singles),
        ]
        more = [(header, rows) for header, rows in more if rows]
        return Section("Waits at scale", TEXT, waits_list.HEADER, self.lists, self.bars, more)


def section(
    *, quick: bool, before: Path | None = None, code: Path | None = None, only: Collection[str] = SCENARIOS
) -> Section:
    """Measure a checkout, and another one before it where that is given; the bars are those of the first.

    :param quick: small sizes
    :param before: the other checkout
    :param code: the checkout; default: this one
    :param only: which scenarios
    """
    codes = {BEFORE: before, AFTER: code} if before else {AFTER: code}
    tables = Tables()
    with ExitStack() as stack:
        for name, checkout in codes.items():
            measure(stack.enter_context(CodeUnderTest(checkout)), name, tables, only=only, quick=quick)
    return tables.section()


def measure(code: CodeUnderTest, name: str, tables: Tables, *, only: Collection[str], quick: bool) -> None:
    """Measure one checkout.

    :param code: the checkout
    :param name: what the tables call it
    :param tables: take in what is found; bars are those of the code that is called `this`
    :param only: which scenarios
    :param quick: small sizes
    """
    bars: list[Bar] = []
    settings = waits_list.QUICK if quick else waits_list.SETTINGS
    with ThreadPoolExecutor(len(settings)) as pool:
        running = [pool.submit(waits_list.measure, code, settings[one]) for one in LISTS if one in only]
        for future in running:
            found = future.result()
            tables.lists.append(waits_list.row(name, found))
            bars += found.bars()
    if "slots" in only:
        messages = 2_000 if quick else 20_000
        slots: Sequence[Slot] = waits_slots.measure_slots(code, messages, 2 if quick else 10, SLOTS_LONGEST)
        tables.slots.append(waits_slots.slot_row(name, messages, slots))
        bars += waits_slots.slot_bars(messages, slots)
    if "ends" in only:
        ended = waits_slots.measure_ends(code, 200 if quick else 2_000)
        tables.ends += [waits_slots.ended_row(name, one) for one in ended]
        bars.append(waits_slots.ended_bar(ended))
    if "singles" in only:
        singles = waits_singles.measure(code, waits_singles.Setting(30, 60.0) if quick else waits_singles.Setting())
        tables.singles.append(waits_singles.row(name, singles))
        bars += singles.bars()
    if name == AFTER:
        tables.bars += bars


def main() -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waits_at_scale", description=__doc__)
    parser.add_argument("--code", type=Path, help="the checkout that is measured (default: this one)")
    parser.add_argument("--before", type=Path, help="another checkout, measured first, whose bars do not count")
    parser.add_argument("--only", choices=SCENARIOS, action="append", help="one scenario; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes")
    given = parser.parse_args()
    only = given.only or SCENARIOS
    found = section(quick=given.quick, before=given.before, code=given.code, only=only)
    print(found.markdown())
    return 0 if all(bar.held for bar in found.bars) else 1


if __name__ == "__main__":
    sys.exit(main())
