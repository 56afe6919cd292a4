# SPDX-License-Identifier: Apache-2.0
"""The bulk operator."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_instasent.compat import conf
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.operators import inputs
from airflow_provider_instasent.operators.campaign_parameters import campaign_id_of, check_campaign_parameters
from airflow_provider_instasent.operators.final_errors import failures_without_retry
from airflow_provider_instasent.operators.journals import journal_or_single_try
from airflow_provider_instasent.operators.task_try import TaskTry
from airflow_provider_instasent.operators.wait_for_delivery import DELIVERY_TIMEOUT, DeliveryWait, SendOperator
from airflow_provider_instasent.parameters import naming_the_task
from airflow_provider_instasent.planning.choices import OnPlanChange
from airflow_provider_instasent.templating import Gives
from airflow_provider_instasent.waiting.trigger_size import MOST_TRIGGER_IDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import timedelta

    from airflow_provider_instasent.campaign.bulk_send import BulkSend
    from airflow_provider_instasent.compat import Context
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.stopping import Stop
    from airflow_provider_instasent.planning.rows import Row
    from airflow_provider_instasent.waiting.conclusion import Conclusion


class InstasentBulkSmsOperator(SendOperator):
    """Send many SMS as one durable campaign: none twice, none lost, and each one's outcome known.

    Everything is planned before anything is sent. Each chunk of up to 100 messages is written to a journal before it
    leaves (Airflow's task state store from 3.3 on, or `journal_path`), so that a later try goes on where an earlier
    one ended, whatever ended it. Without a place for a journal it starts with `retries=0` only, and only in its first
    try: a cleared task is refused. The promise holds for one DAG run, task and map index; beyond that set `campaign_id`
    and `journal_path`.

    Airflow stores the rendered `messages` and `recipients` in the clear; a path keeps people's data out of it.

    :param messages: a list of `{to, text, sender?, allow_unicode?, client_id?}` (templated)
    :param recipients: in place of `messages`, with `text`: a list of numbers or rows, or the path of a CSV, JSON Lines
        or Parquet file, local or on any object storage (templated)
    :param text: the row template: `{{ row.column }}`; it also sees `params`, `run_id`, `data_interval_start` and
        `data_interval_end`, the same in each try. Not templated by Airflow, which has no row yet
    :param to_column: the column with the number
    :param sender: who the messages come from; default: the connection's (templated)
    :param allow_unicode: send characters outside GSM-7 as they are, at 70 a part; default: the connection's
    :param campaign_id: what the messages belong to; default: DAG, run, task and map index (templated)
    :param delimiter: what separates the cells of a CSV; `auto` tells `,` `;` `|` and a tab by its first lines
    :param encoding: of a CSV, such as `cp1252`; `auto` tells UTF-8, and UTF-16 with a byte order mark
    :param on_invalid: `fail` sends nothing when a row is bad, `skip` leaves bad rows out
    :param max_invalid_ratio: share of the rows, 0 to 1, that may be bad and left out; where all are, the task fails
    :param on_unconfirmed: what to do about messages of which nothing tells whether they were accepted: `fail` without
        retry after everything else was sent, `resend` with the same clientId, or `skip` (templated)
    :param unconfirmed_grace: seconds or a timedelta for which unconfirmed messages are looked for
    :param retry_rejected: send again what the API rejected in an earlier try (templated)
    :param on_plan_change: what to do where the rows differ from an earlier try's: `fail` sends nothing and reports,
        `continue` sends only to numbers without an accepted or unconfirmed message in this campaign (templated)
    :param max_rejected_ratio: share of the messages, 0 to 1, that the API may reject before the task fails, after
        everything was tried
    :param deduplicate: send the same sender, number and text once
    :param suppress: numbers never to text: a list, or a path like `recipients` (templated)
    :param max_messages: refuse to start above
    :param max_total_parts: refuse to start above
    :param preview: plan, log and return what would be sent, and send nothing (templated)
    :param journal_path: a directory for the journal, local or on any object storage (templated)
    :param results_path: a file for one JSON line a row: position, client_id, id, state, status, reason, accepted_at
        (templated)
    :param max_in_flight: requests in flight at once; default: the connection's, 8
    :param max_xcom_ids: the most ids in the result; more messages need `results_path`
    :param wait_for_delivery: wait until the messages are delivered, and fail when too few are
    :param min_delivered_ratio: share of the accepted messages, 0 to 1, that must be delivered; one whose id is not
        known counts as not delivered (`no_id`)
    :param success_statuses: statuses that count as delivered; `delivered` always does
    :param deferrable: wait in the triggerer instead of a worker slot, which is given back without a request
    :param poll_interval: seconds or a timedelta between two looks at the statuses; up to ten times as long in a silence
    :param timeout: seconds or a timedelta to wait for delivery in all
    :param instasent_conn_id: the connection (templated)
    :returns: `{"campaign_id", "rows", "total", "gone", "accepted", "rejected", "unconfirmed", "planned", "invalid",
        "duplicates", "suppressed", "parts", "message_ids", "results_path"}`; `gone` are those in
        `total` that an earlier try sent and whose row is gone; after waiting also `delivered`,
        `undeliverable`, `pending` and `statuses`, the messages by status; with `preview` what would be sent
    :raises ValueError: names the parameter that is wrong
    """

    template_fields: Sequence[str] = (
        "messages",
        "recipients",
        "sender",
        "campaign_id",
        "on_unconfirmed",
        "on_plan_change",
        "retry_rejected",
        "suppress",
        "preview",
        "journal_path",
        "results_path",
        "instasent_conn_id",
    )
    template_gives: ClassVar[Mapping[str, Gives]] = dict.fromkeys(("messages", "recipients", "suppress"), Gives.LIST)
    ui_color = "#d6ecff"

    def __init__(
        self,
        *,
        messages: Any = None,
        recipients: Any = None,
        text: str | None = None,
        to_column: str = "to",
        sender: str | None = None,
        allow_unicode: bool | None = None,
        campaign_id: str | None = None,
        delimiter: str = "auto",
        encoding: str = "auto",
        on_invalid: str = "fail",
        max_invalid_ratio: float = 1.0,
        on_unconfirmed: str = "fail",
        unconfirmed_grace: timedelta | float = 60.0,
        retry_rejected: bool | str = False,
        on_plan_change: str = "fail",
        max_rejected_ratio: float = 0.0,
        deduplicate: bool = True,
        suppress: Any = None,
        max_messages: int | None = None,
        max_total_parts: int | None = None,
        preview: bool | str = False,
        journal_path: str | None = None,
        results_path: str | None = None,
        max_in_flight: int | None = None,
        max_xcom_ids: int = 1_000,
        wait_for_delivery: bool = False,
        min_delivered_ratio: float = 1.0,
        success_statuses: Sequence[str] = ("delivered",),
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: timedelta | float = 30.0,
        timeout: timedelta | float = DELIVERY_TIMEOUT,
        instasent_conn_id: str = InstasentHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.messages = messages
        self.recipients = recipients
        self.text = text
        self.to_column = to_column
        self.sender = sender
        self.allow_unicode = allow_unicode
        self.campaign_id = campaign_id
        self.delimiter = delimiter
        self.encoding = encoding
        self.on_invalid = on_invalid
        self.max_invalid_ratio = max_invalid_ratio
        self.on_unconfirmed = on_unconfirmed
        self.unconfirmed_grace: Any = unconfirmed_grace
        self.retry_rejected = retry_rejected
        self.on_plan_change = on_plan_change
        self.max_rejected_ratio = max_rejected_ratio
        self.deduplicate = deduplicate
        self.suppress = suppress
        self._suppresses = suppress is not None
        self.max_messages = max_messages
        self.max_total_parts = max_total_parts
        self.preview = preview
        self.journal_path = journal_path
        self.results_path = results_path
        self.max_in_flight = max_in_flight
        self.max_xcom_ids = max_xcom_ids
        self.wait_for_delivery = wait_for_delivery
        self.min_delivered_ratio = min_delivered_ratio
        self.success_statuses = success_statuses
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.instasent_conn_id = instasent_conn_id
        with naming_the_task(self.task_id):
            check_campaign_parameters(self)
            self.check_inputs()
            if wait_for_delivery and results_path is None and max_xcom_ids > MOST_TRIGGER_IDS:
                raise ValueError(
                    f"`wait_for_delivery` with more than {MOST_TRIGGER_IDS} `max_xcom_ids` needs `results_path`"
                )

    def execute(self, context: Context) -> dict[str, Any]:
        """Plan, send what earlier tries have not, and report."""
        from airflow_provider_instasent.journal.stopping import Stop

        self._stop = stop = Stop()
        task_try = TaskTry.of(context)
        with failures_without_retry(), InstasentHook(self.instasent_conn_id) as hook, ExitStack() as stack:
            rows = partial(self.make_rows, context)
            if inputs.flag("preview", self.preview):
                preview = self._bulk_send(task_try, hook, rows, stop).preview()
                self.log.info("Preview, nothing is sent: %s", preview)
                return preview
            journal = self._journal(task_try, stack)  # first of all: whatever fails, it is known that there was a try
            send = self._bulk_send(task_try, hook, rows, stop)
            client = stack.enter_context(
                hook.get_conn(max_in_flight=inputs.requests_in_flight(self.max_in_flight, hook.settings))
            )
            outcome = send.send(client, journal)
            summary = outcome.summary
            if outcome.error is not None:
                task_try.report_before_failing(self, summary)
                raise outcome.error
        if not self.wait_for_delivery or not summary["accepted"]:
            return self._done(task_try, summary)
        # Whatever ends the wait, the outcomes are there to be read.
        task_try.report_before_failing(self, summary)
        with self.wait_failures(task_try):
            ended = DeliveryWait(self, self.min_delivered_ratio, self.results_path or None).wait(
                summary["message_ids"],
                deferrable=self.deferrable,
                without_id=DeliveryWait.without_id(summary, self.max_xcom_ids),
                accepted=outcome.accepted,
                carried={name: value for name, value in summary.items() if name != "message_ids"},
            )
            return self._conclude(task_try, summary, ended)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Return what the trigger found, or fail because of it."""
        from airflow_provider_instasent.triggers.events import conclusion_of

        ended = conclusion_of(event)
        ids = list(ended.result.statuses)[: self.max_xcom_ids]
        return self._conclude(TaskTry.of(context), {**event["carried"], "message_ids": ids}, ended)

    def check_inputs(self) -> None:
        """Check at DAG parsing that there is exactly one source of messages.

        :raises ValueError: names the parameter that is wrong
        """
        inputs.check_inputs(self.messages, self.recipients, self.text)

    def make_rows(self, context: Context) -> Iterator[Row]:  # noqa: ARG002 - for subclasses
        """Yield the rows to make messages of.

        :param context: the task's context
        """
        return inputs.rows_of(self.messages, self.recipients, self.to_column, inputs.file_format_of(self))

    def _bulk_send(
        self, task_try: TaskTry, hook: InstasentHook, rows: Callable[[], Iterator[Row]], stop: Stop
    ) -> BulkSend:
        from airflow_provider_instasent.campaign.bulk_send import BulkSend

        connection = hook.settings
        plan = inputs.plan_settings(self, connection, task_try)
        settings = inputs.campaign_settings(
            self,
            connection,
            task_try,
            plan,
            on_plan_change=OnPlanChange.of(self.on_plan_change),
            max_reported=self.max_xcom_ids,
        )
        return BulkSend(rows, partial(inputs.suppressed_rows, self, expected=self._suppresses), settings, stop)

    def _journal(self, task_try: TaskTry, stack: ExitStack) -> Journal | None:
        journal = journal_or_single_try(task_try, self, campaign_id_of(task_try, self.campaign_id))
        if journal is None:
            return None
        if not self.retries:
            self.log.warning("`retries` is 0, so a failed try is continued only when somebody clears the task.")
        return stack.enter_context(journal)

    def _done(self, task_try: TaskTry, summary: dict[str, Any]) -> dict[str, Any]:
        from airflow_provider_instasent.operators.asset_events import fill_asset_events

        counts = {name: value for name, value in summary.items() if name != "message_ids"}
        self.log.info("Campaign done: %s", counts)
        fill_asset_events(task_try, self.outlets or (), summary)
        return summary

    def _conclude(self, task_try: TaskTry, summary: dict[str, Any], ended: Conclusion) -> dict[str, Any]:
        from airflow_provider_instasent.triggers.events import raise_unless_successful
        from airflow_provider_instasent.waiting.conclusion import Ending

        result = ended.result
        summary = {
            **summary,
            "delivered": result.delivered,
            "undeliverable": result.undeliverable,
            "pending": result.pending,
            "statuses": dict(result.counts),
        }
        if ended.ending is not Ending.SUCCESS:
            task_try.report_before_failing(self, summary)
        raise_unless_successful(ended)
        return self._done(task_try, summary)
