# SPDX-License-Identifier: Apache-2.0
"""Lookups of many numbers under the sending promise: none ordered twice, none lost, for each one is billed.

A number is what a message is to a bulk send: planned, written ahead, ordered, settled; one without an answer is looked
for in `GET /lookup` by number and time. Each has an intent of its own, so that a crash leaves few in doubt.
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_instasent.api import counters
from airflow_provider_instasent.api.errors import ApiError, InstasentError
from airflow_provider_instasent.api.lookup_flows import lookup_chunk
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import reported
from airflow_provider_instasent.api.steady_clock import elapsed
from airflow_provider_instasent.campaign.campaign_try import CampaignTry
from airflow_provider_instasent.campaign.earlier_tries import replay
from airflow_provider_instasent.campaign.rejections import rejections_of
from airflow_provider_instasent.campaign.shortfall import LOOKUPS, shortfall
from airflow_provider_instasent.campaign.summary import counts_of, first_invalid_of, results_unwritten
from airflow_provider_instasent.journal.errors import PlanError, RejectedError
from airflow_provider_instasent.planning.plan import Planner
from airflow_provider_instasent.planning.plan_progress import PlanProgress
from airflow_provider_instasent.planning.row_message import number_of_row
from airflow_provider_instasent.planning.spool import Spool
from airflow_provider_instasent.waiting.lookup_watch import LookupWatch

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.numbers import PhoneNumber
    from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.replay import Replay
    from airflow_provider_instasent.journal.stopping import Stop
    from airflow_provider_instasent.planning.plan import PlanSummary
    from airflow_provider_instasent.planning.rows import Row

log = logging.getLogger(__name__)

_SCHEMA = "CREATE TABLE lookup (id TEXT PRIMARY KEY, state TEXT NOT NULL, entity TEXT)"
_STATES = ("finished", "pending", "not_found")


class LookupPlanner(Planner):
    """Turns rows into numbers to look up, each once."""

    def _message(self, row: Mapping[str, Any]) -> tuple[PhoneNumber, Sms]:
        number = number_of_row(row, self._settings)
        # Without sender and text the key depends on campaign and number alone, as does that of a listed lookup.
        return number, Sms(number.e164, "", "")


class LookupCampaign:
    """The lookups of one task. Use as a context manager.

    :param settings: how
    :param stop: set from outside to end soon
    :ivar unwritten: why the results file could not be written, or None
    """

    def __init__(self, settings: CampaignSettings, stop: Stop) -> None:
        self._settings = settings
        self._stop = stop
        self._spool = Spool()
        self._spool.database.execute(_SCHEMA)
        self._replay: Replay | None = None
        self._journal: Journal | None = None
        self._summary: PlanSummary | None = None
        self.unwritten: InstasentError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._spool.close()

    def plan(self, rows: Iterable[Row], journal: Journal | None) -> None:
        """Read the rows, and what earlier tries wrote.

        :param rows: with the numbers
        :param journal: open, not yet replayed; None only where no retry can follow
        :raises PlanError: where the plan is not one to carry out; nothing was ordered by this try
        :raises JournalError: where the journal cannot be read; the same
        """
        progress = PlanProgress(log.info, elapsed if journal is None else journal.clock.elapsed)
        progress.begin()
        self._journal = journal
        self._replay = replay(self._spool, journal, self._settings.send)
        planner = LookupPlanner(self._spool, self._settings.plan, progress=progress)
        self._summary = planner.read(self._stop.until_set(rows))
        planner.check()
        settings = self._settings
        if self._summary.messages > settings.max_reported and settings.results_path is None:
            raise PlanError(
                f"There are {self._summary.messages} numbers and XCom takes {settings.max_reported} (`max_xcom_rows`): "
                "set `results_path`, where each is reported. Nothing was ordered."
            )

    def order(self, client: InstasentClient) -> InstasentError | None:
        """Order what earlier tries have not; return why that is a failure, or None.

        :param client: safe for several requests at once
        :raises JournalError: where the journal failed: ordering ended at once
        :raises StoppedError: where this try was asked to stop
        """
        if self._replay is None:
            raise RuntimeError("a campaign is planned before anything is ordered")
        campaign = CampaignTry(
            client,
            self._journal,
            self._spool,
            self._replay,
            settings=self._settings,
            stop=self._stop,
            list_page=client.list_lookups,
            counted_as=counters.LOOKUPS,
            chunk_size=1,
            chunk_flow=lookup_chunk,
        )
        planned, total = campaign.prepare(), self._planned.messages
        log.info("%d numbers, of which %d are to be looked up now.", total, planned)
        try:
            stopped_by = campaign.carry_out()
        except ApiError as error:
            return error
        unsendable = self._spool.count_unsendable_in_doubt()
        counts = self._counts()
        rejections = rejections_of(self._spool, counts["rejected"])
        ended_by = stopped_by or shortfall(counts, self._settings, LOOKUPS, unsendable, rejections)
        if rejections and not isinstance(ended_by, RejectedError):  # which tells them, in the log too
            log.warning("The API rejected %d lookups: %s.", counts["rejected"], rejections)
        return ended_by

    def ids(self) -> list[str]:
        """Return the ids of the accepted lookups, in input order."""
        return self._spool.planned_ids(self._planned.messages)

    def watch(self, pending_statuses: Collection[str], max_poll_failures: int, missing_since: float) -> LookupWatch:
        """Return a watch over the accepted lookups that keeps what it reads.

        :param pending_statuses: statuses of a lookup that is not finished
        :param max_poll_failures: sweeps in a row without a successful read after which it is an error
        :param missing_since: unix seconds from which a 404 counts
        """
        return LookupWatch(self.ids(), pending_statuses, max_poll_failures, self._keep, missing_since)

    def summary(self, watch: LookupWatch | None = None) -> dict[str, Any]:
        """Write the results file and return the summary.

        :param watch: what was read of the accepted lookups, or None where nothing was
        """
        for lookup_id in watch.not_found() if watch is not None else ():
            self._spool.database.execute("INSERT OR REPLACE INTO lookup VALUES (?, 'not_found', NULL)", (lookup_id,))
        settings, plan, counts = self._settings, self._planned, self._counts()
        path = settings.results_path
        if path is not None:
            self.unwritten = results_unwritten(path, self._records())
        return {
            "rows": plan.rows,
            "total": plan.messages + self._spool.count_gone(),
            "gone": self._spool.count_gone(),
            **counts,
            "invalid": plan.invalid,
            "duplicates": plan.duplicates,
            "first_invalid": first_invalid_of(plan),
            "lookups": list(self._records()) if path is None else None,
            "results_path": None if path is None else str(path),
        }

    @property
    def _planned(self) -> PlanSummary:
        if self._summary is None:
            raise RuntimeError("a campaign is planned before anything else")
        return self._summary

    def _keep(self, lookup_id: str, entity: Entity, finished: bool) -> None:
        self._spool.database.execute(
            "INSERT OR REPLACE INTO lookup VALUES (?, ?, ?)",
            (lookup_id, "finished" if finished else "pending", json.dumps(entity)),
        )

    def _counts(self) -> dict[str, int]:
        known = dict(self._spool.database.execute("SELECT state, count(*) FROM lookup GROUP BY state"))
        return {**counts_of(self._spool), **{state: known.get(state, 0) for state in _STATES}}

    def _records(self) -> Iterator[dict[str, Any]]:
        """Yield a record for each number, in input order: ours, and under `lookup` the entity as the API sent it."""
        for position, to, lookup_id, ordered, state, reason, entity in self._spool.database.execute(
            "SELECT position, recipient, roster.id, coalesce(roster.state, 'planned'), lookup.state, reason, entity "
            "FROM message LEFT JOIN roster USING (key) LEFT JOIN lookup ON lookup.id = roster.id ORDER BY position"
        ):
            yield {
                "position": position,
                "to": to,
                "id": lookup_id,
                "state": state or reported(ordered),
                "reason": reason,
                "lookup": None if entity is None else json.loads(entity),
            }
