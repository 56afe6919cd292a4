# SPDX-License-Identifier: Apache-2.0
"""A place where two tries could write the same segment is refused, however it lets them."""

from __future__ import annotations

import threading

import pytest
from support import object_stores
from support.object_stores import Store

from airflow_provider_instasent.journal import exclusive_probe, local_folder
from airflow_provider_instasent.journal.errors import JournalStoreError
from airflow_provider_instasent.journal.exclusive_probe import refuse_where_creation_is_not_exclusive
from airflow_provider_instasent.journal.local_folder import LocalFolder
from airflow_provider_instasent.journal.object_folder import ObjectFolder


def folder_of(store: Store) -> ObjectFolder:
    return ObjectFolder(store, "bucket/journal")


def test_a_store_with_conditional_writes_is_accepted_and_left_as_it_was():
    store = Store()
    refuse_where_creation_is_not_exclusive(folder_of(store))
    assert store.objects == {}


def test_the_probe_costs_a_store_few_requests():
    store = Store()
    refuse_where_creation_is_not_exclusive(folder_of(store))
    kinds = [kind for kind, _ in store.requests]
    assert (kinds.count("put"), kinds.count("get"), kinds.count("delete")) == (12, 3, 3)


def test_a_local_folder_is_accepted_and_left_empty(tmp_path):
    refuse_where_creation_is_not_exclusive(LocalFolder(tmp_path / "journal"))
    assert list((tmp_path / "journal").iterdir()) == []


@pytest.mark.parametrize("delay", [0.0, 0.001, 0.02])
@pytest.mark.parametrize(
    "creation",
    [
        object_stores.OVERWRITES,
        object_stores.LAST_WINS,
    ],
)
def test_a_store_that_lets_two_write_the_same_file_is_refused(creation, delay):
    store = Store(creation, delay)
    with pytest.raises(JournalStoreError, match=r"two writers create the same file.*nothing was sent"):
        refuse_where_creation_is_not_exclusive(folder_of(store))
    assert store.objects == {}


class Together(Store):
    """A store that looks, then writes; nobody writes before all have looked, whatever the machine does meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._looked = threading.Barrier(exclusive_probe.WRITERS)

    def commit(self, path: str, value: bytes) -> None:
        taken = path in self.objects
        if not taken:
            self._looked.wait(60)
            self.put(path, value)
            return
        raise FileExistsError(path)


def test_a_store_that_looks_and_then_writes_is_refused():
    with pytest.raises(JournalStoreError, match="two writers create the same file"):
        refuse_where_creation_is_not_exclusive(folder_of(Together()))


@pytest.mark.parametrize("fails", [0, 1])
def test_nobody_takes_the_last_step_before_all_are_ready(tmp_path, fails):
    """Where one of them cannot even get so far, the others wait no longer."""
    taken: list[int] = []
    created = threading.Lock()

    class Folder(LocalFolder):
        ready, unable = 0, fails

        def create(self, name, content, ready=lambda: None) -> None:
            with created:
                self.unable, unable = 0, self.unable and content != b"late"
                self.ready += content != b"late"
            if unable:
                raise ConnectionResetError
            super().create(name, content, lambda: (ready(), taken.append(self.ready)))

    refuse_where_creation_is_not_exclusive(Folder(tmp_path))
    each = exclusive_probe.WRITERS
    rounds = [(round_ + 1) * each for round_ in range(exclusive_probe.ROUNDS)]
    assert taken == [ready for ready in rounds for _ in range(each + 1)][fails:]


class Later(Store):
    """A store that is exclusive among those who write at one time, and overwrites what has been there for long."""

    def commit(self, path: str, value: bytes) -> None:
        if value == b"late":
            self.put(path, value)
            return
        super().commit(path, value)


def test_a_store_that_overwrites_old_files_is_refused():
    with pytest.raises(JournalStoreError, match="two writers create the same file"):
        refuse_where_creation_is_not_exclusive(folder_of(Later()))


def test_a_store_without_the_mode_is_refused():
    with pytest.raises(JournalStoreError, match=r"whole and exclusively .NotImplementedError.: nothing was sent"):
        refuse_where_creation_is_not_exclusive(folder_of(Store(object_stores.WITHOUT)))


def test_a_store_that_cannot_be_reached_is_not_judged():
    with pytest.raises(ConnectionResetError):
        refuse_where_creation_is_not_exclusive(folder_of(Store(object_stores.UNREACHABLE)))


def test_an_answer_that_is_lost_is_no_judgement():
    with pytest.raises(FileExistsError):
        refuse_where_creation_is_not_exclusive(folder_of(Store(answers_lost=1)))


def test_without_hard_links_a_local_folder_is_refused(tmp_path, monkeypatch):
    """Nothing else makes a file appear whole: a process killed half-way would leave a damaged segment."""

    def no_links(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(local_folder.os, "link", no_links)
    with pytest.raises(JournalStoreError, match="hard links") as error:
        refuse_where_creation_is_not_exclusive(LocalFolder(tmp_path))
    assert isinstance(error.value.__cause__, OSError)
    assert list(tmp_path.iterdir()) == []


def test_a_mount_that_looks_and_then_links_is_refused(tmp_path, monkeypatch):
    looked = threading.Barrier(exclusive_probe.WRITERS)

    def link(source, target) -> None:
        taken = target.exists()
        looked.wait(60)
        if taken:
            raise FileExistsError(target)
        source.replace(target)

    monkeypatch.setattr(local_folder.os, "link", link)
    with pytest.raises(JournalStoreError, match="two writers create the same file"):
        refuse_where_creation_is_not_exclusive(LocalFolder(tmp_path))
