# SPDX-License-Identifier: Apache-2.0

"""A real Airflow with several slots, each with a sandbox of its own, in which campaigns are played."""

from __future__ import annotations

import csv
import json
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from chaos.scenarios import MESSAGES, S3, TRIGGERER, Scenario
from chaos.verdicts import Verdict, compare
from support import s3
from support.instasent_connection import connection
from support.sandbox import deliverable
from support.scheduler import FINISHED, AirflowDeployment

from airflow_provider_instasent.sandbox.server import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DAGS = Path(__file__).parent / "dags"
TASK = "campaign"
RUN_TIMEOUT = 900.0
MOST_CLEARINGS = 4
TRIGGER_STARTS = 3.0
"""Seconds after a task is deferred in which its trigger is likely to run."""
IN_FLIGHT = (8, 4, 2)
TOKEN = "token-of-the-chaos"
READ_TIMEOUT = 10
"""Seconds in which the sandbox answers on the busiest machine; its timeouts are longer."""


class Arena:
    """Airflow and sandboxes, from entering to leaving.

    :param slots: campaigns at one time
    :param triggerer: start one, for campaigns that wait
    :param messages: messages a campaign
    :param on_s3: start an S3 server too, for campaigns whose journal and results are there
    """

    def __init__(self, slots: int, messages: int = MESSAGES, *, triggerer: bool = False, on_s3: bool = False) -> None:
        self._triggerer = triggerer
        self._on_s3 = on_s3
        self._restarting = threading.Lock()
        self._restarted = 0.0
        self._slots = slots
        self.numbers = [deliverable(index) for index in range(messages)]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._sandboxes = [stack.enter_context(SandboxServer(TOKEN)) for _ in range(self._slots)]
            environment = {"INSTASENT_CHAOS_SLOTS": str(self._slots)} | {
                f"AIRFLOW_CONN_INSTASENT_SLOT_{slot}": _connection(sandbox, IN_FLIGHT[slot % len(IN_FLIGHT)])
                for slot, sandbox in enumerate(self._sandboxes)
            }
            if self._on_s3:
                self._s3 = stack.enter_context(s3.s3_server())
                environment[f"AIRFLOW_CONN_{s3.CONNECTION.upper()}"] = self._s3.airflow_connection
            # A killed supervisor's task holds its place until its heartbeat is missed.
            deployment = AirflowDeployment(
                dags_folder=DAGS, env=environment, triggerer=self._triggerer, parallelism=2 * self._slots
            )
            self.airflow = stack.enter_context(deployment)
            self._recipients = self.airflow.home / "recipients.csv"
            _write_recipients(self._recipients, self.numbers)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)

    def play_all(self, scenarios: Iterable[Scenario]) -> Iterator[Verdict]:
        """Play scenarios, as many at once as there are slots; yield each verdict when it is there."""
        free: queue.SimpleQueue[int] = queue.SimpleQueue()
        for slot in range(self._slots):
            free.put(slot)

        def in_a_slot(scenario: Scenario) -> Verdict:
            slot = free.get()
            try:
                return self.play(scenario, slot)
            finally:
                free.put(slot)

        with ThreadPoolExecutor(self._slots) as pool:
            for future in as_completed([pool.submit(in_a_slot, scenario) for scenario in scenarios]):
                yield future.result()

    def play(self, scenario: Scenario, slot: int = 0) -> Verdict:
        """Play one scenario to its end and judge it.

        :param scenario: what is to happen
        :param slot: where; nothing else may run there
        """
        sandbox, run_id = self._sandboxes[slot], f"chaos-{scenario.name}"
        way, place = "wait" if scenario.waits else "send", "store" if scenario.journal == "store" else "path"
        dag_id = f"chaos_{slot}_{way}_{place}"
        sandbox.reset()
        sandbox.configure(**scenario.settings)
        for fault in scenario.faults:
            sandbox.fault(**fault)
        home = s3.URL if scenario.journal == S3 else str(self.airflow.home)
        conf = {
            "recipients": str(self._recipients),
            "policy": scenario.policy,
            "journal_path": f"{home}/journals",
            "results_path": f"{home}/results/{run_id}.jsonl",
        }
        began = time.monotonic()
        self.airflow.trigger(dag_id, conf=conf, run_id=run_id, crash_points=scenario.crash_points)
        restarts = self._restart_triggerer(dag_id, run_id) if scenario.kill == TRIGGERER else 0
        verdict = Verdict(scenario, run_id, self.airflow.wait(dag_id, run_id, RUN_TIMEOUT))
        while self._must_be_cleared(verdict, dag_id):
            # What an operator does after a refusal such as "no funds": mend it and clear the task.
            sandbox.clear_faults()
            verdict.cleared += 1
            self.airflow.clear(dag_id, run_id, [TASK])
            verdict.state = self.airflow.wait(dag_id, run_id, RUN_TIMEOUT)
        verdict.seconds = time.monotonic() - began
        self._outlive(run_id)
        (task,) = self.airflow.task_instances(dag_id, run_id)
        verdict.retries = task.try_number - 1 - verdict.cleared
        verdict.killed = len(self.airflow.crashes(dag_id, run_id)) + restarts
        ledger = [message for message in sandbox.ledger if f" {run_id} " in message.text]
        if len(ledger) != len(sandbox.ledger):
            verdict.broken.append("an earlier run of this slot was still sending")
        return compare(verdict, self.numbers, ledger, self._summary(dag_id, run_id), self._results(scenario, run_id))

    def _restart_triggerer(self, dag_id: str, run_id: str) -> int:
        """Kill the triggerer once this run waits in it; one kill serves all that wait at the time."""
        while self.airflow.metadata.run_state(dag_id, run_id) not in FINISHED:
            if [task.state for task in self.airflow.task_instances(dag_id, run_id)] != ["deferred"]:
                time.sleep(0.1)
                continue
            deferred = time.monotonic()
            time.sleep(TRIGGER_STARTS)
            with self._restarting:
                if self._restarted < deferred:
                    self.airflow.restart("triggerer")
                    self._restarted = time.monotonic()
            return 1
        return 0

    def _must_be_cleared(self, verdict: Verdict, dag_id: str) -> bool:
        if verdict.state == "success" or verdict.cleared == MOST_CLEARINGS:
            return False
        summary = self._summary(dag_id, verdict.run_id)
        return verdict.scenario.policy == "resend" or summary is None or bool(summary["planned"])

    def _summary(self, dag_id: str, run_id: str) -> dict[str, Any] | None:
        try:
            summary: dict[str, Any] = self.airflow.xcom(dag_id, run_id, TASK)
        except KeyError:
            return None
        return summary

    def _results(self, scenario: Scenario, run_id: str) -> list[dict[str, Any]]:
        """The lines of a run's results file; none where there is no file."""
        name = f"results/{run_id}.jsonl"
        if scenario.journal == S3:
            content = self._s3.read(name)
        else:
            file = self.airflow.home / name
            content = file.read_bytes() if file.exists() else b""
        return [json.loads(line) for line in content.splitlines()]

    def _outlive(self, run_id: str) -> None:
        """Wait until no process of a run is left, superseded ones included, so that none sends after the judgement."""
        deadline = time.monotonic() + RUN_TIMEOUT
        while any(process.task.run_id == run_id for process in self.airflow.task_processes()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"A process of run {run_id} does not end.")
            time.sleep(0.2)


def _connection(sandbox: SandboxServer, in_flight: int) -> str:
    extra = {"sender": "Chaos", "connect_timeout": 5, "read_timeout": READ_TIMEOUT, "max_in_flight": in_flight}
    return connection(sandbox.url, password=TOKEN, extra=extra)


def _write_recipients(path: Path, numbers: list[str]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["to", "name"])
        writer.writerows((number, f"person {index}") for index, number in enumerate(numbers))
