# SPDX-License-Identifier: Apache-2.0
"""What waits asked for, round by round, told from the sandbox's log alone, whatever the code that asked.

A round is a stretch of one poll interval in which something was asked. The pages it needed are those of the list, a
hundred messages each, on which at its begin something lay that no answer had shown as final yet.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAGE = 100
TOO_MANY = 429


@dataclass(frozen=True)
class Round:
    """What was asked in one stretch.

    :param requests: list requests and single reads
    :param lists: list requests among them
    :param refused: 429s among them
    :param pages: different pages of the list asked for
    :param needed: pages on which pending messages lay at its begin
    """

    requests: int
    lists: int
    refused: int
    pages: int
    needed: int


class Pending:
    """Which of the watched messages nobody was shown as final yet.

    :param finals: by place in the order of acceptance, from 0, when a watched message is final, in unix seconds
    :param ids: the same by id, for single reads
    :param total: how many messages were accepted in all
    """

    def __init__(self, finals: Mapping[int, float], ids: Mapping[str, int], total: int) -> None:
        self._finals = finals
        self._ids = ids
        self._total = total
        self._left = set(finals)

    def pages(self) -> int:
        """How many pages they lie on."""
        return len({(self._total - 1 - place) // PAGE for place in self._left})

    def answered(self, record: Mapping[str, Any], latency: float) -> None:
        """Take in one answer.

        :param record: of the sandbox's log
        :param latency: of the sandbox, which decides in the middle of it
        """
        if record["status"] != 200:
            return
        decided = record["time"] + latency / 2
        self._left -= {place for place in self._shown(record) if self._finals.get(place, decided + 1) <= decided}

    def _shown(self, record: Mapping[str, Any]) -> Sequence[int]:
        if record["endpoint"] != "list":
            place = self._ids.get(record["path"].rsplit("/", 1)[-1])
            return () if place is None else (place,)
        page, per_page = int(record["query"].get("page", "1")), int(record["query"].get("per_page", "10"))
        newest = self._total - 1 - (page - 1) * per_page
        return range(max(0, newest - per_page + 1), newest + 1)


def rounds_of(
    records: Sequence[Mapping[str, Any]], pending: Pending, interval: float, latency: float = 0.0
) -> Iterator[Round]:
    """Yield the rounds of a log.

    :param records: list requests and single reads, in any order
    :param pending: what was watched
    :param interval: seconds between two rounds, as asked for
    :param latency: of the sandbox
    """
    ordered = sorted(records, key=lambda record: record["time"])
    if not ordered:
        return
    began = ordered[0]["time"]
    for _, group in groupby(ordered, key=lambda record: int((record["time"] - began) // interval)):
        found, needed = list(group), pending.pages()
        for record in found:
            pending.answered(record, latency)
        lists = [record for record in found if record["endpoint"] == "list"]
        yield Round(
            requests=len(found),
            lists=len(lists),
            refused=sum(record["status"] == TOO_MANY for record in found),
            pages=len({record["query"].get("page", "1") for record in lists}),
            needed=needed,
        )
