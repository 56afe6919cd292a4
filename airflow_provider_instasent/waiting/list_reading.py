# SPDX-License-Identifier: Apache-2.0
"""Which pages of the list to read next, and what to make of one: search, then onwards where something is due."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from airflow_provider_instasent.waiting.list_positions import times_of
from airflow_provider_instasent.waiting.list_search import ListSearch
from airflow_provider_instasent.waiting.locating import PageNote

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.waiting.watched_messages import WatchedMessages

FRESH = 5.0
"""Seconds without a page after which it is not known by how much everything has moved on meanwhile."""

MOST_FAILURES = 3
"""Times that a page is asked for in vain before what is on it is read one by one."""

MOST_MISSES = 3
"""Pages in a row that show nothing that is due after which the drift is not believed any more."""

LONG_SEARCH = 30
"""Turns for searches in a row after which pages on which something is known to lie get some, too."""

KNOWN_EVERY = 3
"""Which turn they get from then on."""

_FAR = 2**60
"""Behind every coordinate."""


class ListReading:
    """The pages that one reader reads.

    :param messages: what is asked for
    :param clock: unix seconds
    :ivar search: the search for what has no known place
    """

    def __init__(self, messages: WatchedMessages, clock: Callable[[], float]) -> None:
        self.search = ListSearch(messages)
        self._messages = messages
        self._positions = messages.positions
        self._placed = messages.placed
        self._clock = clock
        self._searched = 0
        self._cursor = 0
        self._is_on_track = False
        self._misses = 0
        self._failures: Counter[int] = Counter()
        self._held: dict[int, list[Entity]] = {}
        self._doubted: dict[int, list[Entity]] = {}
        self._adrift: dict[int, list[Entity]] = {}
        self._is_adrift = False
        self._read_at = 0.0

    def next_numbers(self, few: int, most: int) -> list[int]:
        """Return the numbers of the pages to read next, side by side; none where the list has nothing that is due.

        :param few: messages without a known place up to which no search is worth its while
        :param most: the most pages
        """
        if self._doubted:
            return [self._page_that_proves()]
        wanted = self.search.pages(few, most)
        self._searched = self._searched + 1 if wanted else 0
        if self._searched <= LONG_SEARCH or self._searched % KNOWN_EVERY:
            return wanted or self._onwards(most if self._is_on_track else 1)
        return self._onwards(1) or wanted

    def take(self, number: int, entities: list[Entity]) -> None:
        """Take in a page.

        :param number: of the page, from 1
        :param entities: what is on it
        """
        positions, drift = self._positions, self._positions.drift_on(number, entities)
        self._failures.pop(number, None)
        if self._doubted and number == self._page_that_proves():
            has_moved = drift is None or abs(drift - positions.drift) >= positions.size
            repetitions = self._end_doubt(has_moved=has_moved)
            self._note(number, entities, is_proof=True)
            for other in repetitions:
                self._note(other, [])
        elif self._doubted and drift is None:
            self._held[number] = entities
        elif drift is not None and drift - positions.drift >= max(1, positions.size):
            # Either as much has come in between, or the list has ended, and its last page is repeated.
            self._doubted[number] = entities
        else:
            self._note(number, entities)

    def failed(self, number: int, *, is_rate_limited: bool) -> None:
        """Take in that a page could not be read: it is read next, or what is on it one by one where it never can be.

        :param number: of the page, from 1
        :param is_rate_limited: whether that says nothing of the page
        """
        if is_rate_limited:
            self._cursor = min(self._cursor, self._positions.first_of(number))
            return
        self._failures[number] += 1
        if self._failures[number] < MOST_FAILURES:
            return
        del self._failures[number]
        if self._doubted and number == self._page_that_proves():
            self._end_doubt(has_moved=True)  # if it has not, what is not where it should be is searched for
        elif self.search.is_for(number):
            self.search.note(PageNote(number, 0, None, count=max(1, self._positions.size)))  # it tells nothing
        else:
            self._messages.read_singly_now(self._placed.due_on(number, self._positions.size))

    def _onwards(self, most: int) -> list[int]:
        """Choose the next pages on which something is due, onwards from the last one, then from the beginning."""
        numbers: list[int] = []
        cursor, has_wrapped = self._cursor, False
        while len(numbers) < most and self._placed.has_due:
            due = self._placed.first_due(cursor)
            if due is None and has_wrapped:
                break
            if due is None:
                has_wrapped, cursor = True, -_FAR
                continue
            number = self._positions.page_of(due)
            if number in numbers:
                break
            numbers.append(number)
            cursor = max(due + 1, self._positions.first_of(number) + self._positions.size)
        self._is_on_track = self._is_on_track and bool(numbers)
        self._cursor = cursor
        return numbers

    def _page_that_proves(self) -> int:
        """Return the page on which lies, if nothing has moved, what a page showed that is in doubt."""
        number, entities = next(iter(self._doubted.items()))
        drift = self._positions.drift_on(number, entities) or 0
        return self._positions.page_of(self._positions.first_of(number) + self._positions.drift - drift)

    def _end_doubt(self, *, has_moved: bool) -> list[int]:
        """Take in what was put off until it was known whether the list has moved on; return the pages that repeat."""
        doubted, held, self._doubted, self._held = self._doubted, self._held, {}, {}
        for other, shown in {**doubted, **held}.items() if has_moved else held.items():
            self._note(other, shown)
        return [] if has_moved else list(doubted)

    def _note(self, number: int, entities: list[Entity], *, is_proof: bool = False) -> None:
        messages, wanted = self._messages, self.search.wanted
        is_certain = self._positions.take(number, entities)
        expected = self._placed.due_on(number, len(entities))
        self._place(number, entities, is_certain=is_certain)
        messages.take_page(entities)
        missing = [message_id for message_id in expected if self._placed.is_due(message_id)]
        is_on_track = len(missing) < len(expected)
        if is_on_track:  # else nothing lies where it should, and this is the wrong page
            messages.not_on_list(missing)
        if self.search.is_for(number):
            first_id = entities[0]["id"] if entities else None
            found = wanted - self.search.wanted
            times = times_of(entities)
            self.search.note(PageNote(number, found, times, is_on_track, is_certain, first_id, len(entities)))
        elif is_proof:
            return  # nothing was expected on it
        elif not is_on_track and self._placed.has_due:
            self._cursor = -_FAR
            # What should be here has been asked for: others have sent meanwhile, and the drift now tells by how much.
            is_near = is_certain and not expected and self._misses < MOST_MISSES
            self._misses += 1
            if not is_near:
                self.search.find_again(number)
        self._misses = 0 if is_on_track else self._misses
        self._is_on_track = is_on_track

    def _place(self, number: int, entities: list[Entity], *, is_certain: bool) -> None:
        """Note where the messages on a page lie; later, where it is not known by how much everything has moved on."""
        messages, now = self._messages, self._clock()
        if is_certain or not self._placed:
            self._is_adrift = False
            for other, shown in self._adrift.items():
                messages.place_page(other, shown, others_too=False)
            self._adrift = {}
        elif now - self._read_at > FRESH:
            self._is_adrift = True
        self._read_at = now
        if self._is_adrift:
            self._adrift[number] = entities
        else:
            self._positions.note_times(number, entities)
            messages.place_page(number, entities)
