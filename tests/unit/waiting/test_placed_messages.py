# SPDX-License-Identifier: Apache-2.0
"""Which messages lie where, and which of them are due."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.waiting.placed_messages import BUCKET, PlacedMessages

EVERYWHERE = -(2**60)


def named(numbers):
    return [f"m{number}" for number in numbers]


def take(placed, number, ids, *, is_due=False):
    """Take in a page of messages that are asked for; return those whose place was not known."""
    placed.positions.take(number, [{"id": one} for one in ids])
    return [one for line, one in enumerate(ids) if placed.place(number, line, one, is_due=is_due)]


def listed(count, *, is_due=False):
    """So many messages, of which each page of a hundred was read."""
    placed = PlacedMessages()
    for first in range(0, count, 100):
        take(placed, first // 100 + 1, named(range(first, min(count, first + 100))), is_due=is_due)
    return placed


def test_without_any_there_are_none():
    placed = PlacedMessages()
    assert not placed
    assert not placed.has_due
    assert placed.due() == []
    assert placed.first_due(EVERYWHERE) is None
    assert placed.due_on(1, 100) == []
    assert not placed.is_due("m0")
    for forget in (placed.lose, placed.settle, placed.asked):
        forget("m0")
    placed.make_due(["m0"])
    assert not placed.has_due


def test_what_has_a_place_is_due_there_once_it_is_asked_for():
    placed = listed(250)
    assert placed
    assert not placed.has_due
    placed.make_due(set(named(range(250))))
    assert placed.has_due
    assert len(placed.due()) == 250
    assert placed.first_due(EVERYWHERE) == 0
    assert placed.first_due(130) == 130
    assert placed.first_due(250) is None
    assert [len(placed.due_on(number, 100)) for number in (1, 2, 3, 4)] == [100, 100, 50, 0]


def test_a_place_is_news_only_once():
    placed = PlacedMessages()
    assert take(placed, 1, ["a", "b"]) == ["a", "b"]
    assert take(placed, 1, ["b", "c"]) == ["c"]


@pytest.mark.parametrize("others", [0, 1, 500])
def test_only_what_is_asked_for_is_due(others):
    """Whether few or most of what has a place is asked for: the two are told apart for speed."""
    placed = PlacedMessages()
    take(placed, 1, [*named(range(98)), "a", "b"])
    for number in range(others // 100):
        take(placed, number + 2, named(range(98 + 100 * number, 198 + 100 * number)))
    placed.make_due({"a", "b", "without a place", *(f"nobody's {number}" for number in range(200 - others // 3))})
    assert set(placed.due()) == set(placed.due_on(1, 100)) == {"a", "b"}
    assert placed.first_due(EVERYWHERE) == 98
    assert placed.first_due(99) == 99
    assert placed.first_due(100) is None


def test_what_is_due_stays_due_where_it_is_found_until_it_was_asked_for():
    placed = listed(1)
    assert not placed.is_due("m0")
    placed.make_due({"m0"})
    placed.place(1, 0, "m0", is_due=False)
    assert placed.is_due("m0")
    placed.place(4, 7, "m0", is_due=False)
    assert placed.is_due("m0")
    placed.asked("m0")
    assert not placed.is_due("m0")
    assert not placed.has_due
    assert placed  # it keeps its place
    placed.place(4, 7, "m0", is_due=True)
    assert placed.is_due("m0")


def test_what_moves_is_due_in_one_place_only():
    placed = listed(100, is_due=True)
    for line, one in enumerate(named(range(100))):
        placed.place(4, line, one, is_due=False)
    assert placed.due_on(1, 100) == []
    assert sorted(placed.due_on(4, 100)) == sorted(placed.due()) == sorted(named(range(100)))
    assert placed.first_due(EVERYWHERE) == placed.positions.first_of(4)


def test_what_is_due_lies_further_on_where_the_list_has_moved_on():
    placed = listed(200, is_due=True)
    placed.positions.take(2, [{"id": one} for one in named(range(70, 170))])  # thirty others came in front
    assert placed.positions.drift == 30
    assert sorted(placed.due_on(1, 100)) == sorted(named(range(70)))
    assert sorted(placed.due_on(2, 100)) == sorted(named(range(70, 170)))
    assert sorted(placed.due_on(3, 100)) == sorted(named(range(170, 200)))


@pytest.mark.parametrize("drift", [1, 99, 250])
def test_messages_that_came_later_lie_before_the_first_coordinate(drift):
    placed = listed(100, is_due=True)
    placed.positions.drift = drift
    newer = [f"n{number}" for number in range(drift)]
    for place, one in enumerate(newer):
        placed.place(place // 100 + 1, place % 100, one, is_due=True)
    assert placed.first_due(EVERYWHERE) == -drift
    assert placed.first_due(0) == 0
    order = sorted(placed.due(), key=placed.positions.coordinate)
    assert order == [*newer, *named(range(100))]
    pages = -(-(100 + drift) // 100)
    assert sorted(one for page in range(pages) for one in placed.due_on(page + 1, 100)) == sorted(order)


@pytest.mark.parametrize("size", [7, 30, 100, 250])
def test_pages_of_any_size_share_out_what_is_due(size):
    placed = PlacedMessages()
    for number in range(1, 5):
        take(placed, number, named(range(size * (number - 1), size * number)), is_due=True)
    for number in range(1, 5):
        due = {placed.positions.coordinate(one) for one in placed.due_on(number, size)}
        assert due == set(range(size * (number - 1), size * number))
    assert placed.first_due(BUCKET - 1) == BUCKET - 1 if 4 * size >= BUCKET else placed.first_due(BUCKET) is None


def test_the_first_that_is_due_is_found_behind_others_of_its_bucket():
    placed = listed(100)
    placed.make_due({"m10"})
    assert placed.first_due(5) == 10
    assert placed.first_due(10) == 10
    assert placed.first_due(11) is None
    placed.make_due({"m99"})
    assert placed.first_due(11) == 99


def test_what_is_lost_has_no_place_and_tells_no_move_any_more():
    placed = listed(2, is_due=True)
    placed.lose("m0")
    assert placed.due() == ["m1"]
    assert placed.positions.coordinate("m0") is None
    placed.make_due({"m0"})
    assert placed.due() == ["m1"]
    placed.lose("m1")
    assert not placed
    assert not placed.has_due
    assert placed.positions.drift_on(3, [{"id": "m1"}]) is None
    assert placed.place(3, 0, "m1", is_due=True)


def test_what_is_settled_stays_a_landmark_and_may_be_asked_for_again():
    placed = listed(2, is_due=True)
    placed.settle("m0")
    placed.settle("m1")
    assert not placed
    assert not placed.has_due
    assert placed.positions.drift_on(2, [{"id": "m1"}]) == 1
    assert placed.adopt("m1")
    assert placed
    assert not placed.is_due("m1")
    placed.make_due({"m1"})
    assert placed.due() == ["m1"]
    assert placed.first_due(EVERYWHERE) == 1


def test_only_what_a_page_has_shown_is_taken_in_with_its_place():
    placed = PlacedMessages()
    placed.positions.take(2, [{"id": "a"}, {"id": "b"}])
    placed.positions.note_other(2, 1, "b")
    assert not placed.adopt("nobody's")
    assert not placed
    assert placed.adopt("b")
    assert placed.adopt("b")  # another wait asks for it, too
    assert placed
    assert placed.positions.coordinate("b") == 3
