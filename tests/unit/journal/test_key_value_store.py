# SPDX-License-Identifier: Apache-2.0
"""Keys are rewritten until they are full; what is in them comes back, or has its own clear error."""

from __future__ import annotations

import base64
import json
import os
import secrets
import uuid
import zlib
from typing import Any

import pytest
from support.campaign import Values, accepted

from airflow_provider_instasent.api.client_ids import KEY_BYTES
from airflow_provider_instasent.journal import events, segment_format
from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError
from airflow_provider_instasent.journal.journal import KEYS_A_RECORD
from airflow_provider_instasent.journal.journal_thread import MOST_RECORDS_A_WRITE
from airflow_provider_instasent.journal.key_value_store import LARGEST_VALUE, KeyValueSegments
from airflow_provider_instasent.journal.worker_clock import Moment

CAMPAIGN = "dag/run/task/-1"
PREFIX, HEAD = KeyValueSegments.PREFIX, KeyValueSegments.HEAD
OF_ANOTHER_CAMPAIGN, _ = segment_format.encode("x", 1, [], after="", by="")


def opened(store: Any) -> Any:
    """A store that was read, as every try does first."""
    list(store.read())
    return store


def written(store: Any) -> list[str]:
    return [record for records in store.read() for record in records]


def keys(values: Values) -> list[str]:
    return [key for key in values.content if key != HEAD]


class Counting(Values):
    """Counts what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def set(self, key, value):
        self.written.append(key)
        super().set(key, value)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("", JournalCorruptError),
        ("plain text", JournalCorruptError),
        ("é", JournalCorruptError),
        (17, JournalCorruptError),
        ({"a": 1}, JournalCorruptError),
        ([], JournalCorruptError),
        (base64.b64encode(b"no zlib").decode(), JournalCorruptError),
        (base64.b64encode(zlib.compress(b"\xff")).decode(), JournalCorruptError),
        (base64.b64encode(zlib.compress(b"")).decode(), JournalCorruptError),
        (base64.b64encode(zlib.compress(OF_ANOTHER_CAMPAIGN.encode())).decode(), JournalForeignError),
    ],
)
def test_a_strange_value_has_its_error(value, error):
    values = Values()
    values.set(f"{PREFIX}1", value)
    with pytest.raises(error, match=r"(segment|key) 1 "):
        written(KeyValueSegments(values, CAMPAIGN))


def test_a_truncated_value_is_corrupt():
    values = Values()
    opened(KeyValueSegments(values, CAMPAIGN)).append(["1"] * 50)
    whole = values.get(f"{PREFIX}1")
    for keep in range(0, len(whole), 16):
        values.set(f"{PREFIX}1", whole[:keep])
        with pytest.raises(JournalCorruptError):
            written(KeyValueSegments(values, CAMPAIGN))


# --- a key is rewritten until it is full ---


def chunk_records(chunk: int, ids: list[str]) -> list[str]:
    keys = [os.urandom(events.KEY_BYTES) for _ in ids]
    return [
        events.intent_record(chunk, Moment(1e9 + chunk), keys, [None] * len(keys)),
        events.settlement_record(chunk, accepted(ids)),
    ]


@pytest.mark.parametrize("size", [1, 2, 5, 32])
def test_values_stay_below_the_limit_and_roll_over(size):
    values = Values()
    store = opened(KeyValueSegments(values, CAMPAIGN))
    records = [line for chunk in range(60) for line in chunk_records(chunk, [str(uuid.uuid4()) for _ in range(100)])]
    for start in range(0, len(records), size):
        store.append(records[start : start + size])
    assert written(KeyValueSegments(values, CAMPAIGN)) == records
    sizes = [len(json.loads(values.content[key])) for key in keys(values)]
    assert max(sizes) <= LARGEST_VALUE
    assert min(sizes[:-1]) > LARGEST_VALUE * 0.9


def test_a_key_is_written_once_an_append_and_not_again_for_the_room_left_at_its_end():
    values = Counting()
    store = opened(KeyValueSegments(values, CAMPAIGN))
    records = [
        record
        for chunk in range(400)
        for record in (
            events.placed_intent_record(chunk, Moment(1e9 + chunk), [(100 * chunk, 100)]),
            events.settlement_record(chunk, accepted([str(uuid.uuid4()) for _ in range(100)])),
        )
    ]
    appends = range(0, len(records), 8)
    for start in appends:
        store.append(records[start : start + 8])
    assert written(KeyValueSegments(values, CAMPAIGN)) == records
    assert len(values.written) - values.written.count(HEAD) < len(appends) + len(keys(values))


def test_a_listing_is_not_compressed_over_and_over_to_fill_its_keys(monkeypatch):
    compressed = []
    with_added = segment_format.PackedText.with_added

    def counted(text, records):
        compressed.append(sum(map(len, records)))
        return with_added(text, records)

    monkeypatch.setattr(segment_format.PackedText, "with_added", counted)
    values = Values()
    store = opened(KeyValueSegments(values, CAMPAIGN))
    keys_a_record = [
        [secrets.token_bytes(KEY_BYTES) for _ in range(KEYS_A_RECORD)] for _ in range(MOST_RECORDS_A_WRITE)
    ]
    records = [events.listing_record(some, [None] * len(some)) for some in keys_a_record]
    store.append(records)
    assert written(KeyValueSegments(values, CAMPAIGN)) == records
    assert len(keys(values)) == len(records) / 2
    assert sum(compressed) <= 3 * sum(map(len, records))


def test_a_try_begins_a_key_of_its_own():
    values = Values()
    for attempt in range(3):
        opened(KeyValueSegments(values, CAMPAIGN)).append([str(attempt)])
    assert keys(values) == [f"{PREFIX}1", f"{PREFIX}2", f"{PREFIX}3"]


def test_a_record_that_alone_is_too_large_gets_its_own_key():
    values = Values()
    store = opened(KeyValueSegments(values, CAMPAIGN))
    large = json.dumps({"n": ["large", secrets.token_hex(60_000)]})
    records = ["1", large, "2", large, large, "3"]
    store.append(records[:3])
    store.append(records[3:])
    assert written(KeyValueSegments(values, CAMPAIGN)) == records
    assert len(keys(values)) == 6


def reads_for_900_000(new_id) -> int:
    """Measure 30,000 accepted messages in chunks of 100, and scale."""
    values = Values()
    store = opened(KeyValueSegments(values, CAMPAIGN))
    for chunk in range(300):
        store.append(chunk_records(chunk, [new_id() for _ in range(100)]))
    values.reads = 0
    written(KeyValueSegments(values, CAMPAIGN))
    return values.reads * 30


def test_resuming_900_000_of_a_million_messages_takes_at_most_600_reads():
    prefix, number = secrets.token_hex(4), iter(range(10**9))
    reads = reads_for_900_000(lambda: f"{prefix}{next(number):010x}")
    print(f"journal reads to resume 900,000 messages, ids of 18 hexadecimal digits: {reads}")
    assert reads <= 600


def test_the_head_costs_one_write_a_key_and_one_at_the_start():
    values = Counting()
    store = opened(KeyValueSegments(values, CAMPAIGN))
    records = [line for chunk in range(60) for line in chunk_records(chunk, [str(uuid.uuid4()) for _ in range(100)])]
    for record in records:
        store.append([record])
    assert len(keys(values)) > 3
    assert values.written.count(HEAD) == 1 + len(keys(values))
    assert values.written[:3] == [HEAD, f"{PREFIX}1", HEAD]


def test_a_read_costs_three_reads_more_than_there_are_keys():
    values = Values()
    for number in range(5):
        opened(KeyValueSegments(values, CAMPAIGN)).append([str(number)])
    values.reads = 0
    assert len(written(KeyValueSegments(values, CAMPAIGN))) == 5
    assert values.reads == 5 + 3  # the head, and two that are not there
