# SPDX-License-Identifier: Apache-2.0
"""Places for a journal as tests need them: in memory, counting, and failing when told to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.client_ids import KEY_BYTES, SECRET_BYTES, MessageKeys
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal.events import Opening, opening_record
from airflow_provider_instasent.journal.worker_clock import ClockIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


SECRET = bytes(range(SECRET_BYTES))
KEYS = MessageKeys(SECRET)
"""The keys of a made-up campaign."""

OPENING = opening_record(Opening(SECRET, ClockIdentity("", 0.0)))
"""The first record of its journal."""


class Values:
    """A key-value store in memory that takes JSON alone, as Airflow's task state store does.

    :ivar failing: raised by the next writes, where set
    :ivar reads: how many values were asked for
    """

    def __init__(self) -> None:
        self.content: dict[str, str] = {}
        self.failing: BaseException | None = None
        self.reads = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.reads += 1
        return json.loads(self.content[key]) if key in self.content else default

    def set(self, key: str, value: Any) -> None:
        if self.failing is not None:
            raise self.failing
        self.content[key] = json.dumps(value)

    def sizes(self) -> list[int]:
        return [len(json.loads(value)) for value in self.content.values()]


class Segments:
    """A segment store in memory that calls a hook before each write, except for that a try opens it.

    :param before: called with the records; what it raises fails the write
    :ivar openings: the records of tries that opened it
    :ivar writes: the others
    """

    in_metadata_database = False

    def __init__(self, before: Callable[[list[str]], None] = lambda _records: None) -> None:
        self.before = before
        self.openings: list[str] = []
        self.writes: list[list[str]] = []

    def read(self) -> Iterator[list[str]]:
        if self.openings or self.writes:
            yield self.openings[:1] or [OPENING]
        yield from list(self.writes)

    def append(self, records: list[str]) -> None:
        if records[0].startswith('{"o"'):
            self.openings += records
            return
        self.before(records)
        self.writes.append(list(records))

    def close(self) -> None:
        pass


def key(number: int) -> bytes:
    """The key of the n-th message of a made-up campaign."""
    return number.to_bytes(KEY_BYTES, "big")


def accepted(ids: Iterable[str]) -> list[MessageOutcome]:
    """Outcomes of a chunk that was accepted whole."""
    return [MessageOutcome(place, MessageState.ACCEPTED, id=sms_id) for place, sms_id in enumerate(ids)]
