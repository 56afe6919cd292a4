# SPDX-License-Identifier: Apache-2.0
"""Rows to make messages of, streamed from a list, CSV, JSON Lines, Parquet or a database cursor."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.files import lines_of

PARQUET_BATCH = 10_000
CURSOR_BATCH = 2_000
FORMATS = (".csv", ".jsonl", ".ndjson", ".parquet")

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read.

    :param reason: what is wrong with it, without its values
    """

    reason: str


Row = Values | BadRow


def rows_of_list(recipients: Iterable[Any], to_column: str | None) -> Iterator[Row]:
    """Yield the rows of a list in memory.

    :param recipients: numbers, or rows (mappings)
    :param to_column: the column under which a bare number appears; None where it takes a mapping
    """
    for recipient in recipients:
        if isinstance(recipient, Mapping):
            yield recipient
        elif to_column is not None and isinstance(recipient, str | int) and not isinstance(recipient, bool):
            yield {to_column: recipient}
        else:
            wanted = "a mapping with `to` and `text`" if to_column is None else "a number or a row"
            yield BadRow(f"must be {wanted}, not {type(recipient).__name__}")


def rows_of_path(path: Any, name: str, to_column: str | None = None) -> Iterator[Row]:
    """Yield the rows of a file, by its ending: `.csv` (with a header), `.jsonl`, `.ndjson` or `.parquet`.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :param name: the parameter it comes from, for errors
    :param to_column: the column that it must have, where the file names its columns; None for any
    :raises ConfigurationError: where it is no such file, or pyarrow is missing
    :raises OSError: where it cannot be read
    """
    ending = PurePosixPath(str(path.name)).suffix.lower()
    if ending == ".csv":
        return _rows_of_csv(path, name, to_column)
    if ending in {".jsonl", ".ndjson"}:
        return _rows_of_json_lines(path)
    if ending == ".parquet":
        return _rows_of_parquet(path, name, to_column)
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
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ConfigurationError(f"`sql` names a column twice ({', '.join(twice)[:100]}): tell them apart with AS")
    _check_column(columns, "sql", to_column)
    return columns


def _rows_of_csv(path: Any, name: str, to_column: str | None) -> Iterator[Row]:
    with path.open("rb") as binary, io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        read = 0
        try:
            header = _header(next(reader, []), name, to_column)
            for values in reader:
                if values:
                    yield _row_of_csv(header, values)
                    read += 1
        except UnicodeDecodeError:
            raise ConfigurationError(
                f"`{name}` is not UTF-8, at about row {read}: save it with that encoding"
            ) from None
        except csv.Error as error:
            raise ConfigurationError(f"`{name}` is no CSV after row {read}: {error}") from None


def _row_of_csv(header: Sequence[str], values: Sequence[str]) -> Row:
    if len(values) != len(header):
        return BadRow(f"has {len(values)} columns where the header has {len(header)}")
    return dict(zip(header, values, strict=True))


def _header(names: Sequence[str], name: str, to_column: str | None) -> list[str]:
    header = [column.strip() for column in names]
    if not header or not all(header):
        raise ConfigurationError(f"`{name}` needs a first line that names every column")
    if len(set(header)) != len(header):
        raise ConfigurationError(f"`{name}` names a column twice in its first line")
    _check_column(header, name, to_column, "; the first line must name the columns, separated by commas")
    return header


def _check_column(columns: Sequence[str], name: str, to_column: str | None, hint: str = "") -> None:
    # Without showing the columns: where the header was forgotten, they are somebody's data.
    if to_column is not None and to_column not in columns:
        raise ConfigurationError(f"`{name}` has no column `{to_column}` (`to_column`) among its {len(columns)}{hint}")


def _rows_of_json_lines(path: Any) -> Iterator[Row]:
    for line in lines_of(path):
        if line.strip():
            yield _row_of_json(line)


def _row_of_json(line: bytes) -> Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return BadRow("is not JSON")
    return row if isinstance(row, dict) else BadRow("is not a JSON object")


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
                _check_column(file.schema_arrow.names, name, to_column)
                for batch in file.iter_batches(batch_size=PARQUET_BATCH):
                    yield from batch.to_pylist()
        except ArrowException as error:
            raise ConfigurationError(f"`{name}` is no Parquet file that can be read ({type(error).__name__})") from None
