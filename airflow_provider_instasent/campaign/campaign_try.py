# SPDX-License-Identifier: Apache-2.0
"""One try of a campaign, from the journal to its end: compare, send, look, decide, send again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.bulk_attribution import acceptance
from airflow_provider_instasent.api.counters import MESSAGES, Outcomes
from airflow_provider_instasent.api.errors import ApiError, UnavailableError
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.campaign.earlier_tries import continuing, finished_by
from airflow_provider_instasent.campaign.send_progress import SendProgress
from airflow_provider_instasent.campaign.sender import Sender
from airflow_provider_instasent.campaign.tally import Tally
from airflow_provider_instasent.campaign.unconfirmed import Unconfirmed, refuse_unless_whole
from airflow_provider_instasent.journal.errors import PlanError
from airflow_provider_instasent.journal.events import PLAN, WHOLE_ROSTER
from airflow_provider_instasent.journal.journal import KEYS_A_RECORD
from airflow_provider_instasent.journal.journal_thread import MOST_RECORDS_A_WRITE
from airflow_provider_instasent.journal.segment_format import digest_of
from airflow_provider_instasent.journal.worker_clock import WorkerClock
from airflow_provider_instasent.planning.changed_rows import (
    difference,
    fingerprint,
    is_present_plan,
    members,
    withhold,
)
from airflow_provider_instasent.planning.choices import OnPlanChange
from airflow_provider_instasent.planning.plan_progress import ListingProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.pages import Page
    from airflow_provider_instasent.campaign.campaign_settings import CampaignSettings
    from airflow_provider_instasent.campaign.findings import Doubt, Findings
    from airflow_provider_instasent.campaign.sender import SendReport
    from airflow_provider_instasent.journal.journal import Journal
    from airflow_provider_instasent.journal.replay import Replay
    from airflow_provider_instasent.journal.roster import Listed
    from airflow_provider_instasent.journal.stopping import Stop
    from airflow_provider_instasent.planning.spool import Spool

log = logging.getLogger(__name__)

LISTED_AT_ONCE = MOST_RECORDS_A_WRITE * KEYS_A_RECORD
"""Messages listed in the journal before the next ones are looked up in the plan."""

OUTCOMES_A_RECORD = 200


class CampaignTry:
    """One try.

    :param client: safe for several requests at once
    :param journal: open, replayed; None only where no retry can follow
    :param spool: the plan
    :param replay: what the journal said
    :param settings: how
    :param stop: set from outside to end soon
    :param list_page: reads a page of the list that shows what was accepted; None for that of SMS
    :param counted_as: the names under which outcomes are counted
    :param chunks: how chunks are made and leave, as of :class:`~airflow_provider_instasent.campaign.sender.Sender`
    """

    def __init__(
        self,
        client: InstasentClient,
        journal: Journal | None,
        spool: Spool,
        replay: Replay,
        *,
        settings: CampaignSettings,
        stop: Stop,
        list_page: Callable[[int, int], Page] | None = None,
        counted_as: Outcomes = MESSAGES,
        **chunks: Any,
    ) -> None:
        self._journal = journal
        self._spool = spool
        self._replay = replay
        self._settings = settings.send
        self._holding: set[bytes] = set()
        self._continues = len(spool.roster) > 0
        self._clock = clock = WorkerClock() if journal is None else journal.clock
        self._tally = tally = Tally(client.settings.counters, counted_as)
        self._sender = Sender(client, journal, spool, settings.max_in_flight, stop, clock=clock, tally=tally, **chunks)
        self._unconfirmed = Unconfirmed(settings.send, spool.keys, list_page or client.list_sms, clock, stop.sleep)

    def prepare(self) -> int:
        """List the plan's messages in the journal, or compare them with those listed by an earlier try.

        :returns: how many messages are to be sent by this try
        :raises PlanError: where the sets differ and the policy is `fail`; nothing was sent by this try
        :raises ApiError: where the list has to be read first and cannot be; the same
        """
        plan = fingerprint(self._spool)
        former, owner = self._replay.plan
        if former is not None:  # else an earlier try ended before it sent anything
            if plan != former:
                self._check_change()
            self._withhold()
        self._enlist()
        ours = digest_of(self._settings.owner)
        if (plan, ours) != (former, owner) or not is_present_plan(self._spool):
            self._begin_plan(plan, ours)
        if self._settings.retry_rejected and (again := self._spool.reopen_rejected()):
            log.warning("%d messages that were rejected are sent again (`retry_rejected`).", again)
        if self._continues:
            log.info(continuing(self._spool))
        return self._begin_progress()

    def carry_out(self) -> ApiError | None:
        """Send, look for what is unconfirmed, and send again where the policy says so.

        :returns: what stopped sending early, or None
        :raises ApiError: where the list could not be read, or proves nothing
        :raises JournalError: where the journal failed: sending ended at once
        :raises StoppedError: where this try was asked to stop
        """
        try:
            stopped_by = self._send_and_look()
        except ApiError:
            self._tally.unconfirmed(self._spool.roster.count_in_doubt())
            raise
        self._tally.unconfirmed(self._spool.roster.count_in_doubt())
        return stopped_by

    def _send_and_look(self) -> ApiError | None:
        resends = 0
        while True:
            report = self._sender.send_planned()
            try:
                again = self._look_and_decide(report, resends)
            except ApiError:
                if report.stopped_by is None:
                    raise
                log.warning("The list could not be read: the next try looks for what is unconfirmed.", exc_info=True)
                again = False
            if not again:
                return report.stopped_by
            resends += 1
            log.warning('Sending again what is unconfirmed and was not found (on_unconfirmed="resend").')
            self._begin_progress()

    def _begin_progress(self) -> int:
        """Let a pass over the plan tell how far it is; return how many messages were never sent."""
        counts = self._spool.counts()
        total, planned = sum(counts.values()), counts.get("planned", 0)
        before = total - planned - self._spool.count_due_again()
        self._sender.progress = SendProgress(total, log.info, before)
        return planned

    def finish(self, summary: object) -> None:
        """Write that this task has finished the campaign, so that clearing it returns this and sends nothing."""
        if self._journal is not None:
            self._journal.note(finished_by(self._settings.owner), summary).result()

    def _check_change(self) -> None:
        changed = difference(self._spool)
        if self._settings.on_plan_change is OnPlanChange.FAIL:
            raise PlanError(
                f"The rows changed since an earlier try of this campaign: {changed}. Nothing was sent by this try. "
                'Restore the rows, or set on_plan_change="continue" to send the new ones to numbers that have '
                "no accepted or unconfirmed message yet."
            )
        log.warning("The rows changed since an earlier try: %s.", changed)

    def _withhold(self) -> None:
        """Withdraw what must not be sent beside what was sent from other rows."""
        gone = self._spool.gone_keys_in_doubt() if self._unconfirmed.are_resent else None
        # Their texts are gone, so they cannot be sent again themselves; their numbers may get the new ones.
        risked = self._not_in_list(gone) if gone else set()
        self._holding = gone - risked if gone else set()
        if withheld := withhold(self._spool, risked):
            log.warning("%d messages are withheld: the campaign has written to their numbers.", withheld)

    def _begin_plan(self, plan: str, ours: str) -> None:
        spans = members(self._spool)
        self._spool.roster.begin_plan(spans)
        if self._journal is not None:
            self._journal.enlist_members(spans)
            self._journal.note(PLAN, [plan, ours]).result()

    def _enlist(self) -> None:
        last, listed = -1, 0
        progress = ListingProgress(self._spool.one("SELECT count(*) FROM message"), log.info, self._clock.elapsed)
        while new := self._spool.unlisted(last, LISTED_AT_ONCE):
            last = new[-1][0]
            keys, given = [key for _, key, _ in new], [client_id for _, _, client_id in new]
            self._spool.roster.extend(keys, given)
            if self._journal is not None:
                self._journal.enlist(keys, given)
            self._tally.planned(len(new))
            listed += len(new)
            progress.take(listed)
        progress.end(listed)
        self._spool.is_listed = True

    def _not_in_list(self, gone: set[bytes]) -> set[bytes]:
        """Look for messages in doubt whose rows are gone, before anything else goes to their numbers.

        :returns: those of which nothing in the list can be one
        :raises UnconfirmedError: where the look proves nothing
        """
        findings = self._look([item for item in self._spool.roster.to_look_for() if item.key in gone], 0.0)
        if not findings.whole:
            refuse_unless_whole(findings, self._spool.count_gone_in_doubt())
        return gone - findings.found.keys() - findings.doubted.keys()

    def _look_and_decide(self, report: SendReport, resends: int) -> bool:
        """Look for all messages in doubt, of this try and of earlier ones; return whether those not found go again."""
        roster = self._spool.roster
        doubtful = list(roster.to_look_for())
        if not doubtful:
            return False
        findings = self._look(doubtful, report.last_request_at)
        if report.stopped_by is not None:
            return False
        left = roster.count_in_doubt()
        if self._unconfirmed.are_sent_again(findings, left, resends) and self._spool.reopen_doubtful(findings.doubted):
            return True
        if self._unconfirmed.are_resent:
            refuse_unless_whole(findings, left)
            self._refuse_where_a_doubt_was_settled()
        return False

    def _refuse_where_a_doubt_was_settled(self) -> None:
        """Let the next try go on where something was withheld for a doubt of which the list has disposed meanwhile.

        :raises UnavailableError: says so
        """
        settled = self._holding & self._spool.gone_keys_in_doubt()
        if settled and (self._spool.withheld or self._spool.kept_back):
            raise UnavailableError(
                f"{len(settled)} messages whose rows are gone were in doubt when this try began, so what goes to their "
                "numbers was held back. The list has since shown that they were not accepted: the next try sends it."
            )

    def _look(self, doubtful: Sequence[Listed], last_request_at: float) -> Findings:
        """Look for messages in doubt, and write down what was found."""
        roster = self._spool.roster
        log.warning("%d messages are unconfirmed: looking for them in the list.", len(doubtful))
        try:
            findings = self._unconfirmed.look(
                doubtful,
                last_request_at,
                known_ids=roster,
                # Rows that are gone may have held more copies of one message than those of this try.
                occurrences=max(self._spool.occurrences, roster.most_to_one_number()),
            )
        finally:
            if self._journal is not None:
                self._journal.tell_offset()
        found = findings.found
        log.info("%d of %d unconfirmed messages were found.", len(found), len(doubtful))
        if not findings.whole:
            log.warning("The list is longer than what was read of it: the others may be there all the same.")
        roster.settle(_not_found(item, findings.doubted.get(item.key)) for item in doubtful if item.key not in found)
        places = {item.key: item.place for item in doubtful}
        self._record([acceptance(places[key], _NOBODY, entity) for key, entity in found.items()])
        self._tally.accepted(sum(item.in_doubt for item in doubtful if item.key in found))
        return findings

    def _record(self, outcomes: list[MessageOutcome]) -> None:
        self._spool.roster.settle(outcomes)
        if self._journal is None:
            return
        for start in range(0, len(outcomes), OUTCOMES_A_RECORD):
            self._journal.settle(WHOLE_ROSTER, outcomes[start : start + OUTCOMES_A_RECORD]).result()


_NOBODY = Sms("", "", "")


def _not_found(item: Listed, doubt: Doubt | None) -> MessageOutcome:
    if item.accepted:
        return MessageOutcome(item.place, MessageState.ACCEPTED, reason="accepted; its id is not in the list")
    return MessageOutcome(
        item.place, MessageState.UNCONFIRMED, reason=f"no answer, and {doubt or 'not found in the list'}"
    )
