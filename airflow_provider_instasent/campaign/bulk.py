# SPDX-License-Identifier: Apache-2.0
"""A bulk send from rows to summary: one try, whatever became of the tries before it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import (
    InstasentError,
    InvalidMessageError,
)
from airflow_provider_instasent.api.numbers import normalise
from airflow_provider_instasent.campaign.complaint import MESSAGES, complaint, results_unwritten
from airflow_provider_instasent.campaign.progress import Progress
from airflow_provider_instasent.campaign.result import preview_of, records_of, summary_of
from airflow_provider_instasent.campaign.run import CampaignRun, History, RunSettings, finished_by
from airflow_provider_instasent.campaign.sender import Sender
from airflow_provider_instasent.campaign.stopping import sleep_until_stopped, until_stopped
from airflow_provider_instasent.journal.errors import JournalError, PlanError, StoppedError
from airflow_provider_instasent.planning.plan import Planner, PlanSettings, PlanSummary
from airflow_provider_instasent.planning.source import BadRow, Row
from airflow_provider_instasent.planning.spool import Spool

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.journal.journal import Journal

log = logging.getLogger(__name__)

MANY = 100_000
"""Messages above which `journal_path` is recommended: a million ids are about 30 MB in the metadata database."""


@dataclass(frozen=True, slots=True)
class BulkSettings:
    """How a bulk send is done.

    :param plan: how rows become messages
    :param run: how they are sent
    :param max_in_flight: chunks on their way at once
    :param max_rejected_ratio: share of the messages, 0 to 1, that the API may reject
    :param max_ids: the most ids in the summary
    :param results_path: a path for one JSON line a row, or None
    """

    plan: PlanSettings
    run: RunSettings
    max_in_flight: int = 8
    max_rejected_ratio: float = 0.0
    max_ids: int = 1_000
    results_path: Any = None


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What a try came to.

    :param summary: counts and ids, to be reported before `error` is raised
    :param error: why the try failed, or None
    """

    summary: dict[str, Any]
    error: InstasentError | None = None


class BulkSend:
    """Sends the messages made of rows, under the sending promise.

    :param rows: yields the rows; called once a try
    :param suppress: yields numbers never to text
    :param settings: how
    :param stop: set from outside to end soon
    """

    def __init__(
        self,
        rows: Callable[[], Iterator[Row]],
        suppress: Callable[[], Iterable[Any]],
        settings: BulkSettings,
        stop: threading.Event,
    ) -> None:
        self._rows = rows
        self._suppress = suppress
        self._settings = settings
        self._stop = stop

    def preview(self) -> dict[str, Any]:
        """Plan everything and send nothing.

        :returns: messages, parts, encodings, countries, bad rows, duplicates, suppressed, and under `refused` why
            such a plan would not be sent, or None
        """
        with Spool() as spool:
            planner = self._planner(spool)
            plan = planner.read(until_stopped(self._rows(), self._stop))
            try:
                planner.check()
                self._check_report(plan)
            except PlanError as error:
                return preview_of(self._settings.plan.campaign_id, plan, refused=str(error))
            return preview_of(self._settings.plan.campaign_id, plan)

    def run(self, client: InstasentClient, journal: Journal | None) -> BulkOutcome:
        """Send what earlier tries have not, and report.

        :param client: safe for several requests at once
        :param journal: open, not yet replayed; None only where no retry can follow
        :raises PlanError: where the plan is not one to send; nothing was sent by this try
        :raises JournalError: where the journal cannot be read; nothing was sent by this try
        """
        with Spool() as spool:
            history = History(spool)
            if journal is not None:
                history.take(journal.replay())
            finished = history.notes.get(finished_by(self._settings.run.owner))
            if isinstance(finished, dict):
                return BulkOutcome(self._stored(finished, spool))
            planner = self._planner(spool)
            plan = planner.read(until_stopped(self._rows(), self._stop))
            planner.check()
            self._check_report(plan)
            sender = Sender(client, journal, spool, self._settings.max_in_flight, self._stop)
            run = CampaignRun(
                spool, sender, journal, history, self._settings.run, sleep=partial(sleep_until_stopped, stop=self._stop)
            )
            run.prepare()
            total = plan.messages - spool.withheld
            if total > MANY and journal is not None and journal.in_metadata_database:
                log.info(
                    "The journal of these %d messages is kept in Airflow's metadata database: a `journal_path` "
                    "would keep that small.",
                    total,
                )
            sender.progress = Progress(total, log.info, total - spool.counts().get("planned", 0))
            return self._send(run, spool, plan)

    def _send(self, run: CampaignRun, spool: Spool, plan: PlanSummary) -> BulkOutcome:
        error: InstasentError | None
        try:
            error = run.run()
        except StoppedError:
            raise  # a few seconds are left, and they belong to the journal
        except InstasentError as raised:
            error = raised
        settings = self._settings
        path = settings.results_path
        summary = summary_of(
            settings.plan.campaign_id,
            plan,
            spool,
            max_ids=settings.max_ids,
            results_path=None if path is None else str(path),
        )
        unwritten = None
        if path is not None and not isinstance(error, JournalError):  # else another try may be writing the file
            unwritten = results_unwritten(path, records_of(spool))
        error = error or complaint(summary, summary["total"], settings.run, settings.max_rejected_ratio, MESSAGES)
        error = error or unwritten
        if error is None:
            try:
                run.finish(_kept(summary, spool))
            except JournalError as raised:
                error = raised
        return BulkOutcome(summary, error)

    def _planner(self, spool: Spool) -> Planner:
        return Planner(spool, self._settings.plan, self._suppressed(spool))

    def _suppressed(self, spool: Spool) -> Callable[[str], bool]:
        count = 0
        for position, number in enumerate(self._suppress()):
            if isinstance(number, BadRow):
                raise PlanError(f"`suppress`: row {position} {number.reason}: nothing was sent")
            try:
                spool.suppress(normalise(number, self._settings.plan.default_region).e164)
            except InvalidMessageError as error:
                raise PlanError(f"`suppress`: row {position} is no number ({error.reason}): nothing was sent") from None
            count += 1
        return spool.is_suppressed if count else lambda _number: False

    def _check_report(self, plan: PlanSummary) -> None:
        settings = self._settings
        if plan.messages > settings.max_ids and settings.results_path is None:
            raise PlanError(
                f"The plan has {plan.messages} messages and XCom takes {settings.max_ids} ids (`max_xcom_ids`): "
                "set `results_path`, where every message is reported. Nothing was sent."
            )

    def _stored(self, summary: dict[str, Any], spool: Spool) -> dict[str, Any]:
        log.info("This task has finished its campaign: nothing is sent, and the stored result is returned.")
        return {"message_ids": spool.first_listed_ids(self._settings.max_ids), **summary}


def _kept(summary: dict[str, Any], spool: Spool) -> dict[str, Any]:
    """Return what the journal keeps of a result: the ids only where the roster does not tell which are this task's."""
    shared = spool.listed() != summary["total"]
    return {name: value for name, value in summary.items() if shared or name != "message_ids"}
