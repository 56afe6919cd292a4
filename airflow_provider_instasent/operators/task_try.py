# SPDX-License-Identifier: Apache-2.0
"""One try of a task: what an operator needs of Airflow's context, read once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TaskTry:
    """What is known of a try.

    :param template_values: what a row template sees beside the row
    :param state_store: Airflow's task state store (3.3+), or None
    :param outlet_events: Airflow's accessor of the asset events of this task
    """

    template_values: Mapping[str, Any]
    state_store: Any
    outlet_events: Any
    _task_instance: Any
    _dag_run: Any

    @classmethod
    def of(cls, context: Any) -> TaskTry:
        """Return what the context of a task tells."""
        from airflow_provider_instasent.planning.row_template import VARIABLES

        return cls(
            template_values={name: context[name] for name in VARIABLES if name in context},
            state_store=context.get("task_state_store"),
            outlet_events=context.get("outlet_events"),
            _task_instance=context.get("ti"),
            _dag_run=context.get("dag_run"),
        )

    @property
    def owner(self) -> str:
        """DAG, run, task and map index: the campaign of a task that names none."""
        ti = self._task_instance
        return f"{ti.dag_id}/{ti.run_id}/{ti.task_id}/{ti.map_index}"

    @property
    def number(self) -> int:
        """The number of the try, from 1."""
        return int(self._task_instance.try_number)

    def was_cleared(self, retries: int | None) -> bool:
        """Tell whether somebody cleared the task after a try: Airflow then allows it as many tries more.

        :param retries: of the task
        """
        return int(self._task_instance.max_tries) > (retries or 0)

    @property
    def possible_since(self) -> float:
        """Unix seconds before which no try of this DAG run can have sent anything.

        Clearing a finished run makes its start that of the new try, so only what the run was made with counts then.
        """
        run = self._dag_run
        began = run.start_date
        if run.clear_number or began is None:
            began = getattr(run, "run_after", None) or run.data_interval_end  # Airflow 2 has the latter only
        return 0.0 if began is None else float(began.timestamp())

    def push(self, value: Any, key: str = "return_value") -> None:
        """Put a value into XCom."""
        self._task_instance.xcom_push(key=key, value=value)

    def report_before_failing(self, operator: Any, value: Any) -> None:
        """Put a result into XCom before the task may fail; for readers, a retry does not see it.

        What goes wrong here is only logged: an error in its place would be one that Airflow retries.

        :param operator: whose result it is, for `do_xcom_push`
        :param value: the result
        """
        if not operator.do_xcom_push:
            return
        try:
            self.push(value)
        except Exception:
            log.exception("The result could not be put into XCom.")
