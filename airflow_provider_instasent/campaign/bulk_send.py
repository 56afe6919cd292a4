# SPDX-License-Identifier: Apache-2.0
"""A bulk send from rows to summary: one try, whatever became of the tries before it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.client_ids import MessageKeys, new_secret
from airflow_provider_instasent.api.errors import InstasentError
from airflow_provider_instasent.api.steady_clock import elapsed
from airflow_provider_instasent.campaign.campaign_try import CampaignTry
from airflow_provider_instasent.campaign.earlier_tries import finished_by, replay
from airflow_provider_instasent.campaign.rejections import rejections_of
from airflow_provider_instasent.campaign.shortfall import MESSAGES, shortfall
from airflow_provider_instasent.campaign.summary import preview_of, records_of, results_unwritten, summary_of
from airflow_provider_instasent.journal.errors import JournalError, PlanError, RejectedError, StoppedError
from airflow_provider_instasent.journal.key_value_store import MANY_MESSAGES
from airflow_provider_instasent.planning.plan import Planner, PlanSummary
from airflow_provider_instasent.planning.plan_progress import PlanProgress
from airflow_provider_instasent.planning.spool import Spool
from airflow_provider_instasent.planning.suppression import suppress_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.stopping import Stop
    from airflow_provider_instasent.planning.rows import Row

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What a try came to.

    :param summary: counts and ids, to be reported before `error` is raised
    :param error: why the try failed, or None
    :param accepted: when the first and the last message were accepted, in unix seconds on the server's clock, or None
    """

    summary: dict[str, Any]
    error: InstasentError | None = None
    accepted: tuple[float, float] | None = None


class BulkSend:
    """Sends the messages made of rows, under the sending promise.

    :param rows: yields the rows; called once a try
    :param suppress: yields rows with numbers never to text
    :param settings: how
    :param stop: set from outside to end soon
    """

    def __init__(
        self,
        rows: Callable[[], Iterator[Row]],
        suppress: Callable[[], Iterable[Row]],
        settings: CampaignSettings,
        stop: Stop,
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
            spool.keys = MessageKeys(new_secret())
            progress = PlanProgress(log.info)
            progress.begin()
            planner = self._planner(spool, progress)
            plan = planner.read(self._stop.until_set(self._rows()))
            try:
                planner.check()
                self._check_report(plan)
            except PlanError as error:
                return preview_of(self._settings.plan.campaign_id, plan, refused=str(error))
            return preview_of(self._settings.plan.campaign_id, plan)

    def send(self, client: InstasentClient, journal: Journal | None) -> BulkOutcome:
        """Send what earlier tries have not, and report.

        :param client: safe for several requests at once
        :param journal: open, not yet replayed; None only where no retry can follow
        :raises PlanError: where the plan is not one to send; nothing was sent by this try
        :raises JournalError: where the journal cannot be read; nothing was sent by this try
        """
        progress = PlanProgress(log.info, elapsed if journal is None else journal.clock.elapsed)
        progress.begin()
        with Spool() as spool:
            earlier = replay(spool, journal, self._settings.send)
            finished = earlier.notes.get(finished_by(self._settings.send.owner))
            if isinstance(finished, dict) and not (self._settings.send.retry_rejected and finished.get("rejected")):
                return BulkOutcome(self._stored(finished, spool), accepted=spool.roster.accepted_between())
            planner = self._planner(spool, progress)
            plan = planner.read(self._stop.until_set(self._rows()))
            planner.check()
            self._check_report(plan)
            campaign = CampaignTry(client, journal, spool, earlier, settings=self._settings, stop=self._stop)
            campaign.prepare()
            if len(spool.roster) > MANY_MESSAGES and journal is not None and journal.in_metadata_database:
                log.info(
                    "The journal of these %d messages is kept in Airflow's metadata database: a `journal_path` "
                    "would keep that small.",
                    len(spool.roster),
                )
            return self._send(campaign, spool, plan)

    def _send(self, campaign: CampaignTry, spool: Spool, plan: PlanSummary) -> BulkOutcome:
        error: InstasentError | None
        try:
            error = campaign.carry_out()
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
            max_ids=settings.max_reported,
            results_path=None if path is None else str(path),
        )
        unwritten = None
        if path is not None and not isinstance(error, JournalError):  # else another try may be writing the file
            unwritten = results_unwritten(path, records_of(spool))
        rejections = rejections_of(spool, summary["rejected"])
        short = shortfall(summary, settings, MESSAGES, spool.count_unsendable_in_doubt(), rejections)
        error = error or short or unwritten
        if rejections and not isinstance(error, RejectedError):  # which tells them, in the log too
            log.warning("The API rejected %d messages: %s.", summary["rejected"], rejections)
        if error is None:
            try:
                campaign.finish(_kept(summary, spool))
            except JournalError as raised:
                error = raised
        return BulkOutcome(summary, error, spool.roster.accepted_between())

    def _planner(self, spool: Spool, progress: PlanProgress) -> Planner:
        plan = self._settings.plan
        listed = progress.suppressing(self._suppress())
        suppressed = suppress_numbers(spool, listed, plan.to_column, plan.default_region)
        return Planner(spool, plan, suppressed, progress)

    def _check_report(self, plan: PlanSummary) -> None:
        settings = self._settings
        if plan.messages > settings.max_reported and settings.results_path is None:
            raise PlanError(
                f"The plan has {plan.messages} messages and XCom takes {settings.max_reported} ids (`max_xcom_ids`): "
                "set `results_path`, where every message is reported. Nothing was sent."
            )

    def _stored(self, summary: dict[str, Any], spool: Spool) -> dict[str, Any]:
        log.info("This task has finished its campaign: nothing is sent, and the stored result is returned.")
        kept = summary["message_ids"]
        return {**summary, "message_ids": spool.roster.first_ids(kept) if isinstance(kept, int) else kept}


def _kept(summary: dict[str, Any], spool: Spool) -> dict[str, Any]:
    """Return what the journal keeps of a result: how many ids, where its roster tells which, else the ids."""
    shared = len(spool.roster) != summary["total"]
    return summary if shared else {**summary, "message_ids": len(summary["message_ids"])}
