# SPDX-License-Identifier: Apache-2.0

"""The environments of `constraints/matrix.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDER = CHECKOUT / "constraints"
UV = CHECKOUT / ".make" / "tools" / "bin" / "uv"
EXTRAS = ("sandbox", "sql", "parquet")


@dataclass(frozen=True)
class MatrixEnvironment:
    """An Airflow on a Python, with the packages of its time.

    :param airflow: its version
    :param python: the version of Python, major and minor
    :param until: what was published later is not installed
    :param newer: packages that may be newer, each up to a date of its own
    :param group: the dependency group of `pyproject.toml` that is pinned and installed too
    :param lowest: take the lowest versions that `pyproject.toml` allows instead of the newest
    """

    airflow: str
    python: str
    until: date
    newer: dict[str, date] = field(default_factory=dict)
    group: str = "tests"
    lowest: bool = False

    @property
    def name(self) -> str:
        """What it is called in the table, on the command line and as a folder."""
        return "lowest" if self.lowest else f"airflow-{self.airflow}-python{self.python}"

    @property
    def constraints(self) -> Path:
        """Its constraints file."""
        return FOLDER / f"{self.name}.txt"


def matrix_environments() -> list[MatrixEnvironment]:
    """All environments, in the order of the file."""
    table = tomllib.loads((FOLDER / "matrix.toml").read_text(encoding="utf-8"))
    return [MatrixEnvironment(**row) for row in table["environment"]]
