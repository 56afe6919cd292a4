# SPDX-License-Identifier: Apache-2.0
"""Which rows the API rejected first, and why: for the log and the error, whether or not there is a results file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_instasent.planning.rows import on_line
from airflow_provider_instasent.waiting.conclusion import MOST_NAMED

if TYPE_CHECKING:
    from airflow_provider_instasent.planning.spool import Spool

_LONGEST_REASON = 200


def rejections_of(spool: Spool, rejected: int) -> str:
    """Return the first rejected rows with their reasons in the API's words, and how many more there are.

    :param spool: where each message stands
    :param rejected: how many of them the API rejected
    :returns: `row 3 (line 5): …; row 7 (line 9): …; and 5 more`; empty where none was
    """
    if not rejected:
        return ""
    rows = spool.database.execute(
        "SELECT position, line, reason FROM message JOIN roster USING (key) WHERE state = 'rejected' "
        "ORDER BY position LIMIT ?",
        (MOST_NAMED,),
    ).fetchall()
    named = [f"row {position}{on_line(line)}: {_short(reason)}" for position, line, reason in rows]
    more = rejected - len(named)
    return "; ".join([*named, f"and {more} more"] if more > 0 else named)


def _short(reason: str | None) -> str:
    said = (reason or "no reason told").rstrip(". ")
    return said if len(said) <= _LONGEST_REASON else said[: _LONGEST_REASON - 1] + "…"
