# SPDX-License-Identifier: Apache-2.0
"""One try of a campaign, from the journal to the summary: compare, send, look, decide, send again."""

from __future__ import annotations

import logging
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.bulk_attribution import acceptance
from airflow_provider_instasent.api.errors import ApiError
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.campaign.reconcile import Search, Wanted, not_read_to_the_edge, reconcile
from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError, PlanError
from airflow_provider_instasent.journal.events import (
    WHOLE_ROSTER,
    Event,
    Note,
    PlacedIntent,
    Roster,
    Settlement,
)
from airflow_provider_instasent.journal.journal import KEYS_A_RECORD, MOST_RECORDS_A_WRITE
from airflow_provider_instasent.journal.segment_text import digest_of
from airflow_provider_instasent.planning.change import difference, fingerprint, withhold
from airflow_provider_instasent.planning.policy import OnPlanChange, OnUnconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from airflow_provider_instasent.api.pages import Page
    from airflow_provider_instasent.campaign.sender import Sender, SendReport
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.planning.change import Difference
    from airflow_provider_instasent.planning.spool import InDoubt, Spool

log = logging.getLogger(__name__)

FINISHED = "finished/"
"""Begins the note with the result of a task that has finished the campaign; the task's digest follows."""

PLAN = "plan"
"""The note with the fingerprint of a plan whose messages are all listed: nothing is sent before it is there."""

LISTED_AT_ONCE = MOST_RECORDS_A_WRITE * KEYS_A_RECORD
MOST_RESENDS = 3
LIST_PAGE = 100
OUTCOMES_A_RECORD = 200


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a campaign is run.

    :param campaign_id: the campaign
    :param on_unconfirmed: what to do about outcomes that stay unconfirmed
    :param unconfirmed_grace: seconds for which they are looked for
    :param on_plan_change: what to do where an earlier try had another set of messages
    :param started_at: our clock in unix seconds when this try began
    :param owner: DAG, run, task and map index: a result is kept for the task that asks, where several share a campaign
    """

    campaign_id: str
    on_unconfirmed: OnUnconfirmed = OnUnconfirmed.FAIL
    unconfirmed_grace: float = 60.0
    on_plan_change: OnPlanChange = OnPlanChange.FAIL
    started_at: float = 0.0
    owner: str = ""


class History:
    """Takes a journal's events into a spool."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._chunks: dict[int, tuple[tuple[int, int], ...]] = {}
        self.notes: dict[str, object] = {}
        self.listed = 0
        self.generation = 0

    def take(self, events: Iterable[Event]) -> None:
        """Take all events.

        :raises JournalForeignError: where the journal is not that of a bulk send
        :raises JournalCorruptError: where its events contradict each other
        """
        for event in events:
            if isinstance(event, Roster):
                self._list(event)
            elif isinstance(event, PlacedIntent):
                self._intend(event)
            elif isinstance(event, Settlement):
                self._spool.settle(self._placed(event))
            elif isinstance(event, Note):
                self.generation += event.name == PLAN
                self.notes[event.name] = event.value
            else:
                raise foreign("a single send")

    def _list(self, roster: Roster) -> None:
        try:
            self._spool.extend_roster(roster.keys, roster.client_ids, self.generation)
        except sqlite3.IntegrityError as error:
            raise _corrupt("lists a message twice") from error
        self.listed += len(roster.keys)

    def _intend(self, intent: PlacedIntent) -> None:
        if any(first < 0 or count < 1 or first + count > self.listed for first, count in intent.runs):
            raise _corrupt("intends a message that it never listed")
        if intent.chunk not in self._chunks:  # else its time was refreshed before it left
            self._spool.intend(intent.runs, intent.at)
        self._chunks[intent.chunk] = intent.runs

    def _placed(self, settlement: Settlement) -> Iterable[MessageOutcome]:
        """Return outcomes by their places in the roster."""
        if settlement.chunk == WHOLE_ROSTER:
            places: Sequence[int] = range(self.listed)
        else:
            runs = self._chunks.get(settlement.chunk, ())
            places = [first + n for first, count in runs for n in range(count)]
        if any(not 0 <= outcome.position < len(places) for outcome in settlement.outcomes):
            raise _corrupt("settles what it never intended")
        return [outcome.at(places[outcome.position]) for outcome in settlement.outcomes]


@dataclass(slots=True)
class CampaignRun:
    """One try.

    :param spool: the plan
    :param sender: sends what is planned
    :param journal: open, replayed; None only where no retry can follow
    :param history: what the journal said
    :param settings: how
    :param sleep: waits the given seconds; raises to end the try
    :param list_page: reads a page of the list that shows what was accepted; None for that of SMS
    """

    spool: Spool
    sender: Sender
    journal: Journal | None
    history: History
    settings: RunSettings
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.time
    list_page: Callable[[int, int], Page] | None = None

    def prepare(self) -> None:
        """List the plan's messages in the journal, or compare them with those listed by an earlier try.

        :raises PlanError: where the sets differ and the policy is `fail`; nothing was sent by this try
        """
        plan = fingerprint(self.spool)
        settled = self.history.notes.get(PLAN)
        if settled is not None:  # else an earlier try ended before it sent anything
            changed = difference(self.spool)
            if changed.new or plan != settled:
                self._accept_change(changed)
        self._enlist()
        if self.journal is not None and plan != settled:
            self.journal.note(PLAN, plan).result()

    def run(self) -> ApiError | None:
        """Send, look for what is unconfirmed, and send again where the policy says so.

        :returns: what stopped sending early, or None
        :raises ApiError: where the list could not be read
        :raises JournalError: where the journal failed: sending ended at once
        :raises StoppedError: where this try was asked to stop
        """
        for resends_left in range(MOST_RESENDS, -1, -1):
            report = self.sender.run()
            whole = True
            try:
                whole = self._look(report)
            except ApiError:
                if report.stopped_by is None:
                    raise
                log.warning("The list could not be read: the next try looks for what is unconfirmed.", exc_info=True)
            if report.stopped_by is not None or self.settings.on_unconfirmed is not OnUnconfirmed.RESEND:
                return report.stopped_by
            if not whole:
                return not_read_to_the_edge(self.spool.doubtful())
            if not resends_left or not self.spool.reopen_doubtful():
                return None
            log.warning('Sending again what is unconfirmed and was not found (on_unconfirmed="resend").')
        return None

    def finish(self, summary: object) -> None:
        """Write that this task has finished the campaign, so that clearing it returns this and sends nothing."""
        if self.journal is not None:
            self.journal.note(finished_by(self.settings.owner), summary).result()

    def _accept_change(self, changed: Difference) -> None:
        if self.settings.on_plan_change is OnPlanChange.FAIL:
            raise PlanError(
                f"The rows changed since an earlier try of this campaign: {changed}. Nothing was sent by this try. "
                'Restore the rows, or set on_plan_change="continue" to send the new ones to numbers that have '
                "no accepted or unconfirmed message yet."
            )
        withheld = withhold(self.spool)
        log.warning("The rows changed since an earlier try: %s; %d are withheld.", changed, withheld)

    def _enlist(self) -> None:
        last = -1
        while new := self.spool.unlisted(last, LISTED_AT_ONCE):
            last = new[-1][0]
            keys, given = [key for _, key, _ in new], [client_id for _, _, client_id in new]
            self.spool.extend_roster(keys, given, self.history.generation)
            if self.journal is not None:
                self.journal.enlist(keys, given)

    def _look(self, report: SendReport) -> bool:
        """Look once for all messages in doubt, of this try and of earlier ones; return whether all were looked for."""
        doubtful = {item.key: item for item in self.spool.in_doubt()}
        if not doubtful:
            return True
        log.warning("%d messages are unconfirmed: looking for them in the list.", len(doubtful))
        search = Search(
            self.settings.campaign_id,
            {key: Wanted(key, item.client_id, item.at) for key, item in doubtful.items()},
            known_ids=_Known(self.spool),
            occurrences=self.spool.occurrences,
        )
        list_page = self.list_page or self.sender.client.list_sms
        findings = reconcile(
            search,
            lambda page: list_page(page, LIST_PAGE),
            until=max(self.settings.started_at, report.last_request_at) + self.settings.unconfirmed_grace,
            clock=self.clock,
            sleep=self.sleep,
        )
        found = findings.found
        log.info("%d of %d unconfirmed messages were found.", len(found), len(doubtful))
        if not findings.whole:
            log.warning("The list is longer than what was read of it: the others may be there all the same.")
        self.spool.settle(_not_found(item) for key, item in doubtful.items() if key not in found)
        self._record([acceptance(doubtful[key].place, _NOBODY, entity) for key, entity in found.items()])
        return findings.whole

    def _record(self, outcomes: list[MessageOutcome]) -> None:
        self.spool.settle(outcomes)
        if self.journal is None:
            return
        for start in range(0, len(outcomes), OUTCOMES_A_RECORD):
            self.journal.settle(WHOLE_ROSTER, outcomes[start : start + OUTCOMES_A_RECORD]).result()


def finished_by(owner: str) -> str:
    """Return the name of the note with the result of a task that has finished the campaign.

    :param owner: the task, as in :class:`RunSettings`
    """
    return FINISHED + digest_of(owner)


_NOBODY = Sms("", "", "")


def _not_found(item: InDoubt) -> MessageOutcome:
    if item.accepted:
        return MessageOutcome(item.place, MessageState.ACCEPTED, reason="accepted; its id is not in the list")
    return MessageOutcome(item.place, MessageState.UNCONFIRMED, reason="no answer, and not found in the list")


class _Known:
    """The ids of a campaign's accepted messages."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    def __contains__(self, sms_id: object) -> bool:
        return self._spool.knows_id(str(sms_id))


def foreign(what: str) -> JournalForeignError:
    """Return the error for a journal of another kind."""
    return JournalForeignError(f"this journal is that of {what}: nothing was sent")


def _corrupt(what: str) -> JournalCorruptError:
    return JournalCorruptError(f"the journal {what}: nothing was sent by this try")
