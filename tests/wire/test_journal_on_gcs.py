# SPDX-License-Identifier: Apache-2.0
"""A journal on Google's storage, through its fsspec library, against a server of our own."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from support.bulk_send import BulkTask, Crash, messages
from support.gcs import BUCKET, gcs
from support.object_stores import ObjectPath

from airflow_provider_instasent.journal.errors import JournalConflictError, JournalCorruptError
from airflow_provider_instasent.journal.exclusive_probe import refuse_where_creation_is_not_exclusive
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.object_folder import ObjectFolder

__all__ = ["gcs"]

# Google's libraries announce the end of each Python.
pytestmark = pytest.mark.filterwarnings("ignore:You are using a Python version:FutureWarning")


@pytest.fixture
def place(gcs):
    return ObjectPath(gcs, f"{BUCKET}/{uuid4().hex}")


def opened(place):
    store = PathSegments(place, "dag/run/task/-1")
    return store, [record for records in store.read() for record in records]


def test_records_come_back_over_several_tries_and_the_probe_leaves_nothing(place, gcs):
    for attempt in range(3):
        store, records = opened(place)
        assert records == [str(number) for number in range(attempt * 2)]
        store.append([str(attempt * 2)])
        store.append([str(attempt * 2 + 1)])
        store.close()
    names = [name for name in gcs.find(place.path) if "probe" in name]
    assert names == []


def test_of_two_writers_the_second_must_stop(place):
    (one, _), (two, _) = opened(place), opened(place)
    one.append(["1"])
    with pytest.raises(JournalConflictError):
        two.append(["2"])
    one.append(["3"])
    one.close()
    assert opened(place)[1] == ["1", "3"]


def test_each_single_object_that_is_lost_is_missed(place, gcs):
    store, _ = opened(place)
    store.append(["1"])
    store.append(["2"])
    store.close()
    for name in gcs.find(place.path, refresh=True):
        content = gcs.cat_file(name)
        gcs.rm_file(name)
        with pytest.raises(JournalCorruptError, match="is missing"):
            opened(place)
        gcs.pipe_file(name, content)
    assert opened(place)[1] == ["1", "2"]


def test_of_many_threads_one_creates(place):
    folder = ObjectFolder(place.fs, place.path)
    refuse_where_creation_is_not_exclusive(folder)
    for number in range(5):
        barrier, winners = threading.Barrier(6), []

        def write(content: bytes, name: str = f"{number}", barrier=barrier, winners=winners) -> None:
            try:
                folder.create(name, content, lambda: barrier.wait(60))
                winners.append(content)
            except FileExistsError:
                pass

        threads = [threading.Thread(target=write, args=(bytes([index]),)) for index in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert winners == [folder.read(f"{number}")]


class OnGoogle(BulkTask):
    """A task whose journal is there."""

    place: ObjectPath

    def segments(self):
        return PathSegments(self.place, self.campaign_id)


def test_a_campaign_goes_on_after_its_process_died(sandbox, place, tmp_path):
    task = OnGoogle(sandbox, tmp_path, "path", messages(1_000), policy="resend", grace=0.3)
    task.place = place
    with pytest.raises(Crash):
        task.attempt(dies_after_request=5)
    outcome = task.attempt()
    assert outcome.error is None
    assert outcome.summary["accepted"] == 1_000
    assert set(task.sent().values()) == {1}
