# SPDX-License-Identifier: Apache-2.0
"""The delivery trigger: one for a whole batch."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.server_words import brief
from airflow_provider_instasent.hooks.instasent import InstasentHook

# What run() needs is imported with the module: an import of its own length would block the event loop.
from airflow_provider_instasent.parameters import check_parameters
from airflow_provider_instasent.storage import path_of
from airflow_provider_instasent.triggers.events import event_of
from airflow_provider_instasent.triggers.reading import wait_at_reader
from airflow_provider_instasent.waiting import conclusion
from airflow_provider_instasent.waiting.delivery_watch import Watch, WatchRules
from airflow_provider_instasent.waiting.results_file import keep_statuses, watch_of_results

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import timedelta

    from airflow_provider_instasent.waiting.conclusion import Conclusion


class InstasentDeliveryTrigger(BaseTrigger):
    """Wait until a batch of messages is final, then yield one event; it polls and never sends.

    All triggers of one account (base URL and token) in a triggerer share one reader, which reads each page of the list
    once for all of them, where their messages lie, within one budget.

    A triggerer that restarts runs it again from its arguments: the deadline is absolute, so it stays; messages that
    turned final since it was created are asked for once more.

    :param message_ids: the ids to watch, about 1,000 at most (Airflow stores them with the trigger)
    :param deadline: unix seconds at which the wait ends; when it is over already, each message is asked for once
    :param instasent_conn_id: the connection
    :param success_statuses: statuses that count as delivered; `delivered` always does
    :param min_delivered_ratio: share of the batch, 0 to 1, that must be delivered
    :param poll_interval: seconds or a timedelta between two sweeps over the pending messages; up to ten times as
        long in a silence
    :param max_poll_failures: sweeps in a row without a successful read after which it is an error; a refusal by the
        rate limit (429) is none of them
    :param max_polls_per_minute: the most reads a minute of this account's waits together while this one lasts; default:
        the connection's, else a quarter of the rate limit
    :param memory: what an earlier sweep learned
        (:meth:`~airflow_provider_instasent.waiting.delivery_watch.Watch.memory`); the messages in it that are final
        belong to the batch and are not asked for again
    :param results_path: in place of `message_ids`, a bulk send's results file; its statuses are brought up to date
        before the event
    :param carried: JSON values that come back under `carried` in the event
    :raises ValueError: names the parameter that is wrong
    """

    def __init__(
        self,
        message_ids: Sequence[str],
        deadline: float,
        *,
        instasent_conn_id: str = InstasentHook.default_conn_name,
        success_statuses: Sequence[str] = ("delivered",),
        min_delivered_ratio: float = 1.0,
        poll_interval: timedelta | float = 60.0,
        max_poll_failures: int = 10,
        max_polls_per_minute: int | None = None,
        memory: Mapping[str, Any] | None = None,
        results_path: str | None = None,
        carried: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.message_ids = list(message_ids)
        self.deadline = float(deadline)
        self.instasent_conn_id = instasent_conn_id
        self.rules = WatchRules(success_statuses, min_delivered_ratio, max_poll_failures)
        self.poll_interval: Any = poll_interval
        self.max_polls_per_minute = max_polls_per_minute
        self.memory = dict(memory or {})
        self.results_path = results_path
        self.carried = dict(carried or {})
        check_parameters(self)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, JSON values all."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "message_ids": self.message_ids,
                "deadline": self.deadline,
                "instasent_conn_id": self.instasent_conn_id,
                "success_statuses": list(self.rules.success_statuses),
                "min_delivered_ratio": self.rules.min_delivered_ratio,
                "poll_interval": self.poll_interval,
                "max_poll_failures": self.rules.max_poll_failures,
                "max_polls_per_minute": self.max_polls_per_minute,
                "memory": self.memory,
                "results_path": self.results_path,
                "carried": self.carried,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event, errors included; see :func:`~airflow_provider_instasent.triggers.events.event_of`."""
        watch = Watch([*self.memory.get("settled", {}), *self.message_ids], self.rules, self.memory)
        try:
            if self.results_path is not None:
                # Files are read and written off the loop, whatever they are on.
                try:
                    path = await asyncio.to_thread(path_of, "results_path", self.results_path)
                except ConfigurationError as error:
                    yield self._event(conclusion.refused(watch.result(), str(error), "mend that for the triggerer"))
                    return
                watch = await asyncio.to_thread(watch_of_results, path, self.rules, self.memory)
            ended = await wait_at_reader(
                self.instasent_conn_id,
                watch,
                deadline=self.deadline,
                poll_interval=self.poll_interval,
                polls_per_minute=self.max_polls_per_minute,
                write=self.log.info,
            )
            if self.results_path is not None:
                await asyncio.to_thread(keep_statuses, path, watch)
        except ConfigurationError as error:
            ended = conclusion.refused(watch.result(), f"connection `{self.instasent_conn_id}`: {error}")
        except Exception as error:
            # An exception that left here would reach the task as a bare "Trigger failure".
            self.log.exception("The wait for delivery failed")
            ended = conclusion.broken(watch.result(), f"{type(error).__name__}: {brief(error)}")
        yield self._event(ended)

    def _event(self, ended: Conclusion) -> TriggerEvent:
        return TriggerEvent({**event_of(ended), "carried": self.carried})  # type: ignore[no-untyped-call]
