# SPDX-License-Identifier: Apache-2.0
"""How the lookup operator waits: here, or in the triggerer and then again for what one trigger had no room for."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.default_timeouts import TRIGGERER_SLACK
from airflow_provider_instasent.waiting.trigger_size import MOST_TRIGGER_IDS, fits_trigger

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.campaign.lookup_campaign import LookupCampaign
    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.lookup_watch import LookupWatch
    from airflow_provider_instasent.waiting.pace import Pace


class LookupWait:
    """The wait for the accepted lookups of one operator.

    :param operator: the operator that waits
    :param campaign: its lookups, ordered
    :param event: of the trigger that has waited, or None for the first time
    :param sleep: waits the given seconds; raises to end the try
    """

    def __init__(self, operator: Any, campaign: LookupCampaign, event: Any, sleep: Callable[[float], object]) -> None:
        from airflow_provider_instasent.triggers.events import conclusion_of
        from airflow_provider_instasent.waiting.pace import Pace

        self._operator = operator
        self._sleep = sleep
        self._pace: Pace = Pace(operator.max_polls_per_minute)
        self._event = None if event is None else conclusion_of(event)
        now = time.time()
        self._times = {"deadline": now + operator.timeout, "ordered_at": now} if event is None else event["carried"]
        self.watch: LookupWatch = campaign.watch(
            operator.pending_statuses, operator.max_poll_failures, self._times["ordered_at"]
        )

    def wait(self) -> Conclusion | None:
        """Read the lookups, and wait where the operator does; return the end, or None where it does not wait."""
        from airflow_provider_instasent.api.retry import ONE_ATTEMPT
        from airflow_provider_instasent.hooks.instasent import InstasentHook

        if self._event is not None and self._event.ending is Ending.ERROR:
            return self._event
        with InstasentHook(self._operator.instasent_conn_id).get_conn(retry_policy=ONE_ATTEMPT) as client:
            if not self._operator.wait:
                self._read_all(client)
                return None
            if not self._operator.deferrable:
                return self._here(client)
            self._read_all(client)
        ended = self.watch.conclude(time.time(), self._times["deadline"])
        if ended is None:
            self._defer()
        return ended

    def _here(self, client: InstasentClient) -> Conclusion:
        from airflow_provider_instasent.waiting.wait_loop import poll_until_over
        from airflow_provider_instasent.waiting.wait_progress import WaitProgress

        return poll_until_over(
            self.watch,
            lambda: self._sweep(client),
            deadline=self._times["deadline"],
            poll_interval=self._operator.poll_interval,
            sleep=self._sleep,
            report=WaitProgress(self._operator.log.info),
        )

    def _sweep(self, client: InstasentClient) -> None:
        from airflow_provider_instasent.waiting.list_sweeps import sweep_batch_here

        sweep_batch_here(client, self.watch, self._pace, sleep=self._sleep)

    def _read_all(self, client: InstasentClient) -> None:
        """Read each lookup once; a sweep reads those that the list does not show only in part."""
        from airflow_provider_instasent.waiting.list_sweeps import SINGLES_A_SWEEP

        for _ in range(1 + len(self.watch.pending) // SINGLES_A_SWEEP):
            if not self.watch.unread():
                return
            self._sweep(client)
            if self.watch.failed_sweeps or not self.watch.may_sweep(time.time()):
                return

    def _defer(self) -> None:
        """Go on waiting in the triggerer; the task continues in `execute_complete`."""
        from airflow_provider_instasent.triggers.lookup import InstasentLookupTrigger

        ids = self.watch.pending[:MOST_TRIGGER_IDS]
        while not fits_trigger(ids):
            ids = ids[: len(ids) // 2]
        operator, left = self._operator, max(0.0, self._times["deadline"] - time.time())
        operator.defer(
            trigger=InstasentLookupTrigger(
                lookup_ids=ids,
                deadline=self._times["deadline"],
                instasent_conn_id=operator.instasent_conn_id,
                pending_statuses=operator.pending_statuses,
                poll_interval=operator.poll_interval,
                max_poll_failures=operator.max_poll_failures,
                max_polls_per_minute=operator.max_polls_per_minute,
                next_poll=max(self.watch.blocked_until, time.time() + min(operator.poll_interval, left)),
                carried=self._times,
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=left + TRIGGERER_SLACK),
        )
