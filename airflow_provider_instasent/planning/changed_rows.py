# SPDX-License-Identifier: Apache-2.0
"""Tell whether the rows changed since an earlier try, and what then may still be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.client_ids import number_of
from airflow_provider_instasent.journal.roster import IN_DOUBT
from airflow_provider_instasent.planning.suppression import SUPPRESSED, WRITTEN_TO

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_instasent.planning.spool import Spool

_MODULUS = 1 << 96


@dataclass(frozen=True, slots=True)
class Difference:
    """The plan of this try beside the messages that the journal lists.

    :param same: messages in both
    :param new: planned and not listed
    :param gone: listed and not planned
    """

    same: int
    new: int
    gone: int

    def __str__(self) -> str:
        return f"{self.same} messages are the same, {self.new} are new, {self.gone} are gone"


def fingerprint(spool: Spool) -> str:
    """Return what tells one set of planned messages from another, whatever their order."""
    total = count = 0
    for (key,) in spool.database.execute("SELECT key FROM message"):
        total += int.from_bytes(key)
        count += 1
    return f"{count}-{total % _MODULUS:x}"


def difference(spool: Spool) -> Difference:
    """Compare the planned messages with the listed ones."""
    same = spool.one("SELECT count(*) FROM message JOIN roster USING (key)")
    planned = spool.one("SELECT count(*) FROM message")
    listed = spool.one("SELECT count(*) FROM roster")
    return Difference(same, planned - same, listed - same)


def is_present_plan(spool: Spool) -> bool:
    """Tell whether the present plan of the journal is made of just the planned messages."""
    members = spool.one("SELECT count(*) FROM roster WHERE since IS NOT NULL")
    return bool(
        members == spool.one("SELECT count(*) FROM message")
        and members == spool.one("SELECT count(*) FROM message JOIN roster USING (key) WHERE since IS NOT NULL")
    )


def members(spool: Spool) -> list[tuple[int, int]]:
    """Return the places of the planned messages in the roster, as `(first, count)`; all of them are listed."""
    total = spool.one("SELECT count(*) FROM message")
    if total == len(spool.roster):
        return [(0, total)] if total else []
    spans: list[tuple[int, int]] = []
    for (place,) in spool.database.execute(
        "SELECT place FROM roster WHERE key IN (SELECT key FROM message) ORDER BY place"
    ):
        if spans and sum(spans[-1]) == place:
            spans[-1] = (spans[-1][0], spans[-1][1] + 1)
        else:
            spans.append((place, 1))
    return spans


def withhold(spool: Spool, risked: Collection[bytes] = ()) -> int:
    """Withdraw messages to numbers that have an accepted or doubtful message of another plan; return how many.

    Two messages to one number were meant together only if one plan held both when the first of them left. So a message
    is withdrawn that has not been part of every plan since the one in which another was sent. One that is in doubt
    itself stays in the report, and is not sent again beside one that was accepted or may have been and has no row.

    :param spool: with the plan, and what the journal says
    :param risked: keys of doubtful messages that count for nothing, because their rows are gone, they were looked for
        in vain, and the user accepts that somebody may be texted twice
    """
    database = spool.database
    database.create_function("number_of", 1, number_of, deterministic=True)
    database.execute("CREATE TEMP TABLE risked (key BLOB PRIMARY KEY)")
    database.executemany("INSERT INTO risked VALUES (?)", ((key,) for key in risked))
    database.execute(
        "CREATE TEMP TABLE written AS SELECT number_of(key) AS number, key, sent, state FROM roster "  # noqa: S608 - constants
        f"WHERE state = 'accepted' OR ({IN_DOUBT} AND key NOT IN (SELECT key FROM risked))"
    )
    database.execute("CREATE INDEX temp.written_number ON written (number)")
    database.execute(
        "CREATE TEMP TABLE withheld AS SELECT position, message.key AS key, coalesce(roster.state, 'planned') AS state "
        "FROM message LEFT JOIN roster USING (key) WHERE coalesce(roster.state, 'planned') <> 'accepted' AND EXISTS ("
        "SELECT 1 FROM written WHERE written.number = number_of(message.key) AND written.key <> message.key "
        "AND written.sent < coalesce(since, ?) AND (coalesce(roster.state, 'planned') IN ('planned', 'rejected') "
        "OR written.state = 'accepted' OR written.key NOT IN (SELECT key FROM message)))",
        (spool.roster.plan + 1,),
    )
    spool.kept_back = {key for (key,) in database.execute(f"SELECT key FROM withheld WHERE {IN_DOUBT}")}  # noqa: S608 - constant
    database.execute(f"DELETE FROM withheld WHERE {IN_DOUBT}")  # noqa: S608 - constant
    database.execute("INSERT INTO issue SELECT position, ?, ? FROM withheld", (SUPPRESSED, WRITTEN_TO))
    withdrawn: int = database.execute("DELETE FROM message WHERE position IN (SELECT position FROM withheld)").rowcount
    for table in ("withheld", "written", "risked"):
        database.execute(f"DROP TABLE temp.{table}")
    spool.withheld += withdrawn
    return withdrawn
