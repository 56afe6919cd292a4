# SPDX-License-Identifier: Apache-2.0
"""Numbered files: damage has its own clear error, and of two writers one must stop."""

from __future__ import annotations

import json
import multiprocessing
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from support.object_stores import ObjectPath, Store

from airflow_provider_instasent.journal import events
from airflow_provider_instasent.journal.errors import (
    JournalConflictError,
    JournalCorruptError,
    JournalForeignError,
)
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.journal import Journal

CAMPAIGN = "dag/run/task/-1"


def opened(store: Any) -> Any:
    """A store that was read, as every try does first."""
    list(store.read())
    return store


def written(store: Any) -> list[str]:
    return [record for records in store.read() for record in records]


def folder_of(path: Path) -> Path:
    (folder,) = path.iterdir()
    return folder


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


@pytest.fixture
def three(tmp_path):
    store = opened(PathSegments(tmp_path, CAMPAIGN))
    for number in range(3):
        store.append([json.dumps({"n": ["number", number]})])
    return sorted(folder_of(tmp_path).glob("0*.jsonl"))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.9, 0.98])
def test_a_truncated_file_is_corrupt(three, tmp_path, share):
    content = three[1].read_bytes()
    three[1].write_bytes(content[: int(len(content) * share)])
    with pytest.raises(JournalCorruptError, match="segment 2 is not what was written"):
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
    with pytest.raises(JournalCorruptError, match="segment 2 is missing"):
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
    (other,) = (tmp_path / "b").glob("*/0*.jsonl")
    three[0].write_bytes(other.read_bytes())
    with pytest.raises(JournalForeignError, match="another campaign: nothing was sent") as caught:
        written(PathSegments(tmp_path, CAMPAIGN))
    assert "secret" not in str(caught.value)


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
        start.wait(60)
        chunks = 0
        try:
            list(journal.replay())
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
    ended = dict(results.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(30)
    results.close()
    results.join_thread()
    assert ended["finished"] == 200
    # The one that was stopped may have opened the journal, and then written some chunks, or was stopped at its opening.
    assert len(written(PathSegments(tmp_path, CAMPAIGN))) - 201 - ended["conflict"] in {0, 1}


def test_a_write_whose_answer_was_lost_is_this_trys_own():
    """A client repeats the request, and is told that the file is there: by itself."""
    store = Store()
    segments = opened(PathSegments(ObjectPath(store, "bucket/j"), CAMPAIGN))
    store.answers_lost = 3  # the head, and two segments
    segments.append(["1"])
    segments.append(["2"])
    segments.close()
    assert store.answers_lost == 0
    assert written(PathSegments(ObjectPath(store, "bucket/j"), CAMPAIGN)) == ["1", "2"]


def test_the_same_records_of_another_try_are_not_this_trys_own():
    store = Store()
    one, two = (opened(PathSegments(ObjectPath(store, "bucket/j"), CAMPAIGN)) for _ in range(2))
    one.append(["1"])
    with pytest.raises(JournalConflictError):
        two.append(["1"])


def test_a_segment_that_another_try_wrote_over_is_noticed(tmp_path):
    """As on a file system that is not exclusive, whatever the probe found."""
    one, two = opened(PathSegments(tmp_path, CAMPAIGN)), opened(PathSegments(tmp_path, CAMPAIGN))
    one.append(["1"])
    (file,) = folder_of(tmp_path).glob("0*.jsonl")
    file.unlink()
    two.append(["2"])
    with pytest.raises(JournalCorruptError, match="segment 1 is another one than was written first"):
        written(PathSegments(tmp_path, CAMPAIGN))


class Growing:
    """A folder whose other writer goes on between two looks.

    :param late: what the first listing lacks
    """

    def __init__(self, folder: Any, late: list[str]) -> None:
        self._folder = folder
        self._late = late
        self.remote = folder.remote

    def __getattr__(self, name: str) -> Any:
        return getattr(self._folder, name)

    def names(self) -> list[str]:
        late, self._late = self._late, []
        return [name for name in self._folder.names() if name not in late]


@pytest.mark.parametrize("late", ["first", "last", "head"])
def test_what_another_live_try_wrote_while_the_folder_was_listed_is_not_missing(tmp_path, late):
    for number in range(2):
        store = opened(PathSegments(tmp_path, CAMPAIGN))
        store.append([str(number)])
        store.append([f"{number} again"])
    names = {"first": "00000001.jsonl", "last": "00000004.jsonl", "head": f"head-{store._by}.json"}
    reader = PathSegments(tmp_path, CAMPAIGN)
    reader._folder = Growing(reader._folder, [names[late]])
    assert len(written(reader)) == 4
