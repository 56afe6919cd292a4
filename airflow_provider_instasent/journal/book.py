# SPDX-License-Identifier: Apache-2.0
"""What a journal says of each message, folded from its events: the one place that knows the transitions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError
from airflow_provider_instasent.journal.journal import Event, Intent, Note, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOTHING_ACCEPTED = frozenset({MessageState.PLANNED, MessageState.REJECTED})


@dataclass(slots=True)
class Entry:
    """One message in a journal.

    :param key: its key
    :param state: where it stands; an intent without a settlement is `intended`
    :param at: our clock in unix seconds when its first doubtful intent, else its last one, was written
    :param client_id: the clientId the user gave, or None for a generated one
    :param id: the API's id, when accepted
    :param reason: why it was rejected or is unconfirmed
    :param chunk: the chunk of its last intent
    :param doubted: whether an intent before the last one is still in doubt
    """

    key: bytes
    state: MessageState
    at: float
    client_id: str | None = None
    id: str | None = None
    reason: str | None = None
    chunk: int = 0
    doubted: bool = False

    @property
    def in_doubt(self) -> bool:
        """Whether it may or may not have been accepted."""
        return self.state in {MessageState.INTENDED, MessageState.UNCONFIRMED}

    def intend(self, intent: Intent, client_id: str | None) -> None:
        """Move to what a further intent says. What is accepted stays so."""
        if self.state is MessageState.ACCEPTED:
            return
        # The same chunk again, not answered yet, only refreshes its time: nothing had left.
        again = self.state is MessageState.UNCONFIRMED or self.chunk != intent.chunk
        self.doubted = self.doubted or (self.in_doubt and again)
        self.at = self.at if self.in_doubt else intent.at
        self.state, self.chunk, self.client_id = MessageState.INTENDED, intent.chunk, client_id

    def settle(self, chunk: int, outcome: MessageOutcome) -> None:
        """Move to what an outcome of a chunk says.

        Acceptance is evidence that nothing later takes back. A refusal is evidence about its own request only: it
        does not settle a doubt about an earlier one.
        """
        late = chunk != self.chunk and outcome.state in _NOTHING_ACCEPTED
        if self.state is MessageState.ACCEPTED or late:
            return
        if outcome.state not in _NOTHING_ACCEPTED or not self.doubted:
            self.state, self.id, self.reason = outcome.state, outcome.id, outcome.reason
        else:
            self.state = MessageState.UNCONFIRMED


@dataclass(slots=True)
class Book:
    """A whole journal in memory; for campaigns that fit there.

    :param entries: by key
    :param notes: by name
    """

    entries: dict[bytes, Entry] = field(default_factory=dict)
    notes: dict[str, object] = field(default_factory=dict)
    _chunks: dict[int, tuple[bytes, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Book:
        """Return the book of a journal's events, in their order."""
        book = cls()
        for event in events:
            book.add(event)
        return book

    def add(self, event: Event) -> None:
        """Take an event into account."""
        if isinstance(event, Note):
            self.notes[event.name] = event.value
        elif isinstance(event, Intent):
            self._intend(event)
        elif isinstance(event, Settlement):
            self._settle(event)
        else:
            raise JournalForeignError("this journal is that of a bulk send: nothing was sent")

    def _intend(self, intent: Intent) -> None:
        self._chunks[intent.chunk] = intent.keys
        for key, client_id in zip(intent.keys, intent.client_ids, strict=True):
            entry = self.entries.get(key)
            if entry is None:
                self.entries[key] = Entry(key, MessageState.INTENDED, intent.at, client_id, chunk=intent.chunk)
            else:
                entry.intend(intent, client_id)

    def _settle(self, settlement: Settlement) -> None:
        try:
            keys = self._chunks[settlement.chunk]
            for outcome in settlement.outcomes:
                self.entries[keys[outcome.position]].settle(settlement.chunk, outcome)
        except LookupError as error:
            raise JournalCorruptError("the journal settles what it never intended: nothing was sent") from error
