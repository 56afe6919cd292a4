# SPDX-License-Identifier: Apache-2.0
"""Segments come back as they were written, or not at all: whatever else is there has its own clear error."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import re
import secrets
import threading
import uuid
import zlib
from pathlib import Path
from typing import Any

import pytest
from support.campaign import Values, accepted
from support.events import LONG

from airflow_provider_instasent.journal import events, exclusive_files, segment_format
from airflow_provider_instasent.journal.errors import (
    JournalConflictError,
    JournalCorruptError,
    JournalForeignError,
    JournalStoreError,
)
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.key_value_store import LARGEST_VALUE, KeyValueSegments

CAMPAIGN = "dag/run/task/-1"
PREFIX = KeyValueSegments.PREFIX


def opened(store: Any) -> Any:
    """A store that was read, as every try does first."""
    list(store.read())
    return store


def written(store: Any) -> list[str]:
    return [record for records in store.read() for record in records]


def folder_of(path: Path) -> Path:
    (folder,) = path.iterdir()
    return folder


@pytest.fixture(params=["values", "path"])
def place(request, tmp_path):
    """Opens the same place anew, as each try does."""
    values = Values()

    def open_again(campaign: str = CAMPAIGN) -> Any:
        return KeyValueSegments(values, campaign) if request.param == "values" else PathSegments(tmp_path, campaign)

    return open_again


def test_an_empty_place_has_no_records(place):
    assert written(place()) == []


def test_records_come_back_in_order_over_several_tries(place):
    expected = []
    for attempt in range(4):
        store = opened(place())
        for write in range(3):
            records = [json.dumps({"n": [f"{attempt}.{write}.{n}", "ñ \u2028 \x85 \n"]}) for n in range(2)]
            store.append(records)
            expected += records
    assert written(place()) == expected


def test_campaigns_on_one_path_do_not_see_each_other(tmp_path):
    opened(PathSegments(tmp_path, "one")).append(["1"])
    opened(PathSegments(tmp_path, "two")).append(["2"])
    assert written(PathSegments(tmp_path, "one")) == ["1"]
    assert written(PathSegments(tmp_path, "two")) == ["2"]


@pytest.mark.parametrize("campaign", ["", "../../etc", "a/b\\c", "…", "x" * 300, ".", "con trol\n"])
def test_any_campaign_id_becomes_one_folder_below_the_path(tmp_path, campaign):
    opened(PathSegments(tmp_path, campaign)).append(["1"])
    assert re.fullmatch(r"[A-Za-z0-9_.-]+-[0-9a-f]{20}", folder_of(tmp_path).name)
    assert written(PathSegments(tmp_path, campaign)) == ["1"]


# --- damaged, foreign, missing ---


@pytest.fixture
def three(tmp_path):
    store = opened(PathSegments(tmp_path, CAMPAIGN))
    for number in range(3):
        store.append([json.dumps({"n": ["number", number]})])
    return sorted(folder_of(tmp_path).glob("*.jsonl"))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.98])
def test_a_truncated_file_is_corrupt(three, tmp_path, share):
    content = three[1].read_bytes()
    three[1].write_bytes(content[: int(len(content) * share)])
    with pytest.raises(JournalCorruptError, match="segment 2 is damaged or incomplete: nothing was sent"):
        written(PathSegments(tmp_path, CAMPAIGN))


def test_a_changed_byte_is_corrupt(three, tmp_path):
    content = three[0].read_bytes()
    three[0].write_bytes(content.replace(b"number", b"numbes"))
    assert three[0].read_bytes() != content
    with pytest.raises(JournalCorruptError, match="segment 1"):
        written(PathSegments(tmp_path, CAMPAIGN))


def test_something_that_is_not_text_is_corrupt(three, tmp_path):
    three[2].write_bytes(b"\xff\xfe\x00")
    with pytest.raises(JournalCorruptError, match="segment 3 is not text"):
        written(PathSegments(tmp_path, CAMPAIGN))


@pytest.mark.parametrize("text", ["[]\n[]\n", "1\n2\n", "{}\n{}\n", "null", "not json\n"])
def test_some_other_file_is_corrupt(three, tmp_path, text):
    three[0].write_text(text)
    with pytest.raises(JournalCorruptError, match="segment 1"):
        written(PathSegments(tmp_path, CAMPAIGN))


def test_a_missing_file_in_between_is_corrupt(three, tmp_path):
    three[1].unlink()
    with pytest.raises(JournalCorruptError, match="segment 2 is missing in a sequence of 2: nothing was sent"):
        written(PathSegments(tmp_path, CAMPAIGN))


def test_a_renumbered_file_is_corrupt(three, tmp_path):
    three[1].write_bytes(three[0].read_bytes())
    with pytest.raises(JournalCorruptError, match="segment 2"):
        written(PathSegments(tmp_path, CAMPAIGN))


def test_what_was_read_before_the_damage_can_not_be_written_behind(three, tmp_path):
    three[2].write_bytes(b"")
    store = PathSegments(tmp_path, CAMPAIGN)
    with pytest.raises(JournalCorruptError):
        written(store)
    with pytest.raises(JournalConflictError):
        store.append(["1"])


def test_a_file_of_another_campaign_is_foreign(three, tmp_path):
    opened(PathSegments(tmp_path / "b", "other")).append(["secret"])
    (other,) = (tmp_path / "b").glob("*/*.jsonl")
    three[0].write_bytes(other.read_bytes())
    with pytest.raises(JournalForeignError, match="another campaign: nothing was sent") as caught:
        written(PathSegments(tmp_path, CAMPAIGN))
    assert "secret" not in str(caught.value)


def test_a_file_of_another_format_says_which(three, tmp_path, monkeypatch):
    monkeypatch.setattr(segment_format, "FORMAT", 2)
    text = segment_format.encode(segment_format.digest_of(CAMPAIGN), 1, ["1"])
    monkeypatch.undo()
    three[0].write_text(text)
    with pytest.raises(JournalForeignError, match="format 2, this version reads 1"):
        written(PathSegments(tmp_path, CAMPAIGN))


def test_drafts_and_probes_and_strangers_are_no_segments(three, tmp_path):
    folder = three[0].parent
    for name in (
        ".00000004.jsonl.abc",
        "probe-1",
        "00000004.jsonl.tmp",
        "4.jsonl",
        "00000004.jsonl\n",
        "٠٠٠٠٠٠٠٤.jsonl",
    ):
        (folder / name).write_text("?")
    assert len(written(PathSegments(tmp_path, CAMPAIGN))) == 3


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
        (base64.b64encode(zlib.compress(segment_format.encode("x", 1, []).encode())).decode(), JournalForeignError),
    ],
)
def test_a_strange_value_has_its_error(value, error):
    values = Values()
    values.set(f"{PREFIX}1", value)
    with pytest.raises(error, match=r"journal (segment|key) 1"):
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
        events.intent_record(chunk, 1e9 + chunk, keys, [None] * len(keys)),
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
    assert max(values.sizes()) <= LARGEST_VALUE
    assert min(values.sizes()[:-1]) > LARGEST_VALUE * 0.9


def test_a_try_begins_a_key_of_its_own():
    values = Values()
    for attempt in range(3):
        opened(KeyValueSegments(values, CAMPAIGN)).append([str(attempt)])
    assert list(values.content) == [f"{PREFIX}1", f"{PREFIX}2", f"{PREFIX}3"]


def test_a_record_that_alone_is_too_large_gets_its_own_key():
    values = Values()
    store = opened(KeyValueSegments(values, CAMPAIGN))
    large = json.dumps({"n": ["large", secrets.token_hex(60_000)]})
    records = ["1", large, "2", large, large, "3"]
    store.append(records[:3])
    store.append(records[3:])
    assert written(KeyValueSegments(values, CAMPAIGN)) == records
    assert len(values.content) == 6


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


# --- exclusive creation ---


def test_of_two_writers_on_one_path_the_second_must_stop(tmp_path):
    one, two = opened(PathSegments(tmp_path, CAMPAIGN)), opened(PathSegments(tmp_path, CAMPAIGN))
    one.append(["1"])
    with pytest.raises(JournalConflictError, match="segment 1 was written by somebody else"):
        two.append(["2"])
    one.append(["3"])
    assert written(PathSegments(tmp_path, CAMPAIGN)) == ["1", "3"]


def test_of_many_threads_one_creates_a_segment(tmp_path):
    stores = [opened(PathSegments(tmp_path, CAMPAIGN)) for _ in range(8)]
    barrier, outcomes = threading.Barrier(8), []

    def write(number):
        barrier.wait()
        try:
            stores[number].append([str(number)] * 500)
            outcomes.append("written")
        except JournalConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 7 + ["written"]
    assert len(set(written(PathSegments(tmp_path, CAMPAIGN)))) == 1


def write_until_conflict(path, start, results):
    """In another process: open a journal, wait for the other one, and intend chunks until told to stop."""
    with Journal(PathSegments(Path(path), CAMPAIGN)) as journal:
        list(journal.replay())
        start.wait(LONG)
        chunks = 0
        try:
            while chunks < 200:
                journal.intend(journal.new_chunk(), [bytes(events.KEY_BYTES)], [None])
                chunks += 1
            results.put(("finished", chunks))
        except JournalConflictError:
            results.put(("conflict", chunks))


def test_of_two_processes_one_is_stopped_at_its_next_write(tmp_path):
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(2), context.Queue()
    processes = [context.Process(target=write_until_conflict, args=(str(tmp_path), start, results)) for _ in range(2)]
    for process in processes:
        process.start()
    ended = dict(results.get(timeout=LONG) for _ in processes)
    for process in processes:
        process.join(LONG)
    results.close()
    results.join_thread()
    assert ended["finished"] == 200
    assert len(written(PathSegments(tmp_path, CAMPAIGN))) == 200 + ended["conflict"]


class Overwriting:
    """A path on a file system that takes "create exclusively" for "write", as some object stores do."""

    def __init__(self, path: Path, modes: list[str]) -> None:
        self._path = path
        self._modes = modes
        self.name = path.name

    def __truediv__(self, name: str) -> Overwriting:
        return Overwriting(self._path / name, self._modes)

    def mkdir(self, **options: bool) -> None:
        self._path.mkdir(**options)

    def iterdir(self):
        return (Overwriting(path, self._modes) for path in self._path.iterdir())

    def open(self, mode: str):
        self._modes.append(mode)
        return self._path.open(mode.replace("x", "w"))

    def read_bytes(self) -> bytes:
        return self._path.read_bytes()

    def unlink(self) -> None:
        self._path.unlink()


def test_a_file_system_that_overwrites_is_refused(tmp_path):
    modes: list[str] = []
    with pytest.raises(JournalStoreError, match=r"overwrites a file that exists.*nothing was sent"):
        written(PathSegments(Overwriting(tmp_path, modes), CAMPAIGN))
    assert set(modes) == {"xb"}
    assert list(folder_of(tmp_path).iterdir()) == []


class Refusing(Overwriting):
    """A path on a file system without that mode."""

    def __truediv__(self, name: str) -> Refusing:
        return Refusing(self._path / name, self._modes)

    def open(self, mode: str):
        raise NotImplementedError(mode)


def test_a_file_system_without_the_mode_is_refused(tmp_path):
    with pytest.raises(JournalStoreError, match=r"whole and exclusively .NotImplementedError.: nothing"):
        written(PathSegments(Refusing(tmp_path, []), CAMPAIGN))


class WithoutFolders(Overwriting):
    """A path on an object store: nothing is there before something is in it, and creation is exclusive."""

    def __truediv__(self, name: str) -> WithoutFolders:
        return WithoutFolders(self._path / name, self._modes)

    def mkdir(self, **options: bool) -> None:
        """Do nothing."""

    def open(self, mode: str):
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._path.open(mode)


def test_an_object_store_without_folders_is_an_empty_journal(tmp_path):
    opened(PathSegments(WithoutFolders(tmp_path, []), CAMPAIGN)).append(["1"])
    assert written(PathSegments(WithoutFolders(tmp_path, []), CAMPAIGN)) == ["1"]


def test_without_hard_links_nothing_is_begun(tmp_path, monkeypatch):
    """Nothing else makes a file appear whole: a process killed half-way would leave a damaged segment."""

    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(exclusive_files.os, "link", no_links)
    with pytest.raises(JournalStoreError, match="hard links"):
        opened(PathSegments(tmp_path, CAMPAIGN))
    assert list(folder_of(tmp_path).iterdir()) == []


def test_a_full_disk_leaves_no_half_segment(tmp_path, monkeypatch):
    store = opened(PathSegments(tmp_path, CAMPAIGN))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exclusive_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        store.append(["1"])
    monkeypatch.undo()
    assert list(folder_of(tmp_path).iterdir()) == []
    assert written(PathSegments(tmp_path, CAMPAIGN)) == []
