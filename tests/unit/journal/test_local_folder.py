# SPDX-License-Identifier: Apache-2.0
"""Files of a journal appear whole, for their owner alone."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from airflow_provider_instasent.journal import local_folder
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.local_folder import LocalFolder


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request):
    former = os.umask(request.param)
    yield request.param
    os.umask(former)


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_journal_is_readable_by_its_owner_only_whatever_the_umask(tmp_path, umask, monkeypatch):
    monkeypatch.setattr("airflow_provider_instasent.journal.merged_files.SEGMENTS", 2)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o755)
    store = PathSegments(shared / "not" / "there", "c")
    list(store.read())
    for number in range(5):
        store.append([str(number)])
    below = list(shared.rglob("*"))
    assert {path.name.split("-")[0] for path in below} >= {"not", "there", "c", "head", "merged", "00000005.jsonl"}
    assert {mode(path) for path in below if path.is_dir()} == {0o700}
    assert {mode(path) for path in below if path.is_file()} == {0o600}
    assert mode(shared) == 0o755


def test_drafts_are_readable_by_their_owner_only_too(tmp_path, umask):
    seen = []
    folder = LocalFolder(tmp_path / "j")
    folder.create("a", b"content", lambda: seen.extend(mode(path) for path in (tmp_path / "j").iterdir()))
    assert seen == [0o600]


def test_a_folder_that_is_there_keeps_its_mode(tmp_path):
    (tmp_path / "j").mkdir()
    (tmp_path / "j").chmod(0o750)
    LocalFolder(tmp_path / "j").create("a", b"")
    assert mode(tmp_path / "j") == 0o750


def test_a_name_that_is_taken_is_not_written_over(tmp_path):
    folder = LocalFolder(tmp_path)
    folder.create("a", b"first")
    with pytest.raises(FileExistsError):
        folder.create("a", b"second")
    assert folder.read("a") == b"first"
    assert folder.names() == ["a"]


def test_a_full_disk_leaves_no_half_file(tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(local_folder.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        LocalFolder(tmp_path).create("a", b"1")
    assert list(tmp_path.iterdir()) == []


def test_a_line_that_is_cut_is_an_error(tmp_path, monkeypatch):
    folder = LocalFolder(tmp_path)
    folder.create("a", b"first\n")
    monkeypatch.setattr(local_folder.os, "write", lambda _descriptor, line: len(line) - 1)
    with pytest.raises(OSError, match="No space") as error:
        folder.write_last_line("a", b"second\n")
    assert error.value.errno == errno.ENOSPC


def test_a_last_line_is_added_to_a_file_that_is_there(tmp_path):
    folder = LocalFolder(tmp_path)
    with pytest.raises(FileNotFoundError):
        folder.write_last_line("a", b"first\n")
    folder.create("a", b"first\n")
    folder.write_last_line("a", b"second\n")
    assert folder.read("a") == b"first\nsecond\n"


def test_a_folder_that_is_not_there_has_no_names_and_is_not_made_by_looking(tmp_path):
    folder = LocalFolder(tmp_path / "j")
    assert folder.names() == []
    with pytest.raises(FileNotFoundError):
        folder.read("a")
    assert not (tmp_path / "j").exists()


def test_a_folder_that_vanishes_is_not_made_again(tmp_path):
    folder = LocalFolder(tmp_path / "j")
    folder.create("a", b"")
    folder.delete("a")
    (tmp_path / "j").rmdir()
    with pytest.raises(FileNotFoundError):
        folder.create("b", b"")


def test_two_tries_may_make_the_folders_at_one_time(tmp_path, monkeypatch):
    mkdir = Path.mkdir

    def second(path: Path, mode: int) -> None:
        mkdir(path, mode)
        mkdir(path, mode)

    monkeypatch.setattr(Path, "mkdir", second)
    folder = LocalFolder(tmp_path / "not" / "there")
    folder.create("a", b"content")
    assert folder.read("a") == b"content"


def test_a_file_system_that_cannot_sync_a_folder_is_borne(tmp_path, monkeypatch):
    fsync = os.fsync

    def refuse_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(local_folder.os, "fsync", refuse_folders)
    folder = LocalFolder(tmp_path)
    folder.create("a", b"content")
    assert folder.read("a") == b"content"
