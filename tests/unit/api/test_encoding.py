# SPDX-License-Identifier: Apache-2.0
"""Counting septets, code units and parts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api.encoding import TextSize, count

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
