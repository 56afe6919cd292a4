# SPDX-License-Identifier: Apache-2.0
"""The balance trigger: polls the account until enough is available."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_instasent.api import async_client  # noqa: F401 - the hook makes the client
from airflow_provider_instasent.api.account import plain
from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.api.server_words import brief
from airflow_provider_instasent.hooks.instasent import InstasentHook

# What run() needs is imported with the module: an import of its own length would block the event loop.
from airflow_provider_instasent.parameters import check_parameters
from airflow_provider_instasent.triggers.events import event_of_goal
from airflow_provider_instasent.waiting.balance import BalanceGoal
from airflow_provider_instasent.waiting.poll_failures import MAX_POLL_FAILURES
from airflow_provider_instasent.waiting.wait_loop import await_until_over

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import timedelta

    from airflow_provider_instasent.waiting.goal import Ended


class InstasentBalanceTrigger(BaseTrigger):
    """Wait until the account has enough, then yield one event; it polls a free endpoint and never sends.

    :param min_available: a decimal string, in the account's currency
    :param deadline: unix seconds at which the wait ends; when it is over already, the account is read once
    :param instasent_conn_id: the connection
    :param poll_interval: seconds or a timedelta between two reads
    :param max_poll_failures: failed reads in a row after which it is an error
    :param next_poll: unix seconds of the first read
    :raises ValueError: names the parameter that is wrong
    """

    def __init__(
        self,
        min_available: str,
        deadline: float,
        *,
        instasent_conn_id: str = InstasentHook.default_conn_name,
        poll_interval: timedelta | float = 60.0,
        max_poll_failures: int = MAX_POLL_FAILURES,
        next_poll: float = 0.0,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.min_available = Decimal(min_available)
        self.deadline = float(deadline)
        self.instasent_conn_id = instasent_conn_id
        self.poll_interval: Any = poll_interval
        self.max_poll_failures = max_poll_failures
        self.next_poll = float(next_poll)
        check_parameters(self)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, JSON values all."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "min_available": plain(self.min_available),
                "deadline": self.deadline,
                "instasent_conn_id": self.instasent_conn_id,
                "poll_interval": self.poll_interval,
                "max_poll_failures": self.max_poll_failures,
                "next_poll": self.next_poll,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event, errors included: that of `events.event_of_goal`."""
        goal = BalanceGoal(self.min_available, self.max_poll_failures)
        goal.next_sweep = self.next_poll
        try:
            ended = await self._wait(goal)
        except ConfigurationError as error:
            ended = goal.failed(f"connection `{self.instasent_conn_id}`: {error}")
        except Exception as error:
            # An exception that left here would reach the task as a bare "Trigger failure".
            self.log.exception("The wait for the balance failed")
            told = f"{type(error).__name__}: {brief(error)}"
            ended = goal.failed(f"The wait for the balance failed: {told}. {goal.unaffected}", final=False)
        yield TriggerEvent(event_of_goal(ended))  # type: ignore[no-untyped-call]

    async def _wait(self, goal: BalanceGoal) -> Ended:
        hook = InstasentHook(self.instasent_conn_id)
        async with await hook.aget_conn(retry_policy=ONE_ATTEMPT) as client:
            return await await_until_over(
                goal,
                lambda clock: client.perform(goal.read(clock)),
                deadline=self.deadline,
                poll_interval=self.poll_interval,
                report=lambda watched: self.log.info("%s.", watched),
            )
