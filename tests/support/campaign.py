# SPDX-License-Identifier: Apache-2.0
"""Places for a journal as tests need them: in memory, counting, and failing when told to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.journal.events import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


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
    """A segment store in memory that calls a hook before each write.

    :param before: called with the records; what it raises fails the write
    """

    in_metadata_database = False

    def __init__(self, before: Callable[[list[str]], None] = lambda _records: None) -> None:
        self.before = before
        self.writes: list[list[str]] = []

    def read(self) -> Iterator[list[str]]:
        yield from list(self.writes)

    def append(self, records: list[str]) -> None:
        self.before(records)
        self.writes.append(list(records))


def key(number: int) -> bytes:
    """The key of the n-th message of a made-up campaign."""
    return number.to_bytes(KEY_BYTES, "big")


def accepted(ids: Iterable[str]) -> list[MessageOutcome]:
    """Outcomes of a chunk that was accepted whole."""
    return [MessageOutcome(place, MessageState.ACCEPTED, id=sms_id) for place, sms_id in enumerate(ids)]
