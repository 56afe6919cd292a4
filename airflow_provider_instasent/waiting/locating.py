# SPDX-License-Identifier: Apache-2.0
"""Finding the pages on which messages lie that were not seen yet, by when they were accepted. No sockets, no clock.

The list is searched as one looks something up in a book: at a guess, then between what came before and what came after,
and from the first hit on to either side. Where nothing tells the time, it is read from its beginning. No search reads
more pages in vain than there are messages to find: then reading them one by one is no dearer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from airflow_provider_instasent.waiting.accepted_times import UNTOLD, Stretch

if TYPE_CHECKING:
    from airflow_provider_instasent.waiting.list_positions import ListPositions, PageTimes

LEAST_IN_VAIN = 12
"""Pages that a search may read in vain, however few messages it looks for."""

SLACK = 5.0
"""Seconds by which a message's creation may be off what is known of its acceptance."""

REPETITIONS = 4
"""Full pages that show the same after which the list is taken to have ended."""

NARROWER = 0.618
"""By which pages are taken nearer to each other: the golden section, which falls in with no rhythm of senders."""

_FARTHEST = 2**31
_MOST_PROBES = 40


@dataclass(frozen=True, slots=True)
class PageNote:
    """What a page told.

    :param number: of the page, from 1
    :param found: how many of the messages that the search is for are on it
    :param times: when its messages were created, or None where they do not tell
    :param is_on_track: whether it shows messages that were due there
    :param is_certain: whether it shows a message whose place was known
    :param first_id: of the first message on it, None where there is none
    :param count: how many messages are on it
    """

    number: int
    found: int
    times: PageTimes | None
    is_on_track: bool = False
    is_certain: bool = False
    first_id: str | None = None
    count: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing on it, or what the last page shows."""
        return self.count == 0


Search = Generator[list[int], Sequence[PageNote], None]


class _Side(Enum):
    BEFORE = "the page comes before what is looked for"
    AFTER = "the page comes after it"
    AROUND = "nothing tells"


class StretchSearch:
    """A search for the messages of one stretch of time.

    :param stretch: when they were accepted
    :param positions: tells the list's order
    :param wanted: how many of them are still to be found
    """

    def __init__(self, stretch: Stretch, positions: ListPositions, wanted: Callable[[], int]) -> None:
        self._stretch = stretch
        self._positions = positions
        self._wanted = wanted
        self._in_vain = 0
        self._most_in_vain = max(LEAST_IN_VAIN, wanted())
        self._notes: dict[int, PageNote] = {}
        self._first_of_last: str | None = None

    def run(self, most: Callable[[], int]) -> Search:
        """Ask for pages until all were found, or looking on leads nowhere.

        :param most: how many pages may be asked for at once
        """
        number: int | None = 1 if self._stretch == UNTOLD else self._first_guess()
        for _ in range(_MOST_PROBES):
            if number is None:
                break
            yield from self._read([number])
            if not self._goes_on() or self._notes[number].found or self._side(number) is _Side.AROUND:
                break
            number = self._next()
        if self._goes_on() and not self._hits():
            yield from self._hunt(self._nearest())
        if self._goes_on() and self._hits():
            yield from self._spread(self._hits()[0], most)

    def _hits(self) -> list[int]:
        """The pages that showed something, the one with most of it first."""
        hits = [note for note in self._notes.values() if note.found]
        return [note.number for note in sorted(hits, key=lambda note: -note.found)]

    def _goes_on(self) -> bool:
        return self._wanted() > 0 and self._in_vain <= self._most_in_vain

    def _read(self, numbers: list[int]) -> Search:
        for read in (yield numbers) if numbers else ():
            note = replace(read, count=0) if self._is_repeated(read) else read
            self._notes[note.number] = note
            self._in_vain += not note.found

    def _is_repeated(self, note: PageNote) -> bool:
        """Tell whether a page repeats the last one, as some servers do behind the end.

        A full page may show what the one before it showed because as much has come in between; hardly again and again.
        """
        ahead = (other.first_id for number, other in self._notes.items() if number < note.number)
        same = sum(first_id == note.first_id for first_id in ahead) if note.first_id is not None else 0
        is_known = note.count < self._positions.size or note.first_id == self._first_of_last
        if note.found or same < (1 if is_known else REPETITIONS):
            return False
        self._first_of_last = note.first_id
        return True

    def _first_guess(self) -> int:
        """Return where the middle of the stretch lay when the pages near it were last read; else the first page."""
        guess = self._positions.guess(self._middle)
        return 1 if guess is None else self._positions.page_of(guess)

    @property
    def _middle(self) -> float:
        return (self._stretch.earliest + self._stretch.latest) / 2

    def _side(self, number: int) -> _Side:
        note = self._notes[number]
        if note.is_empty:
            return _Side.AFTER
        if note.times is None or self._stretch == UNTOLD:
            return _Side.AROUND
        newest_first = self._positions.newest_first
        if abs(note.times.middle - self._middle) < 1 or (newest_first is None and self._contains(note.times)):
            return _Side.AROUND
        if newest_first is None:
            return _Side.BEFORE  # reading on tells the order
        return _Side.BEFORE if (note.times.middle > self._middle) == newest_first else _Side.AFTER

    def _contains(self, times: PageTimes) -> bool:
        return times.latest >= self._stretch.earliest - SLACK and times.earliest <= self._stretch.latest + SLACK

    def _is_beyond(self, note: PageNote) -> bool:
        """Tell whether a page lies outside the stretch for certain."""
        if note.is_empty:
            return True
        return self._stretch != UNTOLD and note.times is not None and not self._contains(note.times)

    def _next(self) -> int | None:
        """Return the next page to try, or None where there is none between those that were."""
        before = max((number for number in self._notes if self._side(number) is _Side.BEFORE), default=0)
        after = min((number for number in self._notes if self._side(number) is _Side.AFTER), default=None)
        if after is None:
            ahead = self._extrapolated(before)
            return None if before >= _FARTHEST else max(2 * before, before + 1, min(ahead, 8 * before))
        if after - before <= 1:
            return None
        between = self._interpolated(before, after) if len(self._notes) % 2 else (before + after) // 2
        return min(max(between, before + 1), after - 1)

    def _extrapolated(self, before: int) -> int:
        """Return where the stretch would lie if messages had been sent as fast as between the pages that were read."""
        first = min(self._notes)
        one, other = self._notes[first].times, self._notes[before].times
        if one is None or other is None or one.middle == other.middle:
            return 0
        return int(first + (before - first) * (self._middle - one.middle) / (other.middle - one.middle))

    def _interpolated(self, before: int, after: int) -> int:
        one = self._notes[before].times if before else None
        other = self._notes[after].times
        if one is None or other is None or one.middle == other.middle:
            return (before + after) // 2
        return int(before + (after - before) * (self._middle - one.middle) / (other.middle - one.middle))

    def _nearest(self) -> int:
        """Return the page that is nearest in time to what is looked for."""

        def distance(note: PageNote) -> tuple[bool, float]:
            apart = abs(note.times.middle - self._middle) if note.times and self._stretch != UNTOLD else 0.0
            return note.is_empty, apart

        return min(self._notes.values(), key=distance).number

    def _hunt(self, start: int) -> Search:
        """Read pages to both sides until one shows something, at first no nearer to each other than it may be long.

        Senders that take turns may leave nothing on any of these pages, so those between them are tried, too.
        """
        stride = max(1, self._wanted() // max(1, self._positions.size))
        yield from self._hunt_by(stride, start)
        while self._goes_on() and not self._hits() and stride > 1 and not self._is_beyond(self._notes[start]):
            stride = max(1, int(stride * NARROWER))
            yield from self._hunt_by(stride, start)

    def _hunt_by(self, stride: int, start: int) -> Search:
        ends = {stride: start, -stride: start}
        while ends:
            for step in list(ends):
                number = ends[step] = ends[step] + step
                if number < 1:
                    del ends[step]
                    continue
                yield from self._read([number] if number not in self._notes else [])
                if self._hits() or not self._goes_on():
                    return
                if self._is_beyond(self._notes[number]):
                    del ends[step]

    def _spread(self, start: int, most: Callable[[], int]) -> Search:
        """Read on from a page to both sides, first where the last pages showed something, else in turns."""
        ends: dict[int, int] = {1: start, -1: start}
        dry: set[int] = set()
        while ends and self._goes_on():
            for step in [step for step in ends if step not in dry] or list(ends):
                stop = max(0, ends[step] + step * (self._at_once(most) + 1))
                numbers = range(ends[step] + step, stop, step)
                yield from self._read([number for number in numbers if number not in self._notes])
                read = [self._notes[number] for number in numbers if number in self._notes]
                ends[step] = stop - step
                (dry.discard if any(note.found for note in read) else dry.add)(step)
                if (stop == 0 and step < 0) or any(self._is_past(note, step) for note in read):
                    del ends[step]
                if not self._goes_on():
                    return

    def _is_past(self, note: PageNote, step: int) -> bool:
        """Tell whether a page lies beyond the stretch, seen in the direction in which is read.

        Where it lies on this side of it, others have sent meanwhile, and what is looked for moved on.
        """
        if note.found:
            return False
        far_side = _Side.AFTER if step > 0 else _Side.BEFORE
        return note.is_empty or (self._is_beyond(note) and self._side(note.number) is far_side)

    def _at_once(self, most: Callable[[], int]) -> int:
        """Return how many pages to ask for: no more than what is left may fill."""
        return max(1, min(most(), -(-self._wanted() // max(1, self._positions.size))))
