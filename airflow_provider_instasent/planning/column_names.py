# SPDX-License-Identifier: Apache-2.0
"""The names of a file's, a table's or a row's columns: which there are, and whether they are names at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.numbers import mask_in

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_LISTED = 12
_LONGEST_NAME = 40
_DIGITS_OF_DATA = 4
"""A name of a column has fewer digits; a phone number, however badly written, has more."""


def listed(names: Iterable[Any]) -> str:
    """Return what columns there are, for an error: without showing them where they are somebody's data.

    :param names: of the columns
    """
    known = [str(name) for name in names]
    if any(map(is_data, known)):
        return f"there are {len(known)} columns, and their names look like data: is the line with the names missing?"
    shown = ", ".join(mask_in(name[:_LONGEST_NAME]) for name in known[:_MOST_LISTED])
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"the columns are: {shown}{more}" if known else "there are no columns"


def is_data(name: str) -> bool:
    """Tell whether what stands in place of a column's name is a value: it begins with no letter, or is full of digits.

    :param name: a cell of a first line
    """
    name = name.strip()
    return not (name[:1].isalpha() or name[:1] == "_") or sum(map(str.isdigit, name)) >= _DIGITS_OF_DATA


def check_columns(columns: Iterable[Any], parameter: str, to_column: str | None, hint: str = "") -> None:
    """Check that there is the column with the number.

    :param columns: the names that there are
    :param parameter: what they are of, for the error
    :param to_column: the name of that column, or None for any
    :param hint: more that may be wrong
    :raises ConfigurationError: where there is none
    """
    names = list(columns)
    if to_column is not None and to_column not in names:
        raise ConfigurationError(f"`{parameter}` has no column `{to_column}` (`to_column`); {listed(names)}{hint}")
