# SPDX-License-Identifier: Apache-2.0
"""The JSON of an answer: whatever an API sends can be kept by SQLite and XCom, and nothing in it is without a bound."""

from __future__ import annotations

import json
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_instasent.api.json_data import LONGEST_STRING, MOST_NESTED, decoded, storable


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": "\\ud800"}', {"a": "\ufffd"}),
        (b'{"a": "x\\uDFFFy\\u0000z"}', {"a": "x\ufffdy\ufffdz"}),
        (b'{"a": "\xed\xa0\x80"}', {"a": "\ufffd"}),
        (b'{"\\ud800": {"\\u0000": ["\\udc00"]}}', {"\ufffd": {"\ufffd": ["\ufffd"]}}),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'"\\\\ud83d\\ude00"', "\\ud83d\ufffd"),
        (b'"\\u00f1 \\n"', "\u00f1 \n"),
        ('{"a": "\ud55c\u00f1"}'.encode(), {"a": "\ud55c\u00f1"}),
        (b"[NaN, Infinity, -Infinity, 1e999, -1e999, 1.5]", [None, None, None, None, None, 1.5]),
        (b"\xef\xbb\xbf[1]", [1]),
        ('{"a": "\\\\ud800"}'.encode("utf-16"), {"a": "\\ud800"}),
        ('{"a": "\\ud800"}'.encode("utf-16"), {"a": "\ufffd"}),
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_replaced(body, value):
    assert decoded(body) == value


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{", b"\xff\xfe\xfa", b"9" * 5000, b"[" * 200_000, b'"a\x00"'], ids=str
)
def test_what_is_no_json_is_a_value_error(body):
    with pytest.raises(ValueError, match=r"."):
        decoded(body)


def depth(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max([1 + depth(one) for one in inner], default=0)


@pytest.mark.parametrize("levels", [MOST_NESTED - 1, MOST_NESTED, MOST_NESTED + 1, 480, 900])
@pytest.mark.parametrize("more", [b"1", b'"\\ud800"'])
def test_what_is_nested_too_deeply_is_left_out_and_the_rest_kept(levels, more):
    body = b'{"id": "a", "deep": ' + b'{"a": [' * (levels // 2) + more + b"]}" * (levels // 2) + b"}"

    value = decoded(body)

    assert value["id"] == "a"
    assert depth(value) <= MOST_NESTED
    if levels < MOST_NESTED:
        assert depth(value) == levels // 2 * 2 + 1


def test_a_string_of_megabytes_is_cut():
    value = decoded(json.dumps({"id": "a", "status": "x" * 2_000_000}).encode())

    assert value["id"] == "a"
    assert len(value["status"]) == LONGEST_STRING
    assert value["status"].endswith("…")


texts = st.text(st.characters(codec=None), max_size=20)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from strings(one)


@given(values, st.booleans())
def test_every_string_of_any_answer_can_be_stored_and_told(value, ascii_only):
    body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    told = decoded(body)

    json.dumps(told, ensure_ascii=False, allow_nan=False).encode()
    with sqlite3.connect(":memory:") as database:
        for text in strings(told):
            assert database.execute("SELECT ?", (text,)).fetchone() == (text,)
            assert "\0" not in text
    database.close()


@given(st.text())
def test_what_can_be_stored_stays_as_it_is(text):
    kept = text.replace("\0", "")

    assert storable(kept) == kept
    assert decoded(json.dumps([kept]).encode()) == [kept]
