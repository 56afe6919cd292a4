# SPDX-License-Identifier: Apache-2.0

"""DAGs that show what the harness and Airflow do when processes die."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.providers.standard.triggers.file import FileTrigger
from airflow.sdk import DAG, BaseOperator, get_current_context, task
from checkpoints import Checkpoint

RETRIES = {"retries": 2, "retry_delay": timedelta(seconds=1)}


with DAG("harness_value", schedule=None):

    @task
    def give_value() -> dict[str, Any]:
        """Say where and as what it ran."""
        import airflow_provider_instasent

        return {"answer": 42, "package": airflow_provider_instasent.__name__, "pid": os.getpid()}

    give_value()


with DAG("harness_retry", schedule=None):

    @task(**RETRIES)
    def remember() -> dict[str, Any]:
        """Store what each try saw, then pass the checkpoints."""
        context = get_current_context()
        store, try_number = context["task_state_store"], context["ti"].try_number
        seen = store.get("tries", [])
        store.set("tries", [*seen, try_number])
        checkpoint = Checkpoint()
        for number in range(3):
            checkpoint.cross(number)
            store.set("passed", [*store.get("passed", []), f"{try_number}.{number}"])
        return {"seen": seen, "try_number": try_number}

    remember()


def tick_until_refused(store: Any, notes: Path) -> None:
    """Write to the store until it refuses, and note how it did. Meant for an orphan."""
    for number in range(10_000):
        try:
            store.set("tick", number)
        except BaseException as error:  # noqa: BLE001
            error_type = type(error)
            line = f"{error_type.__module__}.{error_type.__qualname__}: {error} at {time.time()} tick {number}\n"
            with notes.open("a") as file:
                file.write(line)
            if notes.read_text().count("\n") == 3:
                return
        time.sleep(0.1)


with DAG("harness_orphan", schedule=None):

    @task(**RETRIES)
    def outlive() -> dict[str, Any]:
        """First try: go on after the supervisor is gone. Next try: look at what the first one left."""
        context = get_current_context()
        store = context["task_state_store"]
        notes = Path(os.environ["AIRFLOW_HOME"], f"orphan-{context['run_id']}")
        if context["ti"].try_number > 1:
            return {"tick": store.get("tick"), "started": time.time(), "first_pid": store.get("pid")}
        store.set("pid", os.getpid())
        tick_until_refused(store, notes)
        # Stay, as a task that swallowed the errors would, so that both tries are alive at one time.
        time.sleep(900)
        return {}

    outlive()


with DAG("harness_threads", schedule=None):

    @task
    def write_from_threads() -> dict[str, Any]:
        """Use the store from other threads while the main thread waits on their futures."""
        store = get_current_context()["task_state_store"]

        def write(number: int) -> tuple[Any, bool]:
            store.set(f"key-{number}", number)
            return store.get(f"key-{number}"), threading.current_thread() is threading.main_thread()

        started = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(write, range(40)))
        seconds = time.monotonic() - started
        return {
            "values": [value for value, _ in outcomes],
            "main": any(main for _, main in outcomes),
            "ms": seconds / 80 * 1000,
        }

    write_from_threads()


class WaitInTheTriggerer(BaseOperator):
    """Defers until the test makes a file."""

    def execute(self, context: Any) -> None:
        """Leave the worker."""
        go = Path(os.environ["AIRFLOW_HOME"], f"go-{context['run_id']}")
        self.defer(trigger=FileTrigger(str(go), poke_interval=0.2), method_name="resume")

    def resume(self, context: Any, event: Any) -> str:
        """Come back."""
        return "resumed"


with DAG("harness_deferred", schedule=None):
    WaitInTheTriggerer(task_id="wait")
