# SPDX-License-Identifier: Apache-2.0
"""Copies of small files save reads and never decide anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_instasent.journal import merged_files
from airflow_provider_instasent.journal.errors import JournalCorruptError
from airflow_provider_instasent.journal.folder_store import PathSegments

TOTAL = 3 * merged_files.SEGMENTS + 5
RECORDS = [str(number) for number in range(TOTAL)]


@pytest.fixture
def folder(tmp_path):
    """The directory of a journal of many small segments, written by two tries."""
    write(tmp_path)
    (folder,) = tmp_path.iterdir()
    return folder


def write(directory) -> None:
    for start, end in ((0, 40), (40, TOTAL)):
        store = PathSegments(directory, "c")
        list(store.read())
        for record in RECORDS[start:end]:
            store.append([record])


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that were read."""
    names: list[str] = []
    read_bytes = Path.read_bytes

    def noted(path: Path) -> bytes:
        names.append(path.name)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    return names


def written(folder) -> list[str]:
    return [record for records in PathSegments(folder.parent, "c").read() for record in records]


def copies(folder) -> list[Path]:
    return sorted(folder.glob("merged-*"))


def test_many_small_files_are_read_as_few(folder, reads):
    assert written(folder) == RECORDS
    assert len(copies(folder)) >= 2
    assert len(reads) < TOTAL / 2


def test_every_small_file_stays(folder):
    assert len(list(folder.glob("0*.jsonl"))) == TOTAL


@pytest.mark.parametrize("content", [b"", b"\xff", b"{}\n{}\n"])
def test_a_damaged_copy_is_passed_over(folder, content):
    for copy in copies(folder):
        copy.write_bytes(content)
    assert written(folder) == RECORDS


def test_a_copy_under_another_number_is_passed_over(folder):
    first, second, *_ = copies(folder)
    second.write_bytes(first.read_bytes())
    assert written(folder) == RECORDS


def test_a_copy_of_another_campaign_is_passed_over(folder, tmp_path):
    other = PathSegments(tmp_path, "other")
    list(other.read())
    for record in RECORDS:
        other.append([f"foreign {record}"])
    (elsewhere,) = (path for path in tmp_path.iterdir() if path != folder)
    for copy in copies(elsewhere):
        (folder / copy.name).write_bytes(copy.read_bytes())
    assert written(folder) == RECORDS


def test_a_copy_that_says_more_than_there_is_does_not_hide_what_is_missing(folder):
    for number in range(60, TOTAL + 1):
        (folder / f"{number:08d}.jsonl").unlink()
    with pytest.raises(JournalCorruptError, match="segment 60 is missing"):
        written(folder)


@pytest.mark.parametrize("number", [1, 2, 41, 64, TOTAL])
def test_a_small_file_that_is_missing_is_missed_though_its_copy_is_there(folder, number):
    (folder / f"{number:08d}.jsonl").unlink()
    with pytest.raises(JournalCorruptError, match=f"segment {number} is missing"):
        written(folder)


def test_a_copy_that_does_not_follow_what_is_before_it_is_damage(folder, tmp_path):
    """Such as one of another journal of the same campaign."""
    other = tmp_path / "other"
    write(other)
    (elsewhere,) = other.iterdir()
    copy = copies(folder)[0]
    copy.write_bytes((elsewhere / copy.name).read_bytes())
    with pytest.raises(JournalCorruptError, match="damaged"):
        written(folder)


def test_the_tries_that_wrote_what_is_in_a_copy_are_known(folder):
    for head in folder.glob("head-*"):
        content = head.read_bytes()
        head.unlink()
        with pytest.raises(JournalCorruptError, match="which tells how far it goes, is missing"):
            written(folder)
        head.write_bytes(content)
    assert written(folder) == RECORDS


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([40, 40, 19, 1, 40, 40, 20], ["1-4", "5-7"]),
        ([100, 60, 39, 1, 100], ["2-4"]),  # one alone is no copy, and the size begins anew after it
        ([99, 1, 99, 1], ["1-2", "3-4"]),
    ],
)
def test_large_segments_make_a_copy_sooner(tmp_path, monkeypatch, sizes, expected):
    monkeypatch.setattr(merged_files, "LARGEST", 100)
    store = PathSegments(tmp_path, "c")
    list(store.read())
    records = ["x" * size for size in sizes]
    for record in records:
        store.append([record])
    (folder,) = tmp_path.iterdir()
    spans = [re.findall(r"0*([1-9]\d*)", path.stem.removeprefix("merged-")) for path in copies(folder)]
    assert ["-".join(span) for span in spans] == expected
    assert written(folder) == records


class StoreError(Exception):
    """What some object store raises: no OSError."""


def test_a_copy_that_cannot_be_written_or_read_harms_nothing(folder, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise StoreError

    store = PathSegments(tmp_path, "c")
    list(store.read())
    create = store._folder.create
    store._folder.create = lambda name, content: (refuse if name.startswith("merged") else create)(name, content)
    more = [f"more {number}" for number in range(merged_files.SEGMENTS + 1)]
    for record in more:
        store.append([record])
    monkeypatch.setattr(merged_files, "decode", refuse)
    assert written(folder) == RECORDS + more
