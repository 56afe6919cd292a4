# SPDX-License-Identifier: Apache-2.0

"""What came of each environment, as a table: version by suite."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matrix.suites import Results, suites_of

from benchmarks import report

if TYPE_CHECKING:
    from collections import Counter

    from matrix.environments import MatrixEnvironment

NOT_RUN = "-"


@dataclass
class Row:
    """An environment and what came of it.

    :param environment: which
    :param results: of its tests
    :param note: why there are none
    :param bad: whether that is a failure
    """

    environment: MatrixEnvironment
    results: Results = field(default_factory=Results)
    note: str = ""
    bad: bool = False

    @property
    def failed(self) -> bool:
        """Whether this row is one to look at."""
        return self.bad or self.results.exit_code != 0

    @property
    def verdict(self) -> str:
        """The row in a word, or why there is none."""
        if self.note:
            return self.note
        return f"**pytest ended with {self.results.exit_code}**" if self.failed else "passed"


def table(rows: list[Row], suites: list[str]) -> str:
    """The table as Markdown: how many tests of each suite passed.

    :param rows: in the order to show
    :param suites: columns that were asked for
    """
    shown = [name for name in suites if any(name in suites_of(row.environment, suites) for row in rows)]
    header = ["Airflow", "Python", *shown, "seconds", "came of it"]
    return report.table(header, [_line(row, shown) for row in rows])


def cell(counts: Counter[str] | None) -> str:
    """How a suite's outcome is told.

    :param counts: of `passed`, `skipped` and `failed`; None where the suite was not run
    """
    if not counts:
        return NOT_RUN
    told = f"{counts['passed']:,}"
    if counts["failed"]:
        told = f"**{counts['failed']:,} failed**, {told} passed"
    return f"{told}, {counts['skipped']:,} skipped" if counts["skipped"] else told


def _line(row: Row, suites: list[str]) -> list[str]:
    environment = row.environment
    name = f"{environment.airflow}, lowest versions" if environment.lowest else environment.airflow
    cells = [cell(row.results.counts.get(suite)) for suite in suites]
    return [name, environment.python, *cells, f"{row.results.seconds:.0f}", row.verdict]
