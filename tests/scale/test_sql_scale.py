# SPDX-License-Identifier: Apache-2.0

"""A million rows of a query are planned by the SQL operator in little memory, and nothing of them is sent.

Outside the default run: `pytest -s tests/scale/test_sql_scale.py` prints the figures. `make bench` also sends them.
"""

from __future__ import annotations

import pytest
from support.postgres import postgres

from benchmarks.children import run_child
from benchmarks.footprint import MEMORY_BAR_MIB
from benchmarks.sql import fill_postgres, fill_sqlite

__all__ = ["postgres"]

pytestmark = pytest.mark.scale

MILLION = 1_000_000


@pytest.fixture(params=["postgres", "sqlite"])
def database(request, tmp_path):
    """A connection to a database with a million people."""
    if request.param == "sqlite":
        return fill_sqlite(tmp_path / "people.db", MILLION)
    return fill_postgres(request.getfixturevalue("postgres"), MILLION)


def test_a_million_rows_of_a_query_are_planned_in_little_memory(database, sandbox):
    found = run_child("sql", 1_200, url=sandbox.url, database=database, rows=MILLION, preview=True)
    print(found)
    assert found["peak_mib"] <= MEMORY_BAR_MIB
    assert sandbox.requests.total == 0
