# SPDX-License-Identifier: Apache-2.0
"""The recent part of a list is read to its edge, whatever the list's order, size and habits, and within a bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate, cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api.list_order import ProvenOrder
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.recent_pages import OvertakenError, Side, recent_pages
from airflow_provider_instasent.api.timestamps import Created

SLACK = 120.0
NEVER = float("-inf")


def moment(entity: dict[str, Any]) -> Created | None:
    at = entity.get("at")
    return None if at is None else Created.exactly(at)


@dataclass
class List:
    """A list on a server.

    :ivar times: what each SMS says of when it was created, in the order of acceptance; None where it does not tell
    :ivar sizes: how many are on a page, in turn
    :ivar beyond: what pages behind the last one show: nothing, the last one again, or the first one
    :ivar gap: a page that is empty though others follow; 0 for none
    :ivar arriving: how many more SMS arrive after each read
    """

    times: list[float | None]
    order: str = "newest"
    sizes: tuple[int, ...] = (10,)
    beyond: str = "nothing"
    gap: int = 0
    arriving: int = 0
    read: list[int] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def on_page(self, number: int) -> range:
        """The places in the list, from 0, that a page shows."""
        start = 0
        for page, size in zip(range(1, number + 1), cycle(self.sizes), strict=False):
            stop = min(len(self.times), start + (0 if page == self.gap else size))
            if start == len(self.times) and page > 1:
                break
            if page == number:
                return range(start, stop)
            last, start = page, stop
        return range(0) if self.beyond == "nothing" else self.on_page(1 if self.beyond == "first" else last)

    def page(self, number: int) -> Page:
        self.read.append(number)
        total = len(self.times)
        places = [total - 1 - at if self.order == "newest" else at for at in self.on_page(number)]
        chosen = [{"id": str(place), "at": self.times[place]} for place in places]
        self.seen |= {entity["id"] for entity in chosen}
        self.times += [10_000_000.0 + len(self.times)] * self.arriving
        return Page(chosen, None)


def side(since: float):
    def side_of(entity: dict[str, Any]) -> Side:
        if entity["at"] is None:
            return Side.UNTOLD
        return Side.OLDER if entity["at"] < since - SLACK else Side.INSIDE

    return side_of


def read(source: List, since: float, max_pages: int = 1000, enough=lambda: False, order=None) -> bool:
    order = ProvenOrder(moment, SLACK) if order is None else order
    return recent_pages(source.page, side(since), enough, order, max_pages)


def inside(source: List, since: float) -> set[str]:
    return {str(place) for place, at in enumerate(source.times) if at is None or at >= since}


# --- every list ---


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_all_in_the_window_is_seen(data):
    """Moments are up to half the slack off the order of acceptance, to either side; one may be wrong altogether."""
    steps = data.draw(st.lists(st.sampled_from([0, 0, 0, 1, 60, 200]), max_size=120), "steps")
    true = list(accumulate(map(float, steps)))
    off = data.draw(st.sampled_from([0.0, 2.0, SLACK / 2]), "jitter")
    jitter = data.draw(st.lists(st.floats(-off, off), min_size=len(true), max_size=len(true)), "each")
    told = data.draw(st.sampled_from(["all", "all", "none", "some"]), "told")
    times = [
        None if told == "none" or (told == "some" and place % 3) else float(int(at + by))
        for place, (at, by) in enumerate(zip(true, jitter, strict=True))
    ]
    sizes = data.draw(st.sampled_from([(1,), (2,), (7,), (10,), (50,), (3, 10, 4)]), "sizes")
    if times and data.draw(st.booleans(), "astray"):
        times[data.draw(st.integers(0, len(times) - 1), "which")] = data.draw(st.sampled_from([1e9, -1e9]), "to")
    source = List(
        times,
        data.draw(st.sampled_from(["newest", "oldest"]), "order"),
        sizes,
        data.draw(st.sampled_from(["nothing", "last", "first"]), "beyond"),
        data.draw(st.sampled_from([0, 0, 1, 3, 4]), "gap"),
        data.draw(st.sampled_from([0, 0, 1, 5]), "arriving"),
    )
    since = max(true, default=0.0) * data.draw(st.floats(0, 1), "share") + 1.0
    wanted = {str(place) for place, at in enumerate(true) if at >= since}
    arriving = source.arriving

    try:
        whole = read(source, since, max_pages=200 if arriving else 2_000)
    except OvertakenError:
        assert arriving
        whole = False

    if whole:
        assert wanted <= source.seen
    if not arriving:
        assert whole
        assert len(source.read) <= len(times) / min(sizes) + 2 * len(times) / min(sizes) + 30


# --- how many pages ---


@pytest.mark.parametrize("beyond", ["nothing", "last"])
@pytest.mark.parametrize(
    ("order", "total", "window", "most"),
    [
        ("newest", 10_000, 25, 4),
        ("newest", 10_000, 0, 1),
        ("oldest", 10_000, 25, 30),
        ("oldest", 7, 7, 3),
        ("newest", 7, 7, 3),
        ("oldest", 0, 0, 2),
    ],
)
def test_few_pages_are_read_of_a_list_in_a_clear_order(order, total, window, most, beyond):
    """Ten a page, one every five minutes."""
    source = List([300.0 * at for at in range(total)], order, beyond=beyond)
    since = 300.0 * (total - window)
    assert read(source, since)
    assert inside(source, since) <= source.seen
    assert len(source.read) <= most + (2 if beyond == "last" else 0)


def test_a_burst_at_the_top_of_a_list_is_read_without_looking_at_its_end():
    """800 in a second, 5,000 of an hour ago: what is looked for lies near, so the order need not be known at first."""
    for jitter in (0.0, 2.0):
        burst = [10_000.0 + jitter * (-1) ** place for place in range(800)]
        source = List([*(at / 2 for at in range(5_000)), *burst], sizes=(100,))
        assert read(source, 9_900.0)
        assert source.read == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_burst_at_the_end_of_a_list_that_begins_with_the_oldest_is_read_from_there():
    source = List([*(at / 2 for at in range(5_000)), *[10_000.0] * 800], "oldest", (100,))
    assert read(source, 9_900.0)
    assert inside(source, 9_900.0) <= source.seen
    assert len(source.read) < 25


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_list_of_one_second_is_read_as_a_whole(order):
    source = List([5.0] * 2_000, order, (100,))
    assert read(source, 0.0)
    assert len(source.read) == 22
    source = List([5.0] * 2_000, order, (100,))
    assert read(source, 500.0)  # all of it is older, but nothing proves where newer ones would be
    assert len(source.seen) == 2_000
    assert len(source.read) < 40


@pytest.mark.parametrize("size", [1, 10])
def test_a_list_that_begins_in_one_second_is_read_from_its_right_end(size):
    """A bulk call makes a hundred messages in a second; the first pages then do not tell the order."""
    for order in ("newest", "oldest"):
        source = List([5.0] * 200 + [1_000.0] * 3, order, (size,))
        assert read(source, 900.0)
        assert {"200", "201", "202"} <= source.seen
        assert len(source.read) < 40


@pytest.mark.parametrize("pages", [1, 2, 3, 5, 16, 17, 64, 65])
def test_a_repeated_last_page_is_found_in_few_reads(pages):
    source = List([100.0 * at for at in range(pages * 10)], "oldest", beyond="last")
    assert read(source, pages * 1_000 - 200.0)
    assert len(source.read) < 20


@pytest.mark.parametrize("max_pages", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("told", [True, False])
def test_the_bound_holds_and_is_told(order, max_pages, told):
    source = List([100.0 * at if told else None for at in range(1000)], order)
    assert read(source, 0.0, max_pages) is False
    assert len(source.read) <= max_pages


def test_what_is_enough_ends_it():
    source = List([100.0 * at for at in range(1000)])
    assert read(source, 0.0, enough=lambda: "950" in source.seen)
    assert source.read == [1, 2, 3, 4, 5]
    source = List([100.0 * at for at in range(1000)], "oldest")
    assert read(source, 99_000.0, enough=lambda: "3" in source.seen)
    assert source.read == [1]
    source = List([100.0 * at for at in range(1000)], "oldest")
    assert read(source, 99_000.0, enough=lambda: "999" in source.seen)
    assert source.read[-1] == 100


# --- what is no edge ---


@pytest.mark.parametrize("where", [0, 1, 5, 9, 10, 11])
@pytest.mark.parametrize("size", [1, 2, 3, 10, 100])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_an_old_one_near_the_top_is_no_edge(order, size, where):
    times = [100.0 * at for at in range(500)]
    times[-1 - where] = -1e9
    source = List(times, order, (size,))
    since = 46_000.0
    wanted = inside(source, since)
    assert read(source, since)
    assert wanted <= source.seen
    if size >= 10:
        assert len(source.read) <= 500 / size + 30


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_without_moments_are_no_edge(order):
    times = [None if 60 <= at < 90 else 100.0 * at for at in range(100)]
    source = List(times, order)
    assert read(source, 5_050.0)
    assert {str(place) for place in range(51, 100)} <= source.seen


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_moments_that_prove_both_orders_are_no_edge(order):
    """Every fourth SMS is an hour behind: one of their servers has a wrong clock."""
    times = [10_000.0 + at - (3_600.0 if at % 4 == 0 else 0.0) for at in range(200)]
    source = List(times, order)
    assert read(source, 9_900.0)
    assert len(source.seen) == 200


def test_an_order_that_turns_out_to_be_another_is_given_up():
    """It begins with the oldest, and the last page, where the newest should be, is old again."""
    source = List([*(100.0 * at for at in range(90)), *[1_000.0] * 10], "oldest")
    assert read(source, 8_000.0)
    assert len(source.seen) == 100


def test_a_few_old_ones_on_each_page_are_no_edge():
    times = [-1e9 if at % 25 == 0 and at > 100 else 100.0 * at for at in range(500)]
    source = List(times)
    wanted = inside(source, 10_000.0)
    assert read(source, 10_000.0)
    assert wanted <= source.seen


def test_a_new_one_on_an_old_page_does_not_have_all_of_the_list_read():
    times = [100.0 * at for at in range(5_000)]
    times[4] = 1e9
    source = List(times, "oldest", (100,))
    assert read(source, 490_000.0)
    assert len(source.read) < 20


def test_a_list_that_begins_anew_behind_its_end_is_read_to_its_end():
    """Where the end is cannot be found out by looking far ahead, so all is read."""
    for order in ("newest", "oldest"):
        source = List([100.0 * at for at in range(300)], order, beyond="first")
        assert read(source, 29_000.0)
        assert inside(source, 29_000.0) <= source.seen
        assert len(source.read) < (5 if order == "newest" else 45)


# --- lists that grow meanwhile ---


@pytest.mark.parametrize("arriving", [1, 3, 9, 10, 11])
def test_new_messages_that_shift_the_pages_hide_nothing(arriving):
    """Ten a page and ten arriving is the hard case: each page then repeats the former one to the letter."""
    for beyond in ("nothing", "last"):
        source = List([100.0 * at for at in range(200)], beyond=beyond)
        wanted = inside(source, 15_000.0)
        pages = source.page

        def shifting(number: int, pages=pages, source=source) -> Page:
            page = pages(number)
            source.arriving = arriving if len(source.read) in {1, 2, 3, 4} else 0
            return page

        assert recent_pages(shifting, side(15_000.0), lambda: False, ProvenOrder(moment, SLACK), 200)
        assert wanted <= source.seen


def test_messages_that_come_in_meanwhile_do_not_have_more_pages_read_than_they_fill():
    """What moves to the next page is seen again there, behind what is older: that is no contradiction."""
    source = List([300.0 * at for at in range(1_000)], arriving=5)
    wanted = inside(source, 294_000.0)
    assert read(source, 294_000.0)
    assert wanted <= source.seen
    assert len(source.read) <= 6


def test_messages_that_come_in_between_two_pages_do_not_prove_that_the_oldest_come_first():
    """More than a page of them: the second page then shows what is newer than all of the first, as it was."""
    source = List([*[0.0] * 8, 1.0, -1e9, 1.0], sizes=(2,), arriving=5)
    whole = read(source, 1.0, 200)
    assert not whole or {"8", "9", "10"} <= source.seen
    source = List([*[0.0] * 40, 900.0, 900.0, *[700.0] * 10])  # the last bulk call's moments are too early
    pages = source.page

    def bursting(number: int) -> Page:
        page = pages(number)
        source.arriving = 0
        return page

    source.arriving = 12
    assert recent_pages(bursting, side(850.0), lambda: False, ProvenOrder(moment, SLACK), 200)
    assert {"40", "41"} <= source.seen


def test_messages_that_come_in_as_fast_as_pages_are_read_end_it_and_prove_nothing():
    """Each page repeats the former one, for ever: the end cannot be told, and the window was not read."""
    source = List([100.0 * at for at in range(200)], arriving=10)
    with pytest.raises(OvertakenError):
        read(source, 0.0, 5_000)
    assert len(source.read) < 150


def test_a_long_burst_of_others_in_the_midst_does_not_end_it():
    """Two mapped campaigns that share an account send thousands while a third one looks for its own."""
    source = List([100.0 * at for at in range(1_000)])
    pages = source.page

    def bursting(number: int) -> Page:
        page = pages(number)
        source.arriving = 700 if len(source.read) == 60 else 0
        return page

    assert recent_pages(bursting, side(20_000.0), lambda: False, ProvenOrder(moment, SLACK), 500)
    assert {str(place) for place in range(200, 1_000)} <= source.seen


def test_pages_that_shift_while_the_order_is_found_out_hide_nothing():
    """What was read far ahead, to tell the order by the list's ends, is out of date when its turn comes."""
    old = [0.0] * 100
    source = List([*old, *[1_000.0] * 35, *[800.0] * 25])  # the newest ones claim to be older than the window
    wanted = inside(source, 950.0)
    pages = source.page

    def shifting(number: int) -> Page:
        page = pages(number)
        source.arriving = 1 if number == 8 else 0
        return page

    assert recent_pages(shifting, side(950.0), lambda: False, ProvenOrder(moment, SLACK), 200)
    assert 8 in source.read
    assert wanted <= source.seen


def test_messages_that_arrive_meanwhile_do_not_keep_it_reading():
    source = List([100.0 * at for at in range(300)], "oldest", arriving=2)
    assert read(source, 29_000.0)
    assert len(source.read) < 30
