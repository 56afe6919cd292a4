# SPDX-License-Identifier: Apache-2.0
"""Which character separates the cells of a CSV: told from its first lines, or not at all."""

from __future__ import annotations

import csv
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.planning.file_format import AUTO

if TYPE_CHECKING:
    from collections.abc import Sequence

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

_separator_line = re.compile(r'"?sep=(?P<delimiter>[^"\r\n])"?[\r\n]*', re.IGNORECASE).fullmatch


def delimiter_of(lines: Sequence[str], name: str, to_column: str | None, wanted: str) -> str:
    """Return the delimiter of a CSV.

    Of several it is the one by which the first line names the column with the number; without such a column, the only
    one by which all lines have as many cells as the first.

    :param lines: the first ones, whole
    :param name: the parameter it comes from, for errors
    :param to_column: the column that it must have, or None for any
    :param wanted: what the user says, or `auto`
    :raises ConfigurationError: where it cannot be told, or is not what the user says
    """
    told = separator_line(lines[0]) if lines else None
    if wanted != AUTO:
        if told not in {None, wanted}:
            raise ConfigurationError(f"`{name}` says itself that `{told}` separates its cells, and `delimiter` differs")
        return wanted
    if told is not None:
        return told
    widths = {delimiter: _widths(lines, delimiter) for delimiter in DELIMITERS}
    likely = [delimiter for delimiter, found in widths.items() if found and found[0] > 1]
    if len(likely) > 1:
        narrowed = [one for one in likely if to_column is not None and to_column in _header(lines, one)]
        likely = narrowed or [one for one in likely if len(set(widths[one])) == 1] or likely
    if len(likely) > 1:
        raise ConfigurationError(
            f"`{name}` may be separated by {' or '.join(_NAMES[one] for one in likely)}: say which with `delimiter`"
        )
    return likely[0] if likely else DELIMITERS[0]


def separator_line(line: str) -> str | None:
    """Return the delimiter that Excel's line `sep=;` names, or None where it is another line."""
    found = _separator_line(line)
    return None if found is None else found["delimiter"]


def spoken(delimiter: str) -> str:
    """Return a delimiter's name, for people."""
    return _NAMES.get(delimiter, f"`{delimiter}`")


def _header(lines: Sequence[str], delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader(lines, delimiter=delimiter), [])]


def _widths(lines: Sequence[str], delimiter: str) -> list[int]:
    """Return how many cells the rows have, up to one that cannot be read."""
    widths: list[int] = []
    with suppress(csv.Error):
        widths.extend(len(row) for row in csv.reader(lines, delimiter=delimiter, strict=True) if row)
    return widths
