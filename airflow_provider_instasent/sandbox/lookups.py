# SPDX-License-Identifier: Apache-2.0
"""Lookups: what was asked for, and what is told of it. Every field of the answer but ``id`` is U."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING

from .countries import country_of
from .entities import Entity, created_at, number
from .ledger import Index, Order
from .statuses import fate_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .clock import Clock
    from .settings import Settings


@dataclass(frozen=True, slots=True)
class Lookup:
    """One accepted lookup.

    :param id: what the API calls it
    :param to: the number, E.164
    :param accepted_at: seconds since the sandbox's start
    """

    id: str
    to: str
    accepted_at: float


class Lookups:
    """Every accepted lookup, in the order of acceptance."""

    def __init__(self) -> None:
        self._lock = RLock()
        self.clear()

    def clear(self) -> None:
        """Forget everything; ids given out so far become unknown."""
        with self._lock:
            self._index = Index()
            self._numbers: list[str] = []

    def accept(self, to: str, now: float) -> Lookup:
        """Accept one lookup.

        :param to: the number, E.164
        :param now: seconds since the start
        """
        with self._lock:
            self._numbers.append(to)
            return self._lookup(self._index.add(now, to))

    def __len__(self) -> int:
        return len(self._index)

    @property
    def accepted(self) -> int:
        """How many lookups were accepted in all."""
        return len(self)

    def _lookup(self, index: int) -> Lookup:
        return Lookup(self._index.id_of(index), self._numbers[index], self._index.time(index))

    def find(self, identifier: str) -> Lookup | None:
        """The lookup with an id, None if there is none."""
        with self._lock:
            index = self._index.find(identifier)
            return None if index is None else self._lookup(index)

    def page(self, page: int, per_page: int, order: Order, until: float) -> Sequence[Lookup]:
        """One page of ``GET /lookup``, as :meth:`Index.page` takes it."""
        with self._lock:
            return [self._lookup(index) for index in self._index.page(page, per_page, order, until)]

    def numbers(self) -> Counter[str]:
        """How often each number was looked up."""
        with self._lock:
            return Counter(self._numbers)


def entity_of(found: Lookup, clock: Clock, settings: Settings) -> Entity:
    """A lookup entity (every field but ``id`` is U): pending first, then done.

    :param found: the accepted lookup
    :param clock: what time it is
    :param settings: for ``lookup_after``
    """
    done = clock.now() - found.accepted_at >= settings.lookup_after
    entity: Entity = {"id": found.id, "to": found.to, "status": "done" if done else "pending"}
    if settings.send_created_at:
        entity["createdAt"] = created_at(clock.wall(found.accepted_at, settings.clock_skew), settings)
    if done:
        line = fate_of(found.to).line
        entity |= {
            "country": country_of(found.to),
            "active": line != "absent",
            "absent": line == "absent",
            "ported": line == "ported",
            "type": "landline" if line == "landline" else "mobile",
            "price": number(settings.lookup_price, settings),
        }
    return entity
