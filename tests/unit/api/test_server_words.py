# SPDX-License-Identifier: Apache-2.0
"""The API's words are fit for a log: one line, shortened, without texts and whole numbers."""

from __future__ import annotations

import json

from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.api.server_words import brief

TEXT = "Dear Ann, your code is 4711"
NUMBER = "+34600123456"
NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # NOW


def answer(status, body=b"", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


def test_texts_are_hidden_whatever_their_white_space_and_the_longer_one_first():
    assert brief("Hi  there\nJohn", ["Hi there", "Hi there  John"]) == "(text)"
    assert brief("nothing to hide", [""]) == "nothing to hide"
