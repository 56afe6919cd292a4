# SPDX-License-Identifier: Apache-2.0
"""From which number the indexes of a bulk answer's errors count: unknown, so only the answer itself can tell.

An index is evidence only where something confirms whether the API counts from 0 or from 1. An index that two errors
have is none: the two are about one message, or the number means something else.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable

POSITION_KEYS: Final = ("index", "position", "item", "row")
"""Names under which an error may say which message it is about, by number."""

_LONGEST_INDEX: Final = 4


@dataclass(frozen=True, slots=True)
class Indexes:
    """How an answer's indexes are to be read.

    :param base: the number of the first message, 0 or 1; None where nothing tells
    :param repeated: indexes that more than one error has
    :param contradicted: they can count neither from 0 nor from 1, and one would mean an accepted message
    """

    base: int | None = None
    repeated: frozenset[int] = frozenset()
    contradicted: bool = False

    def position(self, index: int | None) -> int | None:
        """Return the position that an index means, None where it is no evidence."""
        if index is None or self.base is None or index in self.repeated:
            return None
        return index - self.base


NO_INDEXES: Final = Indexes()


def as_index(value: Any) -> int | None:
    """Return a whole number, or digits, as an index; None where it is none."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return None
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_INDEX else None


def read_indexes(found: Iterable[tuple[int, Collection[int]]], size: int, accepted: Container[int]) -> Indexes:
    """Find out how the indexes of an answer are to be read.

    Both ways of counting are tried. One that leads out of the request, to an accepted message, or to another message
    than what else an error names, is wrong; where that leaves one, it is the API's.

    :param found: for each error with an index, that and the positions that its other names allow; none without them
    :param size: how many messages the request holds
    :param accepted: positions of messages that were accepted
    """
    found = list(found)
    times = Counter(index for index, _ in found)
    repeated = frozenset(index for index, count in times.items() if count > 1)
    single = [(index, names) for index, names in found if index not in repeated]
    if not single:
        return Indexes(repeated=repeated)

    def fits(base: int) -> bool:
        positions = ((index - base, names) for index, names in single)
        return all(
            0 <= position < size and position not in accepted and (not names or position in names)
            for position, names in positions
        )

    possible = [base for base in (0, 1) if fits(base)]
    contradicted = not possible and any(index in accepted or index - 1 in accepted for index, _ in single)
    return Indexes(possible[0] if len(possible) == 1 else None, repeated, contradicted)
