# SPDX-License-Identifier: Apache-2.0
"""What the tasks of a deployment did and when, and what its triggerer took, seen while they run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]
from support.scheduler import FINISHED

if TYPE_CHECKING:
    from support.scheduler import AirflowDeployment

TRIGGERER = "triggerer"


@dataclass
class Task:
    """One task that sends and waits.

    :param deferred: when its trigger was made, in unix seconds
    :param ended: when it succeeded
    :param state: the last one seen
    """

    deferred: float | None = None
    ended: float | None = None
    state: str | None = None


@dataclass
class Watched:
    """What was seen of a run.

    :param tasks: by task id and map index
    :param cpu: seconds of the triggerer's processes
    :param seconds: for which they were counted
    :param exit_seconds: from SIGTERM until no process of the triggerer was left
    """

    tasks: dict[tuple[str, int], Task] = field(default_factory=dict)
    cpu: float = 0.0
    seconds: float = 0.0
    exit_seconds: float | None = None
    _seen: dict[int, float] = field(default_factory=dict)

    def look(self, airflow: AirflowDeployment, run_id: str) -> None:
        """Take in what the metadata database shows now."""
        for task_id, index, state, ended, deferred in airflow.metadata.deferrals("waits", run_id):
            task = self.tasks.setdefault((task_id, index), Task())
            task.state = state
            if deferred is not None and task.deferred is None:
                task.deferred = _unix(deferred)
            if state in FINISHED and ended is not None:
                task.ended = _unix(ended)

    def count_cpu(self, airflow: AirflowDeployment, seconds: float) -> None:
        """Add what the triggerer's processes took since the last time."""
        self.seconds += seconds
        for pid in airflow.components.pids(TRIGGERER):
            try:
                times = psutil.Process(pid).cpu_times()
            except psutil.Error:
                continue
            spent = times.user + times.system
            # What it took to start is no part of waiting.
            self.cpu += spent - self._seen.get(pid, spent)
            self._seen[pid] = spent

    def all_deferred(self, task_id: str, count: int) -> bool:
        """Whether so many instances of a task have been deferred."""
        found = [task for (name, _), task in self.tasks.items() if name == task_id]
        return len(found) == count and all(task.deferred or task.state in FINISHED for task in found)

    def all_over(self, count: int) -> bool:
        """Whether so many tasks are over."""
        return len(self.tasks) >= count and all(task.state in FINISHED for task in self.tasks.values())


def _unix(told: str) -> float:
    return datetime.fromisoformat(told).replace(tzinfo=UTC).timestamp()
