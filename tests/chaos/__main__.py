# SPDX-License-Identifier: Apache-2.0

"""`make chaos`: kill, break and restart campaigns in a real Airflow, then compare the ledger with the plan.

Exits with 1 where the sending promise was broken: accepted twice, or missing without being reported unconfirmed.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chaos import tables
from chaos.arena import Arena
from chaos.scenarios import PLACES, POINTS, S3, Scenario, at_points, at_random, dice_of, superseded, waiting

from benchmarks import machine, report

if TYPE_CHECKING:
    from chaos.verdicts import Verdict


HEADINGS = {
    None: "## Chaos",
    "store": "## Chaos, every journal in the task state store",
    "path": "## Chaos, every journal in a local folder",
    S3: "## Chaos, journals and results on S3 (moto on loopback, through the Amazon provider)",
}
TITLE = """\
Campaigns through the retries of a real scheduler, each against a sandbox of its own. Processes are killed with SIGKILL
at named points of the code and at random; random runs also meet a fault of the sandbox with a seeded probability. The
sandbox's ledger is then compared with the plan and with the results file. `killed` counts kills that took place,
`cleared` how often the task was cleared after a refusal that ends a campaign without retry (402, 401 …) or when its
retries were used up. With `fail`, messages reported as unconfirmed may or may not have been accepted."""
TOLD = ("accepted", "twice", "missing", "unconfirmed", "retries", "cleared", "killed")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="random runs (default: %(default)s)")
    parser.add_argument("--points", type=int, default=20, help="runs a named point and kill (default: %(default)s)")
    parser.add_argument("--superseded", type=int, default=8, help="runs with two living tries (default: %(default)s)")
    parser.add_argument("--waits", type=int, default=12, help="runs whose wait is restarted (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=20261123, help="makes a run repeatable (default: %(default)s)")
    parser.add_argument("--slots", type=int, default=6, help="campaigns at one time (default: %(default)s)")
    parser.add_argument("--journal", choices=PLACES, help="where all journals are (default: by seed, store or path)")
    parser.add_argument("--document", type=Path, help="write the tables into this Markdown file")
    parser.add_argument("--only", help="play only scenarios whose name contains this")
    return parser.parse_args()


def scenarios(given: argparse.Namespace) -> list[Scenario]:
    """What is played, shuffled so that the slow ones do not come together."""
    made = [
        *superseded(given.superseded, given.seed),
        *at_points(list(POINTS), given.points, given.seed),
        *at_random(given.runs, given.seed),
    ]
    dice_of(str(given.seed)).shuffle(made)
    # Those that wait come together, because each restart of the triggerer concerns all of them.
    made = [*waiting(given.waits, given.seed), *made]
    if given.journal is not None:
        made = [replace(scenario, journal=given.journal) for scenario in made]
    return [scenario for scenario in made if given.only is None or given.only in scenario.name]


def main() -> int:
    """Play all and print the tables."""
    given = arguments()
    played = scenarios(given)
    verdicts: list[Verdict] = []
    began, place = time.monotonic(), machine.describe()
    needs = {"triggerer": any(one.waits for one in played), "on_s3": any(one.journal == S3 for one in played)}
    with Arena(given.slots, **needs) as arena:
        for verdict in arena.play_all(played):
            verdicts.append(verdict)
            _tell(verdict, len(verdicts), len(played))
    minutes = (time.monotonic() - began) / 60
    told = f"Seed {given.seed}: {len(verdicts)} campaigns of {verdicts[0].planned:,} messages in {minutes:.0f} minutes."
    parts = [HEADINGS[given.journal], TITLE, told, tables.by_point(verdicts), tables.by_fault(verdicts), place]
    markdown = "\n\n".join(parts)
    print(markdown, flush=True)
    if given.document is not None:
        section = "chaos" if given.journal is None else f"chaos-{given.journal}"
        report.update(given.document, section, markdown)
    broken = [verdict for verdict in verdicts if verdict.broken]
    for verdict in broken:
        print(f"BROKEN {verdict.run_id}: {'; '.join(verdict.broken)} in {verdict.scenario}", file=sys.stderr)
    return 1 if broken else 0


def _tell(verdict: Verdict, done: int, total: int) -> None:
    scenario = verdict.scenario
    counts = {name: getattr(verdict, name) for name in TOLD}
    broken = f" BROKEN: {'; '.join(verdict.broken)}" if verdict.broken else ""
    told = f"{scenario.policy}/{scenario.journal} fault={scenario.fault} {verdict.state} {counts}"
    print(f"[{done}/{total}] {scenario.name} {told} {verdict.seconds:.0f} s{broken}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
