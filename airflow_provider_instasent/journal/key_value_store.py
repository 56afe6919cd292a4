# SPDX-License-Identifier: Apache-2.0
"""A journal's segments in a key-value store, such as Airflow's task state store.

What a segment looks like is in `segment_format`.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from airflow_provider_instasent.journal.segment_format import PackedText, decode, digest_of, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY_MESSAGES = 100_000
"""Messages above which a folder is recommended: a million ids are about 30 MB in the metadata database."""

LARGEST_VALUE = 60_000
"""Characters a key of the key-value store may hold (Airflow warns above 64 KB)."""


class KeyValueStore(Protocol):
    """What Airflow's task state store offers, and all that the journal needs of it."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default."""

    def set(self, key: str, value: Any) -> None:
        """Write the value of a key for ever; raise where it could not be written."""


class KeyValueSegments:
    """Segments in a key-value store; the last one is rewritten until it is full.

    The store has no exclusive create. It does not need one: Airflow refuses the writes of a superseded try.

    :param store: scoped to one DAG run, task and map index
    :param campaign_id: the campaign
    """

    PREFIX = "instasent.journal."
    in_metadata_database: ClassVar[bool] = True

    def __init__(self, store: KeyValueStore, campaign_id: str) -> None:
        self._store = store
        self._campaign = digest_of(campaign_id)
        self._number = 0
        self._text = PackedText(self._campaign, self._number)

    def read(self) -> Iterator[list[str]]:
        """Yield the records of each key, in order."""
        while (value := self._store.get(f"{self.PREFIX}{self._number + 1}", None)) is not None:
            self._number += 1
            yield decode(self._campaign, self._number, unpack(value, self._number))
        self._begin_key()

    def append(self, records: list[str]) -> None:
        """Rewrite the last key with these records added, and begin new ones where it is full."""
        rest = list(records)
        while rest:
            value = self._text.with_added(rest)
            count = len(rest) if len(value) <= LARGEST_VALUE else self._fitting(rest)
            if not count and not self._text.empty:
                self._begin_key()
                continue
            if count < len(rest):
                count = count or 1  # what alone is too large gets a key of its own
                value = self._text.with_added(rest[:count])
            self._store.set(f"{self.PREFIX}{self._number}", value)
            self._text.add(rest[:count])
            rest = rest[count:]
            if rest:
                self._begin_key()

    def _begin_key(self) -> None:
        self._number += 1
        self._text = PackedText(self._campaign, self._number)

    def _fitting(self, records: list[str]) -> int:
        """Return how many of these records the last key can still take, fewer than all."""

        def size(count: int) -> int:
            return len(self._text.with_added(records[:count]))

        return bisect_right(range(1, len(records)), LARGEST_VALUE, key=size)
