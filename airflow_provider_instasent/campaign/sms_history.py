# SPDX-License-Identifier: Apache-2.0
"""The list of SMS as a file: each SMS once, although pages shift while they are read, and memory flat.

Pages go to a temporary SQLite file as they come; the window is cut out of it at the end, oldest SMS first, whatever the
list's own order is.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_instasent.api.list_order import Order, ProvenOrder
from airflow_provider_instasent.api.recent_pages import OvertakenError, Side, recent_pages
from airflow_provider_instasent.api.statuses import normalise_status
from airflow_provider_instasent.api.timestamps import created_at
from airflow_provider_instasent.campaign.export_formats import write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_provider_instasent.api.endpoints import Entity
    from airflow_provider_instasent.api.pages import Page

OUT_OF_ORDER = 120.0
"""Seconds by which entities of a list may be out of order: it takes more to prove the order, and reading stops that
much beyond the window."""

_NO_STATUS = "no_status"
_SCHEMA = """
CREATE TABLE sms (
    id TEXT PRIMARY KEY, page INTEGER, line INTEGER, at REAL, earliest REAL, latest REAL, status TEXT, entity TEXT
);
CREATE TABLE seen (id TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_CACHE_KIB = 4_096


@dataclass(frozen=True, slots=True)
class HistoryWindow:
    """What part of the list is wanted.

    :param since: unix seconds, the first moment inside; None for no bound
    :param until: unix seconds, the first moment after; None for no bound
    :param until_id: the newest SMS that is known already: it and what is older is left out
    :param max_pages: the most pages to read; None for no bound
    """

    since: float | None = None
    until: float | None = None
    until_id: str | None = None
    max_pages: int | None = None


class History:
    """Reads the list into a temporary file, and writes the window out of it. Use as a context manager.

    For one thread.

    :param window: what is wanted
    """

    def __init__(self, window: HistoryWindow) -> None:
        self._window = window
        self._folder = tempfile.TemporaryDirectory(prefix="instasent-")
        self._database = sqlite3.connect(Path(self._folder.name) / "history.sqlite", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", f"cache_size=-{_CACHE_KIB}"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_SCHEMA)
        self._database.execute("BEGIN")
        self._kinds: dict[str, set[str]] = defaultdict(set)
        self._beyond_since = False
        self._until_earliest: float | None = None
        self._until_found = False
        self._order = ProvenOrder(created_at, OUT_OF_ORDER)
        self.pages = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    def read(self, list_page: Callable[[int], Page], report: Callable[[int], object] = lambda _pages: None) -> str:
        """Read the list from its newest end to the window's edge; return what ended it.

        :param list_page: reads a page, from 1
        :param report: called with the number of pages after each
        :returns: `since`, `until_id` or `end_of_list`: the window was read to its edge; or `max_pages`: it was cut
        """

        def take(number: int) -> Page:
            page = list_page(number)
            self.pages += 1
            for line, entity in enumerate(page.entities):
                self._take(number, line, entity)
            report(self.pages)
            return page

        most = self._window.max_pages or sys.maxsize
        try:
            whole = recent_pages(take, self._side_of, lambda: False, self._order, most, seen=_Seen(self))
        except OvertakenError:
            whole = False
        if not whole:
            return "max_pages"
        if self._until_found:
            return "until_id"
        return "since" if self._beyond_since else "end_of_list"

    def write(self, path: Any) -> int:
        """Write the window, oldest SMS first, and return the number of rows.

        :param path: of a `.jsonl`, `.ndjson` or `.parquet` file; replaced whole
        """
        condition, values = self._inside()
        direction = "ASC" if self._oldest_first() else "DESC"
        order = f"at IS NULL, at, page {direction}, line {direction}"
        rows = self._database.execute(f"SELECT entity FROM sms WHERE {condition} ORDER BY {order}", values)  # noqa: S608 - constants
        return write_rows(path, (entity for (entity,) in rows), self._kinds)

    def counts(self) -> dict[str, int]:
        """Return how many SMS of the window have each status, the API's word."""
        return dict(self._select("SELECT status, count(*) FROM sms WHERE {} GROUP BY status ORDER BY status"))

    def undated(self) -> int:
        """Return how many SMS do not tell when they were created; they count as inside."""
        return int(next(self._select("SELECT count(*) FROM sms WHERE {} AND at IS NULL"))[0])

    def zoneless(self) -> int:
        """Return how many SMS tell it without a zone; they count as inside where they are so in any zone."""
        return int(next(self._select("SELECT count(*) FROM sms WHERE {} AND earliest < latest"))[0])

    def newest_id(self) -> str | None:
        """Return the id of the newest SMS of the window, for a later run's `until_id`.

        Where nothing newer than the known one was there it is that one, so that a chain of runs goes on from it.
        """
        direction = "DESC" if self._oldest_first() else "ASC"
        order = f"at DESC NULLS LAST, page {direction}, line {direction}"
        found = next(self._select(f"SELECT id FROM sms WHERE {{}} ORDER BY {order} LIMIT 1"), None)  # noqa: S608 - constants
        if found is None:
            return self._window.until_id if self._until_found else None
        return str(found[0])

    def _select(self, query: str) -> Iterator[tuple[Any, ...]]:
        condition, values = self._inside()
        return iter(self._database.execute(query.format(condition), values))

    def _take(self, page: int, line: int, entity: Entity) -> None:
        created, status = created_at(entity), normalise_status(entity.get("status")) or _NO_STATUS
        at, earliest, latest = created or (None, None, None)
        if entity["id"] == self._window.until_id:
            self._until_found, self._until_earliest = True, earliest
        if latest is not None and self._window.since is not None and latest < self._window.since:
            self._beyond_since = True
        for name, value in entity.items():
            self._kinds[name].add(kind_of(value))
        # Read again, it may have moved on: the later reading counts.
        self._database.execute(
            "INSERT INTO sms VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET status = excluded.status, entity = excluded.entity",
            (entity["id"], page, line, at, earliest, latest, status, _as_line(entity)),
        )

    def _side_of(self, entity: Entity) -> Side:
        if entity["id"] == self._window.until_id:
            return Side.EDGE
        edges = [edge for edge in (self._window.since, self._until_earliest) if edge is not None]
        created = created_at(entity)
        if edges and created is not None and created.latest < max(edges) - OUT_OF_ORDER:
            return Side.OLDER
        if self._window.until_id is not None and not self._until_found:
            return Side.UNTOLD  # the window may end anywhere
        return Side.UNTOLD if edges and created is None else Side.INSIDE

    def _inside(self) -> tuple[str, tuple[Any, ...]]:
        """Return the condition that an SMS is inside the window, and its values."""
        conditions: list[str] = ["1"]
        values: list[Any] = []
        for bound, comparison in ((self._window.since, "latest >="), (self._window.until, "earliest <")):
            if bound is not None:
                conditions.append(f"(at IS NULL OR {comparison} ?)")
                values.append(bound)
        if self._until_found:
            # Where the time does not tell which of two is newer, their places in the list do, if that has an order.
            newer = ">" if self._oldest_first() else "<"
            unknown = "at IS NULL OR earliest < latest" if self._order.verdict is Order.CONTRADICTORY else "0"
            conditions.append(
                "id <> ? AND CASE WHEN earliest > ? THEN 1 WHEN latest < ? THEN 0 "
                f"ELSE {unknown} OR (page, line) {newer} (?, ?) END"
            )
            query = "SELECT id, latest, earliest, page, line FROM sms WHERE id = ?"
            values += self._database.execute(query, (self._window.until_id,)).fetchone()
        return " AND ".join(conditions), tuple(values)

    def _oldest_first(self) -> bool:
        if (proven := self._order.verdict) in {Order.NEWEST_FIRST, Order.OLDEST_FIRST}:
            return proven is Order.OLDEST_FIRST
        query = "SELECT at FROM sms WHERE at IS NOT NULL ORDER BY page {0}, line {0} LIMIT 1"
        ends = [self._database.execute(query.format(direction)).fetchone() for direction in ("ASC", "DESC")]
        return None not in ends and ends[0][0] < ends[1][0]


def _as_line(entity: Entity) -> str:
    return json.dumps(entity, ensure_ascii=False, separators=(",", ":"))


class _Seen:
    """The ids that were read, on disk."""

    def __init__(self, history: History) -> None:
        self._database = history._database  # noqa: SLF001 - a part of it

    def take(self, ids: set[str]) -> set[str]:
        """Remember ids; return the new ones."""
        new = {sms_id for sms_id in ids if not self.knows({sms_id})}
        self._database.executemany("INSERT INTO seen VALUES (?)", ((sms_id,) for sms_id in new))
        return new

    def knows(self, ids: set[str]) -> bool:
        """Tell whether all of these are remembered."""
        query = "SELECT 1 FROM seen WHERE id = ?"
        return all(self._database.execute(query, (sms_id,)).fetchone() for sms_id in ids)


def kind_of(value: Any) -> str:
    """Return the kind of a JSON value as far as a column's type depends on it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer" if -(2**63) <= value < 2**63 else "other"
    return {float: "number", str: "string"}.get(type(value), "other")
