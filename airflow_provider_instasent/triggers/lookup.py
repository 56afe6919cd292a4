# SPDX-License-Identifier: Apache-2.0
"""The lookup trigger: one for a whole batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.server_words import brief
from airflow_provider_instasent.api.statuses import DEFAULT_PENDING_STATUSES
from airflow_provider_instasent.hooks.instasent import InstasentHook

# What run() needs is imported with the module: an import of its own length would block the event loop.
from airflow_provider_instasent.parameters import check_parameters
from airflow_provider_instasent.triggers.events import event_of
from airflow_provider_instasent.triggers.reading import wait_at_reader
from airflow_provider_instasent.waiting.conclusion import Conclusion, Ending
from airflow_provider_instasent.waiting.lookup_watch import UNAFFECTED, LookupWatch
from airflow_provider_instasent.waiting.poll_failures import MAX_POLL_FAILURES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import timedelta


class InstasentLookupTrigger(BaseTrigger):
    """Wait until a batch of lookups is finished, then yield one event; it reads and never orders a lookup.

    A triggerer that restarts runs it again from its arguments; the deadline is absolute, so it stays.

    :param lookup_ids: the ids to watch, about 1,000 at most (Airflow stores them with the trigger)
    :param deadline: unix seconds at which the wait ends; when it is over already, there is one sweep all the same
    :param instasent_conn_id: the connection
    :param pending_statuses: statuses of a lookup that is not finished
    :param poll_interval: seconds or a timedelta between two sweeps over the pending lookups; up to ten times as
        long in a silence
    :param max_poll_failures: sweeps in a row without a successful read after which it is an error; a refusal by the
        rate limit (429) is none of them
    :param max_polls_per_minute: the most reads a minute of this account's waits together while this one lasts; default:
        the connection's, else a quarter of the rate limit
    :param next_poll: unix seconds of the first sweep
    :param carried: JSON values that come back under `carried` in the event
    :raises ValueError: names the parameter that is wrong
    """

    def __init__(
        self,
        lookup_ids: Sequence[str],
        deadline: float,
        *,
        instasent_conn_id: str = InstasentHook.default_conn_name,
        pending_statuses: Sequence[str] = DEFAULT_PENDING_STATUSES,
        poll_interval: timedelta | float = 30.0,
        max_poll_failures: int = MAX_POLL_FAILURES,
        max_polls_per_minute: int | None = None,
        next_poll: float = 0.0,
        carried: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.lookup_ids = list(lookup_ids)
        self.deadline = float(deadline)
        self.instasent_conn_id = instasent_conn_id
        self.pending_statuses = pending_statuses
        self.poll_interval: Any = poll_interval
        self.max_poll_failures = max_poll_failures
        self.max_polls_per_minute = max_polls_per_minute
        self.next_poll = float(next_poll)
        self.carried = dict(carried or {})
        check_parameters(self)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, JSON values all."""
        return (
            f"{type(self).__module__}.{type(self).__qualname__}",
            {
                "lookup_ids": self.lookup_ids,
                "deadline": self.deadline,
                "instasent_conn_id": self.instasent_conn_id,
                "pending_statuses": list(self.pending_statuses),
                "poll_interval": self.poll_interval,
                "max_poll_failures": self.max_poll_failures,
                "max_polls_per_minute": self.max_polls_per_minute,
                "next_poll": self.next_poll,
                "carried": self.carried,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield the one event, errors included; see :func:`~airflow_provider_instasent.triggers.events.event_of`."""
        # The task has read others already, and judges all of them when it goes on.
        watch = LookupWatch(self.lookup_ids, self.pending_statuses, self.max_poll_failures, is_whole=False)
        watch.next_sweep = self.next_poll
        try:
            ended = await wait_at_reader(
                self.instasent_conn_id,
                watch,
                deadline=self.deadline,
                poll_interval=self.poll_interval,
                polls_per_minute=self.max_polls_per_minute,
                write=self.log.info,
            )
        except ConfigurationError as error:
            told = f"connection `{self.instasent_conn_id}`: {error}"
            ended = Conclusion(Ending.ERROR, watch.result(), f"{told}. {UNAFFECTED}")
        except Exception as error:
            # An exception that left here would reach the task as a bare "Trigger failure".
            self.log.exception("The wait for lookups failed")
            told = f"The wait for lookups failed: {type(error).__name__}: {brief(error)}. {UNAFFECTED}"
            ended = Conclusion(Ending.ERROR, watch.result(), told, final=False)
        yield TriggerEvent({**event_of(ended), "carried": self.carried})  # type: ignore[no-untyped-call]
