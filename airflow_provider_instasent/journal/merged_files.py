# SPDX-License-Identifier: Apache-2.0
"""Copies of many small journal files in few large ones, so that a resume of a million messages reads hundreds of files.

A copy is a convenience: where it cannot be written or read, the small files are what counts.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider_instasent.journal.exclusive_files import StoragePath, create_exclusively
from airflow_provider_instasent.journal.segment_format import decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable

SEGMENTS = 64
"""Segments that make a copy."""

LARGEST = 4_000_000
"""Characters after which fewer make one."""

_NAME = re.compile(r"merged-([0-9]{8})-([0-9]{8})\.jsonl")


class MergedFiles:
    """The copies of one journal.

    :param directory: of the journal
    :param campaign: the campaign's digest
    """

    def __init__(self, directory: StoragePath, campaign: str) -> None:
        self._directory = directory
        self._campaign = campaign
        self._found: dict[int, tuple[int, str]] = {}
        self._pending: list[str] = []
        self._segments = 0
        self._size = 0

    def find(self, names: Iterable[str]) -> None:
        """Take note of the copies among the names in the directory."""
        for name in sorted(names):
            match = _NAME.fullmatch(name)
            if match:
                self._found[int(match[1])] = (int(match[2]), name)

    def read(self, first: int, last: int) -> tuple[int, list[str]] | None:
        """Return the copy that begins with a segment: its last segment, and the records; None where there is none.

        :param first: the segment's number
        :param last: the last segment there is
        """
        found = self._found.get(first)
        if found is None or not first < found[0] <= last:
            return None
        try:
            content: bytes = (self._directory / found[1]).read_bytes()
            records = decode(self._campaign, first, content.decode())
        except Exception:  # noqa: BLE001 - an object store raises what it likes; the small files are what counts
            return None
        self._begin()
        return found[0], records

    def add(self, number: int, records: list[str]) -> None:
        """Take in a segment that was written or read, and copy it with those before it when they are enough."""
        self._pending.extend(records)
        self._segments += 1
        self._size += sum(map(len, records))
        if self._segments < SEGMENTS and self._size < LARGEST:
            return
        first = number - self._segments + 1
        if first < number:
            path = self._directory / f"merged-{first:08d}-{number:08d}.jsonl"
            with suppress(Exception):  # the segments are written: no error here may end the journal
                create_exclusively(path, encode(self._campaign, first, self._pending).encode())
        self._begin()

    def _begin(self) -> None:
        self._pending = []
        self._segments = self._size = 0
