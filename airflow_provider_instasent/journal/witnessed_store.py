# SPDX-License-Identifier: Apache-2.0
"""A journal in a folder of which another store knows that it has begun.

So a folder that is empty at a later try, for it is the worker's own or was emptied, is not taken for a new journal. The
other store learns of it once the first records are durable, and before anybody may act on them: a try that died before
it wrote anything leaves no trace in either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_instasent.journal.segment_format import FORMAT, damaged, digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_instasent.journal.key_value_store import KeyValueStore
    from airflow_provider_instasent.journal.segment_store import SegmentStore


class WitnessedSegments:
    """The segments of another store, with a witness.

    :param segments: where they are
    :param witness: scoped to the task whose tries share them, such as Airflow's task state store
    :param place: names where they are, such as `journal_path`; only a digest of it is kept
    """

    KEY = "instasent.journal.place"
    in_metadata_database: ClassVar[bool] = False

    def __init__(self, segments: SegmentStore, witness: KeyValueStore, place: str) -> None:
        self._segments = segments
        self._witness = witness
        self._testimony = {"journal": FORMAT, "place": digest_of(place)}
        self._testified = False

    def read(self) -> Iterator[list[str]]:
        """Yield the records of each segment in order.

        :raises JournalCorruptError: where there are none though there were
        """
        testimony = self._witness.get(self.KEY, None)
        found = False
        for records in self._segments.read():
            found = True
            yield records
        if testimony is not None and not found:
            raise damaged(_lost(testimony, self._testimony))
        self._testified = testimony == self._testimony

    def append(self, records: list[str]) -> None:
        """Keep these records durably, or raise."""
        self._segments.append(records)
        if not self._testified:
            self._witness.set(self.KEY, self._testimony)
            self._testified = True

    def close(self) -> None:
        """Wait for what is still being written.

        :raises Exception: why it could not be
        """
        self._segments.close()


def _lost(then: Any, now: Any) -> str:
    if then != now:
        return "`journal_path` is another one than when this task first wrote to it, and there is no journal now"
    return (
        "there is none under `journal_path` though an earlier try of this task wrote one there; "
        "is it a directory of one worker alone, or was it emptied?"
    )
