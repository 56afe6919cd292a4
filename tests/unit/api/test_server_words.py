# SPDX-License-Identifier: Apache-2.0
"""The API's words are fit for a log: one line, shortened, without texts and whole numbers; and they raise nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_instasent.api.server_words import brief, status_word

TEXT = "Dear Ann, your code is 4711"
NUMBER = "+34600123456"


def test_texts_are_hidden_whatever_their_white_space_and_the_longer_one_first():
    assert brief("Hi  there\nJohn", ["Hi there", "Hi there  John"]) == "(text)"
    assert brief("nothing to hide", [""]) == "nothing to hide"
    assert brief("'a\ufffdb' is odd", ["a\0b"]) == "'(text)' is odd"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("a\x1b[31mb\u202ec\0d\ud800e", "a\ufffd[31mb\ufffdc\ufffdd\ufffde"),
        ("two\u2028lines\x85more", "two lines more"),
        ({"a": {"b": ["c", None, True, 1.5]}}, "a: b: c, None, True, 1.5"),
        (ValueError("oops"), "oops"),
        (7, "7"),
    ],
)
def test_what_is_told_is_one_printable_line(said, told):
    assert brief(said) == told


class Unspeakable:
    def __str__(self):
        raise RuntimeError("no words")


def test_what_cannot_be_told_is_named_by_its_kind():
    assert brief(Unspeakable()) == "(Unspeakable)"
    assert brief([Unspeakable()]) == "(list)"


def test_what_is_nested_without_end_is_told_as_far_as_it_goes():
    nested = "end"
    for _ in range(5000):
        nested = {"a": [nested]}

    assert brief(nested).startswith("a: a: a: ")
    assert brief(nested).endswith("…")


@pytest.mark.parametrize(
    "said", ["x" * 5_000_000, ["word"] * 1_000_000, {str(key): "v" for key in range(300_000)}], ids=type
)
def test_what_is_long_is_cut(said):
    assert len(brief(said)) == 300
    assert brief(said).endswith("…")


@pytest.mark.parametrize("before", [0, 1, 250, 4000, 4095, 4096, 4100])
@pytest.mark.parametrize("times", [1, 3, 200, 4000])
def test_a_text_that_is_cut_through_is_not_told_in_part(before, times):
    text = "Dear Ann, your secret code is 4711 and nobody else may know it"
    said = "-" * before + text * times + NUMBER

    told = brief(said, [text])

    assert "Ann" not in told
    assert "secret" not in told
    assert "600123456" not in told
    assert len(told) <= 300


@given(st.text(st.characters(codec=None)), st.lists(st.text(), max_size=3))
def test_any_words_can_be_logged_and_kept(said, hide):
    told = brief(said, hide)

    told.encode()
    assert told.isprintable()
    assert len(told) <= 300


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("enqueued", "enqueued"),
        (" DELIVERED ", "DELIVERED"),
        ("teleported", "teleported"),
        ("to +34600123456", "to +34•••••456"),
        ("a\0\ud800b\nc", "a\ufffd\ufffdb c"),
        ("x" * 1_000_000, "x" * 40),
        *((odd, None) for odd in (None, 7, 1.5, True, {}, [], {"a": 1})),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_status_is_a_short_word(status, word):
    assert status_word(status) == word
