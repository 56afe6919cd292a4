# SPDX-License-Identifier: Apache-2.0
"""One message, sent durably: never twice, never lost, whatever died on the way."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.bulk_attribution import acceptance
from airflow_provider_instasent.api.client_id_taken import says_client_id_taken
from airflow_provider_instasent.api.client_ids import MessageKeys, number_of
from airflow_provider_instasent.api.counters import MESSAGES
from airflow_provider_instasent.api.errors import ApiError, RefusedError, UnavailableError, UnconfirmedError
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.campaign.earlier_tries import continuing_single
from airflow_provider_instasent.campaign.single_result import SingleResult, left_unconfirmed
from airflow_provider_instasent.campaign.tally import Tally
from airflow_provider_instasent.campaign.unconfirmed import Unconfirmed, proves_acceptance, refuse_unless_whole
from airflow_provider_instasent.journal.errors import JournalError, PlanError
from airflow_provider_instasent.journal.events import WHOLE_ROSTER
from airflow_provider_instasent.journal.replay import Replay
from airflow_provider_instasent.journal.roster import Listed, Roster
from airflow_provider_instasent.journal.worker_clock import Moment, WorkerClock
from airflow_provider_instasent.planning.choices import OnUnconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.campaign.campaign_settings import SendSettings
    from airflow_provider_instasent.campaign.findings import Findings
    from airflow_provider_instasent.journal.journal import Journal

log = logging.getLogger(__name__)


class SingleSend:
    """Sends one message under the sending promise.

    :param message: what to send; it gets a stable clientId where it has none
    :param client: talks to the API
    :param journal: open, not yet replayed; None where there is no place for one
    :param settings: how
    :param clock: our clock in unix seconds
    :param sleep: waits the given seconds
    :ivar in_doubt: whether, after `send` raised, the message may have been accepted by this try or an earlier one
    """

    def __init__(
        self,
        message: Sms,
        client: InstasentClient,
        journal: Journal | None,
        settings: SendSettings,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._given_id = message.client_id
        self._message = message
        self._client = client
        self._journal = journal
        self._settings = settings
        self._tally = Tally(client.settings.counters, MESSAGES)
        self._sleep = sleep
        self._worker = WorkerClock(clock) if journal is None else journal.clock
        self._roster = Roster()
        self._place = self._chunk = 0
        self._intended: Moment | None = None
        self._last_request_at = 0.0
        self._suspected = False
        self.in_doubt = False
        self._key_by(settings.run_secret)

    def _key_by(self, secret: bytes) -> None:
        """Take what keys the digests, and make the message's key and clientId of it."""
        keys = MessageKeys(secret)
        self._key = keys.key(self._message.sender, self._message.to, self._message.text)
        self._client_id = self._given_id or keys.client_id(self._key)
        self._message = replace(self._message, client_id=self._client_id)
        self._keys = keys
        self._unconfirmed = Unconfirmed(self._settings, keys, self._client.list_sms, self._worker, self._sleep)

    @property
    def client_id(self) -> str:
        """The clientId the message goes out with; where there is a journal, once that is read."""
        return self._client_id

    def send(self) -> SingleResult:
        """Send the message unless an earlier try did.

        :raises UnconfirmedError: where its outcome stays unconfirmed and the policy is `fail`
        :raises RefusedError: where the API refused it; nothing was accepted
        :raises NotSentError: where the API could not be reached; nothing was accepted
        :raises JournalError: where the journal cannot be used; nothing was sent
        """
        try:
            if self._journal is not None:
                Replay(self._roster, "a single send").take(self._journal.replay())
                self._key_by(self._journal.secret)
            accepted = [one for one in self._roster if one.accepted]
            if accepted:
                return self._stored(self._ours_first(accepted))
            if (told := continuing_single(list(self._roster))) is not None:
                log.info(told)
            return self._find_or_send()
        finally:
            self._roster.close()

    def _find_or_send(self) -> SingleResult:
        is_known = False
        try:
            result = self._look_for_earlier() or self._send()
            is_known = result.outcome.state is MessageState.ACCEPTED
            return result
        finally:
            self.in_doubt = self._suspected or bool(self._doubts())
            self._tally.unconfirmed(int(self.in_doubt and not is_known))

    def _stored(self, one: Listed) -> SingleResult:
        outcome = self._of_earlier(one, MessageOutcome(0, MessageState.ACCEPTED, id=one.id))
        return SingleResult(outcome, sent_now=False, changed=one.key != self._key)

    def _look_for_earlier(self) -> SingleResult | None:
        """Look for what an earlier try may have sent; return None where this one is to send."""
        looked_for = self._doubts()
        if not looked_for and self._settings.look_since is not None:
            since = Moment(self._settings.look_since, ahead=0.0)
            looked_for = [Listed(self._place, self._key, self._given_id, since, MessageState.UNCONFIRMED)]
            self._suspected = True
        if not looked_for:
            return None
        findings = self._unconfirmed.look(looked_for, self._last_request_at)
        if (found := self._found(looked_for, findings, sent_now=False)) is not None:
            return found
        if self._journal is not None and not self._unconfirmed.are_resent:
            return self._left_unconfirmed("an earlier try may have sent it")
        # Without a journal nothing says that an earlier try sent anything, so a look is all there can be.
        if self._settings.on_unconfirmed is OnUnconfirmed.SKIP and (findings.doubted or not findings.whole):
            return self._left_unconfirmed("an earlier try may have sent it")
        refuse_unless_whole(findings, 1)
        self._suspected = False
        return None

    def _send(self) -> SingleResult:
        resends = 0
        while True:
            self._intend()
            try:
                entity = self._client.send_sms(self._message, before_send=self._before_send)
            except UnconfirmedError as error:
                log.warning("%s. Looking for it in the list.", error)
                reason = str(error)
            except RefusedError as error:
                return self._refused(error)
            except ApiError as error:
                self._settle(MessageOutcome(0, MessageState.PLANNED, reason=str(error)))
                raise
            else:
                return SingleResult(self._accepted(acceptance(0, self._message, entity)), sent_now=True)
            if (result := self._look_after_request(reason, resends)) is not None:
                return result
            resends += 1

    def _look_after_request(self, reason: str, resends: int) -> SingleResult | None:
        """Look for what a request without an answer may have sent; return None where it is to be sent again."""
        self._last_request_at = self._worker.elapsed()
        self._roster.intend([(self._place, 1)], self._intended or self._worker.moment())
        looked_for = self._doubts()
        try:
            findings = self._unconfirmed.look(looked_for, self._last_request_at)
        except ApiError as error:
            self._tell_offset()
            # With a journal the next try looks again. Without one it would not know that it must not send.
            if self._journal is not None or self._unconfirmed.are_resent:
                raise
            log.warning("%s", error)
            return self._left_unconfirmed(reason)
        if (found := self._found(looked_for, findings, sent_now=True)) is not None:
            return found
        self._settle(MessageOutcome(0, MessageState.UNCONFIRMED, reason=reason))
        if self._unconfirmed.are_sent_again(findings, 1, resends):
            return None
        if self._unconfirmed.are_resent:
            raise UnavailableError(
                f"{resends + 1} sends in a row ended without an answer; the next try of the task looks for them again"
            )
        return self._left_unconfirmed(reason)

    def _doubts(self) -> list[Listed]:
        return [one for one in self._roster if one.in_doubt]

    def _found(self, looked_for: Sequence[Listed], findings: Findings, *, sent_now: bool) -> SingleResult | None:
        """Write down all of these that were found, and return the result where any was."""
        found = [one for one in looked_for if one.key in findings.found]
        if not found:
            return None
        outcomes = {one.key: acceptance(one.place, self._message, findings.found[one.key]) for one in found}
        for outcome in outcomes.values():
            self._settle(outcome, WHOLE_ROSTER)
        self._tally.accepted(len(found))
        one = self._ours_first(found)
        outcome = self._of_earlier(one, outcomes[one.key].at(0))
        return SingleResult(outcome, sent_now=sent_now, changed=one.key != self._key)

    def _ours_first(self, messages: Sequence[Listed]) -> Listed:
        """Return the one that this try would send, where it is among these."""
        return min(messages, key=lambda one: one.key != self._key)

    def _of_earlier(self, one: Listed, outcome: MessageOutcome) -> MessageOutcome:
        """Name the clientId of what was sent, which may be another message than this try would send."""
        if one.key == self._key:
            return replace(outcome, client_id=one.client_id or self._client_id)
        if number_of(one.key) != number_of(self._key):
            raise PlanError(
                "an earlier try of this campaign sent its message to another number, and nothing was sent by this try: "
                "`to` must be the same in every try. To text this number too, start a new DAG run."
            )
        late = any(doubt.key == self._key for doubt in self._doubts())
        change = "was sent too, and may arrive as well" if late else "was not sent"
        log.warning("Its sender, number or text has changed since it was sent; the change %s.", change)
        return replace(outcome, client_id=one.client_id or self._keys.client_id(one.key))

    def _left_unconfirmed(self, reason: str) -> SingleResult:
        if self._settings.on_unconfirmed is OnUnconfirmed.SKIP:
            log.warning('The message stays unconfirmed and is left so (on_unconfirmed="skip"): %s', reason)
            outcome = MessageOutcome(0, MessageState.UNCONFIRMED, client_id=self._client_id, reason=reason)
            return SingleResult(outcome, sent_now=False)
        grace, has_journal = self._settings.unconfirmed_grace, self._journal is not None
        raise left_unconfirmed(reason, grace, has_journal=has_journal)

    def _refused(self, error: RefusedError) -> SingleResult:
        ours = [one for one in self._doubts() if one.key == self._key]
        taken = error.payload_is_at_fault and says_client_id_taken(str(error))
        if proves_acceptance(client_id_taken=taken, in_doubt=bool(ours), given=self._given_id):
            log.info("The API says that this clientId was used before: an earlier request was accepted.")
            found = self._found(ours, self._unconfirmed.look(ours, self._last_request_at), sent_now=False)
            if found is not None:
                return found
            outcome = MessageOutcome(0, MessageState.ACCEPTED, client_id=self._client_id)
            return SingleResult(self._accepted(outcome), sent_now=False)
        state = MessageState.REJECTED if error.payload_is_at_fault else MessageState.PLANNED
        self._settle(MessageOutcome(0, state, reason=str(error)))
        if self._doubts():
            log.warning("Only this request was refused: an earlier one for the message is still unconfirmed.")
        elif state is MessageState.REJECTED:
            self._tally.rejected(1)
        raise error

    def _accepted(self, outcome: MessageOutcome) -> MessageOutcome:
        self._settle(outcome)
        self._tally.accepted(1)
        return outcome

    def _intend(self) -> None:
        known = len(self._roster)
        self._place = self._roster.place_of(self._key, self._given_id)
        if len(self._roster) > known and self._settings.look_since is None:
            self._tally.planned(1)
        if not self._doubts():  # else what is looked for goes by the clientId that it had
            self._roster.rename(self._place, self._given_id)
        if self._journal is not None:
            self._chunk = self._chunk or self._journal.new_chunk()
            self._intended = self._journal.intend(self._chunk, [self._key], [self._given_id])
        else:
            self._intended = self._worker.moment()

    def _before_send(self) -> None:
        if self._journal is not None and self._intended is not None and self._journal.is_stale(self._intended):
            self._intend()
        self._last_request_at = self._worker.elapsed()

    def _tell_offset(self) -> None:
        if self._journal is not None:
            with suppress(JournalError):  # it only helps the next try
                self._journal.tell_offset()

    def _settle(self, outcome: MessageOutcome, chunk: int | None = None) -> None:
        """Write what became of the message.

        :param outcome: its `position` is the place in the chunk
        :param chunk: that of this try where there is none
        """
        if self._journal is None:
            return
        try:
            self._journal.settle(self._chunk if chunk is None else chunk, [outcome]).result()
        except JournalError:
            # What is known stays known: the message is out (or refused), only the next try would have to look.
            log.exception("The outcome could not be written to the journal.")
