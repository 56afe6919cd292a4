# SPDX-License-Identifier: Apache-2.0

"""A campaign whose journal lost something, or lies where two tries could write the same, sends nothing."""

from __future__ import annotations

import threading

import pytest
from support import object_stores
from support.bulk_send import BulkTask, Crash, messages
from support.journal_places import ReadTogether
from support.object_stores import ObjectPath, Store

from airflow_provider_instasent.journal import exclusive_probe
from airflow_provider_instasent.journal.errors import JournalConflictError, JournalCorruptError, JournalStoreError
from airflow_provider_instasent.journal.folder_store import PathSegments

TOTAL = 1_000


@pytest.fixture
def small_keys(monkeypatch):
    """So that a campaign of a thousand has several keys."""
    monkeypatch.setattr("airflow_provider_instasent.journal.key_value_store.LARGEST_VALUE", 2_000)


def kept(task: BulkTask) -> dict[str, object]:
    """All that a task's journal consists of, in order."""
    if task.journal == "values":
        found: dict[str, object] = dict(task.values.content)
    else:
        found = {path.name: path.read_bytes() for path in task.segments()._folder._path.iterdir()}
    return dict(sorted(found.items(), key=lambda item: (len(item[0]), item[0])))


def lose(task: BulkTask, *names: str) -> None:
    for name in names:
        if task.journal == "values":
            del task.values.content[name]
        else:
            (task.segments()._folder._path / name).unlink()


def put_back(task: BulkTask, content: dict[str, object]) -> None:
    if task.journal == "values":
        task.values.content.update(content)
    else:
        for name, value in content.items():
            (task.segments()._folder._path / name).write_bytes(value)


@pytest.mark.usefixtures("small_keys")
@pytest.mark.parametrize("journal", ["values", "path"])
@pytest.mark.parametrize("done", [False, True], ids=["half done", "done"])
def test_whatever_single_part_of_the_journal_is_lost_nothing_is_sent(sandbox, tmp_path, journal, done):
    task = BulkTask(sandbox, tmp_path, journal, messages(TOTAL), policy="resend", in_flight=2)
    if done:
        assert task.attempt().error is None
    else:
        with pytest.raises(Crash):
            task.attempt(dies_after_request=7)
    sent, content = task.sent(), kept(task)
    assert len(content) >= 4
    for name, value in content.items():
        lose(task, name)
        with pytest.raises(JournalCorruptError, match=r"the journal is damaged: .* Nothing was sent by this try"):
            task.attempt()
        put_back(task, {name: value})
    assert task.sent() == sent
    assert task.attempt().error is None
    assert len(task.sent()) == TOTAL
    assert set(task.sent().values()) == {1}


@pytest.mark.usefixtures("small_keys")
@pytest.mark.parametrize("journal", ["values", "path"])
@pytest.mark.parametrize("count", [2, 3])
def test_the_last_parts_of_the_journal_that_are_lost_are_missed(sandbox, tmp_path, journal, count):
    task = BulkTask(sandbox, tmp_path, journal, messages(TOTAL), policy="resend", in_flight=1)
    with pytest.raises(Crash):
        task.attempt(dies_after_request=8)
    sent = task.sent()
    lose(task, *[name for name in kept(task) if "head" not in name][-count:])
    with pytest.raises(JournalCorruptError, match="is missing"):
        task.attempt()
    assert task.sent() == sent


def test_the_last_eight_files_that_are_lost_are_missed(sandbox, tmp_path):
    task = BulkTask(sandbox, tmp_path, "path", messages(TOTAL), policy="resend", in_flight=1)
    with pytest.raises(Crash):
        task.attempt(dies_after_request=8)
    folder = task.segments()._folder._path
    by_age = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    for path in by_age[-8:]:
        path.unlink()
    sent = task.sent()
    with pytest.raises(JournalCorruptError, match="is missing"):
        task.attempt()
    assert task.sent() == sent


# --- a store where two tries could write the same segment ---


class OnStore(BulkTask):
    """A task whose journal is on an object storage."""

    store: Store
    together: threading.Barrier | None = None

    def segments(self):
        segments = PathSegments(ObjectPath(self.store, "bucket/journals"), self.campaign_id)
        return segments if self.together is None else ReadTogether(segments, self.together)


class Together(Store):
    """A store that looks, then writes; nobody who creates a file does before all that create it have looked."""

    def commit(self, path: str, value: bytes) -> None:
        taken = path in self.objects
        with self.lock:
            barrier = self.__dict__.setdefault("barriers", {}).setdefault(
                path, threading.Barrier(exclusive_probe.WRITERS)
            )
        if taken:
            raise FileExistsError(path)
        barrier.wait(60)
        self.put(path, value)


@pytest.mark.parametrize(
    "store",
    [
        Store(object_stores.OVERWRITES, delay=0.02),
        Store(object_stores.LAST_WINS, delay=0.02),
        Together(),
    ],
    ids=lambda store: f"{type(store).__name__} {store.creation}",
)
def test_two_live_tries_where_both_could_write_are_refused(sandbox, tmp_path, store):
    tasks = [OnStore(sandbox, tmp_path, "path", messages(TOTAL), policy="resend") for _ in range(2)]
    ended = _run_together(tasks, store)
    assert [type(error) for error in ended] == [JournalStoreError] * 2
    assert not task_sent(tasks)


def test_two_live_tries_on_a_store_with_conditional_writes_text_nobody_twice(sandbox, tmp_path):
    tasks = [OnStore(sandbox, tmp_path, "path", messages(TOTAL), grace=0.5) for _ in range(2)]
    ended = _run_together(tasks, Store())
    assert any(isinstance(error, JournalConflictError) for error in ended)
    tasks[0].together = None
    last = tasks[0].attempt()
    sent = task_sent(tasks)
    assert set(sent.values()) == {1}
    assert last.summary["accepted"] + last.summary["unconfirmed"] == TOTAL


def task_sent(tasks: list[OnStore]):
    return tasks[0].sent()


def _run_together(tasks: list[OnStore], store: Store) -> list[BaseException | None]:
    """Run them at one time; return what ended each, in no order."""
    ended: list[BaseException | None] = []
    together = threading.Barrier(len(tasks))

    def run(task: OnStore) -> None:
        task.store, task.together = store, together
        try:
            ended.append(task.attempt().error)
        except Exception as error:  # noqa: BLE001 - it is what the test asks for
            ended.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ended
