# SPDX-License-Identifier: Apache-2.0
"""Operators that send SMS."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.compat import AirflowFailException, conf
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.operators.bulk_sms import InstasentBulkSmsOperator
from airflow_provider_instasent.operators.campaign_parameters import (
    campaign_id_of,
    check_campaign_parameters,
    check_one_number,
)
from airflow_provider_instasent.operators.final_errors import failures_without_retry, state_after
from airflow_provider_instasent.operators.history import InstasentSmsHistoryOperator
from airflow_provider_instasent.operators.journals import journal_name, open_journal
from airflow_provider_instasent.operators.task_try import TaskTry
from airflow_provider_instasent.operators.wait_for_delivery import DELIVERY_TIMEOUT, DeliveryWait, SendOperator
from airflow_provider_instasent.parameters import naming_the_task
from airflow_provider_instasent.planning.choices import OnUnconfirmed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.campaign.campaign_settings import SendSettings
    from airflow_provider_instasent.compat import Context
    from airflow_provider_instasent.journal.errors import PlanError
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.waiting.conclusion import Conclusion

__all__ = ["InstasentBulkSmsOperator", "InstasentSendSmsOperator", "InstasentSmsHistoryOperator"]

_MOMENT = 5.0
"""Seconds that a message's acceptance and the record of it take at most, as a rule."""


class InstasentSendSmsOperator(SendOperator):
    """Send one SMS, never twice, and know what became of it.

    Before the message leaves, its intent is written to a journal: Airflow's task state store (3.3+), or
    `journal_path`. A later try finds it there, looks the message up in Instasent's list and does not send it
    again. With neither, a retry looks for it in the list before it sends. The promise holds for one DAG run, task and
    map index. Clearing a task whose message was accepted sends nothing and returns the stored result.

    Airflow stores the rendered `to` and `text` in the clear.

    :param to: the number, `+` and country code first, or national with the connection's `default_region` (templated)
    :param text: the text; longer ones are sent as several parts (templated)
    :param sender: who it comes from, at most 11 characters with letters, else 15; default: the connection's (templated)
    :param allow_unicode: send characters outside GSM-7 as they are, at 70 a part; default: the connection's
    :param client_id: your own id of the message, at most 40 characters, unique; default: generated (templated)
    :param campaign_id: what the message belongs to; default: DAG, run, task and map index. Together with
        `journal_path`, each number gets one message a campaign, over all tasks and DAG runs (templated)
    :param wait_for_delivery: wait until the message is delivered, and fail when it will not be
    :param deferrable: wait in the triggerer instead of a worker slot, which is given back without a request
    :param poll_interval: seconds or a timedelta between two looks at the status; up to ten times as long in a silence
    :param timeout: seconds or a timedelta to wait for delivery in all
    :param success_statuses: statuses that count as delivered; `delivered` always does
    :param on_unconfirmed: what to do when nothing tells whether the message was accepted and it is not found in
        the list: `fail` without retry, `resend` with the same clientId, or `skip` (templated)
    :param unconfirmed_grace: seconds or a timedelta for which an unconfirmed message is looked for
    :param journal_path: a directory for the journal, local and absolute or on any object storage (templated)
    :param instasent_conn_id: the connection (templated)
    :returns: `{"id", "client_id", "status", "parts", "state"}`; `state` is `accepted`, `unconfirmed` (with `skip`),
        or after waiting `delivered`. Put into XCom before the task fails, too, with the state `undeliverable`,
        `rejected`, `unconfirmed` or `planned` (not sent)
    :raises ValueError: names the parameter that is wrong
    """

    template_fields: Sequence[str] = (
        "to",
        "text",
        "sender",
        "client_id",
        "campaign_id",
        "on_unconfirmed",
        "journal_path",
        "instasent_conn_id",
    )
    none_is_text = True
    ui_color = "#d6ecff"

    def __init__(
        self,
        *,
        to: str,
        text: str,
        sender: str | None = None,
        allow_unicode: bool | None = None,
        client_id: str | None = None,
        campaign_id: str | None = None,
        wait_for_delivery: bool = False,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: timedelta | float = 30.0,
        timeout: timedelta | float = DELIVERY_TIMEOUT,
        success_statuses: Sequence[str] = ("delivered",),
        on_unconfirmed: str = "fail",
        unconfirmed_grace: timedelta | float = 60.0,
        journal_path: str | None = None,
        instasent_conn_id: str = InstasentHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.text = text
        self.sender = sender
        self.allow_unicode = allow_unicode
        self.client_id = client_id
        self.campaign_id = campaign_id
        self.wait_for_delivery = wait_for_delivery
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.success_statuses = success_statuses
        self.on_unconfirmed = on_unconfirmed
        self.unconfirmed_grace: Any = unconfirmed_grace
        self.journal_path = journal_path
        self.instasent_conn_id = instasent_conn_id
        self._accepted: tuple[float, float] | None = None
        with naming_the_task(self.task_id):
            check_campaign_parameters(self)
            check_one_number(to)

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the message, or find out that an earlier try did; then wait for it if asked to."""
        from airflow_provider_instasent.journal.stopping import Stop

        self._stop, task_try = Stop(), TaskTry.of(context)
        value = self._send(task_try)
        if not self.wait_for_delivery or value["state"] == MessageState.UNCONFIRMED:
            return value
        # Whatever ends the wait, and Airflow has ways of its own to, the id is there to be read.
        task_try.report_before_failing(self, value)
        if value["id"] is None:
            raise AirflowFailException(
                "The message was accepted, but the API did not tell its id, so its delivery cannot be followed. It is "
                "not sent again. Look at Instasent's dashboard; if it arrived, mark the task as successful."
            )
        with self.wait_failures(task_try):
            return self._wait_for_delivery(task_try, value)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Return what the trigger found, or fail because of it."""
        from airflow_provider_instasent.triggers.events import conclusion_of

        ended = conclusion_of(event)
        return self._conclude(TaskTry.of(context), dict(event["carried"]), ended)

    def _wait_for_delivery(self, task_try: TaskTry, value: dict[str, Any]) -> dict[str, Any]:
        ended = DeliveryWait(self).wait(
            [value["id"]], deferrable=self.deferrable, carried=value, accepted=self._accepted
        )
        return self._conclude(task_try, value, ended)

    def _conclude(self, task_try: TaskTry, value: dict[str, Any], ended: Conclusion) -> dict[str, Any]:
        from airflow_provider_instasent.triggers.events import raise_unless_successful

        result = ended.result
        verdict = "delivered" if result.delivered else "undeliverable" if result.undeliverable else value["state"]
        value = {**value, "status": result.statuses[value["id"]]["status"], "state": verdict}
        if verdict != "delivered":
            task_try.report_before_failing(self, value)
        raise_unless_successful(ended)
        self.log.info(ended.message)
        return value

    def _send(self, task_try: TaskTry) -> dict[str, Any]:
        from airflow_provider_instasent.api.errors import InstasentError
        from airflow_provider_instasent.campaign.single_result import told
        from airflow_provider_instasent.campaign.single_send import SingleSend

        with failures_without_retry(), InstasentHook(self.instasent_conn_id) as hook, ExitStack() as stack:
            settings = self._settings(task_try)
            # First of all: whatever fails, it is known that there was a try.
            journal = None if self._campaign_is_shared else self._journal(task_try, settings.campaign_id, stack)
            message = self._message(hook)
            client = hook.get_conn()
            if self._campaign_is_shared:
                journal = self._journal(task_try, journal_name(settings.campaign_id, message.to), stack)
            if journal is None:
                settings = self._settings_without_journal(task_try, settings, hook)
            sleep = time.sleep if self._stop is None else self._stop.sleep
            send = SingleSend(message, client, journal, settings, sleep=sleep)
            try:
                result = send.send()
                if result.changed and self._campaign_is_shared:
                    raise _another_message()
            except InstasentError as error:
                state = state_after(error, in_doubt=send.in_doubt)
                known = MessageOutcome(0, state, client_id=send.client_id)
                task_try.report_before_failing(self, _value(known, message))
                raise
        self.log.info(told(message, result))
        self._accepted = _just_now(journal) if result.sent_now else None
        return _value(result.outcome, message)

    def _message(self, hook: InstasentHook) -> Sms:
        check_one_number(self.to)
        return hook.message(
            to=self.to,
            text=self.text,
            sender=self.sender,
            allow_unicode=self.allow_unicode,
            client_id=self.client_id,
        )

    @property
    def _campaign_is_shared(self) -> bool:
        """Whether other tasks and DAG runs may be part of the campaign and see its journal."""
        return self.campaign_id is not None and self.journal_path is not None

    def _journal(self, task_try: TaskTry, name: str, stack: ExitStack) -> Journal | None:
        journal = open_journal(task_try, self, name, is_shared=self._campaign_is_shared)
        return None if journal is None else stack.enter_context(journal)

    def _settings(self, task_try: TaskTry) -> SendSettings:
        from airflow_provider_instasent.api.steady_clock import elapsed
        from airflow_provider_instasent.campaign.campaign_settings import SendSettings

        return SendSettings(
            campaign_id=campaign_id_of(task_try, self.campaign_id),
            on_unconfirmed=OnUnconfirmed.of(self.on_unconfirmed),
            unconfirmed_grace=self.unconfirmed_grace,
            started_at=elapsed(),
        )

    def _settings_without_journal(self, task_try: TaskTry, settings: SendSettings, hook: InstasentHook) -> SendSettings:
        """Without a journal, a later try must assume that an earlier one may have sent the message."""
        from airflow_provider_instasent.api.client_ids import secret_of_run

        secret = secret_of_run(hook.settings.token, task_try.owner, settings.campaign_id)
        settings = replace(settings, run_secret=secret)
        if task_try.number <= 1:
            return settings
        self.log.info(
            "There is no journal (`journal_path`, or Airflow 3.3's task state store), so this retry looks for the "
            "message in the list before it sends, for %g s.",
            self.unconfirmed_grace,
        )
        return replace(settings, look_since=task_try.possible_since)


def _another_message() -> PlanError:
    """Return the error of a campaign in which the number got another message."""
    from airflow_provider_instasent.journal.errors import PlanError

    return PlanError(
        "this campaign (`campaign_id`, `journal_path`) has sent another message to this number: its sender or text "
        "differs from what is to be sent now, and nothing was sent. If both are wanted, give each a `campaign_id`."
    )


def _just_now(journal: Journal | None) -> tuple[float, float]:
    """Return between which moments a message was accepted that has just been, on the server's clock as far as known."""
    now = time.time() if journal is None else journal.clock.now() + (journal.clock.offset or 0.0)
    return now - _MOMENT, now


def _value(outcome: MessageOutcome, message: Sms) -> dict[str, Any]:
    return {
        "id": outcome.id,
        "client_id": outcome.client_id,
        "status": outcome.status,
        "parts": message.size().parts,
        "state": str(outcome.state),
    }
