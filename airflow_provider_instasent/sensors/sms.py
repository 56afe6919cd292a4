# SPDX-License-Identifier: Apache-2.0
"""The delivery sensor: wait until messages have arrived, and fail once they cannot."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_instasent.compat import AirflowFailException, PokeReturnValue, conf
from airflow_provider_instasent.parameters import check_parameters, checked, naming_the_task
from airflow_provider_instasent.sensors.deferring import SOONER, DeferringSensor, StoppedWaitError
from airflow_provider_instasent.templating import Gives
from airflow_provider_instasent.waiting.default_timeouts import DELIVERY_TIMEOUT, TRIGGERER_SLACK
from airflow_provider_instasent.waiting.trigger_size import MOST_TRIGGER_IDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_provider_instasent.compat import Context
    from airflow_provider_instasent.hooks.instasent import InstasentHook
    from airflow_provider_instasent.sensors.memory import PokeMemory
    from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger
    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.delivery_watch import Watch, WatchRules
    from airflow_provider_instasent.waiting.lone_reader import LoneReader
    from airflow_provider_instasent.waiting.subscription import Subscription

_FIX = (
    'Give `results_path`, or set deferrable=False and mode="reschedule", which also leaves the worker free meanwhile.'
)


@dataclass(slots=True)
class _Wait:
    """One execution's wait; nothing of it outlives the process but what `memory` keeps."""

    watch: Watch
    deadline: float
    report: Callable[[Subscription], object]
    memory: PokeMemory | None
    reader: LoneReader | None = None


class InstasentDeliverySensor(DeferringSensor):
    """Wait until every message of a batch is final, and succeed if enough of them were delivered.

    Deferred, it makes no request before it gives its worker slot back, save for up to three messages, which it asks for
    once; in the triggerer all waits of an account share one reader and one budget.

    It fails without retry as soon as `min_delivered_ratio` can no longer be reached. At the timeout it succeeds if
    enough were delivered by then; the rest is reported as pending. An unknown status counts as pending. A message that
    is not found is pending for 120 s, then `not_found`. Errors (5xx, timeouts) never fail it before `max_poll_failures`
    sweeps in a row read nothing; a refusal by the rate limit (429) costs a pause and is no failure; 401 and 403 fail it
    at once.

    All modes follow the same rule. In `reschedule` mode each poke is a new process: from Airflow 3.3 on the task state
    store remembers what is final (for about 1,000 messages), failures in a row and when a message was first not found.
    Below 3.3 nothing can: all messages are asked for at each poke, failures are not counted from one poke to the next
    (so only `max_poll_failures=1` fails on them; else the timeout ends it), and the 120 s count from the first poke.

    The result is in XCom even when the task fails: `{"total", "delivered", "undeliverable", "pending", "counts":
    {status: number}, "statuses": {id: {"status", "code"}}}`, the last for up to 1,000 messages.

    :param message_ids: an id, a result of a send operator, or any sequence of either, mapped results included; an empty
        one succeeds at once. None beside others, of an upstream that was skipped, is left out. Nothing but None is a
        skip with `trigger_rule="none_failed"` or another one that no failure passes, else an error (templated)
    :param results_path: in place of `message_ids`, a bulk send's results file, of any size; its statuses are brought up
        to date (templated)
    :param success_statuses: statuses that count as delivered; `delivered` always does
    :param min_delivered_ratio: share of the batch, 0 to 1, that must be delivered
    :param deferrable: wait in the triggerer instead of a worker, whatever the `mode`; for up to 1,000 ids
    :param poke_interval: seconds or a timedelta between two sweeps over the pending messages, in each mode. Deferred,
        it grows while nothing changes: to a tenth of the silence, at most ten times; `exponential_backoff` and
        `max_wait` do not apply
    :param timeout: seconds or a timedelta to wait in all; `expired` comes after up to 48 h, hence 49 h
    :param max_poll_failures: sweeps in a row without a successful read after which it fails, with retries
    :param max_polls_per_minute: the most reads a minute while this wait lasts, deferred of all waits of the account
        together; the lowest that any of them and the connection say counts. Default: the connection's, else a quarter
        of the rate limit
    :param instasent_conn_id: the connection (templated)
    :raises ValueError: names the parameter that is wrong; `message_ids` when the task runs and without retry, others at
        DAG parsing
    """

    template_fields: Sequence[str] = ("message_ids", "results_path", "instasent_conn_id")
    template_gives: ClassVar[Mapping[str, Gives]] = {"message_ids": Gives.LIST}
    ui_color = "#d6ecff"
    unaffected = "The messages were sent and may have arrived; clear this task to ask again."

    def __init__(
        self,
        *,
        message_ids: Any = None,
        results_path: str | None = None,
        success_statuses: Sequence[str] = ("delivered",),
        min_delivered_ratio: float = 1.0,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poke_interval: timedelta | float = 60.0,
        timeout: timedelta | float = DELIVERY_TIMEOUT,
        max_poll_failures: int = 10,
        max_polls_per_minute: int | None = None,
        instasent_conn_id: str = "instasent_default",
        **kwargs: Any,
    ) -> None:
        with naming_the_task(kwargs.get("task_id")):
            pause, longest = checked("poke_interval", poke_interval), checked("timeout", timeout)
        super().__init__(poke_interval=pause, timeout=longest, **kwargs)
        self.message_ids = message_ids
        self.results_path = results_path
        self.success_statuses = success_statuses
        self.min_delivered_ratio = min_delivered_ratio
        self.deferrable = deferrable
        self.max_poll_failures = max_poll_failures
        self.max_polls_per_minute = max_polls_per_minute
        self.instasent_conn_id = instasent_conn_id
        self._wait: _Wait | None = None
        with naming_the_task(self.task_id):
            if message_ids is not None and results_path is not None:
                raise ValueError("give one of `message_ids` and `results_path`")
            check_parameters(self)

    def execute(self, context: Context) -> Any:
        """Wait in the chosen mode and return the result."""
        self._wait = self._begin(context)
        if not self._wait.watch.pending and not self._wait.watch.result().total:
            self.log.info("There are no messages to wait for.")
            return self._wait.watch.result().as_dict()
        if self.deferrable:
            return self._defer(context, self._wait)
        return super().execute(context)

    def poke(self, context: Context) -> bool | PokeReturnValue:
        """Ask once for each pending message; fail where that ends the wait badly."""
        if self._wait is None:
            self._wait = self._begin(context)
        try:
            ended = self._look(self._wait)
        except StoppedWaitError:
            return False  # what comes next raises it, where nothing makes a skip of it
        if ended is not None:
            return PokeReturnValue(is_done=True, xcom_value=self._finish(context, ended))
        if self._wait.memory is not None:
            self._keep_statuses(self._wait)
            self._wait.memory.keep(self._wait.watch.memory())
        return False

    def execute_complete(self, context: Context, event: Any = None) -> Any:
        """Return what the trigger found, or fail because of it."""
        from airflow_provider_instasent.triggers.events import conclusion_of

        return self._finish(context, conclusion_of(event))

    def _begin(self, context: Context) -> _Wait:
        from airflow_provider_instasent.compat import first_start
        from airflow_provider_instasent.sensors.memory import PokeMemory
        from airflow_provider_instasent.sensors.message_ids import MessageIdsError, ids_to_wait_for
        from airflow_provider_instasent.waiting.delivery_watch import Watch
        from airflow_provider_instasent.waiting.results_file import watch_of_results
        from airflow_provider_instasent.waiting.wait_progress import WaitProgress

        ids = [] if self.results_path else ids_to_wait_for(self)
        if self.deferrable and len(ids) > MOST_TRIGGER_IDS:
            raise MessageIdsError(
                f"`message_ids`: a trigger can carry {MOST_TRIGGER_IDS} ids, and these are {len(ids)}. {_FIX}"
            )
        started, missing_since, memory = time.time(), None, None
        if self.reschedule and not self.deferrable:
            first = first_start(self, context)
            started = first.timestamp() if first else started
            memory = PokeMemory(context)
            missing_since = None if memory else started
        known = memory.load() if memory else None
        if self.results_path:
            watch = watch_of_results(self._results(self.results_path), self._rules(), known, missing_since)
        else:
            watch = Watch(ids, self._rules(), known, missing_since)
        deadline = started + self.timeout - (0 if self.deferrable else SOONER)
        return _Wait(watch, deadline, WaitProgress(self.log.info), memory)

    def _reader(self, wait: _Wait, hook: InstasentHook) -> LoneReader:
        from airflow_provider_instasent.waiting.lone_reader import LoneReader

        if wait.reader is None:
            wait.reader = LoneReader(
                wait.watch,
                deadline=wait.deadline,
                poll_interval=self.poke_interval,
                per_minute=hook.settings.max_polls_per_minute,
                polls_per_minute=self.max_polls_per_minute,
                check=self.check_stop,
            )
        return wait.reader

    def _keep_statuses(self, wait: _Wait) -> None:
        """Bring the results file up to date, where there is one."""
        from airflow_provider_instasent.waiting.results_file import keep_statuses

        if self.results_path:
            keep_statuses(self._results(self.results_path), wait.watch)

    @staticmethod
    def _results(path: str) -> Any:
        from airflow_provider_instasent.api.errors import ConfigurationError
        from airflow_provider_instasent.storage import path_of

        try:
            return path_of("results_path", path)
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from error

    def _rules(self) -> WatchRules:
        from airflow_provider_instasent.waiting.delivery_watch import WatchRules

        return WatchRules(self.success_statuses, self.min_delivered_ratio, self.max_poll_failures)

    def _look(self, wait: _Wait) -> Conclusion | None:
        """Ask once for all that is pending, unless a rate limit forbids it; return the end, where there is one."""
        from airflow_provider_instasent.api.errors import ConfigurationError
        from airflow_provider_instasent.api.retry import ONE_ATTEMPT
        from airflow_provider_instasent.hooks.instasent import InstasentHook
        from airflow_provider_instasent.waiting import conclusion

        try:
            hook = InstasentHook(self.instasent_conn_id)
            reader = self._reader(wait, hook)
            with reader, hook.get_conn(retry_policy=ONE_ATTEMPT) as client:
                ended = reader.sweep(client)
        except ConfigurationError as error:
            return conclusion.refused(wait.watch.result(), f"connection `{self.instasent_conn_id}`: {error}")
        if ended is None:  # else the last line tells
            wait.report(reader.subscription)
        return ended

    def _defer(self, context: Context, wait: _Wait) -> Any:
        """Go on in the triggerer; a few messages are asked for before, which may spare the way there and back."""
        from airflow_provider_instasent.waiting.account_reader import FEW

        if len(wait.watch.pending) <= FEW:
            with self.skipping():
                if (ended := self._look(wait)) is not None:
                    return self._finish(context, ended)
            self._keep_statuses(wait)
            wait.watch.next_sweep = time.time() + self.poke_interval
        self.defer(
            trigger=self._trigger(wait),
            method_name="execute_complete",
            timeout=timedelta(seconds=max(0.0, wait.deadline - time.time()) + TRIGGERER_SLACK),
        )
        raise AssertionError("unreachable: defer() raises")

    def _trigger(self, wait: _Wait) -> InstasentDeliveryTrigger:
        from airflow_provider_instasent.sensors.message_ids import MessageIdsError
        from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger

        try:
            ids, memory = ([], wait.watch.for_trigger_beside_file()) if self.results_path else wait.watch.for_trigger()
        except ValueError as error:
            raise MessageIdsError(f"`message_ids`: {error}. {_FIX}") from None
        return InstasentDeliveryTrigger(
            message_ids=ids,
            deadline=wait.deadline,
            instasent_conn_id=self.instasent_conn_id,
            success_statuses=self.success_statuses,
            min_delivered_ratio=self.min_delivered_ratio,
            poll_interval=self.poke_interval,
            max_poll_failures=self.max_poll_failures,
            max_polls_per_minute=self.max_polls_per_minute,
            memory=memory,
            results_path=self.results_path,
        )

    def _finish(self, context: Context, ended: Conclusion) -> dict[str, Any]:
        """Return the result; where the wait ended badly, put it into XCom and fail."""
        from airflow_provider_instasent.triggers.events import raise_unless_successful
        from airflow_provider_instasent.waiting.conclusion import Ending

        if self._wait is not None:
            self._keep_statuses(self._wait)
            if self._wait.memory is not None:
                self._wait.memory.forget()
        result = ended.result.as_dict()
        if ended.ending is Ending.SUCCESS:
            self.log.info(ended.message)
            return result
        if self.do_xcom_push:
            context["ti"].xcom_push(key="return_value", value=result)
        raise_unless_successful(ended)
        raise AssertionError("unreachable: a wait that ended badly raises")
