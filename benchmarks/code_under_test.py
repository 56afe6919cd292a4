# SPDX-License-Identifier: Apache-2.0
"""Children that import this package from another checkout, so that one run measures before and after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

from benchmarks.children import MARK
from benchmarks.sandbox import TOKEN

if TYPE_CHECKING:
    from types import TracebackType

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGE = "airflow_provider_instasent"


class CodeUnderTest:
    """A checkout whose package the children import, beside the benchmarks of this one.

    :param checkout: default: this one
    """

    def __init__(self, checkout: Path | None = None) -> None:
        self.package = (checkout or CHECKOUT).resolve() / PACKAGE

    def __enter__(self) -> Self:
        self._folder = TemporaryDirectory()
        # The whole checkout on the path would bring its benchmarks, too.
        (Path(self._folder.name) / PACKAGE).symlink_to(self.package, target_is_directory=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def environment(self) -> dict[str, str]:
        """Return the variables that make a Python import this package, and nothing from its working directory."""
        paths = [self._folder.name, str(CHECKOUT), str(CHECKOUT / "tests")]
        return {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"}

    def child(
        self, module: str, home: str, url: str, /, extra: dict[str, Any] | None = None, **arguments: Any
    ) -> Child:
        """Start `main(**arguments)` of a module of the benchmarks in a fresh process.

        :param module: its name below `benchmarks`
        :param home: a folder for AIRFLOW_HOME and what the child writes
        :param url: of the sandbox, for the default connection
        :param extra: of that connection
        :param arguments: JSON values
        """
        connection = {
            "conn_type": "instasent",
            "host": url,
            "password": TOKEN,
            "extra": {"sender": "Bench", **(extra or {})},
        }
        environment = {
            **os.environ,
            **self.environment(),
            "AIRFLOW_HOME": home,
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
            "AIRFLOW_CONN_INSTASENT_DEFAULT": json.dumps(connection),
            "INSTASENT_CODE_UNDER_TEST": str(self.package),
        }
        return Child(module, Path(home), environment, arguments)


class Child:
    """A process that measures; its output is in files, so that it never waits for a reader."""

    def __init__(self, module: str, home: Path, environment: dict[str, str], arguments: dict[str, Any]) -> None:
        given, self._output = home / "arguments.json", home / "output.txt"
        given.write_text(json.dumps(arguments))
        command = [sys.executable, "-m", "benchmarks.children", module]
        with given.open("rb") as stdin, self._output.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=environment, stdin=stdin, stdout=output, stderr=subprocess.STDOUT
            )

    def result(self, timeout: float) -> dict[str, Any]:
        """Wait for its end and return what its `main` returned.

        :param timeout: seconds, after which it is killed
        :raises RuntimeError: where it failed, with the end of its output
        """
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"not over after {timeout:.0f} s:\n{self.output()[-4000:]}") from None
        lines = [line for line in self.output().splitlines() if line.startswith(MARK)]
        if self.process.returncode or not lines:
            raise RuntimeError(f"it ended with {self.process.returncode}:\n{self.output()[-4000:]}")
        result: dict[str, Any] = json.loads(lines[-1].removeprefix(MARK))
        return result

    def ended_within(self, seconds: float) -> bool:
        """Wait for its end; tell whether it came."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()

    def output(self) -> str:
        """What it has written so far."""
        return self._output.read_text(errors="replace")


def check_code() -> None:
    """Check in a child that it measures the code it was started for.

    :raises RuntimeError: where it imported another
    """
    import airflow_provider_instasent

    found, wanted = Path(airflow_provider_instasent.__file__).resolve().parent, os.environ["INSTASENT_CODE_UNDER_TEST"]
    if str(found) != wanted:
        raise RuntimeError(f"this child was to measure {wanted} and imported {found}")
