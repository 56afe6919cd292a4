# SPDX-License-Identifier: Apache-2.0
"""Tell whether the rows changed since an earlier try, and what then may still be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.client_ids import number_of
from airflow_provider_instasent.journal.roster import IN_DOUBT
from airflow_provider_instasent.planning.suppression import SUPPRESSED, WRITTEN_TO

if TYPE_CHECKING:
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


def withhold(spool: Spool) -> int:
    """Withdraw messages to numbers to which an accepted or doubtful message of another plan went; return how many.

    A message is withdrawn where it is new, or where its like was planned before the other one was: the text of a row
    may change and change back.
    """
    database = spool.database
    database.create_function("number_of", 1, number_of, deterministic=True)
    database.execute(
        "CREATE TEMP TABLE written AS SELECT number_of(key) AS number, max(generation) AS generation "  # noqa: S608 - constant
        f"FROM roster WHERE state = 'accepted' OR {IN_DOUBT} GROUP BY 1"
    )
    database.execute("CREATE INDEX temp.written_number ON written (number)")
    database.execute(
        "CREATE TEMP TABLE withheld AS SELECT message.position FROM message LEFT JOIN roster USING (key) "
        "JOIN written ON written.number = number_of(message.key) "
        "WHERE roster.key IS NULL OR (roster.state = 'planned' AND roster.generation < written.generation)"
    )
    database.execute("INSERT INTO issue SELECT position, ?, ? FROM withheld", (SUPPRESSED, WRITTEN_TO))
    withdrawn: int = database.execute("DELETE FROM message WHERE position IN (SELECT position FROM withheld)").rowcount
    spool.withheld += withdrawn
    return withdrawn
