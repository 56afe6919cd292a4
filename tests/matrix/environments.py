# SPDX-License-Identifier: Apache-2.0

"""The environments of `constraints/matrix.toml`: found, made, and the built wheel installed into each."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / "constraints"
MAKE = CHECKOUT / ".make"
UV = MAKE / "tools" / "bin" / "uv"
EXTRAS = ("sandbox", "sql", "parquet")
PACKAGE = "airflow-provider-instasent"


class NoInterpreterError(LookupError):
    """This machine has no such Python."""


class ChangedPackagesError(RuntimeError):
    """Installing the wheel changed what was installed before."""


@dataclass(frozen=True)
class MatrixEnvironment:
    """An Airflow on a Python, with the packages of its time.

    :param airflow: its version
    :param python: the version of Python, major and minor
    :param until: what was published later is not installed
    :param newer: packages that may be newer, each up to a date of its own
    :param group: the dependency group of `pyproject.toml` that is pinned
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

    @property
    def folder(self) -> Path:
        """Where it is made."""
        return CHECKOUT / f".venv-{self.name}"

    @property
    def tests(self) -> str:
        """The dependency group that is installed."""
        return "unit-tests" if self.lowest else "tests"

    def make(self) -> set[str]:
        """Make it where it is not there yet, or not any more as its constraints want it.

        :return: the packages that Airflow and the tests brought, as `name==version`
        :raises NoInterpreterError: this machine lacks its Python
        """
        packages = MAKE / f"{self.name}.freeze"
        mark = MAKE / f"{self.name}.made"
        wanted = hashlib.sha256(self.constraints.read_bytes() + (CHECKOUT / "pyproject.toml").read_bytes()).hexdigest()
        if not mark.exists() or mark.read_text() != wanted or not self.folder.exists():
            mark.unlink(missing_ok=True)
            uv("venv", "--quiet", "--clear", "--python", interpreter(self.python), self.folder)
            self._install("apache-airflow", "--group", self.tests)
            packages.write_text("\n".join(sorted(self._installed())))
            mark.write_text(wanted)
        return set(packages.read_text().split("\n"))

    def install_wheel(self, wheel: Path, before: set[str]) -> None:
        """Install the wheel as a user does: by this Airflow's constraints.

        :param wheel: the file
        :param before: what `make` returned
        :raises ChangedPackagesError: something that was there before is not there as it was
        """
        self._install(f"{wheel}[{','.join(EXTRAS)}]", "--reinstall-package", PACKAGE)
        if changed := before - self._installed():
            raise ChangedPackagesError(f"{self.name}: the wheel changed {', '.join(sorted(changed))}")

    def _install(self, *what: str | Path) -> None:
        uv("pip", "install", "--quiet", "--python", self.folder, "--constraints", self.constraints, *what)

    def _installed(self) -> set[str]:
        return set(uv("pip", "freeze", "--quiet", "--python", self.folder).splitlines())


def matrix_environments() -> list[MatrixEnvironment]:
    """All environments, in the order of the file."""
    table = tomllib.loads((FOLDER / "matrix.toml").read_text(encoding="utf-8"))
    return [MatrixEnvironment(**row) for row in table["environment"]]


def interpreter(python: str) -> Path:
    """A Python of this version: this one, one on the path, or one of pyenv's, whose shims there may not work.

    :param python: major and minor version
    :raises NoInterpreterError: there is none
    """
    if python == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    name = f"python{python}"
    on_path = shutil.which(name)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for found in [*([Path(on_path)] if on_path else []), *sorted(pyenv.glob(f"{python}.*/bin/{name}"), reverse=True)]:
        if subprocess.run([found, "-c", "import sqlite3, ssl"], capture_output=True, check=False).returncode == 0:
            return found
    raise NoInterpreterError(f"no Python {python} here")


def uv(*arguments: str | Path) -> str:
    """Run uv; its errors are printed as it words them.

    :return: what it printed
    :raises subprocess.CalledProcessError: it failed
    """
    return subprocess.run([UV, *arguments], stdout=subprocess.PIPE, text=True, check=True, cwd=CHECKOUT).stdout
