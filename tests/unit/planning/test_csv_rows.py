# SPDX-License-Identifier: Apache-2.0
"""CSV as people bring it: every row is read as itself, or the file is refused with the line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.planning.csv_rows import rows_of_csv
from airflow_provider_instasent.planning.file_format import FileFormat
from airflow_provider_instasent.planning.rows import BadRow

ANA, LUIS, EVA = "+34600000001", "+34600000002", "+34600000003"
TWO = [{"to": ANA, "name": "Ana"}, {"to": LUIS, "name": "Luis"}]


@pytest.fixture
def read(tmp_path):
    def read(content, to_column="to", *, or_only=False, **file_format):
        path = tmp_path / "a.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(rows_of_csv(path, "recipients", to_column, FileFormat(**file_format), or_only=or_only))

    return read


@pytest.mark.parametrize(
    "content",
    [
        f"to,name\n{ANA},Ana\n{LUIS},Luis\n",
        f"to,name\r\n{ANA},Ana\r\n{LUIS},Luis",
        f"to,name\r{ANA},Ana\r{LUIS},Luis\r",
        f"\ufeffto , name\n{ANA},Ana\n\n{LUIS},Luis\n\n",
        f'to,"name"\n"{ANA}","Ana"\n"{LUIS}","Luis"\n',
        f"to;name\n{ANA};Ana\n{LUIS};Luis\n",
        f"to\tname\n{ANA}\tAna\n{LUIS}\tLuis\n",
        f"to|name\n{ANA}|Ana\n{LUIS}|Luis\n",
        f"sep=;\nto;name\n{ANA};Ana\n{LUIS};Luis\n",
        f'\ufeff"sep=|"\r\nto|name\r\n{ANA}|Ana\r\n{LUIS}|Luis\r\n',
        f"SEP=^\nto^name\n{ANA}^Ana\n{LUIS}^Luis\n",
        f"to;name\n{ANA};Ana\n{LUIS};Luis\n".encode("utf-16"),
        f"\ufeffto\tname\r\n{ANA}\tAna\r\n{LUIS}\tLuis\r\n".encode("utf-16-be"),
    ],
    ids=[
        "plain",
        "crlf",
        "old mac",
        "bom and blank lines",
        "quoted",
        "semicolons",
        "tabs",
        "bars",
        "sep line",
        "quoted sep line after bom",
        "sep line of another",
        "utf-16",
        "utf-16 of excel",
    ],
)
def test_what_people_bring(read, content):
    assert read(content) == TWO


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f",to,name\n0,{ANA},Ana\n", {"to": ANA, "name": "Ana"}),
        (f"to;name;\n{ANA};Ana;\n", {"to": ANA, "name": "Ana"}),
        (f'to,name\n="{ANA}","Ana"\n', {"to": ANA, "name": "Ana"}),
        (f'to,name\n"=""{ANA}""",="Ana"\n', {"to": ANA, "name": "Ana"}),
        (f"to,te\u0301l\n{ANA},1\n", {"to": ANA, "t\u00e9l": "1"}),
        (f"\ufeff\ufeffto,2nd phone\n{ANA},\n", {"to": ANA, "2nd phone": ""}),
        (f"to,a,b,c\n{ANA},\\N,<NA>,nan\n", {"to": ANA, "a": None, "b": None, "c": None}),
        (f"to,a,b,c\n{ANA},NULL,None,Null\n", {"to": ANA, "a": None, "b": None, "c": "Null"}),
    ],
)
def test_what_programs_add(read, content, expected):
    assert read(content) == [expected]


def test_a_row_knows_its_line(read):
    rows = read(f'sep=,\nto,name\n\n{ANA},"Ana\nMaria"\n{LUIS}\n{EVA},Eva\n')
    assert [row.line for row in rows] == [4, 6, 7]


def test_a_cell_may_have_delimiters_quotes_and_lines_of_its_own(read):
    assert read(f'name;to\n"Ruiz;\nAna";{ANA}\n') == [{"name": "Ruiz;\nAna", "to": ANA}]
    content = f'to,name\n{ANA},"Ruiz, Ana ""la jefa""\nMaria\r\n12"\n{LUIS},"“Luis”"\n'
    assert read(content) == [
        {"to": ANA, "name": 'Ruiz, Ana "la jefa"\nMaria\r\n12'},
        {"to": LUIS, "name": "“Luis”"},
    ]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (f'to,name\n{ANA},"Ana\n{LUIS},Luis\n{EVA},Eva\n', 2),
        (f'to,name\n{ANA},"Ana\n{LUIS},"Luis"\n', 2),
        (f'to,name\n{ANA},"Ana\n{LUIS},Luis"\n{EVA},Eva\n', 2),
        (f'to,name\n{ANA},"Ana\n"{LUIS}",Luis"\n', 2),
        (f'to,name\n{ANA},Ana\n{LUIS},"Luis”\n{EVA},"Eva”\n', 3),
        (f'to,name\n{ANA},"Ana”\n{LUIS},Luis"\n', 2),
        (f'to,name\n{ANA},"Ana "la jefa" Ruiz"\n{LUIS},Luis\n', 2),
        (f'to,name\n{ANA},"Ana \\"la jefa\\" Ruiz"\n{LUIS},Luis\n', 2),
        (f'to,name,city\n{ANA},"Ana,x\n{LUIS},Luis",x\n', 2),
        (f'name;to\n"Ana;{ANA}\nLuis;{LUIS}"\n', 2),
        (f'name;to;x\n"Ana;{ANA};\nLuis;{LUIS};";1\n', 2),
        (f'name;to\n"Ana\nx";{ANA}\n"Luis\nEva;{EVA}";{LUIS}\n', 4),
        (f'name;to;x\n"Ana;{ANA};x\nLuis 5";{LUIS};y\n', 2),
        (f'name;to;x\n"Ana\nLuis;Handy 0600000002 (privat);y\nEva";{EVA};y\n', 2),
        (f'name;to;x\n"Ana;6OO;x\nLuis;{LUIS};y";x;y\n', 2),
        (f'name;to;x\n"Ana;{ANA};x\nb;c";{EVA};y\n', 2),
        (f'to,name\n{ANA},"Ana\n{ANA},Ana Maria"\n', 2),
        (f'name,to\n"Ana\nAna Maria,{ANA}\nx",{ANA}\n', 2),
        (f'name,to\n"Bou, Mirko,{ANA}\nGonzaga, Ana",{LUIS}\n', 2),
        (f'name,to\n"Ana,{ANA}\rBob",{LUIS}\n', 2),
        (f'to\n"{ANA}\n{LUIS}"\n', 2),
        (f'to,"name\n{ANA},Ana"\n{LUIS},Luis\n', 1),
        (f'"to,name\n{ANA},Ana\n{LUIS},Luis\n', 1),
        (f'to,name\n{ANA},"' + "x" * 200_000 + '"\n', 2),
    ],
)
def test_a_quote_that_swallows_rows_refuses_the_file(read, content, line):
    with pytest.raises(ConfigurationError, match=rf"`recipients`.* begins on line {line}\b") as caught:
        read(content)
    assert "60000000" not in str(caught.value)
    assert "Ana" not in str(caught.value)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f'{EVA},Ana "la jefa" Ruiz', "quote in the middle"),
        (f'{EVA}, "Eva"', "quote in the middle"),
        (f'{EVA},5" pipe', "quote in the middle"),
        (f'{EVA},Eva"', "quote in the middle"),
        (f"{EVA},“Eva", "opened in one cell"),
        (f"{EVA},Eva”", "opened in one cell"),
        (f"{EVA},„Eva", "opened in one cell"),
        (f"{EVA},«Eva", "opened in one cell"),
        (f"{EVA}", "has 1 cells where the first line names 2 columns"),
        (f"{EVA},Eva,x", "has 3 cells"),
        (f"{EVA},“Ruiz, Eva”", "has 3 cells"),
        (f"{EVA},Eva,", "has 3 cells"),
    ],
)
def test_a_bad_row_is_one_of_its_own(read, row, reason):
    first, bad, last = read(f"to,name\n{ANA},Ana\n{row}\n{LUIS},Luis\n")
    assert [first, last] == TWO
    assert isinstance(bad, BadRow)
    assert reason in bad.reason
    assert bad.line == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "needs a first line"),
        ("\nto,name\n", "needs a first line"),
        (",;\n1,2\n", "no column `to`"),
        ("to,to\n1,2\n", "has several columns of one name, and nothing tells which is meant: to"),
        ("to,Note,Note\n1,2,3\n", "which is meant: Note"),
        (
            "phone;name\n600;Ana\n",
            "no column `to` (`to_column`), read as separated by semicolons; the columns are: phone, name",
        ),
        (
            f"{ANA},Ana\n{LUIS},Luis\n",
            "no column `to` (`to_column`), read as separated by commas; there are 2 columns, and their names",
        ),
        ("to,name\n600,Mu\xf1oz\n".encode("latin-1"), "`recipients` is not UTF-8, on line 2: save it as UTF-8, or say"),
        ("to,name\n600,A\n601,B\n602,Mu\xf1oz\n".encode("cp1252"), "on line 4"),
        ("to,na\xf1e\n600,A\n".encode("latin-1"), "is not UTF-8, on line 1"),
        ("to,name\n600,Ana\n".encode("utf-16-le"), "is no UTF-8: if it is UTF-16 without"),
        ("to;name,x|y\n600;1,2|3\n", "no column `z`"),
    ],
)
def test_csv_that_is_none_says_what_to_mend_and_shows_no_data(read, content, words):
    with pytest.raises(ConfigurationError) as caught:
        read(content, "z" if "`z`" in words else "to")
    assert words in str(caught.value) or ("`z`" in words and "separated by" in str(caught.value))
    assert "600" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_file_of_windows_is_read_where_that_is_said(read):
    content = f"to;name\r\n{ANA};Mu\xf1oz\r\n{LUIS};5 \u20ac\r\n".encode("cp1252")
    assert read(content, encoding="cp1252") == [{"to": ANA, "name": "Muñoz"}, {"to": LUIS, "name": "5 €"}]
    assert read(content, encoding="Windows-1252") == read(content, encoding="cp1252")
    with pytest.raises(ConfigurationError, match="is not UTF-8, on line 2"):
        read(content)


@pytest.mark.parametrize(
    ("content", "encoding", "words"),
    [
        ("to,name\n1,Muñoz\n".encode(), "cp1252", "line 2 is valid UTF-8, whose letters would be garbled"),
        (b"to,name\n" + b"1,Ana\n" * 20_000 + "1,Muñoz\n".encode(), "latin-1", "line 20002 is valid UTF-8"),
        ("to,name\n1,Muñoz\n".encode("utf-8-sig"), "latin-1", "begins with the byte order mark of UTF-8"),
        ("to,name\n1,Muñoz\n".encode("utf-16"), "utf-8", "begins with the byte order mark of UTF-16"),
        ("to,name\n1,Muñoz\n".encode(), "utf-16", 'has no byte order mark; say which it is, such as "utf-16-le"'),
        ("to,name\n1,Mu\xf1oz\n".encode("latin-1"), "ascii", "is not ASCII, on line 2"),
    ],
)
def test_a_file_in_another_encoding_than_is_said_is_refused(read, content, encoding, words):
    with pytest.raises(ConfigurationError, match=words):
        read(content, encoding=encoding)


def test_an_encoding_is_decided_on_the_first_block_and_held_to(read):
    content = b"to,name\n" + f"{ANA},Ana\n".encode() * 20_000 + "600,Mu\xf1oz\n".encode("latin-1")
    with pytest.raises(ConfigurationError, match="is not UTF-8, on line 20002"):
        read(content)


def test_a_delimiter_that_is_said_is_held_to(read):
    assert read(f"to#name\n{ANA}#Ana; or, Anna\n", delimiter="#") == [{"to": ANA, "name": "Ana; or, Anna"}]
    with pytest.raises(ConfigurationError, match=r"no column `to`.*separated by commas"):
        read(f"to;name\n{ANA};Ana\n", delimiter=",")
    with pytest.raises(ConfigurationError, match="says itself that `;` separates its cells"):
        read(f"sep=;\nto;name\n{ANA};Ana\n", delimiter=",")


def test_a_decimal_comma_is_no_delimiter(read):
    assert read(f"to;amount\n{ANA};1,50\n") == [{"to": ANA, "amount": "1,50"}]
    assert read(f"amount,x;to;name\n1,5;{ANA};Ana, x\n") == [{"amount,x": "1,5", "to": ANA, "name": "Ana, x"}]


def test_a_delimiter_that_cannot_be_told_is_asked_for(read):
    with pytest.raises(
        ConfigurationError, match="may be separated by commas or semicolons: say which with `delimiter`"
    ):
        read("a;b,c\n1;2,3\n")


@pytest.mark.parametrize(
    ("content", "numbers"),
    [
        (f"{ANA}\n{LUIS}\n", [ANA, LUIS]),
        (f"\ufeff{ANA}\r\n{LUIS}", [ANA, LUIS]),
        (f'"{ANA}"\n"{LUIS}"\n', [ANA, LUIS]),
        ("600 000 001\n600000002\n", ["600 000 001", "600000002"]),
        ("'600000001\n", ["'600000001"]),
        ("6OO OOO OO1\n600000002\n", ["6OO OOO OO1", "600000002"]),
        ("tel:+34600000001\n", ["tel:+34600000001"]),
        (f"phone\n{ANA}\n", [ANA]),
        (f"to\n{ANA}\n", [ANA]),
        (f"Teléfono 2\n{ANA}\n", [ANA]),
        (f"name,to\nAna,{ANA}\n", [ANA]),
    ],
)
def test_a_list_of_numbers_needs_no_first_line_of_names_and_loses_none(read, content, numbers):
    assert [row["to"] for row in read(content, or_only=True)] == numbers


@pytest.mark.parametrize("content", [f"{ANA},Ana\n", f"{ANA};{LUIS}\n", "phone,name\n", f"Ana,{ANA}\n"])
def test_with_several_columns_one_must_be_named(read, content):
    with pytest.raises(ConfigurationError, match="has no column `to`"):
        read(content, or_only=True)


def test_blank_lines_are_none_and_blank_rows_have_blank_cells(read):
    assert read(f"to,name\n\n , \n{ANA},Ana\n,,,\n") == [{"to": "", "name": ""}, TWO[0], {"to": "", "name": ""}]
    assert read("to,name\n\n\n") == []


CELL = st.text(st.sampled_from('ab,;|\t\n\r "“1é'), max_size=6)


@settings(max_examples=400, deadline=None, database=None)
@given(st.lists(st.tuples(CELL, CELL), max_size=6), st.sampled_from(",;\t|"), st.booleans())
def test_what_python_writes_is_read_back_or_told_bad(tmp_path_factory, cells, delimiter, quotes_all):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL if quotes_all else csv.QUOTE_MINIMAL)
    writer.writerow(["to", "a", "b"])
    writer.writerows([str(600000000 + place), *row] for place, row in enumerate(cells))
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_text(stream.getvalue(), encoding="utf-8", newline="")
    rows = list(rows_of_csv(path, "recipients", "to", FileFormat()))
    assert len(rows) == len(cells)
    for row, (place, (first, second)) in zip(rows, enumerate(cells), strict=True):
        if isinstance(row, BadRow):
            assert (first + second).count("“") > 0
        else:
            assert row == {"to": str(600000000 + place), "a": first, "b": second}


@settings(max_examples=400, deadline=None, database=None)
@given(st.data())
def test_a_character_too_many_or_too_few_never_gives_a_number_another_row_or_none(tmp_path_factory, data):
    numbers = [str(600000000 + place) for place in range(5)]
    lines = [f'{number},"name {place}",x{place}' for place, number in enumerate(numbers)]
    text = "to,name,x\n" + "\n".join(lines) + "\n"
    at = data.draw(st.integers(10, len(text) - 1))
    text = text[:at] + data.draw(st.sampled_from(['"', "“", '""', ""])) + text[at + data.draw(st.integers(0, 1)) :]
    path = tmp_path_factory.getbasetemp() / "damaged.csv"
    path.write_text(text, encoding="utf-8", newline="")
    try:
        rows = list(rows_of_csv(path, "recipients", "to", FileFormat()))
    except ConfigurationError as error:
        assert "line" in str(error)  # noqa: PT017 - one of two ends
        return
    for row in rows:
        assert isinstance(row, BadRow) or not any(number in row["name"] + row["x"] for number in numbers)
