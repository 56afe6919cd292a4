# SPDX-License-Identifier: Apache-2.0
"""A journal's segments as numbered files in a folder, each created exclusively (`journal_path`).

What a segment looks like is in `segment_format`.
"""

from __future__ import annotations

import re
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_instasent.journal.errors import (
    JournalConflictError,
    JournalCorruptError,
    JournalStoreError,
)
from airflow_provider_instasent.journal.exclusive_files import StoragePath, create_exclusively
from airflow_provider_instasent.journal.merged_files import MergedFiles
from airflow_provider_instasent.journal.segment_format import decode, digest_of, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE_NAME = re.compile(r"[0-9]{8}\.jsonl")


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
