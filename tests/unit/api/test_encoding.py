# SPDX-License-Identifier: Apache-2.0
"""Counting septets, code units and parts, and shortening a text to a number of parts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api.encoding import TextSize, count, shorten

# Spelled out here on its own, in the order of the GSM 03.38 table, rows of 16.
GSM = (
    "@£$¥èéùìòÇ\nØø\rÅå" "Δ_ΦΓΛΩΠΨΣΘΞ" "ÆæßÉ" " !\"#¤%&'()*+,-./" "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO" "PQRSTUVWXYZÄÖÑÜ§" "¿abcdefghijklmno" "pqrstuvwxyzäöñüà"
)  # fmt: skip
TWO = "\f^{}\\[~]|€"


def test_the_alphabet_is_complete():
    assert len(set(GSM)) == 127
    for character in GSM:
        assert count(character, allow_unicode=True) == TextSize("GSM-7", 1, 1), repr(character)
    for character in TWO:
        assert count(character, allow_unicode=True) == TextSize("GSM-7", 2, 1), repr(character)


@pytest.mark.parametrize(
    ("text", "allow_unicode", "expected"),
    [
        ("", False, TextSize("GSM-7", 0, 1)),
        ("a" * 160, False, TextSize("GSM-7", 160, 1)),
        ("a" * 161, False, TextSize("GSM-7", 161, 2)),
        ("a" * 306, False, TextSize("GSM-7", 306, 2)),
        ("a" * 307, False, TextSize("GSM-7", 307, 3)),
        ("€" * 80, True, TextSize("GSM-7", 160, 1)),
        ("€" * 81, True, TextSize("GSM-7", 162, 2)),
        ("€" * 152, True, TextSize("GSM-7", 304, 2)),
        # 306 septets would fit two parts, but each part ends before half a pair.
        ("€" * 153, True, TextSize("GSM-7", 306, 3)),
        ("a" * 152 + "€" + "a" * 152, True, TextSize("GSM-7", 306, 3)),
        ("a" * 153 + "€" + "a" * 151, True, TextSize("GSM-7", 306, 2)),
        ("ç", True, TextSize("UCS-2", 1, 1)),
        ("ç", False, TextSize("GSM-7", 1, 1)),
        ("я" * 70, True, TextSize("UCS-2", 70, 1)),
        ("я" * 71, True, TextSize("UCS-2", 71, 2)),
        ("я" * 134, True, TextSize("UCS-2", 134, 2)),
        ("я" * 135, True, TextSize("UCS-2", 135, 3)),
        ("😀" * 35, True, TextSize("UCS-2", 70, 1)),
        ("😀" * 66, True, TextSize("UCS-2", 132, 2)),
        ("😀" * 67, True, TextSize("UCS-2", 134, 3)),
        ("я" * 66 + "😀" + "я" * 66, True, TextSize("UCS-2", 134, 3)),
        ("😀" * 160, False, TextSize("GSM-7", 160, 1)),
        ("я" * 161, False, TextSize("GSM-7", 161, 2)),
        ("\x1b" * 307, False, TextSize("GSM-7", 307, 3)),
        ("\x1b", True, TextSize("UCS-2", 1, 1)),
    ],
)
def test_sizes(text, allow_unicode, expected):
    assert count(text, allow_unicode=allow_unicode) == expected


def _parts_by_hand(widths, single, part):
    """Fill parts character by character; the module cuts a stream of units instead."""
    if sum(widths) <= single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts


gsm_texts = st.text(st.sampled_from(GSM + TWO * 8), max_size=700)
any_texts = st.text(st.sampled_from("aé€[я一😀🇪🇸\x1b") | st.characters(exclude_categories=["Cs"]), max_size=500)


@settings(max_examples=100, deadline=None, database=None)
@given(gsm_texts, st.booleans())
def test_gsm_texts_are_counted_by_septets(text, allow_unicode):
    widths = [2 if character in TWO else 1 for character in text]
    assert count(text, allow_unicode=allow_unicode) == TextSize("GSM-7", sum(widths), _parts_by_hand(widths, 160, 153))


@settings(max_examples=100, deadline=None, database=None)
@given(any_texts)
def test_other_texts_are_counted_by_utf_16_code_units(text):
    text += "я"
    widths = [len(character.encode("utf-16-le")) // 2 for character in text]
    assert count(text, allow_unicode=True) == TextSize("UCS-2", sum(widths), _parts_by_hand(widths, 70, 67))


@settings(max_examples=100, deadline=None, database=None)
@given(any_texts)
def test_without_unicode_each_other_character_is_estimated_at_one_septet(text):
    widths = [2 if character in TWO else 1 for character in text]
    assert count(text, allow_unicode=False) == TextSize("GSM-7", sum(widths), _parts_by_hand(widths, 160, 153))


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
    longer = kept + following[: len(following) - len(following.lstrip()) + 1] + ending
    assert count(longer, allow_unicode=allow_unicode).parts > max_parts


def test_a_long_log_is_shortened_quickly_enough_to_notify():
    short = shorten("x" * 5_000_000, 2, allow_unicode=True)
    assert short == "x" * 303 + "..."


def test_no_part_is_no_budget():
    with pytest.raises(ValueError, match="at least 1"):
        shorten("a", 0, allow_unicode=False)
