# SPDX-License-Identifier: Apache-2.0
"""A text is cut to the parts it may take, and no further."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api.encoding import count
from airflow_provider_instasent.notifications.shortening import shorten

LETTERS = "aé€[я一😀🇪🇸\x1b\u200d\u0301\ufe0f🏽"
any_texts = st.text(st.sampled_from(LETTERS) | st.characters(exclude_categories=["Cs"]), max_size=500)


@pytest.mark.parametrize(
    ("text", "max_parts", "allow_unicode", "expected"),
    [
        ("a" * 160, 1, False, "a" * 160),
        ("a" * 161, 1, False, "a" * 157 + "..."),
        ("a" * 400, 2, True, "a" * 303 + "..."),
        ("€" * 100, 1, False, "€" * 78 + "..."),
        ("я" * 71, 1, True, "я" * 69 + "…"),
        ("😀" * 40, 1, True, "😀" * 34 + "…"),
        ("я" * 161, 1, False, "я" * 157 + "..."),
        ("word " * 40, 1, False, "word " * 31 + "wo..."),
        ("a" * 100 + " " * 100, 1, False, "a" * 100 + "..."),
        # The emoji would leave 69 characters; without it the text keeps 157.
        ("a" * 200 + "😀", 1, True, "a" * 157 + "..."),
        ("a" * 60 + "😀" * 20, 1, True, "a" * 60 + "😀" * 4 + "…"),
    ],
)
def test_shortening(text, max_parts, allow_unicode, expected):
    assert shorten(text, max_parts, allow_unicode=allow_unicode) == expected


@settings(max_examples=100, deadline=None, database=None)
@given(any_texts, st.integers(1, 4), st.booleans())
def test_a_shortened_text_fits_and_one_more_character_would_not(text, max_parts, allow_unicode):
    short = shorten(text, max_parts, allow_unicode=allow_unicode)
    assert count(short, allow_unicode=allow_unicode).parts <= max_parts
    if short == text:
        return
    assert count(text, allow_unicode=allow_unicode).parts > max_parts
    kept, ending = (short[:-1], "…") if short.endswith("…") else (short[:-3], "...")
    assert short == kept + ending
    assert text.startswith(kept)
    assert short.encode("utf-16-le").decode("utf-16-le") == short
    following = text[len(kept) :]
    blank = len(following) - len(following.lstrip())
    ends = [found.end() for found in regex.finditer(r"\X", text)]
    longer = text[: next(end for end in ends if end > len(kept) + blank)].rstrip() + ending
    assert count(longer, allow_unicode=allow_unicode).parts > max_parts


def test_a_long_log_is_shortened_quickly_enough_to_notify():
    short = shorten("x" * 5_000_000, 2, allow_unicode=True)
    assert short == "x" * 303 + "..."


def test_no_part_is_no_budget():
    with pytest.raises(ValueError, match="at least 1"):
        shorten("a", 0, allow_unicode=False)


FAMILY, FLAG, THUMB = "👨\u200d👩\u200d👧\u200d👦", "🇪🇸", "👍🏽"
HEART, WALES = "❤\ufe0f", "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"


WHOLE = [FAMILY, FLAG, THUMB, HEART, WALES, "1\ufe0f\u20e3", "n\u0303", "é\u0323", "\u1100\u1161\u11a8", "नि"]


@pytest.mark.parametrize("whole", [*WHOLE, "\r\n."], ids=ascii)
@pytest.mark.parametrize("before", range(55, 71))
def test_nothing_that_is_seen_as_one_is_cut_in_two(whole, before):
    text = "я" * before + whole * 60
    short = shorten(text, 1, allow_unicode=True)
    kept = short.removesuffix("…")
    assert short != kept
    rest = kept[before:]
    assert kept[:before] == "я" * min(before, len(kept))
    assert rest == (whole * 60)[: len(rest)]
    assert "".join(regex.findall(r"\X", whole * 60)[: len(regex.findall(r"\X", rest))]).rstrip() == rest


def test_one_that_is_longer_than_all_parts_is_cut_all_the_same():
    assert shorten("e" + "\u0301" * 500, 1, allow_unicode=True) == "e" + "\u0301" * 68 + "…"
