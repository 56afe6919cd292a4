# SPDX-License-Identifier: Apache-2.0
"""A journal's segments in one place, and in another one that they were begun: so that it is noticed when they are gone.

A folder that only one worker has is empty on the next one, as is one that was moved or cleaned up. Airflow's task state
store, where there is one, knows better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_instasent.journal.errors import JournalMissingError
from airflow_provider_instasent.journal.segment_format import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_provider_instasent.journal.key_value_store import KeyValueStore
    from airflow_provider_instasent.journal.segment_store import SegmentStore


class RememberedSegments:
    """Segments that are missed where they are not there any more.

    :param segments: where they are kept
    :param memory: remembers for this task that they were begun
    :param campaign_id: the campaign
    :param refuse: whether it is an error that they are gone
    """

    PREFIX = "instasent.begun."

    def __init__(self, segments: SegmentStore, memory: KeyValueStore, campaign_id: str, *, refuse: bool) -> None:
        self._segments = segments
        self._memory = memory
        self._key = f"{self.PREFIX}{digest_of(campaign_id)}"
        self._refuse = refuse
        self._begun = False

    @property
    def in_metadata_database(self) -> bool:
        """Whether what is written makes Airflow's metadata database larger."""
        return self._segments.in_metadata_database

    def read(self) -> Iterator[list[str]]:
        """Yield the records of each segment in order.

        :raises JournalMissingError: where they were begun and are gone
        """
        self._begun = self._memory.get(self._key, None) is not None
        empty = True
        for records in self._segments.read():
            empty = False
            yield records
        if empty and self._begun and self._refuse:
            raise JournalMissingError(
                "An earlier try of this task began its journal under `journal_path`, and now there is none: the folder "
                "was moved or emptied, or it is another worker's own. So nothing tells what was sent, and nothing was "
                "sent by this try. Bring the journal back, or set `journal_path` to a place that all workers share. "
                'If the earlier try sent nothing, clear the task with on_unconfirmed="resend".'
            )

    def append(self, records: list[str]) -> None:
        """Keep these records durably, and with the first ones that there are any."""
        self._segments.append(records)
        if not self._begun:
            self._memory.set(self._key, 1)
            self._begun = True

    def close(self) -> None:
        """Wait for what is still being written."""
        self._segments.close()
