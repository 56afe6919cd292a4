# SPDX-License-Identifier: Apache-2.0
"""Copies of many small journal files in few large ones, so that a resume of a million messages reads hundreds of files.

A copy is a convenience: where it cannot be written or read, the small files are what counts. It carries their chain.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider_instasent.journal.segment_format import Segments, decode, encode_copy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_provider_instasent.journal.folder import Folder

SEGMENTS = 64
"""Segments that make a copy."""

LARGEST = 4_000_000
"""Characters after which fewer make one."""

_NAME = re.compile(r"merged-([0-9]{8})-([0-9]{8})\.jsonl")


class MergedFiles:
    """The copies of one journal.

    :param folder: of the journal
    :param campaign: the campaign's digest
    """

    def __init__(self, folder: Folder, campaign: str) -> None:
        self._folder = folder
        self._campaign = campaign
        self._found: dict[int, tuple[int, str]] = {}
        self._pending: list[Segments] = []
        self._size = 0

    def find(self, names: Iterable[str]) -> None:
        """Take note of the copies among the names in the directory."""
        for name in sorted(names):
            match = _NAME.fullmatch(name)
            if match:
                self._found[int(match[1])] = (int(match[2]), name)

    def read(self, first: int, last: int) -> Segments | None:
        """Return the copy that begins with a segment; None where there is none that can be used.

        :param first: the segment's number
        :param last: the last segment there is
        """
        found = self._found.get(first)
        if found is None or not first < found[0] <= last:
            return None
        try:
            copy = decode(self._campaign, first, self._folder.read(found[1]).decode())
        except Exception:  # noqa: BLE001 - an object store raises what it likes; the small files are what counts
            return None
        if len(copy.chain) != found[0] - first + 1:
            return None
        self._begin()
        return copy

    def add(self, number: int, segment: Segments) -> None:
        """Take in a segment that was written or read, and copy it with those before it when they are enough."""
        self._pending.append(segment)
        self._size += sum(map(len, segment.records))
        count = len(self._pending)
        if count < SEGMENTS and self._size < LARGEST:
            return
        first = number - count + 1
        if first < number:
            text = encode_copy(self._campaign, first, self._pending)
            with suppress(Exception):  # the segments are written: no error here may end the journal
                self._folder.create(f"merged-{first:08d}-{number:08d}.jsonl", text.encode())
        self._begin()

    def _begin(self) -> None:
        self._pending = []
        self._size = 0
