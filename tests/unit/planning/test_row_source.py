# SPDX-License-Identifier: Apache-2.0

"""Rows out of lists, files and cursors."""

from __future__ import annotations

import sqlite3

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.missing_values import is_missing
from airflow_provider_instasent.api.number_cells import ExponentFloat
from airflow_provider_instasent.planning.file_format import FileFormat
from airflow_provider_instasent.planning.row_source import (
    rows_of_cursor,
    rows_of_data_frame,
    rows_of_list,
    rows_of_path,
)
from airflow_provider_instasent.planning.rows import BadRow


def rows(path, to_column="to"):
    return list(rows_of_path(path, "recipients", to_column))


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_list_holds_numbers_or_rows():
    mixed = ["600", 34600, {"to": "1", "name": "A"}, *pd.Series([602]), *pd.Series([603.0, None])]
    *known, last = rows_of_list(mixed, "to")
    assert known == [{"to": "600"}, {"to": 34600}, {"to": "1", "name": "A"}, {"to": 602}, {"to": 603.0}]
    assert is_missing(last["to"])


@pytest.mark.parametrize("item", [None, True, ["600"], object()])
def test_what_is_neither_is_a_bad_row_of_its_own(item):
    first, bad, last = rows_of_list(["1", item, "2"], "to")
    assert (first, last) == ({"to": "1"}, {"to": "2"})
    assert bad == BadRow(f"must be a number or a row, not {type(item).__name__}")


def test_a_whole_message_is_a_mapping():
    (bad,) = rows_of_list(["+34600000001"], None)
    assert bad == BadRow("must be a mapping with `to` and `text`, not str")


def test_json_lines(tmp_path):
    content = '\ufeff{"to": "600", "name": null}\n\n[1]\nnot json\n{"to": 601}\n' + "[" * 100_000 + '\n{"to": "602"}'
    for name in ("a.jsonl", "a.ndjson"):
        assert rows(written(tmp_path, name, content)) == [
            {"to": "600", "name": None},
            BadRow("is not a JSON object", 3),
            BadRow("is not JSON", 4),
            {"to": 601},
            BadRow("is not JSON", 6),
            {"to": "602"},
        ]


def test_json_lines_in_another_encoding_are_read_where_that_is_told(tmp_path):
    text = '{"to": "600", "name": "Muñoz"}\n{"to": "601"}\n'
    expected = [{"to": "600", "name": "Muñoz"}, {"to": "601"}]
    assert rows(written(tmp_path, "a.jsonl", text.encode("utf-16"))) == expected
    assert rows(written(tmp_path, "a.jsonl", text.replace("\n", "\r").encode())) == expected
    path = written(tmp_path, "a.jsonl", text.encode("cp1252"))
    assert list(rows_of_path(path, "recipients", "to", FileFormat(encoding="cp1252"))) == expected
    with pytest.raises(ConfigurationError, match="`recipients` is not UTF-8, on line 1"):
        rows(path)


def test_a_json_object_with_two_values_of_one_name_is_a_bad_row(tmp_path):
    path = written(
        tmp_path, "a.jsonl", '{"to": "600", "to": "601"}\n{"to": "602", "n": {"a": 1, "a": 2}}\n{"to": "603"}\n'
    )
    assert rows(path) == [BadRow("names a value twice", 1), BadRow("names a value twice", 2), {"to": "603"}]


def test_a_row_of_json_knows_its_line_and_what_was_written_with_an_exponent(tmp_path):
    path = written(tmp_path, "a.jsonl", '\n{"to": 3.46E+10, "n": [1e3, 0.5]}\n')
    (row,) = rows(path)
    assert (row.line, type(row["to"]), type(row["n"][0]), type(row["n"][1])) == (2, ExponentFloat, ExponentFloat, float)


def frames(columns):
    return [pd.DataFrame(columns), pl.DataFrame(columns, strict=False), pa.table(columns)]


@pytest.mark.parametrize("kind", range(3))
def test_a_data_frame_has_rows(kind):
    frame = frames({"to": ["600", "601", "602"], "name": ["Ana", None, "Eva"]})[kind]
    found = list(rows_of_data_frame(frame, "recipients", "to"))
    assert [row["to"] for row in found] == ["600", "601", "602"]
    assert [is_missing(row["name"]) for row in found] == [False, True, False]


@pytest.mark.parametrize("kind", range(3))
def test_blank_rows_at_the_end_of_a_data_frame_are_none(kind):
    frame = frames({"to": ["600", None, "602", None, None], "name": ["A", None, "C", " ", None]})[kind]
    assert [row["name"] for row in rows_of_data_frame(frame, "recipients", "to")][::2] == ["A", "C"]
    blank = frames({"to": [None, None]})[kind]
    assert len(list(rows_of_data_frame(blank, "recipients", "to"))) == 2


@pytest.mark.parametrize("kind", range(3))
def test_a_data_frame_without_the_column_is_refused(kind):
    with pytest.raises(ConfigurationError, match=r"`recipients` has no column `to`.*the columns are: phone, name"):
        rows_of_data_frame(frames({"phone": ["1"], "name": ["A"]})[kind], "recipients", "to")


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"to": np.array([612345678], dtype="float32")}),
        pl.DataFrame({"to": [612345678]}, schema={"to": pl.Float32}),
        pa.table({"to": pa.array(np.array([612345678], dtype="float32"))}),
    ],
    ids=["pandas", "polars", "pyarrow"],
)
@pytest.mark.parametrize("to_column", ["to", None])
def test_a_column_of_numbers_that_has_lost_digits_is_refused(tmp_path, frame, to_column):
    with pytest.raises(ConfigurationError, match=r"has its numbers as .*, which has lost their last digits"):
        rows_of_data_frame(frame, "recipients", to_column)
    if isinstance(frame, pa.Table):
        parquet.write_table(frame, tmp_path / "a.parquet")
        with pytest.raises(ConfigurationError, match="lost their last digits"):
            rows(tmp_path / "a.parquet", to_column)


def test_two_columns_of_one_name_are_refused(tmp_path):
    frame = pd.DataFrame([["600000001", "Ana", "600000002"]], columns=["to", "name", "to"])
    with pytest.raises(ConfigurationError, match=r"`recipients` has several columns of one name.*: to"):
        rows_of_data_frame(frame, "recipients", "to")
    table = pa.Table.from_arrays([pa.array(["1"]), pa.array(["2"])], names=["to", "to"])
    parquet.write_table(table, tmp_path / "a.parquet")
    for wanted in ("to", None):
        with pytest.raises(ConfigurationError, match="several columns of one name"):
            rows(tmp_path / "a.parquet", wanted)


def test_parquet_with_what_python_has_no_value_for_is_refused(tmp_path):
    table = pa.table({"to": ["1"], "day": pa.array([10_000_000], pa.date32())})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(ConfigurationError, match="no Parquet file that can be read"):
        rows(tmp_path / "a.parquet")


def test_blank_rows_at_the_end_of_a_file_are_none_and_others_are_bad(tmp_path):
    text = "to,name\n600,Ana\n;;,\n,\n601,Luis\n,\n , \n,,,\n"
    found = rows(written(tmp_path, "a.csv", text))
    assert [row["to"] for row in found] == ["600", ";;", "", "601"]
    assert [row.line for row in found] == [2, 3, 4, 5]
    assert rows(written(tmp_path, "a.csv", "to,name\n,\n,\n")) == [{"to": "", "name": ""}] * 2
    parquet.write_table(pa.table({"to": ["600", None, " "], "n": [1, None, None]}), tmp_path / "a.parquet")
    assert rows(tmp_path / "a.parquet") == [{"to": "600", "n": 1}]


def test_a_data_frame_is_read_in_batches_and_in_order():
    frame = pd.DataFrame({"to": range(5_001)})
    assert [row["to"] for row in rows_of_data_frame(frame, "recipients", "to")] == list(range(5_001))


def test_parquet_is_read_in_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.planning.row_source.PARQUET_BATCH", 100)
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"to": [str(n) for n in range(250)], "n": list(range(250))}), path)
    assert rows(path) == [{"to": str(n), "n": n} for n in range(250)]


def test_parquet_that_is_none(tmp_path):
    with pytest.raises(ConfigurationError, match="no Parquet file"):
        rows(written(tmp_path, "a.parquet", "to,name\n"))
    path = tmp_path / "b.parquet"
    parquet.write_table(pa.table({"phone": ["600"]}), path)
    with pytest.raises(ConfigurationError, match="no column `to`"):
        rows(path)
    assert rows(path, "phone") == [{"phone": "600"}]


@pytest.mark.parametrize("name", ["a.txt", "a", "csv", "a.csv.gz"])
def test_other_files_are_refused(tmp_path, name):
    with pytest.raises(ConfigurationError, match=r"`suppress` must be a file that ends in \.csv"):
        rows_of_path(written(tmp_path, name, "to\n1\n"), "suppress")


def test_a_cursor_is_read_in_batches(monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.planning.row_source.CURSOR_BATCH", 2)
    database = sqlite3.connect(":memory:")
    cursor = database.execute("SELECT 1 AS 'to', 'a' AS name UNION SELECT 2, 'b' UNION SELECT 3, 'c'")
    assert list(rows_of_cursor(cursor)) == [{"to": 1, "name": "a"}, {"to": 2, "name": "b"}, {"to": 3, "name": "c"}]
