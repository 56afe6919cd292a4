# SPDX-License-Identifier: Apache-2.0
"""Which search of the list is under way at a reader, and what begins one: one at a time, for all waits together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.timestamps import created_at
from airflow_provider_instasent.waiting.accepted_times import LENGTH, UNTOLD, Stretch
from airflow_provider_instasent.waiting.locating import SLACK, StretchSearch

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.waiting.locating import PageNote, Search
    from airflow_provider_instasent.waiting.subscription import Subscription
    from airflow_provider_instasent.waiting.watched_messages import WatchedMessages

_STEPS = 12
"""Pages read to find out by how much everything has moved on, each twice as far away as the last."""


@dataclass(slots=True)
class _Probe:
    """Two messages of a wait that are read to learn when it sent them.

    :param waiting: whose answer has not come
    :param moments: when they were created, in unix seconds
    """

    subscription: Subscription
    waiting: set[str]
    moments: list[float] = field(default_factory=list)


class ListSearch:
    """The searches of one reader.

    :param messages: what is looked for
    """

    def __init__(self, messages: WatchedMessages) -> None:
        self._messages = messages
        self._search: Search | None = None
        self._asked: list[int] = []
        self._notes: list[PageNote] = []
        self._stretches: list[Stretch] = []
        self._probes: list[_Probe] = []
        self._most = 1

    @property
    def wanted(self) -> int:
        """How many messages the search is still to find."""
        return sum(len(self._messages.unplaced.get(stretch, ())) for stretch in self._stretches)

    @property
    def is_probing(self) -> bool:
        """Whether an answer is awaited that tells where to search."""
        return bool(self._probes)

    def forget(self, subscription: Subscription) -> None:
        """Await nothing any more for a wait that is over."""
        self._probes = [probe for probe in self._probes if probe.subscription is not subscription]

    def give_up_probes(self) -> None:
        """Search without the answers that are awaited: they may not be asked for now."""
        self._probes = []

    def probes(self, few: int) -> list[str]:
        """Return messages to read one by one, to learn when those around them were sent.

        :param few: messages up to which a wait needs no search
        """
        if UNTOLD not in self._messages.unplaced or self._search is not None:
            return []
        ids: list[str] = []
        for one in self._messages.subscriptions:
            due = [message_id for message_id in one.unplaced.get(UNTOLD, ()) if message_id in one.left]
            if one.in_sweep and not one.is_probed and len(due) > few:
                one.is_probed = True
                self._probes.append(_Probe(one, {due[0], due[-1]}))
                ids += [due[0], due[-1]]
        return ids

    def probed(self, message_id: str, entity: Entity | None) -> None:
        """Take in a message that was read by itself.

        :param message_id: which
        :param entity: as the API sent it, None where it did not
        """
        created = None if entity is None else created_at(entity)
        for probe in [probe for probe in self._probes if message_id in probe.waiting]:
            probe.waiting.discard(message_id)
            if created is not None:
                probe.moments.append(created.at)
            if not probe.waiting:
                self._probes.remove(probe)
                if probe.moments:
                    stretch = Stretch(min(probe.moments), max(probe.moments))
                    self._messages.tell_stretch(probe.subscription, stretch)

    def pages(self, few: int, most: int) -> list[int]:
        """Return the pages to read for a search; none where nothing is looked for.

        :param few: messages up to which no search is worth its while
        :param most: pages to read side by side
        """
        self._most = most
        if self._search is None and self._messages.unplaced:
            self._begin(few)
        return self._asked[:most]

    def is_for(self, number: int) -> bool:
        """Tell whether a page is read for a search."""
        return number in self._asked

    def note(self, note: PageNote) -> None:
        """Take in a page that was read for the search."""
        self._asked.remove(note.number)
        self._notes.append(note)
        if not self._asked:
            notes, self._notes = self._notes, []
            self._go_on(notes)

    def find_again(self, number: int) -> None:
        """Search for what has moved away from its page.

        :param number: of the page that does not show it any more, from 1
        """
        if self._search is None:
            self._start(self._further_on(number), [])

    def sweep_ended(self, subscription: Subscription) -> None:
        """Let a wait search again, after ever more sweeps, for what the list did not show."""
        subscription.is_probed = False
        if subscription.unlisted and subscription.sweeps >= subscription.next_search:
            subscription.next_search = 2 * subscription.sweeps
            self._messages.search_again(subscription)

    def _begin(self, few: int) -> None:
        unplaced = self._messages.unplaced
        if sum(map(len, unplaced.values())) <= few:
            self._messages.read_unplaced_singly()
            return
        if not self._messages.placed:
            self._messages.positions.begin_anew()
        stretches = self._newest()
        merged = Stretch(min(one.earliest for one in stretches), max(one.latest for one in stretches))
        self._stretches = stretches
        search = StretchSearch(merged, self._messages.positions, lambda: self.wanted)
        self._start(search.run(lambda: self._most), stretches)

    def _newest(self) -> list[Stretch]:
        """Return the latest stretches of which something is due, as far as one follows upon the other."""
        told = sorted((one for one in self._messages.unplaced if one != UNTOLD), key=lambda one: -one.latest)
        if not told:
            return [UNTOLD]
        found = told[:1]
        for one in told[1:]:
            if one.latest < found[-1].earliest - LENGTH:
                break
            found.append(one)
        return found

    def _start(self, search: Search, stretches: list[Stretch]) -> None:
        self._search, self._stretches, self._notes = search, stretches, []
        try:
            self._asked = list(next(search))
        except StopIteration:
            self._end()

    def _go_on(self, notes: list[PageNote]) -> None:
        if self._search is None:
            return
        try:
            self._asked = list(self._search.send(notes))
        except StopIteration:
            self._end()

    def _end(self) -> None:
        self._search, self._asked = None, []
        told = [stretch for stretch in self._stretches if stretch != UNTOLD]
        if self._messages.doubt_stretches(told):
            return  # they were accepted at another time: messages of theirs will tell
        self._messages.give_up_search(self._stretches)

    def _further_on(self, number: int) -> Search:
        """Ask for pages ever further away until one shows a message whose place was known."""
        positions = self._messages.positions
        due = self._messages.placed.first_due(-(2**60))
        moment = None if due is None else positions.moment_of(due)
        for step in range(_STEPS):
            (note,) = yield [number + 2 ** (step + 1) - 1]
            here = self._messages.placed.first_due(-(2**60))
            if here is not None and note.is_certain and not note.is_on_track:
                (note,) = yield [positions.page_of(here)]
            if note.is_on_track or here is None:
                return
            is_past = moment is not None and note.times is not None and note.times.latest < moment - SLACK
            if note.is_empty or (is_past and positions.newest_first):
                break
        self._messages.lose_places()
