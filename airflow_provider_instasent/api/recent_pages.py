# SPDX-License-Identifier: Apache-2.0
"""Read the recent part of a list whose order (newest or oldest first) and page size are unknown.

Sans-IO: :func:`walk_recent` yields the number of a page to read, is sent the page, and returns whether the window was
read to its edge. The order decides which end to begin at and where the edge is. Where it cannot be proven, the list is
read to its end, and nothing is judged by the order.

Nothing is skipped while others send. In a list with the newest first, what is there moves to later pages, which are
read later; with the oldest first nothing moves, and what is added is newer than the walk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator
from enum import Enum
from typing import TYPE_CHECKING, Protocol, TypeVar

from airflow_provider_instasent.api.list_order import Order, ProvenOrder
from airflow_provider_instasent.api.pages import Page

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity

LEAST_OLDER = 10
"""Entities in a row, on whole pages, that must be older than the window before it counts as read: fewer may err."""

_EMPTY_PAGES = 2
"""Empty pages in a row after which a list is at its end; a single one may be a gap."""

_MOST_BARREN = 50
"""Pages in a row with nothing new, beside as many as had something, after which others send too fast to be read."""

_FARTHEST = 2**31

T = TypeVar("T")
Walk = Generator[int, Page, T]


class Side(Enum):
    """Where an entity is, seen from the window that is looked for."""

    INSIDE = "inside"
    OLDER = "older, by more than a list may be out of order"
    UNTOLD = "it does not tell"
    EDGE = "the window ends with it"


class SeenIds(Protocol):
    """Remembers ids; a long list's are better kept on disk."""

    def take(self, ids: set[str]) -> set[str]:
        """Remember ids; return the new ones."""

    def knows(self, ids: set[str]) -> bool:
        """Tell whether all of these are remembered."""


class _SeenInMemory:
    def __init__(self) -> None:
        self._ids: set[str] = set()

    def take(self, ids: set[str]) -> set[str]:
        new = ids - self._ids
        self._ids |= new
        return new

    def knows(self, ids: set[str]) -> bool:
        return ids <= self._ids


def recent_pages(
    read: Callable[[int], Page],
    side_of: Callable[[Entity], Side],
    enough: Callable[[], bool],
    order: ProvenOrder,
    max_pages: int,
    *,
    seen: SeenIds | None = None,
) -> bool:
    """Read pages from the newest back until what follows lies behind the window.

    :param read: reads a page by its number, from 1, and takes note of what is on it
    :param side_of: where an entity is, seen from the window
    :param enough: whether all that is looked for has been seen
    :param order: tells the list's order
    :param max_pages: the most pages to read
    :param seen: remembers ids; None to do so in memory
    :returns: whether all of the window was read, or enough of it
    :raises OvertakenError: where that is no use at present
    """
    walk = walk_recent(side_of, enough, order, max_pages, seen)
    try:
        number = next(walk)
        while True:
            number = walk.send(read(number))
    except StopIteration as stop:
        return bool(stop.value)


def walk_recent(
    side_of: Callable[[Entity], Side],
    enough: Callable[[], bool],
    order: ProvenOrder,
    max_pages: int,
    seen: SeenIds | None = None,
) -> Walk[bool]:
    """Ask for pages from the newest back until what follows lies behind the window; see :func:`recent_pages`."""
    walk = _Walk(side_of, enough, order, max_pages, _SeenInMemory() if seen is None else seen)
    try:
        yield from walk.to_the_edge()
    except _EnoughError:
        return True
    except _OutOfPagesError:
        return False
    return True


class OvertakenError(Exception):
    """Others send as fast as pages are read, so that what is read is always what was read before."""


class _OutOfPagesError(Exception):
    """The bound on pages was reached."""


class _EnoughError(Exception):
    """All that was looked for has been seen."""


class _Edge:
    """Tells when pages read in a row have left the window behind."""

    def __init__(self, side_of: Callable[[Entity], Side]) -> None:
        self._side_of = side_of
        self._marked = False
        self._older = 0

    def is_passed(self, entities: list[Entity]) -> bool:
        """Take in the next page; return whether no later one can be inside."""
        sides = Counter(map(self._side_of, entities))
        self._marked = self._marked or sides[Side.EDGE] > 0
        self._older = 0 if sides[Side.INSIDE] else self._older + sides[Side.OLDER]
        return self._marked or self._older >= LEAST_OLDER


class _Walk:
    """One walk over a list, within a bound."""

    def __init__(
        self,
        side_of: Callable[[Entity], Side],
        enough: Callable[[], bool],
        order: ProvenOrder,
        max_pages: int,
        seen: SeenIds,
    ) -> None:
        self._side_of = side_of
        self._enough = enough
        self._order = order
        self._left = max_pages
        self._seen = seen
        self._kept: dict[int, list[Entity]] = {}
        self._noted: set[str] = set()
        self._may_repeat = True

    def to_the_edge(self) -> Walk[None]:
        """Read all of the window."""
        first = yield from self._page(1)
        # What is looked for may lie near: then reading on from here costs nothing, whatever the order is.
        near = not first or self._lies_near(first)
        if near or not (yield from self._begins_with_the_oldest(first)) or not (yield from self._backwards()):
            yield from self._forwards()

    def _is(self, order: Order) -> bool:
        return self._order.verdict is order

    def _lies_near(self, entities: list[Entity]) -> bool:
        sides = Counter(map(self._side_of, entities))
        return sides[Side.INSIDE] > sides[Side.OLDER]

    def _begins_with_the_oldest(self, first: list[Entity]) -> Walk[bool]:
        """Read what tells the order: the second page, and the other end where that is not enough."""
        if not self._is(Order.UNPROVEN):
            return self._is(Order.OLDEST_FIRST)
        yield from self._page(2)
        if self._is(Order.UNPROVEN):
            yield from self._last_page()
        if not self._is(Order.OLDEST_FIRST):
            return False
        # Newer messages on later pages may also have come in between. Then they moved the first page's on, too.
        return _ids(first) <= _ids((yield from self._read(1)))

    def _forwards(self) -> Walk[None]:
        """Read from the first page on: to the edge, where the newest come first, else to the end."""
        edge, empty, fertile, barren, number = _Edge(self._side_of), 0, 0, 0, 1
        while empty < _EMPTY_PAGES:
            # A burst moves what was read on by as many pages as it fills; behind it there is something new.
            if barren > _MOST_BARREN + fertile:
                raise OvertakenError
            # What was read far ahead, to tell the order, is out of date by now; the first two pages only moved on.
            again = number in self._kept and number <= 2  # noqa: PLR2004 - as just said
            entities = (yield from self._page(number)) if again else (yield from self._read(number))
            new = self._seen.take(_ids(entities))
            # What moved here from an earlier page says nothing of the order.
            self._order.note(number, [entity for entity in entities if entity["id"] in new])
            if edge.is_passed(entities) and self._is(Order.NEWEST_FIRST):
                return
            empty = 0 if entities else empty + 1
            fertile, barren = (fertile + 1, 0) if new else (fertile, barren + 1)
            if entities and barren and (yield from self._is_behind_the_end(number)):
                return
            number += 1

    def _is_behind_the_end(self, number: int) -> Walk[bool]:
        """Tell whether a page with nothing new is behind the list's end.

        Some servers repeat the last page for ever. But a page also repeats the former one where a page's worth of
        messages came in between, as every bulk call brings it. A page from far behind tells: it is known too, or not.
        """
        if not self._may_repeat:
            return False
        ids = _ids((yield from self._read(2 * number + 8)))
        self._may_repeat = bool(ids)
        return bool(ids) and self._seen.knows(ids)

    def _backwards(self) -> Walk[bool]:
        """Read from the last page back to the edge; return False where the list turns out to be in another order."""
        last = yield from self._last_page()
        edge = _Edge(self._side_of)
        for number in range(last or 0, 0, -1):
            entities = yield from self._page(number, keep=False)
            if not self._is(Order.OLDEST_FIRST):
                return False
            if edge.is_passed(entities):
                return True
        return last is not None

    def _last_page(self) -> Walk[int | None]:
        """Find the last page, by doubling and bisection; None where the list has no end that can be told.

        Behind it come empty pages or repetitions of it.
        """
        first = former = _ids((yield from self._page(1)))
        low, high = 1, 2
        while high < _FARTHEST:
            ids = _ids((yield from self._page(high)))
            if not ids:
                empty = yield from self._bisect(low, high, ids)
                if not (yield from self._page(empty + 1)):
                    return empty - 1
                high = empty + 1  # it was a gap
            elif ids & former:
                return (yield from self._bisect(low // 2, low, ids))
            elif ids & first:
                return None  # it begins anew
            else:
                low, high, former = high, high * 2, ids
        return None

    def _bisect(self, low: int, high: int, last: set[str]) -> Walk[int]:
        """Return the first page behind `low` that shows what `high` does, which may be nothing.

        :param last: the ids on the page `high`
        """
        while high - low > 1:
            middle = (low + high) // 2
            ids = _ids((yield from self._page(middle)))
            if ids & last if last else not ids:
                high = middle
            else:
                low = middle
        return high

    def _page(self, number: int, *, keep: bool = True) -> Walk[list[Entity]]:
        """Return a page as it was read before, else read it.

        :param keep: whether it may be asked for again
        """
        if number in self._kept:
            return self._kept[number]
        entities = yield from self._read(number)
        self._order.note(number, [entity for entity in entities if entity["id"] not in self._noted])
        if keep:
            self._kept[number] = entities
            self._noted |= _ids(entities)
        return entities

    def _read(self, number: int) -> Walk[list[Entity]]:
        if self._left <= 0:
            raise _OutOfPagesError
        self._left -= 1
        entities = (yield number).entities
        if self._enough():
            raise _EnoughError
        return entities


def _ids(entities: list[Entity]) -> set[str]:
    return {entity["id"] for entity in entities}
