# SPDX-License-Identifier: Apache-2.0
"""What each try says of a journal's length cannot be taken back, is late by one segment at most, and costs no wait."""

from __future__ import annotations

import threading

import pytest
from support.journal_places import Place

from airflow_provider_instasent.journal.errors import JournalConflictError, JournalCorruptError
from airflow_provider_instasent.journal.folder_heads import OwnHead, file_name, read_head, tries_among
from airflow_provider_instasent.journal.local_folder import LocalFolder
from airflow_provider_instasent.journal.segment_format import Link


@pytest.fixture(params=["path", "objects"])
def place(request, tmp_path):
    return Place(request.param, tmp_path)


def opened(place):
    store = place.open()
    list(store.read())
    return store


def test_a_superseded_try_cannot_lower_what_a_later_one_said(place):
    old = opened(place)
    old.append(["old 1"])
    held = old._own_head._line(1, "")  # it hung before it could say so
    new = opened(place)
    for number in range(3):
        new.append([f"new {number}"])
    new.close()
    with pytest.raises(JournalConflictError):
        old.append(["old 2"])
    old._folder.write_last_line(file_name(old._by), old._own_head._line(1, old._digest))
    assert held
    place.lose(place.segments()[-1])
    with pytest.raises(JournalCorruptError, match="segment 4 is missing"):
        place.records()


def test_a_try_that_writes_nothing_says_nothing(place):
    opened(place).close()
    assert place.content() == {}


def test_each_try_has_a_file_of_its_own(place):
    for attempt in range(3):
        place.write([str(attempt)])
    assert len(place.heads()) == 3


def test_a_half_written_line_is_passed_over(place):
    place.write(["1"], ["2"])
    (name,) = place.heads()
    content = place.content()[name]
    place.put({name: content + content[:30]})
    assert place.records() == ["1", "2"]


def test_names_of_others_are_no_heads():
    assert tries_among(["head-1.json", "head-.json", f"head-{'a' * 32}.json.tmp", f"x-head-{'a' * 32}.json"]) == set()
    assert tries_among([file_name("0" * 32)]) == {"0" * 32}


def test_a_head_under_the_name_of_another_try_is_damage(tmp_path):
    folder = LocalFolder(tmp_path)
    folder.create(file_name("a" * 32), OwnHead(folder, "c", "b" * 32)._line(1, "x"))
    with pytest.raises(JournalCorruptError, match="which tells how far it goes"):
        read_head(folder, "c", "a" * 32)


class Slow:
    """A remote folder whose last lines are written when the test says so."""

    remote = True

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.allowed = threading.Semaphore(0)
        self.failing: Exception | None = None

    def create(self, name: str, content: bytes) -> None:
        self.lines.append(content)

    def write_last_line(self, name: str, line: bytes) -> None:
        self.allowed.acquire()
        if self.failing is not None:
            raise self.failing
        self.lines.append(line)


def test_nobody_waits_for_a_head_but_the_one_after_the_next():
    folder = Slow()
    head = OwnHead(folder, "c", "a" * 32)  # type: ignore[arg-type]
    head.begin(0, "")
    head.advance(1, Link("1", ""))  # returns though it is not written
    assert len(folder.lines) == 1
    second = threading.Thread(target=head.advance, args=(2, Link("2", "")))
    second.start()
    second.join(0.05)
    assert second.is_alive()  # it waits for the first, so that nothing is more than one behind
    folder.allowed.release()
    second.join()
    folder.allowed.release()
    head.finish()
    assert [b'"segments": 0' in folder.lines[0], b'"segments": 2' in folder.lines[-1]] == [True, True]


def test_a_head_that_could_not_be_written_ends_the_journal_at_the_next_write():
    folder = Slow()
    head = OwnHead(folder, "c", "a" * 32)  # type: ignore[arg-type]
    head.begin(0, "")
    folder.failing = ConnectionResetError()
    folder.allowed.release()
    head.advance(1, Link("1", ""))
    with pytest.raises(ConnectionResetError):
        head.advance(2, Link("2", ""))


def test_a_local_head_that_is_taken_away_ends_the_journal(tmp_path):
    place = Place("path", tmp_path)
    store = opened(place)
    store.append(["1"])
    place.lose(*place.heads())
    with pytest.raises(FileNotFoundError):
        store.append(["2"])
