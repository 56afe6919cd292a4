# SPDX-License-Identifier: Apache-2.0

"""Rows out of lists, files and cursors."""

from __future__ import annotations

import sqlite3

import pyarrow as pa
import pytest
from pyarrow import parquet

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.planning.row_source import BadRow, rows_of_cursor, rows_of_list, rows_of_path


def rows(path, to_column="to"):
    return list(rows_of_path(path, "recipients", to_column))


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_list_holds_numbers_or_rows():
    mixed = ["600", 34600, {"to": "1", "name": "A"}]
    assert list(rows_of_list(mixed, "to")) == [{"to": "600"}, {"to": 34600}, {"to": "1", "name": "A"}]


@pytest.mark.parametrize("item", [None, True, 1.5, ["600"], object()])
def test_what_is_neither_is_a_bad_row_of_its_own(item):
    first, bad, last = rows_of_list(["1", item, "2"], "to")
    assert (first, last) == ({"to": "1"}, {"to": "2"})
    assert bad == BadRow(f"must be a number or a row, not {type(item).__name__}")


def test_a_whole_message_is_a_mapping():
    (bad,) = rows_of_list(["+34600000001"], None)
    assert bad == BadRow("must be a mapping with `to` and `text`, not str")


@pytest.mark.parametrize(
    "content",
    [
        "to,name\n600,Ana\n601,Luis\n",
        "to,name\r\n600,Ana\r\n601,Luis",
        "\ufeffto , name\n600,Ana\n\n601,Luis\n\n",
        'to,"name"\n"600","Ana"\n"601","Luis"\n',
    ],
    ids=["plain", "crlf", "bom and blank lines", "quoted"],
)
def test_csv(tmp_path, content):
    assert rows(written(tmp_path, "a.CSV", content)) == [{"to": "600", "name": "Ana"}, {"to": "601", "name": "Luis"}]


def test_csv_keeps_quoted_commas_and_lines(tmp_path):
    assert rows(written(tmp_path, "a.csv", 'to,name\n600,"Ruiz, Ana\nMaria"\n')) == [
        {"to": "600", "name": "Ruiz, Ana\nMaria"}
    ]


def test_a_ragged_row_is_a_bad_row(tmp_path):
    path = written(tmp_path, "a.csv", "to,name\n600,Ana\n601\n602,B,C\n603,D\n")
    assert rows(path) == [
        {"to": "600", "name": "Ana"},
        BadRow("has 1 columns where the header has 2"),
        BadRow("has 3 columns where the header has 2"),
        {"to": "603", "name": "D"},
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "needs a first line"),
        ("to,\n1,2\n", "names every column"),
        ("to,to\n1,2\n", "names a column twice"),
        ("to;name\n600;Ana\n", "no column `to` (`to_column`) among its 1; the first line must name the columns"),
        ("+34600000001,Ana\n+34600000002,Luis\n", "no column `to`"),
        ("to,name\n600,Mu\xf1oz\n".encode("latin-1"), "`recipients` is not UTF-8, at about row 0"),
        ("to,na\xf1e\n600,A\n".encode("latin-1"), "is not UTF-8"),
        ("to,name\n600,Ana\n".encode("utf-16"), "is not UTF-8"),
        ('to,name\n600,"' + "x" * 200_000 + '"\n', "is no CSV after row 0"),
    ],
)
def test_csv_that_is_none_says_what_to_mend_and_shows_no_data(tmp_path, content, words):
    with pytest.raises(ConfigurationError) as caught:
        rows(written(tmp_path, "a.csv", content))
    assert words in str(caught.value)
    assert "600" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_json_lines(tmp_path):
    content = '\ufeff{"to": "600", "name": null}\n\n[1]\nnot json\n{"to": 601}\n' + "[" * 100_000 + '\n{"to": "602"}'
    for name in ("a.jsonl", "a.ndjson"):
        assert rows(written(tmp_path, name, content)) == [
            {"to": "600", "name": None},
            BadRow("is not a JSON object"),
            BadRow("is not JSON"),
            {"to": 601},
            BadRow("is not JSON"),
            {"to": "602"},
        ]


def test_json_lines_in_another_encoding_are_bad_rows(tmp_path):
    path = written(tmp_path, "a.jsonl", b'{"to": "600", "name": "Mu\xf1oz"}\n{"to": "601"}\n')
    assert rows(path) == [BadRow("is not JSON"), {"to": "601"}]


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
