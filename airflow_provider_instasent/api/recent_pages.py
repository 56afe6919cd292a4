# SPDX-License-Identifier: Apache-2.0
"""Read the recent part of a list whose order (newest or oldest first) and page size are unknown.

Sans-IO: :func:`walk_recent` yields the number of a page to read, is sent the page, and returns whether the window was
read to its edge.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Protocol, TypeVar

from airflow_provider_instasent.api.endpoints import Entity
from airflow_provider_instasent.api.pages import Page

_REPETITIONS = 2
"""Pages in a row that repeat the former one, after which a list is at its end."""

_MOST_BARREN = 50
"""Pages in a row with nothing new, after which it counts as at its end even where they differ."""

T = TypeVar("T")
Walk = Generator[int, Page, T]
Moment = Callable[[Entity], float | None]


class SeenIds(Protocol):
    """Remembers ids; a long list's are better kept on disk."""

    def take(self, ids: set[str]) -> bool:
        """Remember ids; return whether any of them was new."""

    def forget(self) -> None:
        """Forget all of them."""


class _SeenInMemory:
    def __init__(self) -> None:
        self._ids: set[str] = set()

    def take(self, ids: set[str]) -> bool:
        new = not ids <= self._ids
        self._ids |= ids
        return new

    def forget(self) -> None:
        self._ids = set()


def recent_pages(
    read: Callable[[int], Page],
    too_old: Callable[[Entity], bool],
    enough: Callable[[], bool],
    moment: Moment,
    max_pages: int,
    *,
    seen: SeenIds | None = None,
) -> bool:
    """Read pages from the newest back until one reaches behind the window.

    :param read: reads a page by its number, from 1, and takes note of what is on it
    :param too_old: whether an entity is older than the window
    :param enough: whether all that is looked for has been seen
    :param moment: when an entity was created, or None where it does not tell
    :param max_pages: the most pages to read
    :param seen: remembers ids; None to do so in memory
    :returns: whether the window was read to its edge
    """
    walk = walk_recent(too_old, enough, moment, max_pages, seen)
    try:
        number = next(walk)
        while True:
            number = walk.send(read(number))
    except StopIteration as stop:
        return bool(stop.value)


def walk_recent(
    too_old: Callable[[Entity], bool],
    enough: Callable[[], bool],
    moment: Moment,
    max_pages: int,
    seen: SeenIds | None = None,
) -> Walk[bool]:
    """Ask for pages from the newest back until one reaches behind the window; see :func:`recent_pages`."""
    reader = _Reader(max_pages, _SeenInMemory() if seen is None else seen)
    try:
        first = yield from reader.page(1)
        if not first or enough():
            return True
        oldest_first = yield from _lists_oldest_first(reader, moment)
        if oldest_first:
            return (yield from _backwards(reader, too_old, enough))
        return (yield from _forwards(reader.afresh(), too_old, enough))
    except _OutOfPagesError:
        return False


def is_oldest_first(entities: list[Entity], moment: Moment) -> bool:
    """Tell whether entities in the list's order get newer."""
    moments = [at for at in map(moment, entities) if at is not None]
    return len(moments) > 1 and moments[0] < moments[-1]


def _lists_oldest_first(reader: _Reader, moment: Moment) -> Walk[bool]:
    """Tell the list's order by its first page or two; by its ends where all of that is of one second."""
    seen = yield from reader.page(1)
    if not any(moment(entity) is not None for entity in seen):
        return False
    if _undecided(seen, moment):
        seen = seen + (yield from reader.page(2))
    if _undecided(seen, moment):
        last = yield from _last_page(reader)
        seen = seen + (yield from reader.page(last))
    return is_oldest_first(seen, moment)


def _undecided(entities: list[Entity], moment: Moment) -> bool:
    return len({at for at in map(moment, entities) if at is not None}) <= 1


class _OutOfPagesError(Exception):
    """The bound on pages was reached."""


class _Reader:
    """Reads each page once, within a bound."""

    def __init__(self, max_pages: int, seen: SeenIds) -> None:
        self._left = max_pages
        self._seen = seen
        self._pages: dict[int, list[Entity]] = {}
        self._read: set[int] = set()
        self._nothing_new: set[int] = set()

    def page(self, number: int, *, keep: bool = True) -> Walk[list[Entity]]:
        """Return a page.

        :param number: from 1
        :param keep: whether it may be asked for again
        """
        if number in self._pages:
            return self._pages[number]
        if self._left <= 0:
            raise _OutOfPagesError
        self._left -= 1
        entities = (yield number).entities
        self._take(number, entities)
        if keep:
            self._pages[number] = entities
        return entities

    def has_new(self, number: int) -> Walk[bool]:
        """Tell whether a page held what no page read before it did."""
        if number not in self._read:
            yield from self.page(number)
        return number not in self._nothing_new

    def afresh(self) -> _Reader:
        """Return a reader that goes on from what was read in a row: new messages may have shifted what lies behind."""
        self._seen.forget()
        other = _Reader(self._left, self._seen)
        for number in sorted(self._pages):
            if number <= 2:  # noqa: PLR2004 - those that tell the order
                other._pages[number] = self._pages[number]
                other._take(number, self._pages[number])
        return other

    def _take(self, number: int, entities: list[Entity]) -> None:
        self._read.add(number)
        if not self._seen.take(_ids(entities)):
            self._nothing_new.add(number)


def _ids(entities: list[Entity]) -> set[str]:
    return {entity["id"] for entity in entities}


def _forwards(reader: _Reader, too_old: Callable[[Entity], bool], enough: Callable[[], bool]) -> Walk[bool]:
    number, repetitions, barren = 1, 0, 0
    former: set[str] = set()
    while entities := (yield from reader.page(number, keep=False)):
        if enough() or any(map(too_old, entities)):
            return True
        # Some servers repeat the last page for ever. But a page also repeats the former one where a page's worth of
        # new messages came in between, as every bulk call brings it: only a second repetition is the end. A page that
        # shows nothing new and yet differs was shifted by messages that came while others were read.
        ids = _ids(entities)
        fruitful = yield from reader.has_new(number)
        repetitions = repetitions + 1 if not fruitful and ids == former else 0
        barren = 0 if fruitful else barren + 1
        if repetitions == _REPETITIONS or barren == _MOST_BARREN:
            return True
        number, former = number + 1, ids
    return True


def _backwards(reader: _Reader, too_old: Callable[[Entity], bool], enough: Callable[[], bool]) -> Walk[bool]:
    number = yield from _last_page(reader)
    while number >= 1:
        entities = yield from reader.page(number, keep=False)
        if enough() or any(map(too_old, entities)):
            return True
        number -= 1
    return True


def _last_page(reader: _Reader) -> Walk[int]:
    """Find the last page, by doubling and bisection; behind it come empty pages or repetitions of it."""
    low, high = 1, 2
    while (yield from reader.has_new(high)):
        low, high = high, high * 2
    behind = _ids((yield from reader.page(high)))
    low //= 2  # the first repetition of a page not read before looked new
    while high - low > 1:
        middle = (low + high) // 2
        if _ids((yield from reader.page(middle))) == behind:
            high = middle
        else:
            low = middle
    return high if behind else low
