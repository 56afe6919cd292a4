# SPDX-License-Identifier: Apache-2.0
"""The balance sensor: wait until the account can pay."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.compat import PokeReturnValue, conf
from airflow_provider_instasent.parameters import check_parameters, checked, naming_the_task
from airflow_provider_instasent.sensors.deferring import SOONER, DeferringSensor, StoppedWaitError
from airflow_provider_instasent.waiting.default_timeouts import BALANCE_TIMEOUT, TRIGGERER_SLACK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.compat import Context
    from airflow_provider_instasent.sensors.memory import PokeMemory
    from airflow_provider_instasent.waiting.balance import BalanceGoal
    from airflow_provider_instasent.waiting.goal import Ended


class InstasentBalanceSensor(DeferringSensor):
    """Wait until the account has at least `min_available`.

    Amounts are decimals, exact. A balance that is missing, null or no number fails the task at once in each mode, and a
    retry asks again: it is never taken as 0. Errors between sweeps (5xx, timeouts, 429) do not fail it before
    `max_poll_failures` reads in a row failed; 401 and 403 do at once, without retry. In `reschedule` mode each poke is
    a new process, and below Airflow 3.3 nothing counts failures from one to the next, so only `max_poll_failures=1`
    fails on them there; else the timeout ends it.

    Reading the account is free. A balance that suffices now may be spent a moment later by somebody else.

    :param min_available: what has to be available, in the account's currency: a number or a decimal string (templated)
    :param deferrable: wait in the triggerer instead of a worker, whatever the `mode`
    :param poke_interval: seconds or a timedelta between two reads, in each mode
    :param timeout: seconds or a timedelta to wait in all
    :param max_poll_failures: reads in a row that may fail
    :param instasent_conn_id: the connection (templated)
    :returns: the account, as the account operator returns it
    :raises ValueError: names the parameter that is wrong; `min_available` when the task runs, others at DAG parsing
    """

    template_fields: Sequence[str] = ("min_available", "instasent_conn_id")
    ui_color = "#d6ecff"
    unaffected = "Nothing was bought or sent; clear this task to ask again."

    def __init__(
        self,
        *,
        min_available: Any,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 60.0,
        timeout: timedelta | float = BALANCE_TIMEOUT,
        max_poll_failures: int = 10,
        instasent_conn_id: str = "instasent_default",
        **kwargs: Any,
    ) -> None:
        with naming_the_task(kwargs.get("task_id")):
            pause, longest = checked("poke_interval", poke_interval), checked("timeout", timeout)
        super().__init__(poke_interval=pause, timeout=longest, **kwargs)
        self.min_available = min_available
        self.deferrable = deferrable
        self.max_poll_failures = max_poll_failures
        self.instasent_conn_id = instasent_conn_id
        self._deadline: float | None = None
        self._goal: BalanceGoal | None = None
        self._memory: PokeMemory | None = None
        with naming_the_task(self.task_id):
            check_parameters(self)

    def execute(self, context: Context) -> Any:
        """Wait in the chosen mode and return the account."""
        if not self.deferrable:
            return super().execute(context)
        goal = self._new_goal()
        deadline = time.time() + self.timeout
        with self.skipping():
            if (ended := self._read(goal, deadline)) is not None:
                return self._finish(context, ended)
        self._defer(goal, deadline)
        raise AssertionError("unreachable: defer() raises")

    def poke(self, context: Context) -> bool | PokeReturnValue:
        """Read the account once; fail where that ends the wait badly."""
        from airflow_provider_instasent.sensors.memory import PokeMemory

        if self._goal is None or self._deadline is None:
            self._goal = self._new_goal()
            self._deadline = self._started(context) + self.timeout - SOONER
            self._memory = PokeMemory(context) if self.reschedule else None
            if self._memory:
                kept = self._memory.load()
                self._goal.failed_sweeps = kept.get("failed_sweeps", 0)
                self._goal.blocked_until = kept.get("blocked_until", 0.0)
        try:
            ended = self._read(self._goal, self._deadline)
        except StoppedWaitError:
            return False  # what comes next raises it, where nothing makes a skip of it
        if ended is not None:
            if self._memory:
                self._memory.forget()
            return PokeReturnValue(is_done=True, xcom_value=self._finish(context, ended))
        if self._memory:
            kept = {"failed_sweeps": self._goal.failed_sweeps, "blocked_until": self._goal.blocked_until}
            self._memory.keep(kept)
        return False

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Return what the trigger found, or fail because of it."""
        from airflow_provider_instasent.triggers.events import end_of_goal

        return self._finish(context, end_of_goal(event))

    def _new_goal(self) -> BalanceGoal:
        from airflow_provider_instasent.waiting.balance import BalanceGoal, amount_of

        return BalanceGoal(amount_of(self.min_available), self.max_poll_failures)

    def _started(self, context: Context) -> float:
        from airflow_provider_instasent.compat import first_start

        first = first_start(self, context) if self.reschedule else None
        return first.timestamp() if first else time.time()

    def _read(self, goal: BalanceGoal, deadline: float) -> Ended | None:
        """Read the account once, unless a rate limit forbids it; return the end where there is one."""
        from airflow_provider_instasent.api.errors import ConfigurationError
        from airflow_provider_instasent.api.interruptible import interruptible
        from airflow_provider_instasent.api.retry import ONE_ATTEMPT
        from airflow_provider_instasent.hooks.instasent import InstasentHook

        try:
            if goal.may_sweep(time.time()):
                with InstasentHook(self.instasent_conn_id).get_conn(retry_policy=ONE_ATTEMPT) as client:
                    interruptible(lambda: client.perform(goal.read(time.time)), self.check_stop)
        except ConfigurationError as error:
            return goal.failed(f"connection `{self.instasent_conn_id}`: {error}")
        self.log.info("%s.", goal)
        return goal.conclude(time.time(), deadline)

    def _defer(self, goal: BalanceGoal, deadline: float) -> None:
        from airflow_provider_instasent.api.account import plain
        from airflow_provider_instasent.triggers.account import InstasentBalanceTrigger

        self.defer(
            trigger=InstasentBalanceTrigger(
                min_available=plain(goal.min_available),
                deadline=deadline,
                instasent_conn_id=self.instasent_conn_id,
                poll_interval=self.poke_interval,
                max_poll_failures=self.max_poll_failures,
                next_poll=max(goal.blocked_until, time.time() + self.poke_interval),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=max(0.0, deadline - time.time()) + TRIGGERER_SLACK),
        )

    def _finish(self, context: Context, ended: Ended) -> dict[str, Any]:
        """Return the account; where the wait ended badly, put what is known into XCom and fail."""
        from airflow_provider_instasent.triggers.events import raise_unless_successful
        from airflow_provider_instasent.waiting.conclusion import Ending

        account = dict(ended.result)
        if ended.ending is Ending.SUCCESS:
            self.log.info(ended.message)
            return account
        if self.do_xcom_push and account:
            context["ti"].xcom_push(key="return_value", value=account)
        raise_unless_successful(ended)
        raise AssertionError("unreachable: a wait that ended badly raises")
