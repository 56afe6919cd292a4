# SPDX-License-Identifier: Apache-2.0
"""A folder that is empty at a later try is missed where something else remembers that there was a journal in it."""

from __future__ import annotations

import shutil

import pytest
from support.campaign import Values, key

from airflow_provider_instasent.journal.errors import JournalMissingError
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.remembered_store import RememberedSegments


@pytest.fixture
def remembered(tmp_path):
    """Opens the place anew, as each try does, on whichever worker it runs."""
    memory = Values()

    def open_again(worker: str = "one", campaign: str = "c", *, refuse: bool = True) -> RememberedSegments:
        return RememberedSegments(PathSegments(tmp_path / worker, campaign), memory, campaign, refuse=refuse)

    return open_again


def attempt(store: RememberedSegments) -> bool:
    """Whether a try finds what an earlier one wrote; it writes something itself."""
    with Journal(store) as journal:
        events = list(journal.replay())
        journal.intend(journal.new_chunk(), [key(1)], [None])
    return len(events) > 1


def test_what_is_there_is_read_as_ever(remembered):
    assert [attempt(remembered()) for _ in range(3)] == [False, True, True]
    assert not remembered().in_metadata_database


@pytest.mark.parametrize("place", ["another worker", "emptied"])
def test_a_journal_that_was_begun_and_is_gone_is_an_error_each_time(remembered, tmp_path, place):
    attempt(remembered())
    if place == "emptied":
        shutil.rmtree(tmp_path / "one")
    for _ in range(2):
        with pytest.raises(JournalMissingError, match="a place that all workers share"):
            attempt(remembered("one" if place == "emptied" else "two"))


def test_who_accepts_the_risk_begins_anew(remembered):
    attempt(remembered())
    assert not attempt(remembered("two", refuse=False))
    assert attempt(remembered("two"))


def test_another_campaign_has_a_journal_of_its_own(remembered):
    attempt(remembered())
    assert not attempt(remembered(campaign="another"))


def test_a_try_that_died_before_its_first_write_began_nothing(remembered):
    list(remembered().read())
    assert not attempt(remembered("two"))


def test_that_a_journal_was_begun_is_remembered_once_and_after_its_first_records(tmp_path):
    noted: list[str] = []

    class Noting(Values):
        def set(self, key, value):
            noted.append(f"{key.rpartition('.')[0]} after {len(list((tmp_path / 'one').rglob('*.jsonl')))}")
            super().set(key, value)

    memory = Noting()
    for _ in range(2):
        store = RememberedSegments(PathSegments(tmp_path / "one", "c"), memory, "c", refuse=True)
        begun = bool(noted)
        assert attempt(store) is begun
    assert len(noted) == 1
    assert noted[0].startswith("instasent.begun after ")
    assert not noted[0].endswith(" 0")
