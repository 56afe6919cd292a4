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

    from airflow_provider_instasent.campaign.lookup_campaign import LookupCampaign
    from airflow_provider_instasent.hooks.instasent import InstasentHook
    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.lone_reader import LoneReader
    from airflow_provider_instasent.waiting.lookup_watch import LookupWatch


class LookupWait:
    """The wait for the accepted lookups of one operator.

    :param operator: the operator that waits
    :param campaign: its lookups, ordered
    :param event: of the trigger that has waited, or None for the first time
    :param check: called while it waits; raises to end the try
    """

    def __init__(self, operator: Any, campaign: LookupCampaign, event: Any, check: Callable[[], object]) -> None:
        from airflow_provider_instasent.triggers.events import conclusion_of

        self._operator = operator
        self._check = check
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
        from airflow_provider_instasent.waiting.wait_progress import WaitProgress

        if self._event is not None and self._event.ending is Ending.ERROR:
            return self._event
        operator, ended = self._operator, None
        if operator.wait and operator.deferrable and self._event is None and self.watch.has_pending:
            self._defer()
        hook = InstasentHook(operator.instasent_conn_id)
        with self._reader(hook) as reader, hook.get_conn(retry_policy=ONE_ATTEMPT) as client:
            if operator.wait and not operator.deferrable:
                return reader.wait(client, WaitProgress(operator.log.info))
            ended = reader.sweep(client)
        if not operator.wait:
            return None
        if ended is None:
            self._defer()
        return ended

    def _reader(self, hook: InstasentHook) -> LoneReader:
        from airflow_provider_instasent.waiting.lone_reader import LoneReader

        return LoneReader(
            self.watch,
            deadline=self._times["deadline"],
            poll_interval=self._operator.poll_interval,
            per_minute=hook.settings.max_polls_per_minute,
            polls_per_minute=self._operator.max_polls_per_minute,
            check=self._check,
        )

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
