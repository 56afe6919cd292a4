# SPDX-License-Identifier: Apache-2.0
"""The names of a file's, a table's or a row's columns: which there are, and whether they are names at all."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.numbers import mask_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_MOST_LISTED = 12
_LONGEST_NAME = 40
_DIGITS_OF_DATA = 4
"""A name of a column has fewer digits; a phone number, however badly written, has more."""


def listed(names: Iterable[Any]) -> str:
    """Return what columns there are, for an error: without showing them where they are somebody's data.

    :param names: of the columns
    """
    known = [str(name) for name in names]
    if any(map(holds_data, known)):
        return f"there are {len(known)} columns, and their names look like data: is the line with the names missing?"
    return f"the columns are: {shown(known)}" if known else "there are no columns"


def shown(names: Sequence[Any]) -> str:
    """Return names as an error may show them: the first ones, cut, and numbers masked.

    :param names: of columns or fields
    """
    # A name may hold what cannot be encoded.
    first = [str(name)[:_LONGEST_NAME].encode(errors="replace").decode() for name in names[:_MOST_LISTED]]
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return mask_in(", ".join(first)) + more


def holds_data(name: str) -> bool:
    """Tell whether what stands in place of a column's name has as many digits as only a value has."""
    return sum(map(str.isdigit, name)) >= _DIGITS_OF_DATA


def is_data(name: str) -> bool:
    """Tell whether the only cell of a first line is a value, not a name: it begins with no letter, or has digits.

    :param name: the cell
    """
    name = name.strip()
    return not (name[:1].isalpha() or name[:1] == "_") or holds_data(name)


def check_columns(columns: Iterable[Any], parameter: str, to_column: str | None, hint: str = "") -> None:
    """Check that no name occurs twice, and that there is the column with the number.

    :param columns: the names that there are
    :param parameter: what they are of, for the error
    :param to_column: the name of that column, or None for any
    :param hint: more that may be wrong
    :raises ConfigurationError: where it is otherwise
    """
    names = list(columns)
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigurationError(
            f"`{parameter}` has several columns of one name, and nothing tells which is meant: "
            + ("they look like data" if any(holds_data(str(name)) for name in twice) else shown(twice))
        )
    if to_column is None and len(names) == 1 and holds_data(str(names[0])):
        raise ConfigurationError(f"`{parameter}` has one column, and its name looks like its first number: name it")
    if to_column is not None and to_column not in names:
        raise ConfigurationError(f"`{parameter}` has no column `{to_column}` (`to_column`){hint}; {listed(names)}")
