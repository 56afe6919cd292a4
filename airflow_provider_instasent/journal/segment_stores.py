# SPDX-License-Identifier: Apache-2.0
"""Where a journal's segments are kept: in a key-value store, or as files that are each created exclusively.

What a segment looks like is in `segment_format`.
"""

from __future__ import annotations

import re
import uuid
from bisect import bisect_right
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from airflow_provider_instasent.journal.errors import (
    JournalConflictError,
    JournalCorruptError,
    JournalStoreError,
)
from airflow_provider_instasent.journal.exclusive_files import StoragePath, create_exclusively
from airflow_provider_instasent.journal.merged_files import MergedFiles
from airflow_provider_instasent.journal.segment_format import PackedText, decode, digest_of, encode, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_VALUE = 60_000
"""Characters a key of the key-value store may hold (Airflow warns above 64 KB)."""

_FILE_NAME = re.compile(r"[0-9]{8}\.jsonl")


class KeyValueStore(Protocol):
    """What Airflow's task state store offers, and all that the journal needs of it."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of a key, or the default."""

    def set(self, key: str, value: Any) -> None:
        """Write the value of a key for ever; raise where it could not be written."""


class SegmentStore(Protocol):
    """An append-only sequence of segments for one campaign.

    :cvar in_metadata_database: whether what it keeps makes Airflow's metadata database larger
    """

    in_metadata_database: ClassVar[bool]

    def read(self) -> Iterator[list[str]]:
        """Yield the records of each segment in order. Must be exhausted before the first append."""

    def append(self, records: list[str]) -> None:
        """Keep these records durably, or raise."""


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


class PathSegments:
    """Segments as numbered files in a directory of their own, each created exclusively.

    A number that exists already means that another live try writes the same journal. So that a resume need not read
    thousands of small files, their content is also kept in merged ones; the small ones stay, for their numbers.

    :param directory: `journal_path`, local or any object storage
    :param campaign_id: the campaign; it gets a subdirectory
    """

    in_metadata_database: ClassVar[bool] = False

    def __init__(self, directory: StoragePath, campaign_id: str) -> None:
        self._campaign = digest_of(campaign_id)
        # A part of the path: were it cut elsewhere, campaigns under way would no longer find their journals.
        slug = re.sub(r"[^A-Za-z0-9_.-]+", "_", campaign_id)[:60].strip("._") or "campaign"
        self._directory: StoragePath = directory / f"{slug}-{self._campaign}"
        self._merged = MergedFiles(self._directory, self._campaign)
        self._number = 0

    def read(self) -> Iterator[list[str]]:
        """Yield the records of each file, or of several at once, in order."""
        self._directory.mkdir(parents=True, exist_ok=True)
        names = self._names()
        numbered = [name for name in names if _FILE_NAME.fullmatch(name)]
        for number, name in enumerate(numbered, start=1):
            if name != self._name(number):
                raise JournalCorruptError(
                    f"journal segment {number} is missing in a sequence of {len(numbered)}: nothing was sent"
                )
        self._merged.find(names)
        while self._number < len(numbered):
            number = self._number + 1
            merged = self._merged.read(number, len(numbered))
            if merged is not None:
                self._number, records = merged
                yield records
                continue
            records = decode(self._campaign, number, self._text(self._name(number), number))
            self._merged.add(number, records)
            self._number = number
            yield records
        self._refuse_where_exclusive_creation_fails()

    def append(self, records: list[str]) -> None:
        """Create the next file with these records."""
        number = self._number + 1
        content = encode(self._campaign, number, records).encode()
        try:
            create_exclusively(self._directory / self._name(number), content)
        except FileExistsError as error:
            raise JournalConflictError(
                f"journal segment {number} was written by somebody else: another try of this campaign is alive, "
                "so this one stops. What it sent so far is recorded or will be looked for."
            ) from error
        self._number = number
        self._merged.add(number, records)

    def _names(self) -> list[str]:
        try:
            return sorted(path.name for path in self._directory.iterdir())
        except FileNotFoundError:  # an object store has no empty directories
            return []

    @staticmethod
    def _name(number: int) -> str:
        return f"{number:08d}.jsonl"

    def _text(self, name: str, number: int) -> str:
        try:
            content: bytes = (self._directory / name).read_bytes()
            return content.decode()
        except UnicodeDecodeError as error:
            raise JournalCorruptError(f"journal segment {number} is not text") from error

    def _refuse_where_exclusive_creation_fails(self) -> None:
        probe = self._directory / f"probe-{uuid.uuid4().hex}"
        try:
            create_exclusively(probe, b"probe")
            try:
                create_exclusively(probe, b"probe")
            except FileExistsError:
                return
        except (NotImplementedError, ValueError, OSError) as error:
            raise JournalStoreError(
                f"`journal_path` cannot create a file whole and exclusively ({type(error).__name__}): nothing was "
                "sent. Use a file system with hard links, or an object store by its URL rather than mounted."
            ) from error
        finally:
            with suppress(Exception):
                probe.unlink()
        raise JournalStoreError(
            "`journal_path` overwrites a file that exists, so it cannot keep two tries apart: nothing was sent. "
            "Use a file system with exclusive creation (local, or an object store with conditional writes)."
        )
