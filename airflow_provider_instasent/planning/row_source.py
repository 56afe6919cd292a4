# SPDX-License-Identifier: Apache-2.0
"""Rows to make messages of, streamed from a list, CSV, JSON Lines, Parquet or a database cursor."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, SupportsIndex

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.missing_values import is_missing
from airflow_provider_instasent.api.number_cells import ExponentFloat
from airflow_provider_instasent.planning.column_names import check_columns
from airflow_provider_instasent.planning.csv_rows import rows_of_csv
from airflow_provider_instasent.planning.data_frames import columns_of_frame, rows_of_frame
from airflow_provider_instasent.planning.file_format import FileFormat
from airflow_provider_instasent.planning.rows import BadRow, FileRow, Row
from airflow_provider_instasent.planning.text_lines import text_file

PARQUET_BATCH = 10_000
CURSOR_BATCH = 2_000
FORMATS = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_ANY_FORMAT = FileFormat()
_inexact = re.compile(r"\b(?:float32|float16|halffloat|float)\b", re.IGNORECASE).search
"""Types of columns that hold no more than seven digits, by their names in pandas, polars and pyarrow."""
_NUMBERS = (str, float, Decimal, SupportsIndex)


def rows_of_list(recipients: Iterable[Any], to_column: str | None) -> Iterator[Row]:
    """Yield the rows of a list in memory.

    :param recipients: numbers, or rows (mappings)
    :param to_column: the column under which a bare number appears; None where it takes a mapping
    """
    for recipient in recipients:
        if isinstance(recipient, Mapping):
            yield recipient
        elif to_column is not None and isinstance(recipient, _NUMBERS) and not isinstance(recipient, bool):
            yield {to_column: recipient}
        else:
            wanted = "a mapping with `to` and `text`" if to_column is None else "a number or a row"
            yield BadRow(f"must be {wanted}, not {type(recipient).__name__}")


def rows_of_path(
    path: Any,
    name: str,
    to_column: str | None = None,
    file_format: FileFormat = _ANY_FORMAT,
    *,
    or_only: bool = False,
) -> Iterator[Row]:
    """Yield the rows of a file, by its ending: `.csv` or `.tsv` (with a header), `.jsonl`, `.ndjson` or `.parquet`.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :param name: the parameter it comes from, for errors
    :param to_column: the column that it must have, where the file names its columns; None for any
    :param file_format: delimiter of a CSV, and encoding of a CSV or of JSON Lines
    :param or_only: whether its only column will do, whatever its name
    :raises ConfigurationError: where it is no such file, or pyarrow is missing
    :raises OSError: where it cannot be read
    """
    ending = PurePosixPath(str(path.name)).suffix.lower()
    if ending in {".csv", ".tsv"}:
        return _without_blank_end(rows_of_csv(path, name, to_column, file_format, or_only=or_only))
    if ending in {".jsonl", ".ndjson"}:
        return _rows_of_json_lines(path, name, file_format)
    if ending == ".parquet":
        return _without_blank_end(_rows_of_parquet(path, name, None if or_only else to_column))
    raise ConfigurationError(f"`{name}` must be a file that ends in {', '.join(FORMATS)}")


def rows_of_cursor(cursor: Any, to_column: str | None = None) -> Iterator[Row]:
    """Yield the rows of an executed DB-API cursor.

    :param cursor: with `description` and `fetchmany`; its rows are sequences
    :param to_column: the column that it must have; None for any
    :raises ConfigurationError: where it has none of that name, or two of one
    """
    columns: list[str] | None = None
    while fetched := cursor.fetchmany(CURSOR_BATCH):
        if columns is None:
            # A server-side cursor knows its columns only after the first fetch.
            columns = _columns_of_cursor(cursor, to_column)
        for values in fetched:
            yield dict(zip(columns, values, strict=True))


def _columns_of_cursor(cursor: Any, to_column: str | None) -> list[str]:
    columns = [column[0] for column in cursor.description]
    check_columns(columns, "sql", to_column)
    return columns


def rows_of_data_frame(frame: Any, name: str, to_column: str | None = None) -> Iterator[Row]:
    """Yield the rows of a data frame but for those at its end that are blank, as spreadsheets leave them.

    :param frame: of pandas, polars or pyarrow
    :param name: the parameter it comes from, for errors
    :param to_column: the column that it must have, or None for any
    :raises ConfigurationError: where it has none of that name
    """
    columns = columns_of_frame(frame)
    check_columns([column for column, _ in columns], name, to_column)
    _check_types(columns, name, to_column)
    return _without_blank_end(rows_of_frame(frame))


def check_series(values: Any, name: str) -> None:
    """Refuse a series or an array of numbers that has lost their last digits, or whose first number is its name.

    :param values: any list; one without a type and a name passes
    :param name: the parameter it comes from, for errors
    :raises ConfigurationError: says what to do
    """
    title, kind = getattr(values, "name", None), getattr(values, "dtype", None)
    if kind is not None:
        check_columns([] if title is None else [title], name, None)
    single = "float32" if getattr(values, "typecode", None) == "f" else str(kind)
    _check_types([(title, single)], name, title)


def _check_types(columns: Sequence[tuple[Any, str]], name: str, to_column: str | None) -> None:
    """Refuse a column of numbers whose type has lost their last digits: to Python they look exact."""
    for column, kind in columns:
        if _inexact(kind) and (column == to_column or len(columns) == 1):
            raise ConfigurationError(
                f"`{name}` has its numbers as {kind}, which has lost their last digits: keep the column as text"
            )


def _without_blank_end(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield rows but for those at the end that are blank, as spreadsheets leave them; where all are, they are rows."""
    held: list[Row] = []
    is_empty = True
    for row in rows:
        if isinstance(row, Mapping) and all(map(_is_blank, row.values())):
            held.append(row)
            continue
        yield from held
        held.clear()
        is_empty = False
        yield row
    if is_empty:
        yield from held


def _is_blank(value: Any) -> bool:
    return not value.strip() if isinstance(value, str) else is_missing(value)


def _rows_of_json_lines(path: Any, name: str, file_format: FileFormat) -> Iterator[Row]:
    with text_file(path, name, file_format.encoding) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield _row_of_json(line, number)


def _row_of_json(line: str, number: int) -> Row:
    try:
        values = json.loads(line, parse_float=_float, object_pairs_hook=_object)
    except _TwiceError:
        return BadRow("names a value twice", number)
    except (ValueError, RecursionError):
        return BadRow("is not JSON", number)
    if not isinstance(values, dict):
        return BadRow("is not a JSON object", number)
    row = FileRow(values)
    row.line = number
    return row


class _TwiceError(ValueError):
    """A JSON object has two values of one name, and nothing tells which is meant."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise _TwiceError
    return values


def _float(literal: str) -> float:
    return ExponentFloat(literal) if "e" in literal or "E" in literal else float(literal)


def _rows_of_parquet(path: Any, name: str, to_column: str | None) -> Iterator[Row]:
    try:
        from pyarrow import ArrowException, parquet  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError(
            "reading Parquet needs pyarrow: pip install 'airflow-provider-instasent[parquet]'"
        ) from None
    with path.open("rb") as stream:
        try:
            with parquet.ParquetFile(stream) as file:
                check_columns(file.schema_arrow.names, name, to_column)
                _check_types([(field.name, str(field.type)) for field in file.schema_arrow], name, to_column)
                for batch in file.iter_batches(batch_size=PARQUET_BATCH):
                    yield from batch.to_pylist()
        except (ArrowException, ArithmeticError, LookupError, ValueError) as error:  # of values that Python has not
            raise ConfigurationError(f"`{name}` is no Parquet file that can be read ({type(error).__name__})") from None
