# SPDX-License-Identifier: Apache-2.0
"""The recent part of a list is read to its edge, whatever the list's order, size and habits, and within a bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.api.recent_pages import is_oldest_first, recent_pages


def moment(entity: dict[str, Any]) -> float | None:
    return entity.get("at")


@dataclass
class List:
    """A list on a server.

    :ivar times: when each SMS was created, oldest first; None where it does not tell
    :ivar repeats: whether pages beyond the last one repeat it
    :ivar arriving: how many more SMS arrive after each read
    """

    times: list[float | None]
    order: str = "newest"
    per_page: int = 10
    repeats: bool = False
    arriving: int = 0
    read: list[int] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def page(self, number: int) -> Page:
        self.read.append(number)
        entities = [{"id": str(place), "at": at} for place, at in enumerate(self.times)]
        if self.order == "newest":
            entities.reverse()
        pages = [entities[start : start + self.per_page] for start in range(0, len(entities), self.per_page)]
        beyond = pages[-1] if self.repeats and pages else []
        chosen = pages[number - 1] if number <= len(pages) else beyond
        self.seen |= {entity["id"] for entity in chosen}
        self.times += [10_000.0 + len(self.times)] * self.arriving
        return Page(chosen, None)


def read(source: List, since: float, max_pages: int = 200, enough=lambda: False) -> bool:
    def too_old(entity: dict[str, Any]) -> bool:
        return entity["at"] is not None and entity["at"] < since

    return recent_pages(source.page, too_old, enough, moment, max_pages)


def inside(source: List, since: float) -> set[str]:
    return {str(place) for place, at in enumerate(source.times) if at is None or at >= since}


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(st.sampled_from([0, 0, 0, 1, 5]), max_size=120),
    order=st.sampled_from(["newest", "oldest"]),
    per_page=st.sampled_from([1, 2, 7, 10, 50]),
    repeats=st.booleans(),
    share=st.floats(0, 1),
    told=st.sampled_from(["all", "none", "some"]),
)
def test_all_in_the_window_is_seen(*, steps, order, per_page, repeats, share, told):
    created = list(accumulate(map(float, steps)))
    silent = [told == "none" or (told == "some" and place % 3 and per_page > 2) for place in range(len(steps))]
    times = [None if hidden else at for at, hidden in zip(created, silent, strict=True)]
    source = List(times, order, per_page, repeats)
    since = max(created, default=0.0) * share
    assert read(source, since, max_pages=1000)
    assert {str(place) for place, at in enumerate(created) if at >= since} <= source.seen
    assert len(source.read) <= 2 * len(times) / per_page + 24


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize(
    ("order", "total", "window", "most"),
    [
        ("newest", 10_000, 25, 4),
        ("newest", 10_000, 0, 1),
        ("oldest", 10_000, 25, 30),
        ("oldest", 7, 7, 3),
        ("newest", 7, 7, 3),
        ("oldest", 0, 0, 1),
    ],
)
def test_few_pages_are_read(order, total, window, most, repeats):
    source = List([float(at) for at in range(total)], order, 10, repeats)
    assert read(source, float(total - window))
    assert inside(source, float(total - window)) <= source.seen
    assert len(source.read) <= most + repeats * 6


@pytest.mark.parametrize("max_pages", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("told", [True, False])
def test_the_bound_holds_and_is_told(order, max_pages, told):
    source = List([float(at) if told else None for at in range(1000)], order, 10)
    assert read(source, 0.0, max_pages) is False
    assert len(source.read) <= max_pages


def test_what_is_enough_ends_it():
    source = List([float(at) for at in range(1000)])
    assert read(source, 0.0, enough=lambda: "950" in source.seen)
    assert source.read == [1, 2, 3, 4, 5]
    source = List([float(at) for at in range(1000)], "oldest")
    assert read(source, 0.0, enough=lambda: "3" in source.seen)
    assert source.read == [1]


@pytest.mark.parametrize("arriving", [1, 3, 9, 10, 11])
def test_new_messages_that_shift_the_pages_hide_nothing(arriving):
    """Ten a page and ten arriving is the hard case: each page then repeats the former one to the letter, once."""
    source = List([float(at) for at in range(200)], "newest", 10)
    wanted = inside(source, 150.0)
    pages = source.page

    def shifting(number: int) -> Page:
        page = pages(number)
        source.arriving = arriving if len(source.read) in (1, 4) else 0
        return page

    def too_old(entity: dict[str, Any]) -> bool:
        return entity["at"] < 150.0

    assert recent_pages(shifting, too_old, lambda: False, moment, 200)
    assert wanted <= source.seen


def test_pages_that_shift_while_the_order_is_found_out_hide_nothing():
    """What was read far ahead, to tell the order by the list's ends, is out of date when its turn comes."""
    source = List([float(at) for at in range(100)] + [200.0] * 60, "newest", 10)
    wanted = inside(source, 150.0)
    pages = source.page

    def shifting(number: int) -> Page:
        page = pages(number)
        source.arriving = 1 if number == 8 else 0
        return page

    def too_old(entity: dict[str, Any]) -> bool:
        return entity["at"] < 150.0

    assert recent_pages(shifting, too_old, lambda: False, moment, 200)
    assert 8 in source.read
    assert wanted <= source.seen


def test_messages_that_arrive_meanwhile_do_not_keep_it_reading():
    source = List([float(at) for at in range(300)], "oldest", 10, arriving=2)
    assert read(source, 290.0)
    assert len(source.read) < 30


@pytest.mark.parametrize("per_page", [1, 10])
def test_a_list_that_begins_in_one_second_is_read_from_its_right_end(per_page):
    """A bulk call makes a hundred messages in a second; the first pages then do not tell the order."""
    for order in ("newest", "oldest"):
        source = List([5.0] * 200 + [100.0], order, per_page)
        assert read(source, 50.0)
        assert "200" in source.seen
        assert len(source.read) < 25


@pytest.mark.parametrize("pages", [1, 2, 3, 5, 16, 17, 64, 65])
def test_a_repeated_last_page_is_found_in_few_reads(pages):
    source = List([float(at) for at in range(pages * 10)], "oldest", 10, repeats=True)
    assert read(source, pages * 10 - 2.0)
    assert len(source.read) < 20


@pytest.mark.parametrize(
    ("times", "oldest_first"),
    [
        ([], False),
        ([1], False),
        ([1, 1], False),
        ([1, 2], True),
        ([2, 1], False),
        ([None, 1, None, 2], True),
        ([None], False),
    ],
)
def test_the_order_is_told_by_the_ends(times, oldest_first):
    assert is_oldest_first([{"id": "x", "at": at} for at in times], moment) is oldest_first
