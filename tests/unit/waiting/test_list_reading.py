# SPDX-License-Identifier: Apache-2.0
"""A list that moves on while it is read: as others send, a little at a time or by the thousand."""

from __future__ import annotations

import pytest
from support.simulated_account import SimulatedAccount, campaigns, new_reader, new_wait, pages_of, run

from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.reads import PageRead

PAGES = 20


def waited_for(account, per_minute=None):
    began = account.now
    (ids,) = campaigns(account, PAGES)
    reader = new_reader(account, per_minute)
    wait = new_wait(account, ids, (began, account.now))
    reader.attach(wait)
    return reader, wait


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("page_cap", [100, 30])
def test_a_steady_stream_of_others_costs_a_page_or_two_a_round(newest_first, page_cap):
    account = SimulatedAccount(newest_first=newest_first, page_cap=page_cap, final_after=200.0, traffic=20.0)
    account.accept(3_000, "old", account.now - 3_600)
    reader, wait = waited_for(account)
    run(account, reader, 3_600)
    assert account.endings[wait].ending is Ending.SUCCESS
    pages = len(pages_of(account, wait.watch.ids))
    assert len(account.requests) <= 1.4 * pages * wait.sweeps + 12
    assert len(account.read("read")) <= 2 * wait.sweeps


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("tells_time", [True, False])
@pytest.mark.parametrize("burst", [40, 150, 3_000, 20_000])
def test_bursts_of_others_between_sweeps_cost_a_few_pages_each(burst, tells_time, newest_first):
    account = SimulatedAccount(newest_first=newest_first, tells_time=tells_time, final_after=100.0)
    account.accept(3_000, "old", account.now - 3_600)
    reader, wait = waited_for(account)
    while reader.subscriptions and account.now < 1_800_000_000 + 3_600:
        run(account, reader, 25)
        account.accept(burst, "newer")
    assert account.endings[wait].ending is Ending.SUCCESS
    assert wait.sweeps >= 4
    assert len(account.read("read")) <= 2 * wait.sweeps  # to learn when they were sent
    for number, one in enumerate(account.rounds([wait])[1:], 1):
        above = burst * number // 100 if newest_first else 0
        searched = 3 * above.bit_length() + 10 if tells_time else above // 9 + 40
        assert len(one) <= PAGES + 5 + (searched if burst * newest_first > 2_000 else 0)
    first = account.rounds([wait])[0]
    assert len(first) <= PAGES + 12


def test_a_burst_in_the_middle_of_a_round_costs_a_few_pages_and_hides_nothing():
    account = SimulatedAccount(final_after=100.0, limit=1_200)
    reader, wait = waited_for(account, per_minute=60)
    run(account, reader, 45)
    begin = len(account.requests)
    assert wait.sweeps == 1
    account.accept(250, "newer")
    run(account, reader, 30)
    assert wait.sweeps >= 2
    assert len(account.requests) - begin <= PAGES + 12
    run(account, reader, 3_600)
    assert account.endings[wait].ending is Ending.SUCCESS
    assert account.read("read") == []


def test_pages_found_after_a_pause_are_due_again_once_it_is_known_where_they_lie():
    """After a pause of the search nothing tells by how much the list has moved on until a page shows what was known."""
    account = SimulatedAccount(final_after=120.0, limit=480)
    began = account.now
    all_ids = campaigns(account, 100, 5)
    reader = new_reader(account, 2_000)
    for ids in all_ids:
        reader.attach(new_wait(account, ids, (began, account.now), poll_interval=60.0))
    run(account, reader, 3_600)
    assert [one.ending for one in account.endings.values()] == [Ending.SUCCESS] * 5
    assert account.read("read") == []
    assert len(account.requests) <= 1_500


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("messages", [100, 250, 1_000])
def test_a_last_page_that_is_repeated_without_end_is_no_move_of_the_list(messages, newest_first):
    account = SimulatedAccount(repeats=True, newest_first=newest_first, final_after=100.0)
    ids = account.accept(messages)
    reader = new_reader(account)
    wait = new_wait(account, [*ids, "nowhere"], (account.now, account.now))
    reader.attach(wait)
    run(account, reader, 3_600)
    assert wait.watch.result().counts == {"delivered": messages, "not_found": 1}
    pages = -(-messages // 100)
    assert len(account.read("list")) <= wait.sweeps * (pages + 10)


def test_what_moves_from_one_page_to_the_next_is_read_there():
    account = SimulatedAccount(final_after=1_000.0)
    reader, wait = waited_for(account)
    run(account, reader, 25)
    account.accept(50, "newer")
    run(account, reader, 30)
    assert wait.sweeps == 2
    assert set(account.rounds([wait])[1]) == set(range(1, PAGES + 2))


def spoil_pages_with(account, spoilt):
    """Have pages on which some message lies be such that nothing can be made of them."""

    def fault(read):
        if not isinstance(read, PageRead):
            return None
        shown = account.accepted[::-1][(read.number - 1) * 100 : read.number * 100]
        return Answer(200, {}, b'{"entities": [{}]}') if any(one in spoilt for one, _ in shown) else None

    account.fault = fault


@pytest.mark.parametrize("burst", [0, 90, 150, 250, 450, 1_050])
@pytest.mark.parametrize("place", [100, 650, 990])
def test_a_page_that_can_never_be_read_holds_up_nobody(burst, place):
    account = SimulatedAccount(final_after=100.0)
    account.accept(2_000, "old", account.now - 3_600)
    ids = account.accept(1_000)
    spoil_pages_with(account, {ids[place]})
    wait = new_wait(account, [*ids[:place], *ids[place + 1 :]], (account.now, account.now))
    reader = new_reader(account)
    reader.attach(wait)
    for _ in range(20):
        run(account, reader, 25)
        account.accept(burst, "newer")
    assert account.endings[wait].ending is Ending.SUCCESS
    assert len(account.read("list")) <= 60 * (wait.sweeps + 1)
    assert len(account.read("read")) <= 600 * (wait.sweeps + 1)


@pytest.mark.parametrize("burst", [250, 450, 1_050])
@pytest.mark.parametrize("from_end", range(50, 1_050, 100))
def test_a_page_of_others_that_can_never_be_read_leaves_no_doubt_for_ever(burst, from_end):
    """It may be the very page that is to prove whether the list has moved on."""
    account = SimulatedAccount(final_after=100.0)
    ids = account.accept(1_000)
    wait = new_wait(account, ids, (account.now, account.now))
    reader = new_reader(account)
    reader.attach(wait)
    run(account, reader, 25)
    newer = account.accept(burst, "newer")
    spoil_pages_with(account, set(newer[-from_end - 1 : len(newer) - from_end]))
    assert set(run(account, reader, 3_600)) == {wait}
    assert account.endings[wait].ending is Ending.SUCCESS
    assert len(account.requests) <= 60 * (wait.sweeps + 1)
