# SPDX-License-Identifier: Apache-2.0

"""`make matrix`: test the built wheel on each Airflow and Python of `constraints/matrix.toml`, and print a table.

Exits with 1 where a test failed, an environment could not be made, or the wheel changed a package of Airflow's.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from matrix.environments import MAKE, ChangedPackagesError, NoInterpreterError, matrix_environments
from matrix.suites import PART, SUITES, run, suites_of
from matrix.table import Row, table

from benchmarks import machine, report


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make matrix", description=__doc__)
    parser.add_argument("-k", metavar="WORDS", default="", help="environments whose names hold one of these words")
    parser.add_argument("--suites", default=",".join(SUITES), help="comma-separated (default: %(default)s)")
    parser.add_argument("--part", action="store_true", help=f"short for --suites {','.join(PART)}")
    parser.add_argument("--document", type=Path, help="write the table into this Markdown file")
    parser.add_argument("--need-all", action="store_true", help="fail where a Python is missing")
    given = parser.parse_args()
    given.suites = list(PART) if given.part else given.suites.split(",")
    if unknown := set(given.suites) - set(SUITES):
        parser.error(f"no suites {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    return given


def main() -> int:
    """Run what is asked for and print the table.

    :return: the exit code
    """
    given = arguments()
    (wheel,) = (MAKE / "wheel").glob("*.whl")
    rows = []
    for environment in matrix_environments():
        if not any(word in environment.name for word in given.k.split() or [""]):
            continue
        print(f"== {environment.name}", flush=True)
        row = Row(environment)
        rows.append(row)
        try:
            environment.install_wheel(wheel, environment.make())
            row.results = run(environment, suites_of(environment, given.suites))
        except NoInterpreterError as missing:
            row.note, row.bad = str(missing), given.need_all
        except (ChangedPackagesError, subprocess.CalledProcessError) as error:
            row.note, row.bad = str(error), True
    text = table(rows, given.suites)
    print(text)
    if given.document:
        report.update(given.document, "matrix", f"{machine.hardware()}.\n\n{text}", "make matrix")
    return int(any(row.failed for row in rows) or not rows)


if __name__ == "__main__":
    sys.exit(main())
