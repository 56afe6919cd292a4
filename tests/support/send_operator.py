# SPDX-License-Identifier: Apache-2.0
"""Many send tasks in one DAG, each with its own journal and its own trouble, and what became of each."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support import airflow_home
from support.events import LONG
from support.instasent_connection import connection, hasten

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_provider_instasent.sandbox.server import SandboxServer

airflow_home.isolate()
# Or importing Airflow 2.11's models warns of its own future.
os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"

PRIVATE_WORDS, PRIVATE_DIGITS = "words to keep private", "611222"
"""In every text and every number of these tests."""

PRIVATE_NUMBER = re.compile(rf"34{PRIVATE_DIGITS}|{PRIVATE_DIGITS}\d{{3}}")
"""One of these numbers; six digits alone are in one of a million timestamps."""

STORE_OFF = "AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS"
CONNECTION = "AIRFLOW_CONN_INSTASENT_DEFAULT"
READ_TIMEOUT = 0.2
"""Seconds; on the sandbox's silence alone, see :mod:`support.silence`."""


def number(ending: int | str) -> str:
    return f"+34{PRIVATE_DIGITS}{ending:0>3}"


def journals() -> tuple[str, ...]:
    """The places for a journal that this Airflow has, and none."""
    return ("store", "path", "none") if airflow_home.has_task_state_store() else ("path", "none")


@dataclass(frozen=True)
class Ended:
    """What became of a task.

    :param state: Airflow's
    :param tries: how many there were
    :param accepted: messages of it that the API accepted
    :param value: what is in XCom
    """

    state: str
    tries: int
    accepted: int
    value: Any


@dataclass
class SendDag:
    """A DAG of send tasks.

    :param sandbox: the API
    :param folder: for journals
    :param environment: sets variables until the test's end
    """

    name: str
    sandbox: SandboxServer
    folder: Path
    environment: Callable[[str, str], object]

    def __post_init__(self) -> None:
        from airflow_provider_instasent.compat import DAG

        self.dag = DAG(self.name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False)
        self.errors: dict[str, str] = {}
        self._sends: list[str] = []

    def send(
        self, task_id: str, journal: str = "path", *, ending: int | str = "", trouble: Any = None, **parameters: Any
    ) -> Any:
        """Add a task.

        :param journal: one of :func:`journals`
        :param ending: last three digits of the number; by default one of its own that is delivered
        :param trouble: called with the try's number before each
        """
        from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator

        self._sends.append(task_id)
        settings = self.defaults(task_id, journal, trouble, ending or len(self._sends), parameters)
        return InstasentSendSmsOperator(task_id=task_id, dag=self.dag, **settings)

    def defaults(self, task_id: str, journal: str, trouble: Any, ending: int | str, given: dict[str, Any]) -> Any:
        def prepare(context: Any) -> None:
            self.environment(STORE_OFF, str(journal == "none"))
            self.sandbox.clear_faults()
            if trouble is not None:
                trouble(context["ti"].try_number)

        def note(context: Any) -> None:
            self.errors[context["ti"].task_id] = str(context["exception"])

        return {
            "to": number(ending),
            "text": f"{PRIVATE_WORDS} {task_id}",
            "sender": "Tests",
            "journal_path": str(self.folder / "journal") if journal == "path" else None,
            "unconfirmed_grace": 0.05,
            "poll_interval": 0.05,
            "timeout": LONG,
            "deferrable": False,
            "retries": 2,
            "retry_delay": timedelta(0),
            "on_execute_callback": prepare,
            "on_failure_callback": note,
            **given,
        }

    def run(self) -> dict[str, Ended]:
        """Run it to its end; say what became of each task that `send` added."""
        self.finished = airflow_home.run_dag(self.dag)
        return {task_id: self.ended(task_id) for task_id in self._sends}

    def ended(self, task_id: str) -> Ended:
        task = self.finished.get_task_instance(task_id)
        accepted = Counter(message.text for message in self.sandbox.ledger)[f"{PRIVATE_WORDS} {task_id}"]
        return Ended(task.state, task.try_number, accepted, airflow_home.returned(self.finished, task_id))


def leaks(said: str, token: str) -> list[str]:
    """The lines with something private in them."""
    lines = said.splitlines()
    return [line for line in lines if token in line or PRIVATE_WORDS in line or PRIVATE_NUMBER.search(line)]


@pytest.fixture
def send_dag(request, sandbox, tmp_path, monkeypatch, capfd, caplog):
    """A DAG with the test's name; afterwards nothing private is in any log that it made."""
    hasten(monkeypatch)
    extra = {"read_timeout": READ_TIMEOUT, "default_region": "ES"}
    monkeypatch.setenv(CONNECTION, connection(sandbox.url, password=sandbox.token, extra=extra))
    monkeypatch.setenv(STORE_OFF, "False")
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    yield SendDag(name, sandbox, tmp_path, monkeypatch.setenv)
    logs = (airflow_home.isolate() / "logs").rglob("*.log")
    said = "".join([*capfd.readouterr(), caplog.text, *(log.read_text() for log in logs if name in str(log))])
    assert name in said
    assert not leaks(said, sandbox.token)
