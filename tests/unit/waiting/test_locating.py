# SPDX-License-Identifier: Apache-2.0
"""Messages are found in the list with few pages, whatever the list's habits and however far below others they lie."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from support.simulated_account import SimulatedAccount, campaigns, new_reader, new_wait, pages_of, run

from airflow_provider_instasent.waiting.accepted_times import UNTOLD, Stretch
from airflow_provider_instasent.waiting.list_positions import ListPositions, PageTimes
from airflow_provider_instasent.waiting.locating import LEAST_IN_VAIN, REPETITIONS, PageNote, StretchSearch

HABITS: list[dict[str, Any]] = [
    {},
    {"newest_first": False},
    {"tells_time": False},
    {"page_cap": 30},
    {"created_off": 7_200.0},
    {"created_off": -18_000.0, "newest_first": False},
    {"repeats": True, "newest_first": False},
    {"repeats": True, "tells_time": False, "page_cap": 30},
]
FINAL_AFTER = 45.0
INTERVAL = 30.0


def named(habits):
    return " ".join(f"{name}={value}" for name, value in habits.items()) or "as expected"


def read_to_the_end(account, waits, final_at):
    reader = new_reader(account)
    for wait in waits:
        reader.attach(wait)
    ended = run(account, reader, 3_600)
    assert set(ended) == set(waits)
    assert all(wait.watch.result().delivered == len(wait.watch) for wait in waits)
    assert max(ended.values()) <= final_at + 2 * INTERVAL
    return account.rounds(waits)


def assert_cheap(rounds, pages, in_vain, twice=0):
    """The first round may read pages in vain, and where it was told wrongly some of them twice; others may not."""
    first, *others = rounds
    assert others
    assert len(set(first)) <= 1.5 * len(pages) + in_vain
    assert len(first) <= len(set(first)) + twice
    for one in others:  # towards the end some are final
        assert set(one) <= pages
        assert len(set(one)) == len(one)
    assert set(others[0]) >= {page for page in pages if len(others) > 1}


@pytest.mark.parametrize(("habits", "batches"), [(HABITS[0], 200), *((habits, 50) for habits in HABITS[1:])], ids=str)
def test_two_campaigns_at_once_cost_each_of_their_pages_once_a_round(habits, batches):
    account = SimulatedAccount(final_after=FINAL_AFTER, **habits)
    account.accept(5_000, "old", account.now - 3_600)
    began = account.now
    both = campaigns(account, batches, 2, gap=0.01)
    final_at = account.now + FINAL_AFTER
    waits = [new_wait(account, ids, (began, account.now)) for ids in both]
    rounds = read_to_the_end(account, waits, final_at)
    assert_cheap(rounds, pages_of(account, {*both[0], *both[1]}), LEAST_IN_VAIN)


@pytest.mark.parametrize("habits", HABITS, ids=named)
def test_ten_mapped_tasks_cost_each_of_their_pages_once_a_round(habits):
    account = SimulatedAccount(final_after=FINAL_AFTER, **habits)
    account.accept(5_000, "old", account.now - 3_600)
    began = account.now
    all_ids = campaigns(account, 20 if habits == {} else 5, 10, gap=0.02)
    final_at = account.now + FINAL_AFTER
    waits = [new_wait(account, ids, (began, account.now)) for ids in all_ids]
    rounds = read_to_the_end(account, waits, final_at)
    assert_cheap(rounds, pages_of(account, [one for ids in all_ids for one in ids]), LEAST_IN_VAIN)


@pytest.mark.parametrize("told", ["told", "untold", "wrongly told"])
@pytest.mark.parametrize("habits", HABITS, ids=named)
def test_two_thousand_below_forty_thousand_are_searched_for_once(habits, told):
    account = SimulatedAccount(final_after=FINAL_AFTER + 6, **habits)
    account.accept(5_000, "old", account.now - 3_600)
    began = account.now
    (ids,) = campaigns(account, 20, gap=0.016)
    until = account.now
    final_at = until + account.final_after
    for _ in range(40):
        account.accept(1_000, "newer")
        account.move(0.16)
    accepted = {"told": (began, until), "untold": None, "wrongly told": (began - 3_000, began - 3_000)}[told]
    wait = new_wait(account, ids, accepted)
    rounds = read_to_the_end(account, [wait], final_at)
    pages = pages_of(account, ids)
    blind = 2 * -(-len(account.accepted) // len(ids)) + 8  # as far apart as they may lie, once there and back
    trust = account.tells_time and told == "told" and not account.created_off
    assert_cheap(rounds, pages, LEAST_IN_VAIN if trust else blind, 0 if trust else LEAST_IN_VAIN)


def search_of(
    pages: dict[int, tuple[float, float] | None],
    wanted: dict[int, int],
    stretch: Stretch,
    repeats: int = 0,
    **positions: Any,
):
    """Let a search look through a list of pages that say when they were created; return the pages it read.

    :param repeats: how many messages are on the last page, if it is repeated beyond the end
    """
    left = dict(wanted)
    known = SimpleNamespace(**{"size": 100, "newest_first": True, "guess": lambda _: None, **positions})
    search = StretchSearch(stretch, known, lambda: sum(left.values())).run(lambda: 5)
    read: list[int] = []
    notes = None
    while True:
        try:
            numbers = next(search) if notes is None else search.send(notes)
        except StopIteration:
            return read
        assert 0 < len(numbers) <= 5
        assert min(numbers) >= 1
        read += numbers
        notes = []
        for number in numbers:
            shown = min(number, max(pages)) if repeats else number
            times = pages.get(shown)
            told = None if times is None else PageTimes(*times, sum(times) / 2)
            is_empty = shown not in pages
            count = 0 if is_empty else repeats if repeats and shown == max(pages) else 100
            first = None if is_empty else f"first of {shown}"
            notes.append(PageNote(number, left.pop(number, 0), told, first_id=first, count=count))


LIST = {number: (100_000.0 - 60 * number, 100_000.0 - 60 * number + 59) for number in range(1, 1_001)}
"""A list, the newest first, of a page a minute."""


@pytest.mark.parametrize("page", [1, 2, 7, 300, 999, 1_000])
def test_a_page_is_found_by_its_time_in_a_few_steps(page):
    read = search_of(LIST, {page: 100}, Stretch(*LIST[page]))
    assert read[-1] == page
    assert len(read) <= 8


def test_it_reads_on_to_both_sides_until_all_was_found():
    read = search_of(LIST, dict.fromkeys(range(490, 511), 100), Stretch(LIST[510][0], LIST[490][1]))
    assert set(range(490, 511)) <= set(read)
    assert len(read) <= 21 + LEAST_IN_VAIN


def test_it_stops_on_either_side_where_what_is_looked_for_has_ended():
    """One of what is looked for is nowhere: each page of the stretch is read, and one beyond it to each side."""
    stretch = Stretch(LIST[510][0], LIST[490][1])
    read = search_of(LIST, {**dict.fromkeys(range(490, 511), 100), 2_000: 1}, stretch)
    assert set(range(490, 511)) <= set(read)
    assert len(set(read) & set(range(470, 531))) <= 21 + 12  # a side is left after at most five read side by side


@pytest.mark.parametrize("size", [100, 20])
@pytest.mark.parametrize("senders", [2, 3, 4, 5, 7, 8, 10, 16, 25, 40, 60])
def test_senders_that_take_turns_hide_nothing_between_the_pages_that_are_tried(senders, size):
    """Of pages that are as far apart as what is looked for is long, all may be another's."""
    for phase in range(senders):
        pages = {number: 100 for number in range(101, 501) if number % senders == phase}
        read = search_of(LIST, pages, Stretch(LIST[500][0], LIST[101][1]), size=size)
        assert set(pages) <= set(read)
        assert len(set(read)) == len(read) <= 400 + 2 * LEAST_IN_VAIN


@pytest.mark.parametrize(
    ("waits", "joined", "habits"), [(5, 1, {}), (5, 2, {}), (2, 1, {}), (4, 1, {"tells_time": False})]
)
def test_waits_that_join_while_the_reader_searches_for_others_share_each_page(waits, joined, habits):
    account = SimulatedAccount(final_after=200.0, **habits)
    account.accept(5_000, "old", account.now - 3_600)
    began = account.now
    ids = campaigns(account, 100, waits)
    reader, all_of_them = new_reader(account, 600), []
    for place, some in enumerate(ids):
        wait = new_wait(account, some, (began, account.now) if account.tells_time else None)
        all_of_them.append(wait)
        reader.attach(wait)
        if place == joined - 1:
            run(account, reader, 10.0)
    assert len(run(account, reader, 3_600)) == waits
    pages = pages_of(account, [one for some in ids for one in some])
    assert len(account.read("read")) <= (0 if account.tells_time else 2 * waits)
    assert len(account.read("list")) <= 1.5 * len(pages) * max(wait.sweeps for wait in all_of_them)


@pytest.mark.parametrize("messages", [1, 100, 400])
def test_what_is_not_in_the_list_costs_no_more_pages_than_messages(messages):
    read = search_of(LIST, {5_000: messages}, UNTOLD)
    assert len(read) <= max(LEAST_IN_VAIN, messages) + 5
    assert len(set(read)) == len(read)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_a_list_that_has_ended_is_not_read_on(length):
    pages = {number: LIST[number] for number in range(1, length + 1)}
    read = search_of(pages, {5_000: 400}, Stretch(1_000.0, 2_000.0))
    assert max(read) <= 8 * length + 5  # it hunts in strides of four pages, as long as what is looked for
    assert len(set(read)) == len(read) <= 10


def test_a_guess_is_where_it_looks_first():
    read = search_of(LIST, {300: 100}, Stretch(*LIST[300]), guess=lambda _: 29_900, page_of=lambda at: at // 100 + 1)
    assert read == [300]


def test_the_order_of_the_list_is_learnt_on_the_way():
    oldest_first = {1_001 - number: times for number, times in LIST.items()}
    positions = ListPositions()
    positions.take(1, [{"id": str(line), "createdAt": oldest_first[1][0]} for line in range(100)])
    assert positions.newest_first is None
    for order in (None, False):
        read = search_of(oldest_first, {700: 100}, Stretch(*oldest_first[700]), newest_first=order)
        assert read[-1] == 700
        assert len(read) <= 40


@pytest.mark.parametrize(
    ("on_last", "stretch", "in_vain"),
    [
        (7, UNTOLD, 3),
        (7, Stretch(1_000.0, 2_000.0), 12),
        (100, UNTOLD, REPETITIONS + 2),
        (100, Stretch(1_000.0, 2_000.0), 24),
    ],
)
def test_a_last_page_that_is_repeated_without_end_is_the_end(on_last, stretch, in_vain):
    """A full one may be there again because others have sent as much; one that is not full cannot."""
    pages = {number: LIST[number] if stretch != UNTOLD else None for number in range(1, 6)}
    read = search_of(pages, {5_000: 400}, stretch, repeats=on_last)
    assert len([number for number in read if number > 5]) <= in_vain
