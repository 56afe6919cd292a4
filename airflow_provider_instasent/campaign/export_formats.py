# SPDX-License-Identifier: Apache-2.0
"""JSON objects of unknown shape as JSON Lines or Parquet, streamed."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

ROWS_A_WRITE = 2_000
JSON_LINES = (".jsonl", ".ndjson")
PARQUET = ".parquet"


def ending_of(path: Any) -> str:
    """Return the ending of a file's name, which says its format.

    :raises ConfigurationError: where it is another one
    """
    ending = "." + str(path).rpartition(".")[2].lower()
    if ending not in {*JSON_LINES, PARQUET}:
        raise ConfigurationError(f"`results_path` must end in {', '.join((*JSON_LINES, PARQUET))}")
    return ending


def write_rows(path: Any, rows: Iterator[str], kinds: Mapping[str, AbstractSet[str]]) -> int:
    """Write JSON objects to a file and return how many.

    :param path: a `pathlib.Path` or an `ObjectStoragePath` of a `.jsonl`, `.ndjson` or `.parquet` file; replaced whole
    :param rows: each a JSON object in one line
    :param kinds: for Parquet, the kinds of values that each column holds: `null`, `boolean`, `integer`, `number`,
        `string` or `other`; a column with several is one of strings
    :raises ConfigurationError: where the ending is another one, or pyarrow is missing
    :raises OSError: where it cannot be written
    """
    write = _write_parquet if ending_of(path) == PARQUET else _write_json_lines
    with replacing(path) as stream:
        return write(stream, rows, kinds)


def _write_json_lines(stream: Any, rows: Iterator[str], _kinds: Mapping[str, AbstractSet[str]]) -> int:
    count = 0
    while batch := list(islice(rows, ROWS_A_WRITE)):
        stream.write("".join(f"{row}\n" for row in batch).encode())
        count += len(batch)
    return count


def _write_parquet(stream: Any, rows: Iterator[str], kinds: Mapping[str, AbstractSet[str]]) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415 - as above
    except ImportError:
        raise ConfigurationError(
            "writing Parquet needs pyarrow: pip install 'airflow-provider-instasent[parquet]'"
        ) from None
    types = {
        "boolean": pa.bool_(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "string": pa.string(),
    }
    columns = {name: _column(of) for name, of in ({"id": {"string"}} | dict(kinds)).items()}
    schema = pa.schema([(name, types[kind]) for name, kind in columns.items()])
    count = 0
    with parquet.ParquetWriter(stream, schema) as writer:
        while batch := [json.loads(row) for row in islice(rows, ROWS_A_WRITE)]:
            values = {name: [_cell(row.get(name), kind) for row in batch] for name, kind in columns.items()}
            writer.write_batch(pa.RecordBatch.from_pydict(values, schema=schema))
            count += len(batch)
    return count


def _column(kinds: AbstractSet[str]) -> str:
    """Return the one kind that holds all values of a column."""
    kinds = kinds - {"null"}
    if kinds == {"integer", "number"}:
        return "number"
    return next(iter(kinds)) if len(kinds) == 1 and "other" not in kinds else "string"


def _cell(value: Any, kind: str) -> Any:
    if kind != "string" or value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
