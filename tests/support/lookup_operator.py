# SPDX-License-Identifier: Apache-2.0
"""A lookup task with several tries, run to its end without a scheduler."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from support.airflow_home import has_task_state_store
from support.delivery import FakeTaskInstance, Store, as_restarted, first_event
from support.events import LONG
from support.instasent_connection import connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MIXED = ["+34600000001", "+34600000931", "+34600000932", "+34600000933"]
WAYS = [False, True]
QUICK = {
    "poll_interval": 0.05,
    "max_polls_per_minute": 60_000,
    "timeout": LONG,
    "unconfirmed_grace": 0.3,
    "retries": 1,
}


class LookupTask:
    """One task instance: its tries share what Airflow keeps of it.

    :param folder: of its journal, where Airflow keeps none
    :param parameters: of the operator
    """

    def __init__(self, folder: Path, **parameters: Any) -> None:
        self.parameters = {**QUICK, **parameters}
        self.ti = FakeTaskInstance()
        self.context: dict[str, Any] = {"ti": self.ti}
        if has_task_state_store():
            self.context["task_state_store"] = Store()
        else:
            self.parameters.setdefault("journal_path", str(folder))
        self.triggers: list[Any] = []

    def run(self, **changes: Any) -> dict[str, Any]:
        """Run one try to its end, deferrals included, each in an operator of its own."""
        from airflow_provider_instasent.compat import TaskDeferred
        from airflow_provider_instasent.operators.lookup import InstasentLookupOperator

        def operator() -> InstasentLookupOperator:
            return InstasentLookupOperator(task_id="look", **{**self.parameters, **changes})

        try:
            return operator().execute(self.context)
        except TaskDeferred as first:
            deferred = first
        while True:
            trigger = as_restarted(deferred.trigger)
            self.triggers.append(trigger)
            event = json.loads(json.dumps(asyncio.run(first_event(trigger))))
            try:
                return operator().execute_complete(self.context, event)
            except TaskDeferred as again:
                deferred = again


@pytest.fixture
def new_task(sandbox, tmp_path_factory, monkeypatch) -> Callable[..., LookupTask]:
    """Makes lookup tasks whose default connection leads to the sandbox."""
    value = connection(sandbox.url, extra={"default_region": "ES"})
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", value)
    return lambda **parameters: LookupTask(tmp_path_factory.mktemp("journal"), **parameters)


def states(result: dict[str, Any]) -> dict[str, str]:
    """The state of each number of a result."""
    return {row["to"]: row["state"] for row in result["lookups"]}
