# SPDX-License-Identifier: Apache-2.0
"""A database cursor that streams, where the driver has one, so that memory stays flat."""

from __future__ import annotations

import uuid
from importlib import import_module
from typing import Any

_SERVER_SIDE_MYSQL = {"MySQLdb": "MySQLdb.cursors", "pymysql": "pymysql.cursors"}


def streaming_cursor(connection: Any) -> Any:
    """Return a cursor that does not hold the whole result in memory, and whose rows are sequences.

    PostgreSQL's drivers have named cursors, MySQL's an unbuffered one; SQLite's streams by itself. With another
    driver its own cursor is taken, which may hold the result. A connection may be set up for rows of another kind.

    :param connection: a DB-API connection
    """
    driver = type(connection).__module__.partition(".")[0]
    if driver == "psycopg2":
        plain = import_module("psycopg2.extensions").cursor
        return connection.cursor(name=_fresh_name(), cursor_factory=plain)
    if driver == "psycopg":
        return connection.cursor(name=_fresh_name(), row_factory=import_module("psycopg.rows").tuple_row)
    if driver in _SERVER_SIDE_MYSQL:
        return connection.cursor(import_module(_SERVER_SIDE_MYSQL[driver]).SSCursor)
    return connection.cursor()


def _fresh_name() -> str:
    return f"instasent_{uuid.uuid4().hex}"
