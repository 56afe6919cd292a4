# SPDX-License-Identifier: Apache-2.0
"""`make bench`: measure, print the tables and write them into docs/benchmarks.md."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import (
    footprint,
    machine,
    parsing,
    report,
    sharing,
    sql,
    throughput,
    waiting,
    waits_at_scale,
    waits_deployed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.report import Section

DOCUMENT = Path("docs/benchmarks.md")
BENCHMARKS: dict[str, Callable[..., Section]] = {
    "throughput": throughput.at_latencies,
    "limit": throughput.under_the_limit,
    "sharing": sharing.section,
    "footprint": footprint.section,
    "sql": sql.section,
    "waiting": waiting.section,
    "waits": waits_at_scale.section,
    "deployed": waits_deployed.section,
    "parsing": parsing.section,
}
BEFORE_TOO = ("waits", "deployed")


def main() -> int:
    """Measure what was asked for; return 1 where a bar was not held."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", choices=list(BENCHMARKS), action="append", help="one benchmark; may be repeated")
    parser.add_argument(
        "--quick", action="store_true", help="small sizes, about 20 minutes; the document stays as it is"
    )
    parser.add_argument(
        "--before", type=Path, help="another checkout, which `waits` and `deployed` measure beside this one"
    )
    given = parser.parse_args()
    held = True
    for name in given.only or BENCHMARKS:
        began, place = time.monotonic(), machine.describe()
        more = {"before": given.before} if name in BEFORE_TOO else {}
        found = BENCHMARKS[name](quick=given.quick, **more)
        markdown = f"{found.markdown()}\n\n{place}"
        print(f"{markdown}\n\n({name}: {time.monotonic() - began:.0f} s)\n", flush=True)
        held = held and all(bar.held for bar in found.bars)
        if not given.quick:
            report.update(DOCUMENT, name, markdown)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
