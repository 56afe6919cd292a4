# SPDX-License-Identifier: Apache-2.0
"""On which page of the list a message lies, as far as pages that were read tell it. No sockets, no clock.

A list that shows the newest first moves on as others send. So a message's *coordinate* is its rank in the list less the
*drift*, which is by how much everything has moved since the first page was read: messages keep their coordinates, and
each page that shows one of them tells the drift anew. Where the oldest come first nothing moves, and the drift stays 0.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from statistics import median_low
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.timestamps import created_at

if TYPE_CHECKING:
    from airflow_provider_instasent.api.endpoints import Entity

PAGE = 100
"""Messages that are asked for at once; the API may give fewer (its largest page is unknown)."""

MOST_OTHERS = 50_000
"""Messages of others whose places are kept: a page that shows one of them tells the drift, too."""

MOST_LANDMARKS = 4_000
"""Pages of which it is kept when their messages were created; beyond, every second one is forgotten."""


@dataclass(frozen=True, slots=True)
class PageTimes:
    """When the messages on a page were created.

    :param earliest: in unix seconds on the server's clock
    :param latest: the same
    :param middle: that of the message in the middle, which a few wrong ones do not move
    """

    earliest: float
    latest: float
    middle: float


def times_of(entities: list[Entity]) -> PageTimes | None:
    """Return when the messages on a page were created, or None where they do not tell (inferred: `createdAt`).

    Without a zone it is as it is written: pages are only compared with each other, and what is searched for in vain is
    asked for when it was created, which is written alike.
    """
    moments = sorted(created.at for created in map(created_at, entities) if created is not None)
    if not moments:
        return None
    # The outermost on either side may be wrong; a few of a hundred do not count.
    spare = len(moments) // 20
    return PageTimes(moments[spare], moments[-1 - spare], median_low(moments))


class ListPositions:
    """Where messages lie in the list.

    :ivar size: messages a page holds, 0 before the first page was read
    :ivar drift: by how many places everything has moved on
    """

    def __init__(self) -> None:
        self.size = 0
        self.drift = 0
        self._coordinates: dict[str, int] = {}
        self._others: dict[str, int] = {}
        self._landmarks: list[int] = []
        self._times: dict[int, float] = {}

    def begin_anew(self) -> None:
        """Forget where everything lay: nothing that is waited for has a known place."""
        self.drift = 0
        self._coordinates.clear()
        self._others.clear()
        self._landmarks.clear()
        self._times.clear()

    def coordinate(self, message_id: str) -> int | None:
        """Return where a message lies, or None where it was not seen yet."""
        return self._coordinates.get(message_id)

    def adopt(self, message_id: str) -> int | None:
        """Return where a message lies that is asked for from now on, or None where it was not seen yet."""
        if message_id in self._others:
            self._coordinates[message_id] = self._others.pop(message_id)
        return self._coordinates.get(message_id)

    def forget(self, message_id: str) -> None:
        """Keep where a message lies, which nobody asks for any more, only as a landmark."""
        at = self._coordinates.pop(message_id, None)
        if at is not None:
            self._others[message_id] = at
            self._bound_others()

    def lose(self, message_id: str) -> None:
        """Forget where a message lies: it is not there."""
        self._coordinates.pop(message_id, None)
        self._others.pop(message_id, None)

    def _bound_others(self) -> None:
        if len(self._others) > MOST_OTHERS:
            del self._others[next(iter(self._others))]

    def page_of(self, coordinate: int) -> int:
        """Return the number of the page, from 1, on which a coordinate lies now."""
        return max(0, coordinate + self.drift) // max(1, self.size) + 1

    def first_of(self, number: int) -> int:
        """Return the first coordinate of a page.

        :param number: of the page, from 1
        """
        return (number - 1) * self.size - self.drift

    def drift_on(self, number: int, entities: list[Entity]) -> int | None:
        """Return the drift that a page tells, or None where the place of nothing on it was known.

        :param number: of the page, from 1
        :param entities: what is on it
        """
        first = (number - 1) * max(self.size, len(entities))
        for places in (self._coordinates, self._others):  # those that are asked for were seen last
            known = [(line, places.get(entity["id"])) for line, entity in enumerate(entities)]
            drifts = [first + line - at for line, at in known if at is not None]
            if drifts:
                return median_low(drifts)
        return None

    def take(self, number: int, entities: list[Entity]) -> bool:
        """Take in a page: what moved, and where the page lies in time.

        :param number: of the page, from 1
        :param entities: what is on it
        :returns: whether it shows a message whose place was known, so that the drift is certain
        """
        self.size = max(self.size, len(entities))
        drift = self.drift_on(number, entities)
        # Nothing moves back: what was seen a page or more further on was seen on a repetition of the last page.
        if drift is not None and drift > self.drift - self.size:
            self.drift = drift
        return drift is not None

    def note_other(self, number: int, line: int, message_id: str) -> None:
        """Note where a message lies that nobody asks for; the parameters are those of :meth:`place`."""
        self._others.pop(message_id, None)
        self._others[message_id] = self.first_of(number) + line
        self._bound_others()

    def place(self, number: int, line: int, message_id: str) -> int:
        """Note where a message lies on a page that was just taken in; return its coordinate.

        :param number: of the page, from 1
        :param line: on it, from 0
        :param message_id: which it is
        """
        coordinate = self.first_of(number) + line
        self._others.pop(message_id, None)
        self._coordinates[message_id] = coordinate
        return coordinate

    @property
    def newest_first(self) -> bool | None:
        """Whether the newest come first, or None where that is not known yet."""
        if not self._landmarks:
            return None
        first, last = self._times[self._landmarks[0]], self._times[self._landmarks[-1]]
        return None if first == last else first > last

    def moment_of(self, coordinate: int) -> float | None:
        """Return about when the message at a coordinate was created, in unix seconds, or None where nothing tells."""
        if not self._landmarks:
            return None
        at = min(bisect_left(self._landmarks, coordinate), len(self._landmarks) - 1)
        return self._times[self._landmarks[at]]

    def guess(self, moment: float) -> int | None:
        """Return about where messages of a moment lie, or None where nothing that was read tells.

        :param moment: in unix seconds
        """
        if len(self._landmarks) < 2:  # noqa: PLR2004 - what lies between needs two
            return None
        times = [self._times[mark] for mark in self._landmarks]
        if not min(times) <= moment <= max(times):
            return None
        return min(self._landmarks, key=lambda mark: abs(self._times[mark] - moment))

    def note_times(self, number: int, entities: list[Entity]) -> None:
        """Note when the messages on a page were created; the parameters are those of :meth:`take`."""
        times = times_of(entities)
        if times is None:
            return
        middle = self.first_of(number) + len(entities) // 2
        at = bisect_left(self._landmarks, middle)
        near = [mark for mark in self._landmarks[max(0, at - 1) : at + 1] if abs(mark - middle) < self.size // 2]
        for mark in near:  # a page that was read before, a little off
            self._landmarks.remove(mark)
            del self._times[mark]
        if len(self._landmarks) >= MOST_LANDMARKS:
            for mark in self._landmarks[1::2]:
                del self._times[mark]
            self._landmarks = self._landmarks[::2]
        self._landmarks.insert(bisect_left(self._landmarks, middle), middle)
        self._times[middle] = times.middle
