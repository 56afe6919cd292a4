# SPDX-License-Identifier: Apache-2.0

"""Airflow's long-running programs as subprocesses that never outlive the test."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from support import run_control
from support.session_guard import SessionGuard, kill_sessions, session_members

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LOG_TAIL_LINES = 40
RUN_CONTROL = "run-control"


class ComponentDiedError(RuntimeError):
    """A program of the deployment ended by itself; the message carries the end of its log."""


class Components:
    """Start, watch, restart and end the programs of one deployment.

    :param environment: the complete environment of every program.
    :param log_folder: where each program's output goes, one file a program.
    :param folders_to_remove: folders that go with the deployment.
    """

    def __init__(self, environment: Mapping[str, str], log_folder: Path, folders_to_remove: list[Path]) -> None:
        self._environment = dict(environment)
        self._log_folder = log_folder
        self._started: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {}
        self._talking = threading.Lock()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._guard = SessionGuard(*folders_to_remove)

    def start(self, name: str, *arguments: str) -> None:
        """Start one program.

        :param name: the Airflow command: `api-server`, `scheduler`, `dag-processor`, `triggerer`.
        :param arguments: what follows it on the command line.
        """
        self.start_as(name, (name, *arguments))

    def start_as(self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start one of several programs with the same Airflow command.

        :param name: what it is called here.
        :param command: the Airflow command and its arguments.
        :param environment: what is different in its environment.
        """
        self._started[name] = (tuple(command), environment or {})
        with self.log_file(name).open("ab") as output:
            whole = [sys.executable, "-m", "airflow", *command]
            streams = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": subprocess.STDOUT}
            self._open(name, whole, environment, **streams)

    def start_run_control(self) -> None:
        """Start the process that `command` talks to."""
        with self.log_file(RUN_CONTROL).open("ab") as log:
            command = [sys.executable, run_control.__file__]
            self._open(RUN_CONTROL, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)

    def command(self, do: str, **arguments: Any) -> None:
        """Have a run triggered or cleared.

        :param do: a function of `run_control`.
        :param arguments: of that function.
        :raises RuntimeError: with Airflow's traceback, when it failed.
        """
        process = self._running[RUN_CONTROL]
        assert process.stdin is not None
        assert process.stdout is not None
        with self._talking:
            process.stdin.write(json.dumps({"do": do, **arguments}).encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if not line:
            raise ComponentDiedError(f"{RUN_CONTROL} ended:\n{self.log_tail(RUN_CONTROL)}")
        if error := json.loads(line).get("error"):
            raise RuntimeError(f"Airflow could not {do} {arguments}:\n{error}")

    def kill(self, name: str) -> None:
        """SIGKILL one program with everything it started, tasks included.

        :param name: the Airflow command it was started as.
        """
        process = self._running.pop(name)
        kill_sessions({process.pid})
        process.wait()
        self._guard.forget(process.pid)

    def restart(self, name: str) -> None:
        """SIGKILL one program and start it again.

        :param name: the Airflow command it was started as.
        """
        self.kill(name)
        self.start_again(name)

    def start_again(self, name: str) -> None:
        """Start a killed program as it was started before.

        :param name: what it was started as.
        """
        self.start_as(name, *self._started[name])

    def is_running(self, name: str) -> bool:
        """Whether a program was started and not killed since."""
        return name in self._running

    def check(self) -> None:
        """Look whether all programs still run.

        :raises ComponentDiedError: when one ended.
        """
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ComponentDiedError(f"{name} ended with code {process.returncode}:\n{self.log_tail(name)}")

    def pids(self, name: str) -> list[int]:
        """All living processes of one program and of what it started.

        :param name: the Airflow command it was started as.
        """
        return session_members({self._running[name].pid})

    def log_file(self, name: str) -> Path:
        """Where a program's output goes."""
        return self._log_folder / f"{name}.log"

    def log_tail(self, name: str) -> str:
        """The last lines of a program's output."""
        text = self.log_file(name).read_text(errors="replace")
        return "\n".join(text.splitlines()[-LOG_TAIL_LINES:])

    def end(self) -> None:
        """End everything and wait until it is gone. The guard does it, so that this path is the tested one."""
        self._guard.end()
        for process in self._running.values():
            process.communicate()
        self._running.clear()

    def _open(
        self, name: str, command: list[str], environment: Mapping[str, str] | None = None, **streams: Any
    ) -> None:
        complete = {**self._environment, **(environment or {})}
        process = subprocess.Popen(command, env=complete, start_new_session=True, **streams)
        self._running[name] = process
        self._guard.watch(process.pid)
