# SPDX-License-Identifier: Apache-2.0
"""Where each message of a journal stands: the one place that knows the transitions.

A table in SQLite, so that it serves one message in memory and a million on disk. Only evidence moves a message:

- what is accepted stays so, and may learn its id;
- a message in doubt keeps the moment of its first doubtful intent;
- a request that was refused, or never left, says nothing about an earlier one that is still in doubt.

Rows may change between two tries, so each plan has a number, and with each message stands since which plan it has been
part of every one, and in which it was sent last: two messages to one number were meant together only if one plan held
both when the first of them left.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.client_ids import NUMBER_BYTES
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.journal.worker_clock import Moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_provider_instasent.api.message_outcome import MessageOutcome
    from airflow_provider_instasent.journal.worker_clock import ClockIdentity

IN_DOUBT = "state IN ('intended', 'unconfirmed')"
"""The condition, in SQL, that a message may or may not have been accepted."""

_SCHEMA = """
CREATE TABLE roster (
    place INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    since INTEGER,
    ours INTEGER NOT NULL DEFAULT 0,
    sent INTEGER,
    state TEXT NOT NULL DEFAULT 'planned',
    at REAL,
    "offset" REAL,
    clock INTEGER,
    left_at REAL,
    left_offset REAL,
    left_by INTEGER,
    due INTEGER NOT NULL DEFAULT 0,
    doubted INTEGER NOT NULL DEFAULT 0,
    client_id TEXT,
    id TEXT,
    status TEXT,
    reason TEXT
)
"""
_OFFSETS = 'CREATE TABLE clock_offset (clock INTEGER PRIMARY KEY, "offset" REAL NOT NULL)'
# Numbered parameters would save repetitions, but Python 3.12.0 to 3.12.3 takes them for named ones.
_INTEND = f"""
UPDATE roster SET doubted = doubted OR {IN_DOUBT}, at = CASE WHEN {IN_DOUBT} THEN at ELSE ? END,
    "offset" = CASE WHEN {IN_DOUBT} THEN "offset" ELSE ? END, clock = CASE WHEN {IN_DOUBT} THEN clock ELSE ? END,
    left_at = ?, left_offset = ?, left_by = ?, due = 0, sent = ?, state = 'intended'
WHERE place >= ? AND place < ? AND state <> 'accepted'
"""  # noqa: S608 - constant
_SETTLE = """
UPDATE roster SET state = CASE WHEN doubted AND ? IN ('planned', 'rejected') THEN 'unconfirmed' ELSE ? END,
    id = ?, status = ?, reason = ?
WHERE place = ? AND (state <> 'accepted' OR (id IS NULL AND ? = 'accepted'))
"""

ACCEPTED_AT = (
    """CASE WHEN state = 'accepted' THEN CAST(left_at + coalesce(left_offset, """
    """(SELECT known."offset" FROM clock_offset AS known WHERE known.clock = left_by), 0) AS INTEGER) END"""
)
"""When a message was accepted, in SQL: when the last request with it left, in whole seconds on the server's clock."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A message of a roster.

    :param place: in the roster, from 0
    :param key: its key in the journal
    :param client_id: the clientId the user gave, or None for a generated one
    :param moment: when its first doubtful intent, else its last one, was written
    :param state: where it stands; an intent without a settlement is `intended`
    :param id: the API's id, when accepted and known
    """

    place: int
    key: bytes
    client_id: str | None
    moment: Moment
    state: MessageState
    id: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether it is known to be accepted, with its id or without."""
        return self.state is MessageState.ACCEPTED

    @property
    def in_doubt(self) -> bool:
        """Whether it may or may not have been accepted."""
        return self.state in {MessageState.INTENDED, MessageState.UNCONFIRMED}


class Roster:
    """The messages of a journal in its own order. For one thread.

    :param database: gets the table `roster`; None for one in memory
    :ivar plan: the number of the present plan, from 1; 0 where none was settled
    """

    def __init__(self, database: sqlite3.Connection | None = None) -> None:
        self._database = database or sqlite3.connect(":memory:", isolation_level=None)
        self._database.execute(_SCHEMA)
        self._database.execute(_OFFSETS)
        self.plan = 0
        self._clocks: list[ClockIdentity] = []

    @property
    def clock(self) -> ClockIdentity | None:
        """The clock of the moments that are taken in; None where nobody told."""
        return self._clocks[-1] if self._clocks else None

    @clock.setter
    def clock(self, clock: ClockIdentity) -> None:
        self._clocks.append(clock)

    def __len__(self) -> int:
        return int(self._one("SELECT count(*) FROM roster"))

    def close(self) -> None:
        """Close the database; of a roster in memory, that is its end."""
        self._database.close()

    def extend(self, keys: Sequence[bytes], client_ids: Sequence[str | None]) -> None:
        """Append keys, and the clientIds the user gave, in the journal's order.

        :raises sqlite3.IntegrityError: where a key is there already
        """
        start = self._one("SELECT coalesce(max(place), -1) + 1 FROM roster")
        self._database.executemany(
            "INSERT INTO roster (place, key, client_id) VALUES (?, ?, ?)",
            zip(range(start, start + len(keys)), keys, client_ids, strict=False),
        )

    def begin_plan(self, members: Iterable[tuple[int, int]], *, ours: bool = True) -> None:
        """Begin the next plan.

        :param members: the places it is made of, as `(first, count)`; the others are gone from it
        :param ours: whether it is one of the task that asks, where several share a campaign
        """
        self.plan += 1
        spans = [(self.plan, ours, first, first + count) for first, count in members]
        self._database.execute("UPDATE roster SET since = -since WHERE since IS NOT NULL")
        self._database.executemany(
            "UPDATE roster SET since = CASE WHEN since < 0 THEN -since ELSE ? END, ours = ours OR ? "
            "WHERE place >= ? AND place < ?",
            spans,
        )
        self._database.execute("UPDATE roster SET since = NULL WHERE since < 0")

    def place_of(self, key: bytes, client_id: str | None) -> int:
        """Return the place of a single send's message, appended where it is new.

        :param key: its key
        :param client_id: the clientId the user gives it, where it is new
        """
        place: int | None = self._one("SELECT place FROM roster WHERE key = ?", key)
        if place is None:
            place = len(self)
            self.extend([key], [client_id])
        return place

    def rename(self, place: int, client_id: str | None) -> None:
        """Take the clientId that the user gives a message in a further request; what is accepted keeps its own."""
        query = "UPDATE roster SET client_id = ? WHERE place = ? AND state <> 'accepted'"
        self._database.execute(query, (client_id, place))

    def intend(self, spans: Iterable[tuple[int, int]], moment: Moment) -> None:
        """Note that these places are about to leave.

        :param spans: as `(first, count)`
        :param moment: when it was written that they are
        """
        left = (moment.at, moment.offset, len(self._clocks) - 1)
        known = (*left, *left, self.plan)
        if moment.offset is not None:
            self._note_offset(moment.offset)
        self._database.executemany(_INTEND, ((*known, first, first + count) for first, count in spans))

    def learn(self, offset: float) -> None:
        """Take in how far the server's clock is ahead of the present one, for moments that do not tell.

        :param offset: in seconds
        """
        query = 'UPDATE roster SET "offset" = ? WHERE clock = ? AND "offset" IS NULL'
        self._database.execute(query, (offset, len(self._clocks) - 1))
        self._note_offset(offset)

    def settle(self, outcomes: Iterable[MessageOutcome], places: Sequence[int] | None = None) -> None:
        """Note outcomes.

        :param outcomes: in any order
        :param places: the place of each position; None where a `position` is a place
        """
        place_of = None if places is None else places.__getitem__
        self._database.executemany(
            _SETTLE,
            (
                (
                    *(one.state.value, one.state.value, one.id, one.status, one.reason),
                    *(place_of(one.position) if place_of else one.position, one.state.value),
                )
                for one in outcomes
            ),
        )

    def __iter__(self) -> Iterator[Listed]:
        """Yield all messages, in the journal's order."""
        return self._where("1")

    def to_look_for(self) -> Iterator[Listed]:
        """Yield the messages in doubt, and those that are accepted under an id that is not known."""
        return self._where(f"{IN_DOUBT} OR (state = 'accepted' AND id IS NULL)")

    def count_in_doubt(self) -> int:
        """Return how many messages may or may not have been accepted."""
        return int(self._one(f"SELECT count(*) FROM roster WHERE {IN_DOUBT}"))  # noqa: S608 - constant

    def accepted_between(self) -> tuple[float, float] | None:
        """Return when the first and the last message were accepted, in unix seconds on the server's clock, or None."""
        query = f"SELECT min(moment), max(moment) FROM (SELECT {ACCEPTED_AT} AS moment FROM roster)"  # noqa: S608 - constant
        earliest, latest = self._database.execute(query).fetchone()
        return None if earliest is None else (float(earliest), float(latest))

    def most_to_one_number(self) -> int:
        """Return how many messages go to the number to which most go."""
        query = f"SELECT max(count) FROM (SELECT count(*) AS count FROM roster GROUP BY substr(key, 1, {NUMBER_BYTES}))"  # noqa: S608 - constant
        return int(self._one(query) or 0)

    def first_ids(self, limit: int) -> list[str]:
        """Return the ids of the first accepted messages, in the journal's order."""
        rows = self._database.execute(
            "SELECT id FROM roster WHERE state = 'accepted' AND id IS NOT NULL ORDER BY place LIMIT ?", (limit,)
        )
        return [sms_id for (sms_id,) in rows]

    def __contains__(self, sms_id: object) -> bool:
        """Tell whether an SMS, by its id, is known to be a message of this roster."""
        self._database.execute("CREATE INDEX IF NOT EXISTS roster_id ON roster (id)")
        return self._one("SELECT 1 FROM roster WHERE id = ?", str(sms_id)) is not None

    def _note_offset(self, offset: float) -> None:
        self._database.execute("INSERT OR IGNORE INTO clock_offset VALUES (?, ?)", (len(self._clocks) - 1, offset))

    def _where(self, condition: str) -> Iterator[Listed]:
        query = (
            'SELECT place, key, client_id, coalesce(at, 0.0), "offset", coalesce(clock, -1), state, id '  # noqa: S608 - constants
            f"FROM roster WHERE {condition} ORDER BY place"
        )
        # How far the clock of this try, which opened the journal last, is ahead of each of those before it.
        ours = self.clock
        ahead = [None if ours is None else ours.ahead_of(other) for other in self._clocks]
        for place, key, client_id, at, offset, clock, state, sms_id in self._database.execute(query):
            moment = Moment(at, offset, ahead[clock] if clock >= 0 else 0.0)
            yield Listed(place, key, client_id, moment, MessageState(state), sms_id)

    def _one(self, query: str, *values: object) -> Any:
        return first_value(self._database, query, *values)


def first_value(database: sqlite3.Connection, query: str, *values: object) -> Any:
    """Return the first column of a query's first row, or None."""
    row = database.execute(query, values).fetchone()
    return None if row is None else row[0]
