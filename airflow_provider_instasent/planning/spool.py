# SPDX-License-Identifier: Apache-2.0
"""The plan on disk: every message of a campaign, and beside it what the journal says, in a temporary SQLite file.

Two tables: `message` is what this try planned; `roster` is the journal's list of messages, in its own order, with where
each stands. They meet by key. Memory stays flat whatever the size of the campaign.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from airflow_provider_instasent.api.message import Sms, client_id_for
from airflow_provider_instasent.api.message_outcome import MessageState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_provider_instasent.api.message_outcome import MessageOutcome

_SCHEMA = """
CREATE TABLE message (
    position INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    content BLOB NOT NULL,
    recipient TEXT NOT NULL,
    text TEXT NOT NULL,
    sender TEXT NOT NULL,
    unicode INTEGER NOT NULL,
    client_id TEXT,
    parts INTEGER NOT NULL
);
CREATE UNIQUE INDEX message_client_id ON message (client_id) WHERE client_id IS NOT NULL;
CREATE TABLE roster (
    place INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    generation INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'planned',
    at REAL,
    due INTEGER NOT NULL DEFAULT 0,
    doubted INTEGER NOT NULL DEFAULT 0,
    client_id TEXT,
    id TEXT,
    status TEXT,
    reason TEXT
);
CREATE TABLE suppressed (number TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE issue (position INTEGER, kind TEXT, reason TEXT);
"""
_CACHE_KIB = 16_384


class Placed(NamedTuple):
    """A message and its place in the roster.

    :param place: in the roster, from 0
    :param position: of its row in the input, from 0
    :param key: its key in the journal
    :param message: what to send, its clientId set
    :param given: the clientId the user gave, or None
    :param doubted: whether an earlier request for it stayed unconfirmed
    """

    place: int
    position: int
    key: bytes
    message: Sms
    given: str | None
    doubted: bool


@dataclass(frozen=True, slots=True)
class InDoubt:
    """A message to look for.

    :param place: in the roster
    :param key: its key in the journal
    :param client_id: the clientId the user gave, or None
    :param at: our clock in unix seconds when it was first intended
    :param accepted: whether it is known to be accepted and only its id is not
    """

    place: int
    key: bytes
    client_id: str | None
    at: float
    accepted: bool


IN_DOUBT = "state IN ('intended', 'unconfirmed')"

# The same transitions as in `book.py`: what is accepted stays so; a doubt keeps its first moment; and a request that
# was refused or never left says nothing about an earlier one in doubt.
_INTEND = f"""
UPDATE roster SET doubted = doubted OR {IN_DOUBT}, at = CASE WHEN {IN_DOUBT} THEN at ELSE ? END, due = 0,
    state = 'intended'
WHERE place >= ? AND place < ? AND state <> 'accepted'
"""  # noqa: S608 - constant
_SETTLE = """
UPDATE roster SET state = CASE WHEN doubted AND ?1 IN ('planned', 'rejected') THEN 'unconfirmed' ELSE ?1 END,
    id = ?2, status = ?3, reason = ?4
WHERE place = ?5 AND (state <> 'accepted' OR (id IS NULL AND ?1 = 'accepted'))
"""


class Spool:
    """A campaign's messages on disk, in a file without a name that is gone afterwards, however this process ends.

    For one thread. Use as a context manager.

    :ivar database: for the modules of this package
    :ivar occurrences: how many messages with one sender, number and text there may be
    :ivar withheld: messages withdrawn because the campaign has written to their number
    """

    def __init__(self) -> None:
        self.occurrences = 1
        self.withheld = 0
        # An empty name: SQLite unlinks the file as it creates it. Transactions are managed by hand, nothing is synced.
        self.database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", f"cache_size=-{_CACHE_KIB}"):
            self.database.execute(f"PRAGMA {pragma}")
        self.database.executescript(_SCHEMA)
        self.database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete the file."""
        self.database.close()

    def add(self, position: int, key: bytes, content: bytes, message: Sms, parts: int) -> bool:
        """Add a planned message; return False where its key is there already."""
        row = (position, key, content, message.to, message.text, message.sender, message.allow_unicode)
        cursor = self.database.execute(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (*row, message.client_id, parts),
        )
        return cursor.rowcount == 1

    def position_of_client_id(self, client_id: str) -> int | None:
        """Return the position of the message that carries this clientId of the user's, if any."""
        position: int | None = self.one("SELECT position FROM message WHERE client_id = ?", client_id)
        return position

    def suppress(self, number: str) -> None:
        """Take a number in E.164 that is never to be texted."""
        self.database.execute("INSERT OR IGNORE INTO suppressed VALUES (?)", (number,))

    def is_suppressed(self, number: str) -> bool:
        """Tell whether a number is never to be texted."""
        return self.one("SELECT 1 FROM suppressed WHERE number = ?", number) is not None

    def note_issue(self, position: int, kind: str, reason: str) -> None:
        """Keep a row that is not planned, for the results file.

        :param kind: `invalid`, `duplicate` or `suppressed`
        """
        self.database.execute("INSERT INTO issue VALUES (?, ?, ?)", (position, kind, reason))

    def issues(self) -> Iterator[tuple[int, str, str]]:
        """Yield `(position, kind, reason)` of the rows that are not planned, in input order."""
        yield from self.database.execute("SELECT position, kind, reason FROM issue ORDER BY position")

    def extend_roster(self, keys: Sequence[bytes], client_ids: Sequence[str | None], generation: int = 0) -> None:
        """Append the journal's keys, and the clientIds the user gave, in its order.

        :param generation: how often the campaign's plan was settled before
        :raises sqlite3.IntegrityError: where a key is there already
        """
        start = self.one("SELECT coalesce(max(place), -1) + 1 FROM roster")
        self.database.executemany(
            "INSERT INTO roster (place, key, client_id, generation) VALUES (?, ?, ?, ?)",
            zip(range(start, start + len(keys)), keys, client_ids, repeat(generation), strict=False),
        )

    def unlisted(self, after: int, limit: int) -> list[tuple[int, bytes, str | None]]:
        """Return the next planned messages that the roster lacks: `(position, key, the user's clientId)`.

        :param after: the position of the last one taken, -1 to begin
        :param limit: at most so many
        """
        return self.database.execute(
            "SELECT position, key, client_id FROM message WHERE position > ? AND key NOT IN (SELECT key FROM roster) "
            "ORDER BY position LIMIT ?",
            (after, limit),
        ).fetchall()

    def intend(self, places: Sequence[tuple[int, int]], at: float) -> None:
        """Note that these places, as `(first, count)`, are about to leave. What is accepted stays so."""
        self.database.executemany(_INTEND, ((at, first, first + count) for first, count in places))

    def settle(self, outcomes: Iterable[MessageOutcome]) -> None:
        """Note outcomes whose `position` is a place of the roster. What is accepted stays so, and may learn its id."""
        self.database.executemany(_SETTLE, ((str(o.state), o.id, o.status, o.reason, o.position) for o in outcomes))

    def planned(self, after: int, limit: int) -> list[Placed]:
        """Return the next messages to send, in roster order.

        :param after: the place of the last one taken, -1 to begin
        :param limit: at most so many
        """
        rows = self.database.execute(
            "SELECT place, position, roster.key, content, recipient, text, sender, unicode, roster.client_id, "
            "doubted OR due FROM roster CROSS JOIN message ON message.key = roster.key "
            "WHERE (state = 'planned' OR due) AND place > ? ORDER BY place LIMIT ?",
            (after, limit),
        )
        return [
            Placed(
                place,
                position,
                key,
                Sms(recipient, text, sender, bool(unicode), given or client_id_for(content)),
                given,
                bool(doubted),
            )
            for place, position, key, content, recipient, text, sender, unicode, given, doubted in rows
        ]

    def in_doubt(self) -> Iterator[InDoubt]:
        """Yield the messages of this try and of earlier ones that may or may not have been accepted."""
        for place, key, client_id, at, state in self.database.execute(
            "SELECT place, key, client_id, coalesce(at, 0.0), state FROM roster "  # noqa: S608 - constant
            f"WHERE {IN_DOUBT} OR (state = 'accepted' AND id IS NULL) ORDER BY place"
        ):
            yield InDoubt(place, key, client_id, at, state == MessageState.ACCEPTED)

    def listed(self) -> int:
        """Return how many messages the roster holds."""
        return int(self.one("SELECT count(*) FROM roster"))

    def doubtful(self) -> int:
        """Return how many messages may or may not have been accepted."""
        return int(self.one(f"SELECT count(*) FROM roster WHERE {IN_DOUBT}"))  # noqa: S608 - constant

    def reopen_doubtful(self) -> int:
        """Make due again what stayed unconfirmed and is still planned; return how many."""
        return self.database.execute(
            f"UPDATE roster SET due = 1 WHERE {IN_DOUBT} AND key IN (SELECT key FROM message)"  # noqa: S608 - constant
        ).rowcount

    def counts(self) -> dict[str, int]:
        """Return how many planned messages are in each state."""
        return dict(
            self.database.execute(
                "SELECT coalesce(state, 'planned'), count(*) FROM message LEFT JOIN roster USING (key) GROUP BY 1"
            )
        )

    def first_ids(self, limit: int) -> list[str]:
        """Return the ids of the first accepted messages, in input order."""
        rows = self.database.execute(
            "SELECT id FROM message CROSS JOIN roster ON roster.key = message.key "
            "WHERE state = 'accepted' AND id IS NOT NULL ORDER BY position LIMIT ?",
            (limit,),
        )
        return [sms_id for (sms_id,) in rows]

    def first_listed_ids(self, limit: int) -> list[str]:
        """Return the ids of the first accepted messages, in roster order."""
        rows = self.database.execute(
            "SELECT id FROM roster WHERE state = 'accepted' AND id IS NOT NULL ORDER BY place LIMIT ?", (limit,)
        )
        return [sms_id for (sms_id,) in rows]

    def knows_id(self, sms_id: str) -> bool:
        """Tell whether an SMS is known to be a message of this campaign."""
        self.database.execute("CREATE INDEX IF NOT EXISTS roster_id ON roster (id)")
        return self.one("SELECT 1 FROM roster WHERE id = ?", sms_id) is not None

    def report(self) -> Iterator[tuple[Any, ...]]:
        """Yield `(position, clientId, id, state, status, reason)` of all planned messages, in input order."""
        for position, content, given, sms_id, state, status, reason in self.database.execute(
            "SELECT position, content, CASE WHEN place IS NULL THEN message.client_id ELSE roster.client_id END, id, "
            "coalesce(state, 'planned'), status, reason FROM message LEFT JOIN roster USING (key) ORDER BY position"
        ):
            yield position, given or client_id_for(content), sms_id, state, status, reason

    def total_parts(self) -> int:
        """Return how many parts the planned messages have together."""
        return self.one("SELECT sum(parts) FROM message") or 0

    def one(self, query: str, *values: object) -> Any:
        """Return the first column of a query's first row, or None."""
        row = self.database.execute(query, values).fetchone()
        return None if row is None else row[0]
