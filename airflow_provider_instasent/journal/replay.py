# SPDX-License-Identifier: Apache-2.0
"""What earlier tries wrote, event by event, into a roster that says where each message stands."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError
from airflow_provider_instasent.journal.events import (
    OFFSET,
    PLAN,
    WHOLE_ROSTER,
    Event,
    Intent,
    Listing,
    Members,
    Note,
    Opening,
    PlacedIntent,
    Settlement,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_provider_instasent.journal.roster import Roster
    from airflow_provider_instasent.journal.worker_clock import Moment

_KINDS = {
    "a bulk send": (Opening, Listing, Members, PlacedIntent, Settlement, Note),
    "a single send": (Opening, Intent, Settlement, Note),
}
"""The events that a journal of each kind holds."""


class Replay:
    """Takes a journal's events into a roster.

    :param roster: empty
    :param kind: `a bulk send` or `a single send`
    :param owner: the task that asks, where several share a campaign, as its plans name it
    :ivar notes: the named facts of the campaign; the last one of a name counts
    """

    def __init__(self, roster: Roster, kind: str = "a bulk send", owner: str = "") -> None:
        self._roster = roster
        self._kind = kind
        self._owner = owner
        self._listed = 0
        self._chunks: dict[int, tuple[tuple[int, int], ...]] = {}
        self._answered: set[int] = set()
        self._members: list[tuple[int, int]] = []
        self.notes: dict[str, object] = {}

    def take(self, events: Iterable[Event]) -> None:
        """Take all events, in their order.

        :raises JournalForeignError: where the journal is that of another kind of send
        :raises JournalCorruptError: where its events contradict each other
        """
        for event in events:
            if not isinstance(event, _KINDS[self._kind]):
                (other,) = _KINDS.keys() - {self._kind}
                raise JournalForeignError(f"this journal is that of {other}: nothing was sent")
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Opening():
                self._roster.clock = event.clock
            case Listing():
                self._list(event)
            case Members():
                self._check(event.spans)
                self._members = [*([] if event.begins else self._members), *event.spans]
            case Intent():
                self._intend(event.chunk, event.moment, tuple(self._single(event)))
                self._listed = len(self._roster)
            case PlacedIntent():
                self._check(event.spans)
                self._intend(event.chunk, event.moment, event.spans)
            case Settlement():
                self._roster.settle(event.outcomes, self._places_of(event))
            case Note():
                self._note(event)

    def _note(self, note: Note) -> None:
        if note.name == OFFSET:
            if not isinstance(note.value, int | float):
                raise _corrupt("tells no time where it should")
            self._roster.learn(note.value)
            return
        self.notes[note.name] = note.value
        if note.name == PLAN:
            self._roster.begin_plan(self._members, ours=self.plan[1] == self._owner)
            self._members = []

    @property
    def plan(self) -> tuple[str | None, str | None]:
        """The present plan's fingerprint and owner; None where none was noted.

        :raises JournalCorruptError: where it was noted as something else
        """
        match self.notes.get(PLAN):
            case None:
                return None, None
            case [str() as fingerprint, str() as owner]:
                return fingerprint, owner
        raise _corrupt("names no plan where it should")

    def _list(self, listing: Listing) -> None:
        try:
            self._roster.extend(listing.keys, listing.client_ids)
        except sqlite3.IntegrityError as error:
            raise _corrupt("lists a message twice") from error
        self._listed += len(listing.keys)

    def _single(self, intent: Intent) -> Iterator[tuple[int, int]]:
        for key, client_id in zip(intent.keys, intent.client_ids, strict=True):
            place = self._roster.place_of(key, client_id)
            self._roster.rename(place, client_id)  # the last one counts
            yield place, 1

    def _check(self, spans: Iterable[tuple[int, int]]) -> None:
        if any(first < 0 or count < 1 or first + count > self._listed for first, count in spans):
            raise _corrupt("names a message that it never listed")

    def _intend(self, chunk: int, moment: Moment, spans: tuple[tuple[int, int], ...]) -> None:
        if chunk in self._answered or chunk not in self._chunks:  # else its time was refreshed before it left
            self._answered.discard(chunk)
            self._roster.intend(spans, moment)
        self._chunks[chunk] = spans

    def _places_of(self, settlement: Settlement) -> Sequence[int]:
        """Return the place in the roster of each position of its outcomes."""
        places: Sequence[int]
        if settlement.chunk == WHOLE_ROSTER:
            places = range(self._listed)
        elif settlement.chunk in self._chunks:
            self._answered.add(settlement.chunk)
            places = [first + n for first, count in self._chunks[settlement.chunk] for n in range(count)]
        else:
            raise _corrupt("settles what it never intended")
        if any(not 0 <= outcome.position < len(places) for outcome in settlement.outcomes):
            raise _corrupt("settles what it never intended")
        return places


def _corrupt(what: str) -> JournalCorruptError:
    return JournalCorruptError(f"the journal {what}: nothing was sent by this try")
