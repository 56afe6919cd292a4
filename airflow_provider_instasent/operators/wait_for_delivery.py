# SPDX-License-Identifier: Apache-2.0
"""How the send operators wait for delivery, by the same rule as the sensor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.compat import AirflowFailException, BaseOperator
from airflow_provider_instasent.operators.final_errors import wait_failures
from airflow_provider_instasent.operators.journals import has_journal
from airflow_provider_instasent.operators.task_try import TaskTry
from airflow_provider_instasent.storage import path_of
from airflow_provider_instasent.templating import TemplatedFields
from airflow_provider_instasent.waiting.default_timeouts import DELIVERY_TIMEOUT, TRIGGERER_SLACK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from airflow_provider_instasent.compat import Context
    from airflow_provider_instasent.journal.stopping import Stop
    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.delivery_watch import Watch

__all__ = ["DELIVERY_TIMEOUT", "DeliveryWait", "SendOperator"]


@dataclass(frozen=True, slots=True)
class DeliveryWait:
    """A wait for the messages of one operator.

    :param operator: the operator that waits, for the parameters that all of them have
    :param min_delivered_ratio: share of the messages, 0 to 1, that must be delivered
    :param results_path: a bulk send's results file, which names the messages and gets their statuses; or None
    """

    operator: Any
    min_delivered_ratio: float = 1.0
    results_path: str | None = None

    def wait(
        self,
        message_ids: Sequence[str],
        *,
        deferrable: bool,
        carried: Mapping[str, Any],
        without_id: int = 0,
        accepted: Sequence[float] | None = None,
    ) -> Conclusion:
        """Wait for messages: here, or in the triggerer, and then without a request: nothing can be final yet.

        :param message_ids: the messages; left out of account where there is a `results_path`
        :param deferrable: go on in the triggerer; the task then continues in `execute_complete`
        :param carried: JSON values that `execute_complete` finds under `carried` in the event
        :param without_id: further messages that were accepted, under ids that are not known
        :param accepted: the earliest and the latest moment of their acceptance, in unix seconds on the server's clock;
            None where nobody knows
        """
        from airflow_provider_instasent.api.retry import ONE_ATTEMPT
        from airflow_provider_instasent.hooks.instasent import InstasentHook
        from airflow_provider_instasent.waiting.lone_reader import LoneReader
        from airflow_provider_instasent.waiting.wait_progress import WaitProgress

        operator, deadline = self.operator, time.time() + self.operator.timeout
        memory = {"without_id": without_id, "accepted": accepted}
        if deferrable:
            self._defer(message_ids, memory, deadline, carried)
        watch = self._watch(message_ids, memory)
        hook = InstasentHook(operator.instasent_conn_id)
        with (
            LoneReader(
                watch,
                deadline=deadline,
                poll_interval=operator.poll_interval,
                per_minute=hook.settings.max_polls_per_minute,
                check=operator.check_stop,
            ) as reader,
            hook.get_conn(retry_policy=ONE_ATTEMPT) as client,
        ):
            ended = reader.wait(client, WaitProgress(operator.log.info))
        self._keep_statuses(watch)
        return ended

    @staticmethod
    def without_id(summary: Mapping[str, Any], max_ids: int) -> int:
        """Return how many messages of a campaign were accepted under ids that are not known.

        :param summary: of the campaign
        :param max_ids: the most ids it holds; of more messages nothing but the results file tells
        """
        ids = len(summary["message_ids"])
        return int(summary["accepted"]) - ids if ids < max_ids else 0

    def _defer(
        self, message_ids: Sequence[str], memory: dict[str, Any], deadline: float, carried: Mapping[str, Any]
    ) -> None:
        from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger
        from airflow_provider_instasent.waiting.trigger_size import check_fits_trigger

        ids = [] if self.results_path is not None else list(message_ids)
        memory = {**memory, "next_sweep": time.time() + self.operator.poll_interval}
        try:
            check_fits_trigger(ids, memory)
        except ValueError as error:
            raise AirflowFailException(
                f"The messages were accepted, but the triggerer cannot wait for them: {error}. Set deferrable=False "
                "and clear the task: where it has a journal, it then waits and sends nothing again. For later runs "
                "`results_path` is another way."
            ) from None
        self.operator.defer(
            trigger=InstasentDeliveryTrigger(
                message_ids=ids,
                deadline=deadline,
                instasent_conn_id=self.operator.instasent_conn_id,
                success_statuses=self.operator.success_statuses,
                min_delivered_ratio=self.min_delivered_ratio,
                poll_interval=self.operator.poll_interval,
                memory=memory,
                results_path=self.results_path,
                carried=dict(carried),
            ),
            method_name="execute_complete",
            timeout=timedelta(seconds=max(0.0, deadline - time.time()) + TRIGGERER_SLACK),
        )

    def _watch(self, message_ids: Sequence[str], memory: Mapping[str, Any]) -> Watch:
        from airflow_provider_instasent.waiting.delivery_watch import Watch, WatchRules
        from airflow_provider_instasent.waiting.results_file import watch_of_results

        rules = WatchRules(self.operator.success_statuses, self.min_delivered_ratio)
        if self.results_path is not None:
            return watch_of_results(path_of("results_path", self.results_path), rules)
        return Watch(message_ids, rules, memory)

    def _keep_statuses(self, watch: Watch) -> None:
        from airflow_provider_instasent.waiting.results_file import keep_statuses

        if self.results_path is not None:
            keep_statuses(path_of("results_path", self.results_path), watch)


class SendOperator(TemplatedFields, BaseOperator):
    """What the operators share that send and may then wait for delivery."""

    journal_path: str | None
    _stop: Stop | None = None

    def on_kill(self) -> None:
        """Ask the sender, or the wait, to end soon; chunks in flight get a moment to be recorded."""
        if self._stop is not None:
            self._stop.set()

    def check_stop(self) -> None:
        """Raise where somebody asked the task to end while it waited.

        :raises StoppedError: says so
        """
        if self._stop is not None:
            self._stop.check("what was sent stays sent, and the next try goes on waiting")

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after the triggerer, or fail where that gave no answer."""
        with self.wait_failures(TaskTry.of(context)):
            return super().resume_execution(next_method, next_kwargs, context)

    def wait_failures(self, task_try: TaskTry) -> AbstractContextManager[None]:
        """Decide whether the task may be retried where its wait for delivery fails; see :func:`wait_failures`."""
        return wait_failures(may_retry=has_journal(task_try, self.journal_path))
