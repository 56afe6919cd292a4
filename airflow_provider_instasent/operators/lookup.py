# SPDX-License-Identifier: Apache-2.0
"""The lookup operator."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_instasent.api.statuses import DEFAULT_PENDING_STATUSES
from airflow_provider_instasent.compat import BaseOperator, conf
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.operators import inputs
from airflow_provider_instasent.operators.campaign_parameters import campaign_id_of, check_campaign_parameters
from airflow_provider_instasent.operators.final_errors import failures_without_retry
from airflow_provider_instasent.operators.journals import journal_or_single_try
from airflow_provider_instasent.operators.task_try import TaskTry
from airflow_provider_instasent.operators.wait_for_lookups import LookupWait
from airflow_provider_instasent.parameters import naming_the_task
from airflow_provider_instasent.planning.choices import OnInvalid, OnPlanChange
from airflow_provider_instasent.templating import Gives, TemplatedFields
from airflow_provider_instasent.waiting.default_timeouts import LOOKUP_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings
    from airflow_provider_instasent.campaign.lookup_campaign import LookupCampaign
    from airflow_provider_instasent.compat import Context
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.stopping import Stop
    from airflow_provider_instasent.planning.rows import Row


class InstasentLookupOperator(TemplatedFields, BaseOperator):
    """Look up numbers, none twice, for each lookup is billed.

    Each number is looked up once, however often it is given. Before its request leaves, its intent is written to a
    journal: Airflow's task state store (3.3+), or `journal_path`; a later try goes on where an earlier one ended.
    Without a place for a journal it starts with `retries=0` only, only in its first try, and cannot be deferred. The
    promise holds for one DAG run, task and map index; beyond that set `campaign_id` and `journal_path`. Clearing a
    finished task that has a journal orders nothing and reads the results anew.

    Of a lookup's fields only `id` is known. So the API's entity is returned as it came, with ours beside, and whether a
    lookup is finished is a rule you may give: its `status` is none of `pending_statuses`; without a status it counts as
    finished. A lookup that is not found for 120 s is `not_found`. An order without an answer is looked for in the list
    by `to` and `createdAt`; where the API sends neither, it stays unconfirmed.

    Airflow stores the rendered `to` and the result in the clear; paths keep people's data out of it.

    :param to: a number, a list of numbers or rows, or the path of a CSV, JSON Lines or Parquet file, local or on any
        object storage (templated)
    :param to_column: the column with the number
    :param wait: wait until all lookups are finished; else read them once and return what is there
    :param deferrable: wait in the triggerer instead of a worker slot, which is given back without a request
    :param poll_interval: seconds or a timedelta between two sweeps over the pending lookups; up to ten times as
        long in a silence
    :param timeout: seconds or a timedelta to wait in all
    :param pending_statuses: statuses of a lookup that is not finished
    :param max_poll_failures: sweeps in a row without a successful read after which it fails, with retries
    :param max_polls_per_minute: the most reads a minute while this wait lasts, deferred of all waits of the account
        together; the lowest that any of them and the connection say counts. Default: the connection's, else a quarter
        of the rate limit
    :param campaign_id: what the lookups belong to; default: DAG, run, task and map index (templated)
    :param delimiter: what separates the cells of a CSV; `auto` tells `,` `;` `|` and a tab by its first lines
    :param encoding: of a CSV, such as `cp1252`; `auto` tells UTF-8, and UTF-16 with a byte order mark
    :param on_invalid: `fail` orders nothing when a row has no possible number, `skip` leaves it out
    :param max_invalid_ratio: share of the rows, 0 to 1, that may be bad and left out; where all are, the task fails
    :param on_unconfirmed: what to do about orders of which nothing tells whether they were accepted: `fail` without
        retry after everything else was ordered, `resend` to order again, or `skip` (templated)
    :param unconfirmed_grace: seconds or a timedelta for which they are looked for
    :param retry_rejected: order again what the API rejected in an earlier try (templated)
    :param max_rejected_ratio: share of the numbers, 0 to 1, that the API may reject before the task fails, after
        everything was tried
    :param journal_path: a directory for the journal, local or on any object storage (templated)
    :param results_path: a file for one JSON line a number, instead of the rows in the result (templated)
    :param max_in_flight: requests in flight at once; default: the connection's, 8
    :param max_xcom_rows: the most rows in the result; more numbers need `results_path`
    :param instasent_conn_id: the connection (templated)
    :returns: `{"rows", "total", "gone", "accepted", "rejected", "unconfirmed", "planned", "finished", "pending",
        "not_found", "invalid", "duplicates", "first_invalid", "lookups", "results_path"}`; `gone` are those in `total`
        that an earlier try ordered and that are not asked for any more; `lookups`, or the file, has `{"position", "to",
        "id", "state", "reason", "lookup": the API's entity}` for each number. The file's path, or `.output["lookups"]`
        (the rows are an XCom of that key too), serves as the bulk operator's `recipients` or `suppress`
    :raises ValueError: names the parameter that is wrong
    """

    template_fields: Sequence[str] = (
        "to",
        "campaign_id",
        "on_unconfirmed",
        "retry_rejected",
        "journal_path",
        "results_path",
        "instasent_conn_id",
    )
    template_gives: ClassVar[Mapping[str, Gives]] = {"to": Gives.LIST}
    ui_color = "#d6ecff"

    def __init__(
        self,
        *,
        to: Any,
        to_column: str = "to",
        wait: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: timedelta | float = 30.0,
        timeout: timedelta | float = LOOKUP_TIMEOUT,
        pending_statuses: Sequence[str] = DEFAULT_PENDING_STATUSES,
        max_poll_failures: int = 10,
        max_polls_per_minute: int | None = None,
        campaign_id: str | None = None,
        delimiter: str = "auto",
        encoding: str = "auto",
        on_invalid: str = "fail",
        max_invalid_ratio: float = 1.0,
        on_unconfirmed: str = "fail",
        unconfirmed_grace: timedelta | float = 60.0,
        retry_rejected: bool | str = False,
        max_rejected_ratio: float = 0.0,
        journal_path: str | None = None,
        results_path: str | None = None,
        max_in_flight: int | None = None,
        max_xcom_rows: int = 1_000,
        instasent_conn_id: str = InstasentHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.to = to
        self.to_column = to_column
        self.wait = wait
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.pending_statuses = pending_statuses
        self.max_poll_failures = max_poll_failures
        self.max_polls_per_minute = max_polls_per_minute
        self.campaign_id = campaign_id
        self.delimiter = delimiter
        self.encoding = encoding
        self.on_invalid = on_invalid
        self.max_invalid_ratio = max_invalid_ratio
        self.on_unconfirmed = on_unconfirmed
        self.unconfirmed_grace: Any = unconfirmed_grace
        self.retry_rejected = retry_rejected
        self.max_rejected_ratio = max_rejected_ratio
        self.journal_path = journal_path
        self.results_path = results_path
        self.max_in_flight = max_in_flight
        self.max_xcom_rows = max_xcom_rows
        self.instasent_conn_id = instasent_conn_id
        self._stop: Stop | None = None
        with naming_the_task(self.task_id):
            check_campaign_parameters(self)

    def execute(self, context: Context) -> dict[str, Any]:
        """Order what earlier tries have not, wait if asked to, and report."""
        return self._carry_out(TaskTry.of(context), None)

    def execute_complete(self, context: Context, event: Any = None) -> dict[str, Any]:
        """Read what the trigger waited for, and report; wait again for what it had no room for."""
        return self._carry_out(TaskTry.of(context), event)

    def on_kill(self) -> None:
        """Ask for an end; requests in flight get a moment to be recorded."""
        if self._stop is not None:
            self._stop.set()

    def _carry_out(self, task_try: TaskTry, event: Any) -> dict[str, Any]:
        from airflow_provider_instasent.campaign.lookup_campaign import LookupCampaign
        from airflow_provider_instasent.journal.stopping import Stop

        self._stop = stop = Stop()
        with failures_without_retry(), InstasentHook(self.instasent_conn_id) as hook, ExitStack() as stack:
            journal = self._journal(task_try, stack)
            campaign = stack.enter_context(LookupCampaign(self._settings(task_try, hook), stop))
            campaign.plan(self._rows(), journal)
            if event is None:
                self._order(task_try, hook, campaign)
            wait = LookupWait(self, campaign, event, stop.check)
            ended = wait.wait()
            summary = campaign.summary(wait.watch)
            if ended is not None:
                from airflow_provider_instasent.triggers.events import raise_unless_successful
                from airflow_provider_instasent.waiting.conclusion import Ending

                if ended.ending is not Ending.SUCCESS:
                    task_try.report_before_failing(self, summary)
                    raise_unless_successful(ended)
            if campaign.unwritten is not None:
                task_try.report_before_failing(self, summary)
                raise campaign.unwritten
        self._tell(summary)
        if self.do_xcom_push and summary["lookups"] is not None:
            # `.output["lookups"]` is a key of its own to Airflow, not a part of what was returned.
            task_try.push(summary["lookups"], key="lookups")
        return summary

    def _order(self, task_try: TaskTry, hook: InstasentHook, campaign: LookupCampaign) -> None:
        with hook.get_conn(max_in_flight=inputs.requests_in_flight(self.max_in_flight, hook.settings)) as client:
            error = campaign.order(client)
        if error is not None:
            task_try.report_before_failing(self, campaign.summary())
            raise error

    def _settings(self, task_try: TaskTry, hook: InstasentHook) -> CampaignSettings:
        from airflow_provider_instasent.planning.plan import PlanSettings

        plan = PlanSettings(
            campaign_id=self._journal_id(task_try),
            to_column=self.to_column,
            default_region=hook.settings.default_region,
            on_invalid=OnInvalid.of(self.on_invalid),
            max_invalid_ratio=self.max_invalid_ratio,
        )
        return inputs.campaign_settings(
            self,
            hook.settings,
            task_try,
            plan,
            # A number is looked up once, whatever other numbers come and go.
            on_plan_change=OnPlanChange.CONTINUE,
            max_reported=self.max_xcom_rows,
        )

    def _journal_id(self, task_try: TaskTry) -> str:
        # Not the name of a campaign's SMS: their journal may be under the same `journal_path`.
        return f"lookup/{campaign_id_of(task_try, self.campaign_id)}"

    def _journal(self, task_try: TaskTry, stack: ExitStack) -> Journal | None:
        from airflow_provider_instasent.api.errors import ConfigurationError

        journal = journal_or_single_try(task_try, self, self._journal_id(task_try))
        if journal is not None:
            return stack.enter_context(journal)
        if self.wait and self.deferrable:
            raise ConfigurationError(
                "`deferrable` needs a journal, which tells the task that comes back what was ordered: set "
                "`journal_path`, or use Airflow 3.3's task state store. Nothing was ordered."
            )
        return None

    def _rows(self) -> Iterator[Row]:
        rows = [self.to] if _is_number(self.to) else self.to
        return inputs.named_rows("to", rows, self.to_column, inputs.file_format_of(self))

    def _tell(self, summary: dict[str, Any]) -> None:
        counts = {name: value for name, value in summary.items() if isinstance(value, int)}
        self.log.info("Lookups done: %s", counts)
        for bad in summary["first_invalid"]:
            self.log.warning("Row %d was left out: %s", bad["position"], bad["reason"])
        if summary["not_found"]:
            self.log.warning("%d lookups were accepted and are not found.", summary["not_found"])


def _is_number(value: Any) -> bool:
    """Tell a number from a path: nothing but digits and what groups them."""
    if isinstance(value, int) and not isinstance(value, bool):
        return True
    return isinstance(value, str) and value.strip() != "" and not set(value) - set("+0123456789 ().-/")
