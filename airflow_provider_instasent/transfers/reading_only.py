# SPDX-License-Identifier: Apache-2.0
"""Tell a query from a statement that changes something, before it is executed: it would be at each try."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_instasent.api.errors import ConfigurationError

_BEGINNINGS = {"SELECT", "WITH", "VALUES", "TABLE", "FROM", "SHOW"}
"""How a statement begins that yields rows; `FROM` is DuckDB's and Hive's way."""
_CHANGES = {"INSERT", "UPDATE", "DELETE", "MERGE", "UPSERT", "REPLACE", "INTO"}
_CHANGES |= {"CREATE", "ALTER", "DROP", "TRUNCATE", "GRANT", "REVOKE", "EXEC", "EXECUTE", "CALL"}
"""Words that change something wherever they stand: in a CTE, behind one, or behind a query without a semicolon."""
_FUNCTIONS = {"INSERT", "REPLACE", "TRUNCATE"}
"""Those that are functions, too: `replace(phone, ' ', '')`."""


def check_reads_only(sql: Any) -> None:
    """Check that `sql` is one query, which yields rows and changes nothing, as far as its words tell.

    What a function does that it calls, nobody can read off it.

    :param sql: rendered
    :raises ConfigurationError: says what it is in place of a query
    """
    if not isinstance(sql, str):
        raise _refused(f"is a {type(sql).__name__}: give one query as a string, or the path of a `.sql` file")
    first, *others = _statements(sql) or [[]]
    if not first:
        raise _refused("is empty" if not others else "begins with an empty statement")
    if others:
        raise _refused(f"holds {len(others) + 1} statements: give one query")
    begins = next((word for word in first if word != "("), "")
    if begins not in _BEGINNINGS:
        raise _refused(f"begins with `{begins[:30]}`: give a query, such as a SELECT")
    if change := next((word for place, word in enumerate(first) if _changes(first, place)), None):
        raise _refused(
            f"has `{change}`, which changes something: give a query that only reads. A column of that name goes into "
            "quotes"
        )


def check_yields_rows(cursor: Any) -> None:
    """Check that an executed statement has rows to give, be they none.

    :param cursor: a DB-API cursor; a named one, of PostgreSQL, may know its columns only later, and takes only queries
    :raises ConfigurationError: where it has none
    """
    if cursor.description is None and not getattr(cursor, "name", None):
        raise ConfigurationError(
            "`sql` is no query: it was executed and gave no rows. We committed nothing of it, and sent nothing."
        )


def _statements(sql: str) -> list[list[str]]:
    """Return the statements as their words, upper case; what is quoted is left as an empty word."""
    from sqlparse import lexer, tokens

    statements: list[list[str]] = [[]]
    for kind, value in lexer.tokenize(sql.lstrip("\ufeff")):  # type: ignore[no-untyped-call]
        if kind in tokens.Whitespace or (kind in tokens.Comment and not _may_be_executed(value)):
            continue
        if kind in tokens.Comment or (kind in tokens.Literal and "\\'" in value):
            # Some databases read on where others have a comment, or still a text.
            statements[-1] += [word for word in _words(value) if word != ";"]
            if ";" in value:
                statements.append([])
            continue
        if kind in tokens.Punctuation and value == ";":
            statements.append([])
        elif kind in tokens.Literal:
            statements[-1].append("")
        else:
            statements[-1] += value.upper().split()
    while statements and not statements[-1]:
        statements.pop()
    return statements


def _may_be_executed(comment: str) -> bool:
    """Tell whether a comment is none to some database: MySQL executes `/*! … */`, and to PostgreSQL `#` begins none."""
    return comment.startswith(("/*!", "#"))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|\S", text.upper())


def _changes(words: list[str], place: int) -> bool:
    """Tell whether a word is one that changes something, rather than a function's name, a column's or a lock's."""
    word, before = words[place], words[place - 1] if place else ""
    after = words[place + 1] if place + 1 < len(words) else ""
    if word not in _CHANGES or before in {".", "AS"} or after == ".":
        return False
    if word == "UPDATE" and before in {"FOR", "KEY"}:  # SELECT … FOR NO KEY UPDATE
        return False
    if word == "MERGE" and after == "JOIN":  # of SQL Server
        return False
    return word not in _FUNCTIONS or after != "("


def _refused(reason: str) -> ConfigurationError:
    return ConfigurationError(f"`sql` {reason}. It was not executed, and nothing was sent.")
