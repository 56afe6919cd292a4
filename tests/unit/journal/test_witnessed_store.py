# SPDX-License-Identifier: Apache-2.0
"""A folder that is empty at a later try is not taken for a new journal."""

from __future__ import annotations

import pytest
from support.campaign import Values

from airflow_provider_instasent.journal.errors import JournalCorruptError
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.witnessed_store import WitnessedSegments


@pytest.fixture
def values():
    return Values()


def opened(folder, values, place="/journals"):
    store = WitnessedSegments(PathSegments(folder, "c"), values, place)
    return store, [record for records in store.read() for record in records]


def test_records_come_back_over_several_tries(tmp_path, values):
    for attempt in range(3):
        store, records = opened(tmp_path, values)
        assert records == [str(number) for number in range(attempt)]
        store.append([str(attempt)])
        store.close()
    assert list(values.content) == [WitnessedSegments.KEY]


@pytest.mark.parametrize("empty", ["another worker's", "emptied"])
def test_a_folder_that_is_empty_later_is_damage(tmp_path, values, empty):
    store, _ = opened(tmp_path / "one", values)
    store.append(["1"])
    if empty == "emptied":
        (campaign,) = (tmp_path / "one").iterdir()
        for file in campaign.iterdir():
            file.unlink()
    with pytest.raises(JournalCorruptError, match=r"one worker alone, or was it emptied.*Nothing was sent"):
        opened(tmp_path / ("one" if empty == "emptied" else "two"), values)


def test_another_path_is_told_from_an_empty_one(tmp_path, values):
    opened(tmp_path / "one", values)[0].append(["1"])
    with pytest.raises(JournalCorruptError, match="`journal_path` is another one than when"):
        opened(tmp_path / "two", values, place="/elsewhere")


def test_a_journal_that_moved_with_its_path_is_read(tmp_path, values):
    opened(tmp_path / "one", values)[0].append(["1"])
    (tmp_path / "one").rename(tmp_path / "two")
    store, records = opened(tmp_path / "two", values, place="/elsewhere")
    assert records == ["1"]
    store.append(["2"])
    assert opened(tmp_path / "two", values, place="/elsewhere")[1] == ["1", "2"]


def test_a_try_that_died_before_it_wrote_is_followed_by_a_new_journal(tmp_path, values):
    opened(tmp_path / "one", values)
    assert opened(tmp_path / "two", values)[1] == []


def test_nothing_is_relied_upon_before_the_witness_knows(tmp_path, values):
    """Where the first records are durable and the witness does not know, their future is an error."""
    store, _ = opened(tmp_path, values)
    values.failing = BrokenPipeError("the supervisor is gone")
    with pytest.raises(BrokenPipeError):
        store.append(["1"])
    values.failing = None
    again, records = opened(tmp_path, values)
    assert records == ["1"]
    again.append(["2"])
    assert WitnessedSegments.KEY in values.content


def test_the_witness_is_asked_to_write_once_a_task(tmp_path, values):
    store, _ = opened(tmp_path, values)
    store.append(["1"])
    values.failing = AssertionError("no second time")
    store.append(["2"])
    opened(tmp_path, values)[0].append(["3"])


def test_a_task_that_joins_a_campaign_of_another_testifies_for_itself(tmp_path, values):
    opened(tmp_path, Values())[0].append(["1"])
    store, records = opened(tmp_path, values)
    assert records == ["1"]
    assert not values.content
    store.append(["2"])
    assert WitnessedSegments.KEY in values.content
