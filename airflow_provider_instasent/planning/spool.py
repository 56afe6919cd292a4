# SPDX-License-Identifier: Apache-2.0
"""The plan on disk: every message of a campaign, and beside it what the journal says, in a temporary SQLite file.

Two tables: `message` is what this try planned; `roster` is the journal's list of messages, with where each stands
(:class:`~airflow_provider_instasent.journal.roster.Roster`). They meet by key. Memory stays flat whatever the size of
the campaign.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import reported
from airflow_provider_instasent.journal.roster import ACCEPTED_AT, IN_DOUBT, Roster, first_value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from airflow_provider_instasent.api.client_ids import MessageKeys

_SCHEMA = """
CREATE TABLE message (
    position INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    recipient TEXT NOT NULL,
    text TEXT NOT NULL,
    sender TEXT NOT NULL,
    unicode INTEGER NOT NULL,
    client_id TEXT,
    parts INTEGER NOT NULL,
    line INTEGER
);
CREATE UNIQUE INDEX message_client_id ON message (client_id) WHERE client_id IS NOT NULL;
CREATE TABLE suppressed (number TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE issue (position INTEGER, kind TEXT, reason TEXT);
"""
_CACHE_KIB = 16_384
GONE = f"ours AND (state = 'accepted' OR {IN_DOUBT}) AND key NOT IN (SELECT key FROM message)"  # noqa: S608 - constant
"""The condition, in SQL, that a message of this task was or may have been accepted and has no row any more."""


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


class Spool:
    """A campaign's messages on disk, in a file without a name that is gone afterwards, however this process ends.

    For one thread. Use as a context manager.

    :ivar database: for the modules of this room, and of those above it
    :ivar roster: the journal's messages
    :ivar occurrences: how many messages with one sender, number and text there may be
    :ivar is_listed: whether all planned messages are in the roster
    :ivar withheld: messages withdrawn because the campaign has written to their number
    :ivar kept_back: keys of those that are in doubt and, for the same reason, must not be sent again
    """

    def __init__(self) -> None:
        self._keys: MessageKeys | None = None
        self.occurrences = 1
        self.is_listed = False
        self.withheld = 0
        self.kept_back: set[bytes] = set()
        # An empty name: SQLite unlinks the file as it creates it. Transactions are managed by hand, nothing is synced.
        self.database = sqlite3.connect("", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "temp_store=FILE", f"cache_size=-{_CACHE_KIB}"):
            self.database.execute(f"PRAGMA {pragma}")
        self.database.executescript(_SCHEMA)
        self.roster = Roster(self.database)
        self.database.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Delete the file."""
        self.database.close()

    @property
    def keys(self) -> MessageKeys:
        """Makes the keys and the clientIds of the campaign's messages; set once its journal is read.

        :raises RuntimeError: where it was not set
        """
        if self._keys is None:
            raise RuntimeError("a campaign's journal is read before its messages are planned")
        return self._keys

    @keys.setter
    def keys(self, keys: MessageKeys) -> None:
        self._keys = keys

    def add(self, position: int, key: bytes, message: Sms, parts: int, line: int | None = None) -> bool:
        """Add a planned message; return False where its key is there already.

        :param line: of the file, from 1, on which its row begins; None where it comes from no file of lines
        """
        row = (position, key, message.to, message.text, message.sender, message.allow_unicode)
        cursor = self.database.execute(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (*row, message.client_id, parts, line),
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

    def issues(self) -> Iterator[dict[str, Any]]:
        """Yield the rows that are not planned, in input order: `position`, `state` (the kind) and `reason`."""
        for position, kind, reason in self.database.execute(
            "SELECT position, kind, reason FROM issue ORDER BY position"
        ):
            yield {"position": position, "state": kind, "reason": reason}

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

    def planned(self, after: int, limit: int) -> list[Placed]:
        """Return the next messages to send, in roster order.

        :param after: the place of the last one taken, -1 to begin
        :param limit: at most so many
        """
        rows = self.database.execute(
            "SELECT place, position, roster.key, recipient, text, sender, unicode, roster.client_id, "  # noqa: S608 - constant
            f"doubted OR {IN_DOUBT} FROM roster CROSS JOIN message ON message.key = roster.key "
            "WHERE (state = 'planned' OR due) AND place > ? ORDER BY place LIMIT ?",
            (after, limit),
        )
        return [
            Placed(
                place,
                position,
                key,
                Sms(recipient, text, sender, bool(unicode), given or self.keys.client_id(key)),
                given,
                bool(doubted),
            )
            for place, position, key, recipient, text, sender, unicode, given, doubted in rows
        ]

    def reopen_doubtful(self, but: Collection[bytes] = ()) -> int:
        """Make due again what stayed unconfirmed and is still planned; return how many.

        :param but: keys of those that must not be sent again
        """
        count = self._reopen(IN_DOUBT)
        keys = self.kept_back.union(but)
        kept = self.database.executemany("UPDATE roster SET due = 0 WHERE due AND key = ?", ((key,) for key in keys))
        return count - max(0, kept.rowcount)

    def reopen_rejected(self) -> int:
        """Make due again what the API rejected and is still planned; return how many."""
        return self._reopen("state = 'rejected'")

    def _reopen(self, condition: str) -> int:
        query = f"UPDATE roster SET due = 1 WHERE ({condition}) AND key IN (SELECT key FROM message)"  # noqa: S608 - constants
        return self.database.execute(query).rowcount

    def count_due_again(self) -> int:
        """Return how many messages are due again, in doubt or rejected as they are."""
        return int(self.one("SELECT count(*) FROM roster WHERE due AND state <> 'planned'"))

    def counts(self) -> dict[str, int]:
        """Return how many messages are in each state: the planned ones, and those that are gone and were sent."""
        if self.is_listed and not self._has_gone():  # the roster tells, without a look at each message
            return dict(self.database.execute("SELECT state, count(*) FROM roster GROUP BY state"))
        query = "SELECT coalesce(state, 'planned'), count(*) FROM message LEFT JOIN roster USING (key) GROUP BY 1"
        counts = Counter(dict(self.database.execute(query)))
        counts.update(dict(self._gone("state, count(*)", "GROUP BY state")))
        return dict(counts)

    def count_gone(self) -> int:
        """Return how many messages were or may have been accepted in an earlier try, and have no row any more."""
        return sum(count for (count,) in self._gone("count(*)"))

    def count_gone_in_doubt(self) -> int:
        """Return how many of those may or may not have been accepted."""
        return sum(count for (count,) in self._gone("count(*)", f"AND {IN_DOUBT}"))

    def count_unsendable_in_doubt(self) -> int:
        """Return how many messages in doubt cannot be sent again, for want of a row or for what followed them."""
        query = f"SELECT 1 FROM roster WHERE key = ? AND {IN_DOUBT}"  # noqa: S608 - constant
        return self.count_gone_in_doubt() + sum(self.one(query, key) is not None for key in self.kept_back)

    def gone_keys_in_doubt(self) -> set[bytes]:
        """Return the keys of those."""
        return {key for (key,) in self._gone("key", f"AND {IN_DOUBT}")}

    def first_ids(self, limit: int) -> list[str]:
        """Return the ids of the first accepted messages, in input order, then of those whose row is gone."""
        ids = self.planned_ids(limit)
        if len(ids) < limit:
            ids += [one for (one,) in self._gone("id", f"AND id IS NOT NULL ORDER BY place LIMIT {limit - len(ids):d}")]
        return ids

    def planned_ids(self, limit: int) -> list[str]:
        """Return the ids of the first accepted messages that have a row, in input order."""
        rows = self.database.execute(
            "SELECT id FROM message CROSS JOIN roster ON roster.key = message.key "
            "WHERE state = 'accepted' AND id IS NOT NULL ORDER BY position LIMIT ?",
            (limit,),
        )
        return [sms_id for (sms_id,) in rows]

    def report(self) -> Iterator[dict[str, Any]]:
        """Yield what became of each planned message, in input order: `position`, `client_id`, `id`, `state` …"""
        yield from self._reported(
            "SELECT position, key, CASE WHEN place IS NULL THEN message.client_id ELSE roster.client_id END "  # noqa: S608 - constant
            f"AS client_id, id, coalesce(state, 'planned') AS state, status, reason, {ACCEPTED_AT} AS accepted_at "
            "FROM message LEFT JOIN roster USING (key) ORDER BY position"
        )

    def report_gone(self) -> Iterator[dict[str, Any]]:
        """Yield the same of the messages whose row is gone; their `position` is None."""
        if self._has_gone():
            yield from self._reported(
                f"SELECT NULL AS position, key, client_id, id, state, status, reason, {ACCEPTED_AT} AS accepted_at "  # noqa: S608 - constants
                f"FROM roster WHERE {GONE} "
                "ORDER BY place"
            )

    def _reported(self, query: str) -> Iterator[dict[str, Any]]:
        rows = self.database.execute(query)
        names = [column[0] for column in rows.description]
        for values in rows:
            row = dict(zip(names, values, strict=True))
            key = row.pop("key")
            row["client_id"] = row["client_id"] or self.keys.client_id(key)
            row["state"] = reported(row["state"])
            yield row

    def _gone(self, what: str, rest: str = "") -> list[tuple[Any, ...]]:
        """Ask about the messages that were or may have been accepted and whose row is gone."""
        if not self._has_gone():
            return []
        return self.database.execute(f"SELECT {what} FROM roster WHERE {GONE} {rest}").fetchall()  # noqa: S608 - constants

    def _has_gone(self) -> bool:
        # Once all messages are listed, their number says as much as a comparison of each, which takes seconds.
        planned = "message" if self.is_listed else "message JOIN roster USING (key)"
        return bool(len(self.roster) > self.one(f"SELECT count(*) FROM {planned}"))  # noqa: S608 - constants

    def total_parts(self) -> int:
        """Return how many parts the planned messages have together."""
        return self.one("SELECT sum(parts) FROM message") or 0

    def one(self, query: str, *values: object) -> Any:
        """Return the first column of a query's first row, or None."""
        return first_value(self.database, query, *values)
