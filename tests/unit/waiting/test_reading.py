# SPDX-License-Identifier: Apache-2.0
"""What a status and its code are in words, whatever the API sent."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.waiting.reading import LONGEST_WORD, Reading, reading_of


@pytest.mark.parametrize(
    ("entity", "said"),
    [
        ({"status": " FAILED ", "statusCode": 27}, "failed (code 27)"),
        ({"status": "expired", "code": "0x1F"}, "expired (code 0x1F)"),
        ({"status": "sent", "statusCode": ""}, "sent"),
        ({"status": "sent", "statusCode": None}, "sent"),
        ({}, "no_status"),
        ({"status": {"word": "sent"}}, "no_status"),
        ({"status": "to +34600000123"}, "to +34•••••123"),
    ],
)
def test_a_reading_in_words(entity, said):
    assert str(reading_of(entity)) == said


def test_what_nobody_has_documented_is_cut():
    reading = reading_of({"status": "x" * 100, "statusCode": "y" * 100})
    assert (len(reading.status), len(reading.code or "")) == (LONGEST_WORD, LONGEST_WORD)


def test_nothing_read_is_unread():
    assert str(Reading()) == "unread"
