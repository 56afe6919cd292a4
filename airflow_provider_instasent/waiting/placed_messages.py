# SPDX-License-Identifier: Apache-2.0
"""The pending messages whose place in the list is known, in the list's order, and which of them are due."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from airflow_provider_instasent.waiting.list_positions import ListPositions

if TYPE_CHECKING:
    from collections.abc import Collection

BUCKET = 100
"""Coordinates that are kept together: about a page."""


class PlacedMessages:
    """Messages by their coordinates.

    :ivar positions: where messages lie in the list
    """

    def __init__(self) -> None:
        self.positions = ListPositions()
        self._placed: dict[int, set[str]] = defaultdict(set)
        self._due: dict[int, set[str]] = defaultdict(set)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._placed)

    @property
    def has_due(self) -> bool:
        """Whether any is due."""
        return bool(self._due)

    def adopt(self, message_id: str) -> bool:
        """Take in a message that is asked for from now on, where its page was read before; tell whether it was."""
        at = self.positions.adopt(message_id)
        if at is not None:
            self._placed[at // BUCKET].add(message_id)
        return at is not None

    def place(self, number: int, line: int, message_id: str, *, is_due: bool) -> bool:
        """Note where a message lies; return whether that was not known.

        :param number: of the page, from 1
        :param line: on it, from 0
        :param message_id: which it is
        :param is_due: whether it is still to be asked for
        """
        former = self.positions.coordinate(message_id)
        is_due = is_due or self.is_due(message_id)
        self._drop(message_id)
        at = self.positions.place(number, line, message_id) // BUCKET
        self._placed[at].add(message_id)
        if is_due:
            self._due[at].add(message_id)
        return former is None

    def lose(self, message_id: str) -> None:
        """Take in that a message does not lie where it should."""
        self._drop(message_id)
        self.positions.lose(message_id)

    def settle(self, message_id: str) -> None:
        """Take in that nobody asks for a message any more."""
        self._drop(message_id)
        self.positions.forget(message_id)

    def make_due(self, message_ids: Collection[str]) -> None:
        """Make those due whose place is known.

        :param message_ids: a set, or the keys of a dictionary
        """
        if len(message_ids) < len(self._placed):
            for message_id in message_ids:
                at = self.positions.coordinate(message_id)
                if at is not None and message_id in self._placed.get(at // BUCKET, ()):
                    self._due[at // BUCKET].add(message_id)
            return
        for bucket, placed in self._placed.items():
            if due := placed.intersection(message_ids):
                self._due[bucket] |= due

    def asked(self, message_id: str) -> None:
        """Take in that a message is not due any more."""
        at = self.positions.coordinate(message_id)
        if at is not None:
            _discard(self._due, at // BUCKET, message_id)

    def is_due(self, message_id: str) -> bool:
        """Tell whether a message is due."""
        at = self.positions.coordinate(message_id)
        return at is not None and message_id in self._due.get(at // BUCKET, ())

    def due(self) -> list[str]:
        """Return all that are due."""
        return [message_id for ids in self._due.values() for message_id in ids]

    def first_due(self, coordinate: int) -> int | None:
        """Return the first coordinate, from one on, at which a message is due; None where there is none."""
        for bucket in sorted(bucket for bucket in self._due if bucket >= coordinate // BUCKET):
            places = map(self.positions.coordinate, self._due[bucket])
            behind = [at for at in places if at is not None and at >= coordinate]
            if behind:
                return min(behind)
        return None

    def due_on(self, number: int, count: int) -> list[str]:
        """Return the messages that are due and should lie on a page.

        :param number: of the page, from 1
        :param count: how many messages it holds
        """
        first = self.positions.first_of(number)
        last = first + count
        found = []
        for bucket in range(first // BUCKET, (last - 1) // BUCKET + 1):
            for message_id in self._due.get(bucket, ()):
                at = self.positions.coordinate(message_id)
                if at is not None and first <= at < last:
                    found.append(message_id)
        return found

    def _drop(self, message_id: str) -> None:
        at = self.positions.coordinate(message_id)
        if at is not None:
            _discard(self._due, at // BUCKET, message_id)
            _discard(self._placed, at // BUCKET, message_id)


def _discard(buckets: dict[int, set[str]], bucket: int, message_id: str) -> None:
    ids = buckets.get(bucket)
    if ids is not None:
        ids.discard(message_id)
        if not ids:
            del buckets[bucket]
