# SPDX-License-Identifier: Apache-2.0
"""Clearing a task in `dag.test()`, which cannot itself: another task of the run does it."""

from __future__ import annotations

from inspect import signature
from typing import Any

from airflow_provider_instasent.compat import BaseOperator


class ClearOnce(BaseOperator):
    """Clears a task of its own run, when that has had one try only; of a mapped one, each index.

    :param target: the task
    """

    def __init__(self, *, target: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target = target

    def execute(self, context: Any) -> None:
        from airflow.models.taskinstance import TaskInstance, clear_task_instances
        from airflow.utils.session import create_session

        own = {"dag_id": context["ti"].dag_id, "run_id": context["ti"].run_id, "task_id": self.target}
        with create_session() as session:
            targets = session.query(TaskInstance).filter_by(**own).all()
            if once := [target for target in targets if target.try_number == 1]:
                # Airflow 2 is told of the DAG where somebody clears, and gives the task further tries by it.
                of_dag = {"dag": self.dag} if "dag" in signature(clear_task_instances).parameters else {}
                clear_task_instances(once, session, dag_run_state=False, **of_dag)
