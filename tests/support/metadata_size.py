# SPDX-License-Identifier: Apache-2.0

"""How large Airflow's metadata database is, table by table, and by how much it has grown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TABLES = """
select relname, pg_total_relation_size(oid) from pg_class
where relkind = 'r' and relnamespace = 'public'::regnamespace
"""
GROWING = ("task_state_store", "xcom", "rendered_task_instance_fields")
"""Those that a campaign's data could go into."""


@dataclass(frozen=True)
class Size:
    """Of one table, or of several.

    :param rows: in it.
    :param size: bytes on disk, with its indexes and what is stored out of line.
    """

    rows: int
    size: int


def sizes(query: Callable[[str], list[tuple[Any, ...]]]) -> dict[str, Size]:
    """The size of each table.

    :param query: asks the database.
    """
    return {name: Size(int(query(f'select count(*) from "{name}"')[0][0]), int(size)) for name, size in query(TABLES)}


def compact(query: Callable[[str], list[tuple[Any, ...]]]) -> None:
    """Free what replaced and deleted rows take, which a later campaign would else be seen to use.

    :param query: asks the database.
    """
    query(f"vacuum full {', '.join(GROWING)}")


def growth(before: Mapping[str, Size], after: Mapping[str, Size]) -> dict[str, Size]:
    """What was added, in the tables that have changed; those with the most bytes come first."""
    added = {
        name: Size(now.rows - before[name].rows, now.size - before[name].size)
        for name, now in after.items()
        if now != before[name]
    }
    return dict(sorted(added.items(), key=lambda item: -item[1].size))
