# SPDX-License-Identifier: Apache-2.0
"""How the send operators wait for delivery, by the same rule as the sensor."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_provider_instasent.operators.final_errors import wait_failures
from airflow_provider_instasent.operators.journals import has_journal
from airflow_provider_instasent.operators.task_try import TaskTry
from airflow_provider_instasent.waiting.default_timeouts import DELIVERY_TIMEOUT, TRIGGERER_SLACK

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from airflow.providers.common.compat.sdk import Context

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
        self, message_ids: Sequence[str], *, deferrable: bool, carried: Mapping[str, Any], without_id: int = 0
    ) -> Conclusion:
        """Wait for messages: here, or after one look in the triggerer.

        :param message_ids: the messages; left out of account where there is a `results_path`
        :param deferrable: go on in the triggerer; the task then continues in `execute_complete`
        :param carried: JSON values that `execute_complete` finds under `carried` in the event
        :param without_id: further messages that were accepted, under ids that are not known
        """
        from airflow_provider_instasent.api.retry import ONE_ATTEMPT
        from airflow_provider_instasent.hooks.instasent import InstasentHook
        from airflow_provider_instasent.waiting.list_sweeps import sweep_batch_here
        from airflow_provider_instasent.waiting.pace import Pace
        from airflow_provider_instasent.waiting.wait_loop import wait_until_final
        from airflow_provider_instasent.waiting.wait_progress import WaitProgress

        watch = self._watch(message_ids, without_id)
        deadline = time.time() + self.operator.timeout
        ended: Conclusion | None
        with InstasentHook(self.operator.instasent_conn_id).get_conn(retry_policy=ONE_ATTEMPT) as client:
            if deferrable:
                sweep_batch_here(client, watch, Pace())
                ended = watch.conclude(time.time(), deadline)
            else:
                ended = wait_until_final(
                    client,
                    watch,
                    deadline=deadline,
                    poll_interval=self.operator.poll_interval,
                    report=WaitProgress(self.operator.log.info),
                )
        self._keep_statuses(watch)
        if ended is None:
            self._defer(watch, deadline, carried)
            raise AssertionError("unreachable: defer() raises")
        return ended

    @staticmethod
    def without_id(summary: Mapping[str, Any], max_ids: int) -> int:
        """Return how many messages of a campaign were accepted under ids that are not known.

        :param summary: of the campaign
        :param max_ids: the most ids it holds; of more messages nothing but the results file tells
        """
        ids = len(summary["message_ids"])
        return int(summary["accepted"]) - ids if ids < max_ids else 0

    def _defer(self, watch: Watch, deadline: float, carried: Mapping[str, Any]) -> None:
        from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger

        watch.next_sweep = time.time() + self.operator.poll_interval
        try:
            ids, memory = (
                ([], watch.for_trigger_beside_file()) if self.results_path is not None else watch.for_trigger()
            )
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

    def _watch(self, message_ids: Sequence[str], without_id: int) -> Watch:
        from airflow_provider_instasent.compat import storage_path
        from airflow_provider_instasent.waiting.delivery_watch import Watch, WatchRules
        from airflow_provider_instasent.waiting.results_file import watch_of_results

        rules = WatchRules(self.operator.success_statuses, self.min_delivered_ratio)
        if self.results_path is not None:
            return watch_of_results(storage_path(self.results_path), rules)
        return Watch(message_ids, rules, {"without_id": without_id})

    def _keep_statuses(self, watch: Watch) -> None:
        from airflow_provider_instasent.compat import storage_path
        from airflow_provider_instasent.waiting.results_file import keep_statuses

        if self.results_path is not None:
            keep_statuses(storage_path(self.results_path), watch)


class SendOperator(BaseOperator):
    """What the operators share that send and may then wait for delivery."""

    journal_path: str | None

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Go on after the triggerer, or fail where that gave no answer."""
        with self.wait_failures(TaskTry.of(context)):
            return super().resume_execution(next_method, next_kwargs, context)

    def wait_failures(self, task_try: TaskTry) -> AbstractContextManager[None]:
        """Decide whether the task may be retried where its wait for delivery fails; see :func:`wait_failures`."""
        return wait_failures(may_retry=has_journal(task_try, self.journal_path))
