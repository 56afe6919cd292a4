# SPDX-License-Identifier: Apache-2.0
"""`make model`: random sequences of what may happen to a campaign, against the promise.

Each search is made with powers of its own. Exits with 1 where a promise was broken, and prints the shortest sequence
found that breaks it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time

from model.drawing import CHOICES, FOCI, Drawing
from model.search import search
from model.subject import in_the_models_world
from model.world import World


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make model", description=__doc__)
    parser.add_argument("--examples", type=int, default=2_000, help="sequences a search (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=6, help="most steps a sequence (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=20261123, help="makes a run repeatable (default: %(default)s)")
    parser.add_argument("--only", choices=[*FOCI], help="make only this search")
    parser.add_argument("--powers", help="make one search with these powers, separated by commas")
    parser.add_argument("--ignore", action="append", default=[], help="a promise not to judge by")
    parser.add_argument(
        "--spare", action="append", default=[], metavar="CHOICE=VALUE/VALUE…", help="values that are not drawn"
    )
    parser.add_argument("--each", action="store_true", help="look for several ways to break a promise, not for one")
    return parser.parse_args()


def choices(spared: list[str]) -> dict[str, tuple[object, ...]]:
    """What is drawn from, less what is spared."""
    left: dict[str, tuple[object, ...]] = dict(CHOICES)
    for name, _, values in (one.partition("=") for one in spared):
        left[name] = tuple(value for value in left[name] if str(value) not in values.split("/"))
    return left


def main() -> int:
    """Make all searches and print a line each."""
    given = arguments()
    logging.disable(logging.CRITICAL)
    foci = {given.powers: frozenset(given.powers.split(","))} if given.powers else FOCI
    drawn = choices(given.spare)
    world, failed = World(), 0
    print("search           sequences   steps  seconds  a second  promise", flush=True)
    with in_the_models_world(world.clock):
        for name, powers in foci.items():
            if given.only not in {None, name}:
                continue
            began = time.monotonic()
            drawing = Drawing(powers, drawn)
            error = search(
                world,
                drawing,
                examples=given.examples,
                steps=given.steps,
                seed=given.seed,
                ignored=given.ignore,
                each=given.each,
            )
            took = time.monotonic() - began
            held = "held" if world.found is None else "{} broken, seen in sequence {}, step {}".format(*world.found)
            print(
                f"{name:16} {world.sequences:9,} {world.steps:7,} {took:8.1f} {world.sequences / took:9.1f}  {held}",
                flush=True,
            )
            failed += error is not None
            if error is not None:
                print(f"\n{error}\n", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
