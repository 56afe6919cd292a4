# SPDX-License-Identifier: Apache-2.0
"""One message, sent durably: never twice, never lost, whatever died on the way."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.bulk_attribution import acceptance
from airflow_provider_instasent.api.bulk_errors import says_client_id_taken
from airflow_provider_instasent.api.errors import (
    ApiError,
    NotSentError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
    UnconfirmedError,
)
from airflow_provider_instasent.api.message import Sms, client_id_for, content_key, number_of
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.campaign.reconcile import Search, Wanted, not_read_to_the_edge, reconcile
from airflow_provider_instasent.journal.book import Book, Entry
from airflow_provider_instasent.journal.errors import JournalError, PlanError
from airflow_provider_instasent.journal.journal import Journal, key_of
from airflow_provider_instasent.planning.policy import OnUnconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.endpoints import Entity

log = logging.getLogger(__name__)

STALE_INTENT = 10.0
"""Seconds after which an intent is written again before its message leaves, so that a superseded try is fenced off."""

MOST_RESENDS = 3
LIST_PAGE = 100


@dataclass(frozen=True, slots=True)
class SingleSettings:
    """How one message is sent.

    :param campaign_id: what the message belongs to: the same for every try
    :param on_unconfirmed: what to do about an outcome that stays unconfirmed
    :param unconfirmed_grace: seconds for which an unconfirmed message is looked for
    :param started_at: our clock in unix seconds when this try began
    :param look_since: without a journal: since when an earlier try may have sent it; None on the first try
    """

    campaign_id: str
    on_unconfirmed: OnUnconfirmed = OnUnconfirmed.FAIL
    unconfirmed_grace: float = 60.0
    started_at: float = 0.0
    look_since: float | None = None


@dataclass(frozen=True, slots=True)
class SingleResult:
    """What became of the message.

    :param outcome: accepted or unconfirmed
    :param sent_now: whether this try sent it; False where an earlier one had
    :param changed: whether what was sent is another message than this try would send
    """

    outcome: MessageOutcome
    sent_now: bool
    changed: bool = False


class SingleSend:
    """Sends one message under the sending promise.

    :param message: what to send; it gets a stable clientId where it has none
    :param client: talks to the API
    :param journal: open, not yet replayed; None where there is no place for one
    :param settings: how
    :param clock: our clock in unix seconds
    :param sleep: waits the given seconds
    """

    def __init__(
        self,
        message: Sms,
        client: InstasentClient,
        journal: Journal | None,
        settings: SingleSettings,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        content = content_key(settings.campaign_id, message.sender, message.to, message.text)
        self._key = key_of(content)
        self._given_id = message.client_id
        self._client_id = message.client_id or client_id_for(content)
        self._message = replace(message, client_id=self._client_id)
        self._client = client
        self._journal = journal
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._chunk = 0
        self._written_at = 0.0
        self._last_request_at = settings.started_at
        self._doubts: dict[bytes, Entry] = {}
        self._suspected = False

    @property
    def client_id(self) -> str:
        """The clientId the message goes out with."""
        return self._client_id

    @property
    def in_doubt(self) -> bool:
        """Whether, after `run` raised, the message may have been accepted by this try or an earlier one."""
        return self._suspected or bool(self._doubts)

    def run(self) -> SingleResult:
        """Send the message unless an earlier try did.

        :raises UnconfirmedError: where its outcome stays unconfirmed and the policy is `fail`
        :raises RefusedError: where the API refused it; nothing was accepted
        :raises NotSentError: where the API could not be reached; nothing was accepted
        :raises JournalError: where the journal cannot be used; nothing was sent
        """
        book = Book.of(self._journal.replay()) if self._journal is not None else Book()
        accepted = [entry for entry in book.entries.values() if entry.state is MessageState.ACCEPTED]
        if accepted:
            return self._stored(min(accepted, key=lambda entry: entry.key != self._key))
        self._doubts = {entry.key: entry for entry in book.entries.values() if entry.in_doubt}
        looked_for = list(self._doubts.values())
        if not looked_for and self._settings.look_since is not None:
            looked_for = [Entry(self._key, MessageState.UNCONFIRMED, self._settings.look_since, self._given_id)]
            self._suspected = True
        if looked_for:
            found = self._look(looked_for)
            if found is not None:
                return self._found(*found, sent_now=False)
            self._suspected = False
            # Without a journal nothing says that an earlier try sent anything, so a look is all there can be.
            if self._doubts and not self._resends:
                return self._left_unconfirmed("an earlier try may have sent it")
        return self._send()

    def _stored(self, entry: Entry) -> SingleResult:
        log.info("This message was accepted by an earlier try: nothing is sent.")
        outcome = self._of_earlier(entry, MessageOutcome(0, MessageState.ACCEPTED, id=entry.id))
        return SingleResult(outcome, sent_now=False, changed=entry.key != self._key)

    def _found(self, entry: Entry, entity: Entity, *, sent_now: bool) -> SingleResult:
        outcome = acceptance(0, self._message, entity)
        self._settle(outcome, entry.chunk)
        outcome = self._of_earlier(entry, outcome)
        return SingleResult(outcome, sent_now=sent_now, changed=entry.key != self._key)

    def _of_earlier(self, entry: Entry, outcome: MessageOutcome) -> MessageOutcome:
        """Name the clientId of what was sent, which may be another message than this try would send."""
        if entry.key == self._key:
            return replace(outcome, client_id=entry.client_id or self._client_id)
        if number_of(entry.key) != number_of(self._key):
            raise PlanError(
                "an earlier try of this campaign sent its message to another number, and nothing was sent by this try: "
                "`to` must be the same in every try. To text this number too, start a new DAG run."
            )
        log.warning("Its sender, number or text has changed since it was sent; the change was not sent.")
        return replace(outcome, client_id=entry.client_id)

    def _send(self) -> SingleResult:
        for _ in range(MOST_RESENDS):
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
            found = self._look_after_send()
            if found is not None:
                return self._found(*found, sent_now=True)
            self._settle(MessageOutcome(0, MessageState.UNCONFIRMED, reason=reason))
            if not self._resends:
                return self._left_unconfirmed(reason)
        raise UnavailableError(
            f"{MOST_RESENDS} sends in a row ended without an answer; the next try of the task looks for them again"
        )

    def _look_after_send(self) -> tuple[Entry, Entity] | None:
        self._last_request_at = self._clock()
        self._doubts.setdefault(self._key, self._intended())
        try:
            return self._look(list(self._doubts.values()))
        except ApiError as error:
            # With a journal the next try looks again. Without one it would not know that it must not send.
            if self._journal is not None or self._resends:
                raise
            log.warning("%s", error)
            return None

    def _left_unconfirmed(self, reason: str) -> SingleResult:
        if self._settings.on_unconfirmed is OnUnconfirmed.SKIP:
            log.warning('The message stays unconfirmed and is left so (on_unconfirmed="skip"): %s', reason)
            outcome = MessageOutcome(0, MessageState.UNCONFIRMED, client_id=self._client_id, reason=reason)
            return SingleResult(outcome, sent_now=False)
        if self._journal is None:
            advice = (
                "If it did not arrive, clear the task, which looks for it once more and then sends it: there is no "
                "journal (`journal_path`) to tell it otherwise. If it did arrive, mark the task as successful."
            )
        else:
            advice = (
                'Clear the task with on_unconfirmed="resend" if it did not arrive, or "skip" if it did; clearing it '
                "as it is looks for it again."
            )
        raise UnconfirmedError(
            f"1 message is unconfirmed ({reason}) and was not found in the list within "
            f"{self._settings.unconfirmed_grace:g} s. It was not sent again. Look at Instasent's dashboard. {advice}"
        )

    def _refused(self, error: RefusedError) -> SingleResult:
        in_doubt = self._doubts.get(self._key)
        if in_doubt and error.payload_is_at_fault and says_client_id_taken(str(error)) and not self._given_id:
            # Only we make this id, so that it is taken proves that our earlier request was accepted.
            log.info("The API says that this clientId was used before: an earlier request was accepted.")
            found = self._look([in_doubt])
            if found is not None:
                return self._found(*found, sent_now=False)
            outcome = MessageOutcome(0, MessageState.ACCEPTED, client_id=self._client_id)
            return SingleResult(self._accepted(outcome), sent_now=False)
        state = MessageState.REJECTED if error.payload_is_at_fault else MessageState.PLANNED
        self._settle(MessageOutcome(0, state, reason=str(error)))
        if self._doubts:
            log.warning("Only this request was refused: an earlier one for the message is still unconfirmed.")
        raise error

    def _intended(self) -> Entry:
        return Entry(self._key, MessageState.INTENDED, self._written_at, self._given_id, chunk=self._chunk)

    def _look(self, entries: list[Entry]) -> tuple[Entry, Entity] | None:
        """Look for the message of any of these entries until the grace is over.

        :raises ApiError: where the list cannot be read
        """
        by_key = {entry.key: entry for entry in entries}
        wanted = {entry.key: Wanted(entry.key, entry.client_id, entry.at) for entry in entries}
        try:
            findings = reconcile(
                Search(self._settings.campaign_id, wanted),
                lambda page: self._client.list_sms(page, LIST_PAGE),
                until=max(self._settings.started_at, self._last_request_at) + self._settings.unconfirmed_grace,
                clock=self._clock,
                sleep=self._sleep,
            )
        except (NotSentError, RateLimitedError, UnavailableError) as error:
            raise UnavailableError(
                f"1 message may have been accepted and the list cannot be read to find out ({error}). It was not sent "
                "again; the next try of the task, or clearing it, looks for it again.",
                status=error.status,
            ) from error
        # Without a journal a message that is not found is sent, whatever the policy.
        if not findings.found and not findings.whole and (self._journal is None or self._resends):
            raise not_read_to_the_edge(1)
        return next(((by_key[key], entity) for key, entity in findings.found.items()), None)

    @property
    def _resends(self) -> bool:
        return self._settings.on_unconfirmed is OnUnconfirmed.RESEND

    def _accepted(self, outcome: MessageOutcome) -> MessageOutcome:
        self._settle(outcome)
        return outcome

    def _intend(self) -> None:
        if self._journal is not None:
            self._chunk = self._chunk or self._journal.new_chunk()
            self._written_at = self._journal.intend(self._chunk, [self._key], [self._given_id])
        else:
            self._written_at = self._clock()

    def _before_send(self) -> None:
        if self._journal is not None and self._clock() - self._written_at > STALE_INTENT:
            self._intend()
        self._last_request_at = self._clock()

    def _settle(self, outcome: MessageOutcome, chunk: int = 0) -> None:
        if self._journal is None:
            return
        try:
            self._journal.settle(chunk or self._chunk, [outcome]).result()
        except JournalError:
            # What is known stays known: the message is out (or refused), only the next try would have to look.
            log.exception("The outcome could not be written to the journal.")
