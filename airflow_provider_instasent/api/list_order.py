# SPDX-License-Identifier: Apache-2.0
"""In which order a list is (unknown), as far as the moments of its entities prove it.

`createdAt` (inferred) may be in whole seconds and some seconds off the order in which a server keeps its list, and some
may be wrong altogether. So only two moments that differ by more than a slack prove an order, wherever each of them may
lie where it has no zone, and only moments that their neighbours bear out count. Whether one is in its place is told by
what is written alone: a list without zones is in one zone, and to doubt too much is safe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from operator import or_

from airflow_provider_instasent.api.endpoints import Entity
from airflow_provider_instasent.api.timestamps import Created

MomentOf = Callable[[Entity], Created | None]


MOST_ASTRAY = 0.05
"""Share of the moments that may lie apart from their neighbours; with more of them no moment can be relied on."""

_FEW = 2
"""Moments on a page of which none has two neighbours."""

_Said = tuple[int, Created]
"""A moment, behind the line or the page that says it."""


class Order(Enum):
    """What is known of a list's order."""

    NEWEST_FIRST = "newest first"
    OLDEST_FIRST = "oldest first"
    UNPROVEN = "unproven"
    CONTRADICTORY = "contradictory"


@dataclass(frozen=True, slots=True)
class Span:
    """The earliest and the latest of some moments; of none, no moment is outside.

    :param low: in unix seconds, as it is written
    :param high: the same
    :param oldest: in unix seconds, what one of them is not later than, wherever it was written
    :param newest: what one of them is not earlier than
    """

    low: float = math.inf
    high: float = -math.inf
    oldest: float = math.inf
    newest: float = -math.inf

    @classmethod
    def of(cls, moments: Iterable[Created]) -> Span:
        """Return the span of moments, none or more."""
        span = cls()
        for moment in moments:
            span |= cls(moment.at, moment.at, moment.latest, moment.earliest)
        return span

    def __or__(self, other: Span) -> Span:
        return Span(
            min(self.low, other.low),
            max(self.high, other.high),
            min(self.oldest, other.oldest),
            max(self.newest, other.newest),
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entity stands in a list.

    :param number: of its page
    :param before: the moments before it on that page
    :param after: those after it
    """

    number: int
    before: Span
    after: Span


class ProvenOrder:
    """The order that moments prove beyond doubt; where they prove both, the list is in none that can be relied on.

    :param moment: when an entity was created, or None where it does not tell
    :param slack: seconds by which two moments must differ to prove anything
    """

    def __init__(self, moment: MomentOf, slack: float) -> None:
        self._moment = moment
        self._slack = slack
        self._pages: dict[int, Span] = {}
        self._sparse: dict[int, list[Created]] = {}
        self._watched: dict[str, _Place | None] = {}
        self._newest_first = False
        self._oldest_first = False
        self._counted = self._astray = 0
        self._counted_sparse = self._astray_sparse = 0

    @property
    def verdict(self) -> Order:
        """The order, as far as it is known."""
        astray, counted = self._astray + self._astray_sparse, self._counted + self._counted_sparse
        if (self._newest_first and self._oldest_first) or astray > max(_FEW, MOST_ASTRAY * counted):
            return Order.CONTRADICTORY
        if self._newest_first:
            return Order.NEWEST_FIRST
        return Order.OLDEST_FIRST if self._oldest_first else Order.UNPROVEN

    def note(self, number: int, entities: Sequence[Entity]) -> None:
        """Take in what a page showed first, by its number; what was taken in under that number before counts no more.

        :param number: of the page
        :param entities: what is on it and was on no earlier one
        """
        said = [(line, at) for line, at in enumerate(map(self._moment, entities)) if at is not None]
        self._pages.pop(number, None)
        self._sparse.pop(number, None)
        borne_out = _borne_out(said)
        if borne_out:
            self._note_page(number, [at for _, at in borne_out])
            self._counted += len(borne_out)
            self._astray += self._count_astray(said, borne_out)
        elif said:
            self._sparse[number] = [at for _, at in said]
            self._note_sparse()
        for line, entity in enumerate(entities):
            if entity["id"] in self._watched:
                before = Span.of(at for other, at in borne_out if other < line)
                after = Span.of(at for other, at in borne_out if other > line)
                self._watched[entity["id"]] = _Place(number, before, after)

    def watch(self, entity_id: str) -> None:
        """Keep in mind where an entity stands, once its page is noted, for :meth:`is_in_line`."""
        self._watched.setdefault(entity_id, None)

    def is_in_line(self, entity_id: str, at: float) -> bool:
        """Tell whether the moment of an entity that is watched agrees with where it stands in the list.

        :param entity_id: which it is
        :param at: the moment it claims, in unix seconds as it is written
        """
        place = self._watched.get(entity_id)
        if place is None:
            return True
        sparse = _borne_out(self._row_of_sparse())
        before = place.before | self._span_of_pages(lambda other: other < place.number)
        before |= Span.of(said for number, said in sparse if number < place.number)
        after = place.after | self._span_of_pages(lambda other: other > place.number)
        after |= Span.of(said for number, said in sparse if number > place.number)
        newest_first = before.low >= at - self._slack and after.high <= at + self._slack
        oldest_first = before.high <= at + self._slack and after.low >= at - self._slack
        return {
            Order.NEWEST_FIRST: newest_first,
            Order.OLDEST_FIRST: oldest_first,
            Order.UNPROVEN: newest_first or oldest_first,
            Order.CONTRADICTORY: False,
        }[self.verdict]

    def _note_page(self, number: int, moments: Sequence[Created]) -> None:
        self._compare(self._span_of_pages(lambda other: other < number), page := self._note_row(moments))
        self._compare(page, self._span_of_pages(lambda other: other > number))
        self._pages[number] = page

    def _note_sparse(self) -> None:
        """Take pages with few moments together, apart from the others: what is left of a list is in its order too."""
        said = self._row_of_sparse()
        borne_out = _borne_out(said)
        self._note_row([at for _, at in borne_out])
        self._counted_sparse, self._astray_sparse = len(borne_out), self._count_astray(said, borne_out)

    def _row_of_sparse(self) -> list[_Said]:
        return [(number, at) for number in sorted(self._sparse) for at in self._sparse[number]]

    def _note_row(self, moments: Sequence[Created]) -> Span:
        """Note what moments in a row prove; return their span."""
        row = Span()
        for at in moments:
            self._compare(row, one := Span.of([at]))
            row |= one
        return row

    def _count_astray(self, said: Sequence[_Said], borne_out: Sequence[_Said]) -> int:
        """Return how many moments lie apart from their neighbours."""
        pairs = zip(said[1:], borne_out, strict=False)
        return sum(abs(at.at - between.at) > self._slack for (_, at), (_, between) in pairs)

    def _compare(self, earlier: Span, later: Span) -> None:
        """Note what two parts of the list prove, the earlier one nearer to its beginning."""
        self._newest_first = self._newest_first or earlier.newest - later.oldest > self._slack
        self._oldest_first = self._oldest_first or later.newest - earlier.oldest > self._slack

    def _span_of_pages(self, wanted: Callable[[int], bool]) -> Span:
        return reduce(or_, (span for number, span in self._pages.items() if wanted(number)), Span())


def _borne_out(said: Sequence[_Said]) -> list[_Said]:
    """Return the median of each moment and its two neighbours: a single wrong one then tells nothing."""
    triples = zip(said, said[1:], said[2:], strict=False)
    return [(where, _median(before, at, after)) for (_, before), (where, at), (_, after) in triples]


def _median(*moments: Created) -> Created:
    """Return the median of three; of each end by itself, as they may be known more and less exactly."""
    return Created(*(sorted(values)[1] for values in zip(*moments, strict=True)))
