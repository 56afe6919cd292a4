# SPDX-License-Identifier: Apache-2.0
"""A journal's segments in a key-value store, such as Airflow's task state store.

What a segment looks like is in `segment_format`.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from airflow_provider_instasent.journal.segment_format import (
    FORMAT,
    NO_SEGMENT,
    PackedText,
    check_format,
    damaged,
    decode,
    digest_of,
    foreign_campaign,
    unpack,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY_MESSAGES = 100_000
"""Messages above which a folder is recommended: a million ids are about 30 MB in the metadata database."""

LARGEST_VALUE = 65_000
"""Characters a key of the key-value store may hold (Airflow warns above 65,535 bytes, quotes included)."""

NEARLY_FULL = LARGEST_VALUE * 3 // 4
"""Characters from which a key is not written once more for the first of the records that go on in the next one."""

MOST_TRIED = LARGEST_VALUE * 3 // 2
"""Characters of records that are compressed at once: a listing's hardly become fewer, those of ids by a third."""


class KeyValueStore(Protocol):
    """What Airflow's task state store offers, and all that the journal needs of it."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default."""

    def set(self, key: str, value: Any) -> None:
        """Write the value of a key for ever; raise where it could not be written."""


class KeyValueSegments:
    """Segments in a key-value store; the last one is rewritten until it is full.

    The store has no exclusive create. It does not need one: Airflow refuses the writes of a superseded try. It cannot
    be listed either, so one more key, the head, says how many segments there are at least: it is written before the
    first segment, and once each new one has been.

    :param store: scoped to one DAG run, task and map index
    :param campaign_id: the campaign
    """

    PREFIX = "instasent.journal."
    HEAD = "instasent.journal.head"
    in_metadata_database: ClassVar[bool] = True

    def __init__(self, store: KeyValueStore, campaign_id: str) -> None:
        self._store = store
        self._campaign = digest_of(campaign_id)
        self._number = 0
        self._digest = NO_SEGMENT
        self._head: int | None = None
        self._taken = 0
        self._text = PackedText(self._campaign, self._number, self._digest)

    def read(self) -> Iterator[list[str]]:
        """Yield the records of each key, in order."""
        self._head = self._read_head()
        while (value := self._get(self._number + 1)) is not None:
            number = self._number + 1
            segment = decode(self._campaign, number, unpack(value, number))
            if segment.after != self._digest:
                raise damaged(f"key {number} does not follow key {self._number}, which was another one")
            self._number, self._digest = number, segment.chain[-1].digest
            yield segment.records
        self._check_end()
        self._begin_key()

    def append(self, records: list[str]) -> None:
        """Rewrite the last key with these records added, and begin new ones where it is full."""
        rest = list(records)
        while rest:
            count, value = self._fitting(rest)
            if not count:
                self._end_key()
                continue
            self._set(value)
            self._taken = len(value)
            self._text.add(rest[:count])
            rest = rest[count:]
            if rest and self._taken > NEARLY_FULL:  # a further write would cost more than the room is worth
                self._end_key()

    def close(self) -> None:
        """Do nothing: what was appended is written."""

    def _get(self, number: int) -> Any:
        return self._store.get(f"{self.PREFIX}{number}", None)

    def _set(self, value: str) -> None:
        """Write the last key; nobody may rely on it before the head counts it."""
        if self._head is None or self._head < self._number - 1:
            self._set_head(self._number - 1)
        self._store.set(f"{self.PREFIX}{self._number}", value)
        if self._head != self._number:
            self._set_head(self._number)

    def _set_head(self, segments: int) -> None:
        self._store.set(self.HEAD, {"journal": FORMAT, "campaign": self._campaign, "segments": segments})
        self._head = segments

    def _read_head(self) -> int | None:
        """Return how many keys there are at least; None where no try has begun.

        :raises JournalCorruptError: where the head is not what was written
        :raises JournalForeignError: where it belongs to another campaign or version
        """
        head = self._store.get(self.HEAD, None)
        if head is None:
            return None
        try:
            check_format(f"key {self.HEAD}", head)
            owner, segments = head["campaign"], int(head["segments"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise damaged(f"its key {self.HEAD}, which tells how far it goes, is not what was written") from error
        if owner != self._campaign:
            raise foreign_campaign(f"key {self.HEAD}")
        return segments

    def _check_end(self) -> None:
        """Check that where the keys end is the end.

        :raises JournalCorruptError: where a key is missing
        """
        missing = f"key {self.PREFIX}{self._number + 1} is missing"
        if self._head is not None and self._head > self._number:
            raise damaged(f"{missing}, of {self._head} at least")
        if self._get(self._number + 2) is not None:
            raise damaged(f"{missing}, and there is one behind it")
        if self._head is None and self._number:
            raise damaged(f"its key {self.HEAD}, which tells how far it goes, is missing")

    def _end_key(self) -> None:
        self._digest = self._text.digest
        self._begin_key()

    def _begin_key(self) -> None:
        self._number += 1
        self._text = PackedText(self._campaign, self._number, self._digest)
        self._taken = 0

    def _fitting(self, records: list[str]) -> tuple[int, str]:
        """Return how many of these records the last key still takes, and its value with them.

        There may be room for one more: compressing all of them to find out would cost more than it saves. What alone is
        too large gets a key of its own.
        """
        ends = list(accumulate(map(len, records)))
        count = max(1, bisect_right(ends, MOST_TRIED))
        while len(value := self._text.with_added(records[:count])) > LARGEST_VALUE:
            if count == 1:
                return (1, value) if self._text.empty else (0, "")
            share = (LARGEST_VALUE - self._taken) / max(1, len(value) - self._taken)
            count = max(1, min(count - 1, bisect_right(ends, ends[count - 1] * share)))
        return count, value
