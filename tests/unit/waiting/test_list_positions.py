# SPDX-License-Identifier: Apache-2.0
"""Where messages lie in the list, as pages tell it, while it moves on."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.waiting import list_positions
from airflow_provider_instasent.waiting.list_positions import ListPositions, times_of

NOW = 1_800_000_000


def page(first, count=100, at=None):
    """Messages m<first> and on; the one with the lower number was seen first."""
    told = {} if at is None else {"createdAt": at}
    return [{"id": f"m{first + line}", **told} for line in range(count)]


def taken(number, entities, positions=None):
    """Positions that have seen a page, with all on it asked for."""
    positions = positions or ListPositions()
    read(number, entities, positions)
    for line, entity in enumerate(entities):
        positions.place(number, line, entity["id"])
    return positions


def read(number, entities, positions):
    """Take in a page where it is known by how much the list has moved on."""
    positions.take(number, entities)
    positions.note_times(number, entities)


def test_a_coordinate_is_the_rank_in_the_list():
    positions = taken(3, page(0))
    assert [positions.coordinate(f"m{line}") for line in (0, 99)] == [200, 299]
    assert positions.coordinate("m100") is None
    assert [positions.page_of(at) for at in (199, 200, 299, 300)] == [2, 3, 3, 4]
    assert positions.first_of(3) == 200


def test_one_page_tells_where_all_others_have_moved():
    positions = taken(2, page(100), taken(1, page(0)))
    assert positions.take(2, page(50))  # fifty others came in front
    assert positions.drift == 50
    assert positions.coordinate("m0") == 0
    assert positions.page_of(0) == 1
    assert positions.page_of(positions.coordinate("m199")) == 3
    assert positions.first_of(1) == -50


def test_a_page_that_shows_nothing_known_tells_no_move():
    positions = taken(1, page(0))
    assert positions.drift_on(2, page(500)) is None
    assert not positions.take(2, page(500))
    assert positions.drift == 0


def test_a_few_messages_out_of_line_do_not_move_the_rest():
    positions = taken(1, page(0))
    shown = page(0)
    shown[0], shown[90] = shown[90], shown[0]
    positions.take(1, shown)
    assert positions.drift == 0


def test_nothing_moves_back_by_a_page():
    """A page far behind the end repeats the last one: taken for a place, everything else had moved back."""
    positions = taken(9, page(0))
    positions.take(1, page(0))
    assert positions.drift == 0


def test_messages_of_others_tell_a_move_too_where_none_that_is_asked_for_does():
    positions = ListPositions()
    positions.take(1, page(0))
    for line in range(100):
        positions.note_other(1, line, f"m{line}")
    assert positions.coordinate("m0") is None
    assert positions.drift_on(2, page(0)) == 100
    assert positions.adopt("m7") == 7 == positions.coordinate("m7")
    assert positions.adopt("nobody's") is None


def test_what_nobody_asks_for_any_more_stays_a_landmark_and_what_is_lost_does_not():
    positions = taken(1, page(0, 2))
    positions.forget("m0")
    positions.lose("m1")
    assert (positions.coordinate("m0"), positions.coordinate("m1")) == (None, None)
    assert positions.drift_on(2, page(0, 1)) == 2
    assert positions.drift_on(2, page(1, 1)) is None
    positions.forget("never seen")


def test_others_are_kept_up_to_a_bound_the_latest_ones(monkeypatch):
    monkeypatch.setattr(list_positions, "MOST_OTHERS", 10)
    positions = ListPositions()
    positions.take(1, page(0, 30))
    for line in range(30):
        positions.note_other(1, line, f"m{line}")
    for line in range(21, 30):
        positions.note_other(1, line, f"m{line}")  # seen again
    positions.note_other(1, 5, "m5")
    assert [positions.adopt(f"m{line}") for line in (5, 19, 21)] == [5, None, 21]


def test_a_page_is_as_large_as_the_largest_that_was_seen():
    positions = taken(1, page(0, 30))
    positions.take(2, page(30, 7))
    assert positions.size == 30
    assert positions.first_of(3) == 60


@pytest.mark.parametrize(("times", "newest_first"), [((200, 100), True), ((100, 200), False), ((100, 100), None)])
def test_two_pages_tell_the_order(times, newest_first):
    positions = ListPositions()
    assert positions.newest_first is None
    for number, at in zip((1, 5), times, strict=True):
        read(number, page(1_000 * number, at=NOW + at), positions)
    assert positions.newest_first is newest_first


def test_a_page_tells_no_time_by_itself():
    """Where it lies in the list may not be known for certain yet."""
    positions = ListPositions()
    for number in (1, 5):
        positions.take(number, page(1_000 * number, at=NOW - number))
    assert positions.newest_first is None
    assert positions.moment_of(0) is None
    assert positions.guess(NOW - 3) is None


def test_a_guess_lies_on_the_page_nearest_in_time_and_only_between_pages_that_were_read():
    positions = ListPositions()
    read(1, page(0, at=NOW), positions)
    assert positions.guess(NOW) is None
    for number in (2, 5, 9):
        read(number, page(1_000 * number, at=NOW - 100 * number), positions)
    assert positions.page_of(positions.guess(NOW - 520)) == 5
    assert positions.guess(NOW + 1) is None
    assert positions.guess(NOW - 901) is None
    assert positions.moment_of(430) == NOW - 500
    assert positions.moment_of(10**9) == NOW - 900


def test_landmarks_move_with_the_list_and_a_page_that_is_read_again_replaces_its_own():
    positions = taken(1, page(0, at=NOW))
    taken(2, page(100, at=NOW - 100), positions)
    for moved in range(1, 30):
        read(2, page(100 - moved, at=NOW - 100 + moved), positions)
    assert len(positions._landmarks) <= 4
    assert positions.newest_first


def test_landmarks_are_thinned_out(monkeypatch):
    monkeypatch.setattr(list_positions, "MOST_LANDMARKS", 8)
    positions = ListPositions()
    for number in range(1, 60):
        read(number, page(1_000 * number, at=NOW - number), positions)
        assert len(positions._landmarks) <= 8
    assert sorted(positions._landmarks) == positions._landmarks
    assert positions._times.keys() == set(positions._landmarks)
    assert positions.guess(NOW - 30) is not None


def test_beginning_anew_forgets_all_but_the_size():
    positions = taken(1, page(0, at=NOW))
    read(3, page(0, at=NOW), positions)
    positions.begin_anew()
    assert (positions.drift, positions.size) == (0, 100)
    assert positions.coordinate("m0") is None
    assert positions.drift_on(1, page(0)) is None
    assert positions.newest_first is None
    assert positions.moment_of(0) is None


def test_the_times_of_a_page_do_without_the_outermost_few():
    entities = [{"id": str(line), "createdAt": NOW + line} for line in range(100)]
    entities[3]["createdAt"] = NOW - 10**6
    entities[4]["createdAt"] = NOW + 10**6
    entities[5].pop("createdAt")
    times = times_of(entities)
    assert NOW <= times.earliest <= NOW + 6
    assert NOW + 94 <= times.latest <= NOW + 99
    assert abs(times.middle - (NOW + 50)) <= 2
    assert times_of([{"id": "a", "createdAt": None}]) is None
    assert times_of([]) is None
    assert times_of([{"id": "a", "createdAt": NOW}]).latest == NOW
