# SPDX-License-Identifier: Apache-2.0
"""What becomes of messages of which nothing tells whether they were accepted: look, decide, send again or leave.

The same for one message and for a million.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.errors import (
    NotSentError,
    RateLimitedError,
    RefusedError,
    UnavailableError,
    UnconfirmedError,
)
from airflow_provider_instasent.api.interruptible import interruptible
from airflow_provider_instasent.campaign import search
from airflow_provider_instasent.campaign.findings import Findings
from airflow_provider_instasent.campaign.search import search_list
from airflow_provider_instasent.campaign.sightings import Search
from airflow_provider_instasent.planning.choices import OnUnconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from airflow_provider_instasent.api.client_ids import MessageKeys
    from airflow_provider_instasent.api.pages import Page
    from airflow_provider_instasent.campaign.campaign_settings import SendSettings
    from airflow_provider_instasent.journal.roster import Listed
    from airflow_provider_instasent.journal.worker_clock import WorkerClock

log = logging.getLogger(__name__)

MOST_RESENDS = 3
"""How often one try sends again what stays unconfirmed (`on_unconfirmed="resend"`)."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Finds out, and decides.

    :param settings: of the try
    :param keys: of the campaign's messages
    :param list_page: reads a page of the list that shows what was accepted, by its number and size
    :param clock: that of this worker
    :param sleep: waits the given seconds; raises to end the try
    """

    settings: SendSettings
    keys: MessageKeys
    list_page: Callable[[int, int], Page]
    clock: WorkerClock
    sleep: Callable[[float], object]

    @property
    def are_resent(self) -> bool:
        """Whether the user accepts that a message may arrive twice."""
        return self.settings.on_unconfirmed is OnUnconfirmed.RESEND

    def _page(self, number: int, size: int) -> Page:
        """Read a page; no answer that is long in coming, nor a pause that the API asks for, keeps a try from ending."""
        return interruptible(lambda: self.list_page(number, size), lambda: self.sleep(0.0))

    def look(
        self,
        messages: Iterable[Listed],
        last_request_at: float,
        *,
        known_ids: Container[str] = frozenset(),
        occurrences: int = 1,
    ) -> Findings:
        """Look for messages until all are found or the grace is over.

        The grace counts from the later of this try's start and its last request.

        :param messages: what is looked for
        :param last_request_at: when a request of this try left last, on the steady clock in seconds; 0 where none did
        :param known_ids: ids of SMS that are already known to be other messages of this campaign
        :param occurrences: how many messages with one sender, number and text the campaign may hold
        :raises UnavailableError: where the list cannot be read at present
        :raises RefusedError: where it refuses to be read, unless they are to be left as they are anyway
        """
        wanted = {one.key: one for one in messages}
        try:
            return search_list(
                Search(self.keys, wanted, known_ids, occurrences, slack=search.CLOCK_SLACK),
                self._page,
                until=max(self.settings.started_at, last_request_at) + self.settings.unconfirmed_grace,
                clock=self.clock,
                sleep=self.sleep,
            )
        except (NotSentError, RateLimitedError, UnavailableError) as error:
            raise UnavailableError(
                f"{len(wanted)} unconfirmed, and the list cannot be read to find out ({error}). None of it was sent "
                "again; the next try of the task, or clearing it, looks for it again.",
                status=error.status,
            ) from error
        except RefusedError as error:  # it may do so for ever
            if self.settings.on_unconfirmed is OnUnconfirmed.SKIP:
                log.warning("The list refuses to be read: %s.", error)
                return Findings({}, whole=False, doubted={})
            raise type(error)(
                f"{len(wanted)} unconfirmed, and the list refuses to be read ({error}). None of it was sent again. "
                'Once that is mended, clear the task; or clear it with on_unconfirmed="skip" to leave them so.',
                status=error.status,
            ) from error

    def are_sent_again(self, findings: Findings, left: int, resends: int) -> bool:
        """Decide whether what was looked for and not found is sent again.

        Those of which the look left a doubt never are: the others go first.

        :param findings: of the look
        :param left: messages that stay unconfirmed
        :param resends: how often this try has sent again so far
        :raises UnconfirmedError: where they would be, and the look proves nothing of any
        """
        if not left or not self.are_resent:
            return False
        if not findings.whole or left <= len(findings.doubted):
            refuse_unless_whole(findings, left)
        return resends < MOST_RESENDS


def proves_acceptance(*, client_id_taken: bool, in_doubt: bool, given: str | None) -> bool:
    """Tell whether a refusal proves that an earlier request for the message was accepted.

    Only we make the ids that no user gave, so that one is taken means that our earlier request used it.

    :param client_id_taken: whether the API says that the clientId was used before
    :param in_doubt: whether there was such a request
    :param given: the clientId the user gave, or None
    """
    return client_id_taken and in_doubt and given is None


def refuse_unless_whole(findings: Findings, left: int) -> None:
    """Refuse to send again after a look that does not prove absence.

    :param findings: of the look
    :param left: messages not found
    :raises UnconfirmedError: where they may be in the list all the same
    """
    if not left or (findings.whole and not findings.doubted):
        return
    if findings.whole:
        left = len(findings.doubted)
        (reason, _), *others = Counter(findings.doubted.values()).most_common()
        why = f"{reason}{', or the like' if others else ''}. So they may have been accepted, and were not sent again"
    else:
        why = (
            f"not found in what can be read of the list (at most {search.MOST_PAGES} pages), which does not reach back "
            "to when they may have been accepted. So nothing was sent again"
        )
        if findings.timeless:
            why += ". When most of its SMS were created (createdAt) cannot be read or has no zone, so it is read whole"
    raise UnconfirmedError(
        f"{left} unconfirmed: {why}. Look at Instasent's dashboard, and clear the task with "
        'on_unconfirmed="skip" to leave them so.'
    )
