# SPDX-License-Identifier: Apache-2.0
"""A journal under Airflow's own paths on this machine; `test_journal_on_s3` has those on an object storage."""

from __future__ import annotations

import re

import pytest

from airflow_provider_instasent.compat import ObjectStoragePath
from airflow_provider_instasent.journal.errors import JournalConflictError, JournalCorruptError
from airflow_provider_instasent.journal.folder_store import PathSegments

# Airflow 2.11's own paths warn of universal-pathlib's future.
pytestmark = pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning")


@pytest.fixture(params=["file://", ""], ids=["with scheme", "without"])
def folder(request, tmp_path):
    return ObjectStoragePath(f"{request.param}{tmp_path}/not/there/yet")


def opened(folder, campaign="dag/run/task/-1"):
    store = PathSegments(folder, campaign)
    return store, [record for records in store.read() for record in records]


def test_records_come_back_over_several_tries(folder):
    for attempt in range(3):
        store, records = opened(folder)
        assert records == [str(number) for number in range(attempt * 2)]
        store.append([str(attempt * 2)])
        store.append([str(attempt * 2 + 1)])


def test_of_two_writers_the_second_must_stop(folder):
    (one, _), (two, _) = opened(folder), opened(folder)
    one.append(["1"])
    with pytest.raises(JournalConflictError):
        two.append(["2"])
    one.append(["3"])
    assert opened(folder)[1] == ["1", "3"]


def test_nothing_but_segments_and_a_head_is_left_behind(folder):
    store, _ = opened(folder)
    store.append(["1"])
    (campaign,) = folder.iterdir()
    segment, head = sorted(path.name for path in campaign.iterdir())
    assert segment == "00000001.jsonl"
    assert re.fullmatch(r"head-[0-9a-f]{32}\.json", head)


def test_damage_is_told(folder):
    opened(folder)[0].append(["1"])
    (campaign,) = folder.iterdir()
    with (campaign / "00000001.jsonl").open("wb") as stream:
        stream.write(b"")
    with pytest.raises(JournalCorruptError):
        opened(folder)
