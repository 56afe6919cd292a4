# SPDX-License-Identifier: Apache-2.0
"""What a place for a journal has to offer: an append-only sequence of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class SegmentStore(Protocol):
    """An append-only sequence of segments for one campaign."""

    @property
    def in_metadata_database(self) -> bool:
        """Whether what it keeps makes Airflow's metadata database larger."""

    def read(self) -> Iterator[list[str]]:
        """Yield the records of each segment in order. Must be exhausted before the first append."""

    def append(self, records: list[str]) -> None:
        """Keep these records durably, or raise."""

    def close(self) -> None:
        """Wait for what is still being written, after the last append.

        :raises Exception: why it could not be
        """
