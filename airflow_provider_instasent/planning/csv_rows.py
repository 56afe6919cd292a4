# SPDX-License-Identifier: Apache-2.0
"""The rows of a CSV, read strictly: no quote may swallow a row, and no cell may get into another column.

Python's `csv`, in its strict mode too, takes whatever follows an unclosed quote for text, up to the next quote of
another row. So each record is held against its lines: a cell may have several, unless one of them is a row by itself.
"""

from __future__ import annotations

import csv
import logging
import re
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.encoding import composed
from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.missing_values import MISSING_IN_FILES
from airflow_provider_instasent.api.number_cells import FEWEST_DIGITS, looks_like_number
from airflow_provider_instasent.api.numbers import digits
from airflow_provider_instasent.planning.column_names import check_columns, is_data
from airflow_provider_instasent.planning.csv_dialect import delimiter_of, separator_line, spoken
from airflow_provider_instasent.planning.rows import BadRow, FileRow
from airflow_provider_instasent.planning.text_lines import text_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_provider_instasent.planning.file_format import FileFormat
    from airflow_provider_instasent.planning.rows import Row
    from airflow_provider_instasent.planning.text_lines import TextFile

log = logging.getLogger(__name__)

_TYPOGRAPHIC = "“”„‟«»"
_FIX = "close each quote in its own cell, double those inside one, write such cells on one line, or use JSON Lines"


def rows_of_csv(
    path: Any, name: str, to_column: str | None, file_format: FileFormat, *, or_only: bool = False
) -> Iterator[Row]:
    """Yield the rows of a CSV; blank lines are none.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :param name: the parameter it comes from, for errors
    :param to_column: the column that it must have, or None for any
    :param file_format: delimiter and encoding
    :param or_only: whether its only column will do, whatever its name; such a file needs no first line of names
    :raises ConfigurationError: where it is no CSV, or a quote swallows rows; says on which line
    :raises OSError: where it cannot be read
    """
    with text_file(path, name, file_format.encoding) as file:
        yield from _CsvReader(file, name, to_column, file_format, or_only=or_only)


class _CsvReader:
    """Reads one CSV.

    :param file: at its beginning
    :param name: the parameter it comes from
    :param to_column: the column that it must have, or None for any
    :param file_format: delimiter and encoding
    :param or_only: whether its only column will do
    """

    def __init__(
        self, file: TextFile, name: str, to_column: str | None, file_format: FileFormat, *, or_only: bool
    ) -> None:
        self._file = file
        self._name = name
        self._to_column = to_column
        self._or_only = or_only
        self._header: list[str] = []
        self._has_unnamed = False
        delimiter = delimiter_of(file.beginning, name, to_column, file_format.delimiter)
        log.info("`%s`: CSV in %s, separated by %s.", name, file.encoding.upper(), spoken(delimiter))
        self._delimiter = delimiter
        cell = rf'(?:"(?:[^"]|"")*+"|="[^"]*+"|[^"{re.escape(delimiter)}]*+)'
        self._is_strict = re.compile(rf"{cell}(?:{re.escape(delimiter)}{cell})*+[\r\n]*").fullmatch
        self._lines: list[str] = []
        """Those of the record that is being read."""

    def __iter__(self) -> Iterator[Row]:
        for line, values in self._records():
            if any(map(str.strip, values)):
                yield self._row(line, values)
            else:
                yield self._on_line(line, dict.fromkeys(self._header, ""))

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each record after the first line, and the number of the line on which it begins."""
        reader = csv.reader(self._remembered(), delimiter=self._delimiter, strict=True)
        try:
            first = next(reader, [])
            if self._lines and separator_line(self._lines[0]) is not None:
                self._lines.clear()
                first = next(reader, [])
            self._header = self._header_of(first)
            if len(self._lines) > 1:
                self._check_lines(max(1, reader.line_num - len(self._lines) + 1), [])
            if self._or_only and len(first) == 1 and is_data(first[0]):
                yield reader.line_num, first
            self._lines.clear()
            for values in reader:
                line = reader.line_num - len(self._lines) + 1
                if len(self._lines) > 1 or "\r" in self._lines[0][:-2]:
                    self._check_lines(line, values)
                if values:
                    yield line, values
                self._lines.clear()
        except csv.Error as error:
            line = max(1, reader.line_num - len(self._lines) + 1)
            raise ConfigurationError(
                f"`{self._name}` is no CSV, in the row that begins on line {line} ({error}). Nothing was sent. "
                f"Where it is a quote: {_FIX}."
            ) from None

    def _remembered(self) -> Iterator[str]:
        lines = self._lines
        for line in self._file:
            lines.append(line)
            yield line

    def _row(self, line: int, values: Sequence[str]) -> Row:
        header, lines = self._header, self._lines
        if len(values) != len(header):
            return BadRow(f"has {len(values)} cells where the first line names {len(header)} columns", line)
        if len(lines) > 1 or '"' in lines[0] or not lines[0].isascii():
            if not self._is_strict("".join(lines)):
                return BadRow("has a quote in the middle of a cell", line)
            if any(sum(map(cell.count, _TYPOGRAPHIC)) % 2 for cell in values):
                return BadRow("has a quote that is opened in one cell and not closed in it", line)
            values = [_unguarded(cell) for cell in values]
        row = self._on_line(line, zip(header, values, strict=True))
        if not MISSING_IN_FILES.isdisjoint(values):
            row.update({name: None for name, cell in row.items() if cell in MISSING_IN_FILES})
        return row

    def _on_line(self, line: int, cells: Any) -> FileRow:
        row = FileRow(cells)
        row.line = line
        if self._has_unnamed:
            row.pop("", None)
        return row

    def _header_of(self, first: Sequence[str]) -> list[str]:
        header = [composed(cell.strip().lstrip("\ufeff")) for cell in first]
        if not any(header):
            raise ConfigurationError(f"`{self._name}` needs a first line that names its columns")
        if self._or_only and len(header) == 1 and self._to_column is not None:
            return [self._to_column]
        # Those without a name cannot be asked for: the index of a data frame, or what is behind a last delimiter.
        named = [name for name in header if name]
        self._has_unnamed = len(named) < len(header)
        check_columns(named, self._name, self._to_column, f", read as separated by {spoken(self._delimiter)}")
        return header

    def _check_lines(self, first: int, values: Sequence[str]) -> None:
        """Refuse a record of several lines one of which is another row by itself: a quote has swallowed it.

        :param first: the number of the record's first line
        :param values: its cells
        """
        place = 0 if self._to_column is None else self._header.index(self._to_column)
        own = digits(values[place]) if place < len(values) else ""
        for number, line in enumerate("".join(self._lines).splitlines(), first):
            found = self._numbers_in(line.split(self._delimiter), place)
            if own and own in found:
                # Beside it there may be a date. In another line it is another row of the same person.
                found, own = [one for one in found if one != own and len(one) == len(own)], ""
            if found:
                raise ConfigurationError(
                    f"`{self._name}`: for a quote, the row that begins on line {first} ends on line "
                    f"{first + len(self._lines) - 1}, and line {number} is another row by itself. Nothing was sent: "
                    f"{_FIX}."
                )

    def _numbers_in(self, cells: Sequence[str], place: int) -> list[str]:
        """Return the digits of what a line has where a row has its number, from the left or from the right.

        :param cells: of the line, split at each delimiter, those inside quotes too
        :param place: of the column with the number
        """
        places = {place, len(cells) - len(self._header) + place}
        return [
            digits(cells[one]) for one in places if 0 <= one < len(cells) and self._is_number(cells[one], len(cells))
        ]

    def _is_number(self, cell: str, width: int) -> bool:
        """Tell whether a cell has a row's number, among words too where the line has as many cells as a row."""
        bare = cell.strip(f"{_TYPOGRAPHIC}\"' \r\n")
        return looks_like_number(bare) or (width == len(self._header) and len(digits(bare)) >= FEWEST_DIGITS)


def _unguarded(cell: str) -> str:
    """Return a cell without the `="…"` by which programs keep Excel from taking it for an amount."""
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
