# SPDX-License-Identifier: Apache-2.0
"""A journal's segments as numbered files in a folder, each created exclusively (`journal_path`).

What a segment looks like is in `segment_format`; how far the numbers go at least, in `folder_heads`.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, ClassVar

from airflow_provider_instasent.journal.errors import JournalConflictError
from airflow_provider_instasent.journal.exclusive_probe import refuse_where_creation_is_not_exclusive
from airflow_provider_instasent.journal.folder import StoragePath, folder_at
from airflow_provider_instasent.journal.folder_heads import Head, OwnHead, read_head, tries_among
from airflow_provider_instasent.journal.merged_files import MergedFiles
from airflow_provider_instasent.journal.segment_format import (
    NO_SEGMENT,
    Segments,
    damaged,
    decode,
    digest_of,
    encode,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE_NAME = re.compile(r"([0-9]{8})\.jsonl")


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
        self._folder = folder_at(directory / f"{slug}-{self._campaign}")
        self._merged = MergedFiles(self._folder, self._campaign)
        self._by = uuid.uuid4().hex
        self._own_head = OwnHead(self._folder, self._campaign, self._by)
        self._heads: dict[str, Head] = {}
        self._number = 0
        self._digest = NO_SEGMENT

    def read(self) -> Iterator[list[str]]:
        """Yield the records of each file, or of several at once, in order."""
        count = self._look()
        writers: set[str] = set()
        while self._number < count:
            number = self._number + 1
            segments = self._merged.read(number, count)
            if segments is None:
                segments = decode(self._campaign, number, self._text(number))
                self._merged.add(number, segments)
            self._follow(segments)
            writers.update(link.by for link in segments.chain)
            yield segments.records
        self._expect_heads_of(writers)
        refuse_where_creation_is_not_exclusive(self._folder)

    def append(self, records: list[str]) -> None:
        """Create the next file with these records."""
        self._own_head.begin(self._number, self._digest)
        number = self._number + 1
        text, link = encode(self._campaign, number, records, after=self._digest, by=self._by)
        self._create(number, text.encode())
        segment = Segments(self._digest, (link,), records)
        self._number, self._digest = number, link.digest
        self._own_head.advance(number, link)
        self._merged.add(number, segment)

    def close(self) -> None:
        """Wait for what is still being written.

        :raises Exception: why it could not be
        """
        self._own_head.finish()

    def _create(self, number: int, content: bytes) -> None:
        try:
            self._folder.create(_name(number), content)
        except FileExistsError as error:
            # Where the answer to a request was lost and the request repeated, it is this try's own; no two are alike.
            if self._folder.read(_name(number)) == content:
                return
            raise JournalConflictError(
                f"journal segment {number} was written by somebody else: another try of this campaign is alive, "
                "so this one stops. What it sent so far is recorded or will be looked for."
            ) from error

    def _look(self) -> int:
        """Take note of the heads and copies that are there; return how many segments there are.

        :raises JournalCorruptError: where a number is missing, in between or at the end
        """
        # What is missing at the first look may have been written by another live try while it was taken.
        for last_look in (False, True):
            names = self._folder.names()
            numbers = {int(match[1]) for name in names if (match := _FILE_NAME.fullmatch(name))} - {0}
            self._heads = self._read_heads(names)
            expected = max([*numbers, *(head.segments for head in self._heads.values())], default=0)
            if len(numbers) == expected:
                break
            if last_look:
                raise damaged(_missing(numbers, expected))
        self._merged.find(names)
        return expected

    def _read_heads(self, names: list[str]) -> dict[str, Head]:
        return {by: read_head(self._folder, self._campaign, by) for by in tries_among(names)}

    def _follow(self, segments: Segments) -> None:
        """Step over segments that were read.

        :raises JournalCorruptError: where they are not those that were written there
        """
        if segments.after != self._digest:
            raise damaged(f"segment {self._number + 1} does not follow the segment before it, which was another one")
        for link in segments.chain:
            self._number, self._digest = self._number + 1, link.digest
            if any(head.segments == self._number and head.digest != link.digest for head in self._heads.values()):
                raise damaged(f"segment {self._number} is another one than was written first")

    def _expect_heads_of(self, writers: set[str]) -> None:
        """Check that each try that wrote has said how far.

        :raises JournalCorruptError: where what one of them said is lost
        """
        if not writers <= self._heads.keys() and not writers <= tries_among(self._folder.names()):
            raise damaged("a file head-….json, which tells how far it goes, is missing")

    def _text(self, number: int) -> str:
        try:
            return self._folder.read(_name(number)).decode()
        except UnicodeDecodeError as error:
            raise damaged(f"segment {number} is not text") from error


def _name(number: int) -> str:
    return f"{number:08d}.jsonl"


def _missing(numbers: set[int], expected: int) -> str:
    first = next(number for number in range(1, expected + 1) if number not in numbers)
    return f"segment {first} is missing ({_name(first)}; {expected - len(numbers)} of {expected} are)"
