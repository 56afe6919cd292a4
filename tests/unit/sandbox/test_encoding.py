# SPDX-License-Identifier: Apache-2.0
"""Parts, by the documented limits: 160/153 septets, 70/67 UCS-2 units."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_instasent.sandbox.encoding import BASIC, EXTENSION, count, transliterate


def test_the_alphabet_has_as_many_characters_as_the_standard():
    assert len(BASIC) == len(set(BASIC)) == 127
    assert len(EXTENSION) == len(set(EXTENSION)) == 10
    assert not set(BASIC) & set(EXTENSION)


@pytest.mark.parametrize(
    ("text", "allow_unicode", "unicode", "characters", "parts"),
    [
        ("a" * 160, False, False, 160, 1),
        ("a" * 161, False, False, 161, 2),
        ("a" * 306, True, False, 306, 2),
        ("a" * 307, True, False, 307, 3),
        ("€" * 80, False, False, 160, 1),
        ("€" * 81, False, False, 162, 2),
        # 152 septets, then an escape pair that does not fit into the 153rd
        ("a" * 152 + "€" + "a" * 152, False, False, 306, 3),
        ("ñ" * 160, False, False, 160, 1),
        ("ж" * 70, True, True, 70, 1),
        ("ж" * 71, True, True, 71, 2),
        ("ж" * 134, True, True, 134, 2),
        ("ж" * 135, True, True, 135, 3),
        ("😀" * 35, True, True, 70, 1),
        ("😀" * 36, True, True, 72, 2),
        # 33 pairs fill 66 of 67 units, a pair is never split
        ("😀" * 67, True, True, 134, 3),
        ("ж" * 160, False, False, 160, 1),
        ("á" * 161, False, False, 161, 2),
    ],
)
def test_parts(text, allow_unicode, unicode, characters, parts):
    counted = count(text, allow_unicode)

    assert (counted.unicode, counted.characters, counted.parts) == (unicode, characters, parts)


def test_without_unicode_the_nearest_gsm_text_is_delivered():
    assert transliterate("Žluťoučký kůň ñ € 😀") == "Zlutoucky kun ñ € ?"
    assert count("Žluť", allow_unicode=False).delivered == "Zlut"
    assert count("Žluť", allow_unicode=True).delivered == "Žluť"


@given(st.text(min_size=1, max_size=400), st.booleans())
def test_parts_are_enough_and_not_one_too_many_beyond_what_unsplit_pairs_waste(text, allow_unicode):
    counted = count(text, allow_unicode)

    single, multiple = (70, 67) if counted.unicode else (160, 153)
    if counted.characters <= single:
        assert counted.parts == 1
    else:
        assert -(-counted.characters // multiple) <= counted.parts <= -(-counted.characters // (multiple - 1))
