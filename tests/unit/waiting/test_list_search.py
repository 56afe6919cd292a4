# SPDX-License-Identifier: Apache-2.0
"""What begins a search, and where: told, untold and wrongly told acceptance times, and what the list does not show."""

from __future__ import annotations

import pytest
from support.simulated_account import SimulatedAccount, campaigns, new_reader, new_wait, run

from airflow_provider_instasent.waiting.accepted_times import UNTOLD, Stretch
from airflow_provider_instasent.waiting.list_search import ListSearch
from airflow_provider_instasent.waiting.watched_messages import WatchedMessages

NOW = 1_800_000_000.0


def searching(*waits, now=NOW):
    """A search for waits that have begun a sweep."""
    messages = WatchedMessages()
    for wait in waits:
        messages.add(wait)
        messages.begin_sweep(wait, now)
    return ListSearch(messages), messages


def wait_for(ids, accepted=None):
    return new_wait(SimulatedAccount(), ids, accepted)


def test_the_first_and_the_last_of_a_wait_tell_when_it_sent_where_nobody_knows():
    wait = wait_for(["a", "b", "c", "d"])
    search, messages = searching(wait)
    assert search.probes(3) == ["a", "d"]
    assert search.is_probing
    assert search.probes(3) == []  # once
    search.probed("a", {"id": "a", "createdAt": NOW - 100})
    assert search.is_probing
    search.probed("d", {"id": "d", "createdAt": NOW - 50})
    assert not search.is_probing
    assert messages.unplaced == {Stretch(NOW - 100, NOW - 50): dict.fromkeys("abcd")}
    assert wait.unplaced == messages.unplaced


@pytest.mark.parametrize("entities", [(None, None), ({"id": "a"}, {"id": "d", "createdAt": "never"})])
def test_messages_that_tell_nothing_leave_it_untold(entities):
    search, messages = searching(wait_for(["a", "b", "c", "d"]))
    search.probes(3)
    for one, entity in zip("ad", entities, strict=True):
        search.probed(one, entity)
    assert not search.is_probing
    assert UNTOLD in messages.unplaced
    assert search.pages(3, 5) == [1]


@pytest.mark.parametrize(
    ("ids", "accepted"), [(["a", "b", "c"], None), (["a", "b", "c", "d"], (NOW - 9, NOW))], ids=["few", "told"]
)
def test_a_few_and_those_that_are_told_need_no_probes(ids, accepted):
    search, _ = searching(wait_for(ids, accepted))
    assert search.probes(3) == []
    assert not search.is_probing


def test_a_few_without_a_place_are_read_one_by_one_and_not_given_up_for_the_list():
    wait = wait_for(["a", "b", "c"], (NOW - 9, NOW))
    search, messages = searching(wait)
    assert search.pages(3, 5) == []
    assert list(messages.singly) == ["a", "b", "c"]
    assert wait.unlisted == {}
    assert wait.unplaced == {Stretch(NOW - 9, NOW): dict.fromkeys("abc")}


def test_the_newest_stretches_are_searched_first_and_those_that_follow_each_other_together():
    ids = {moment: [f"{moment}-{place}" for place in range(10)] for moment in (0, 30, 5_000)}
    waits = [wait_for(some, (NOW - moment - 20, NOW - moment)) for moment, some in ids.items()]
    search, messages = searching(*waits)
    assert search.pages(3, 5) == [1]
    assert search.wanted == 20
    assert search.is_for(1)
    assert not search.is_for(2)
    assert sum(map(len, messages.unplaced.values())) == 30


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("off", [-3_000.0, 3_000.0, 10**6, -(10**6)])
def test_wrongly_told_times_cost_two_reads_and_a_second_search(off, newest_first):
    account = SimulatedAccount(newest_first=newest_first, final_after=45.0)
    account.accept(3_000, "old", account.now - 20_000)
    began = account.now
    (ids,) = campaigns(account, 10)
    reader = new_reader(account)
    wait = new_wait(account, ids, (began + off, account.now + off))
    reader.attach(wait)
    run(account, reader, 3_600)
    assert wait.watch.result().delivered == 1_000
    assert len(account.read("read")) <= 2
    first, *others = account.rounds([wait])
    assert len(first) <= 10 + 2 + 40
    assert all(len(one) <= 10 for one in others)


def test_what_the_list_does_not_show_is_searched_for_again_after_ever_more_sweeps():
    account = SimulatedAccount(final_after=10**6)
    began = account.now
    (ids,) = campaigns(account, 5)
    absent = account.accept(20, "absent")
    account.hidden = set(absent)
    reader = new_reader(account)
    wait = new_wait(account, [*ids, *absent], (began, account.now), poll_interval=30.0)
    reader.attach(wait)
    run(account, reader, 480)
    longer = [number for number, one in enumerate(account.rounds([wait])[1:], 2) if 6 in one]
    assert longer == [2, 3, 5, 9]
    assert all(len([one for one in some if one in account.hidden]) == 20 for some in account.rounds([wait])[1:])
