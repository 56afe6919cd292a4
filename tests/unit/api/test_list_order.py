# SPDX-License-Identifier: Apache-2.0
"""Only what differs by more than the slack proves an order, and only what its neighbours bear out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_instasent.api.list_order import Order, ProvenOrder
from airflow_provider_instasent.api.timestamps import EAST, WEST, Created

SLACK, HOUR = 120.0, 3_600.0


def page(*moments):
    return [{"id": f"{place}/{at}", "at": at} for place, at in enumerate(moments)]


def moment(entity):
    return None if entity["at"] is None else Created.exactly(entity["at"])


def proven(*pages, numbers=None):
    order = ProvenOrder(moment, SLACK)
    for number, moments in zip(numbers or range(1, len(pages) + 1), pages, strict=True):
        order.note(number, page(*moments))
    return order.verdict


@pytest.mark.parametrize(
    ("pages", "verdict"),
    [
        ([[]], Order.UNPROVEN),
        ([[None, None, None]], Order.UNPROVEN),
        ([[5]], Order.UNPROVEN),
        ([[900, 800, 700, 600, 500]], Order.NEWEST_FIRST),
        ([[500, 600, 700, 800, 900]], Order.OLDEST_FIRST),
        ([[500, 501, 500, 502, 400, 500]], Order.UNPROVEN),
        ([[620, 620, 500, 500, 500, 500]], Order.UNPROVEN),
        ([[621, 621, 500, 500, 500, 500]], Order.NEWEST_FIRST),
        ([[1900, None, 1600, None, None, 1300, 1000]], Order.NEWEST_FIRST),
        ([[500] * 5, [500] * 5, [100] * 5], Order.NEWEST_FIRST),
        ([[500] * 5, [500] * 5, [900] * 5], Order.OLDEST_FIRST),
        ([[900, 800, 700], [600, 500, 400], [900, 900, 900]], Order.CONTRADICTORY),
        ([[900], [900], [500], [500]], Order.NEWEST_FIRST),
        ([[900, 800], [700, 600], [500, 400]], Order.NEWEST_FIRST),
        # One that is wrong altogether proves nothing, wherever it stands.
        ([[500, 500, 0, 500, 500]], Order.UNPROVEN),
        ([[0, 500, 500, 500, 500]], Order.UNPROVEN),
        ([[500, 500, 500, 500, 9000]], Order.UNPROVEN),
        ([[900, 800, 9000, 700, 600]], Order.NEWEST_FIRST),
        ([[500], [0], [500], [500]], Order.UNPROVEN),
        ([[500, 500], [0, 500]], Order.UNPROVEN),
        ([[500, 0], [500, 500]], Order.UNPROVEN),
        ([[9000], [500], [500], [500]], Order.UNPROVEN),
        ([[*[500] * 30, 0] * 4], Order.UNPROVEN),
        # Of pages with few moments those between are not known, so what they prove counts among themselves alone.
        ([[9000, 0], [0, 0, 0], [0, 0, 0], [200]], Order.UNPROVEN),
        ([[500, 500], [500] * 5, [900, 900]], Order.OLDEST_FIRST),
        # Many that are wrong prove that none can be relied on.
        ([[500, 500, 0, 500, 500, 0, 500, 500, 0, 500, 500, 0, 500]], Order.CONTRADICTORY),
        ([[500, 0, 0, 500, 0, 0, 500, 0, 0, 500, 0, 0, 500]], Order.CONTRADICTORY),
    ],
)
def test_what_pages_prove(pages, verdict):
    assert proven(*pages) is verdict


def test_pages_prove_the_same_in_whatever_sequence_they_are_read():
    assert proven([500] * 5, [900] * 5, [700] * 5, numbers=[1, 64, 32]) is Order.OLDEST_FIRST
    assert proven([900] * 5, [100] * 5, [500] * 5, numbers=[1, 64, 32]) is Order.NEWEST_FIRST
    assert proven([900] * 5, [900] * 5, [500] * 5, numbers=[1, 64, 32]) is Order.CONTRADICTORY


def test_a_page_that_was_read_again_counts_as_it_is_now():
    """Page 16 was read ahead; others sent two pages since, so page 17 now shows what was on page 15."""
    for size in (2, 3):
        order = ProvenOrder(moment, SLACK)
        for number, at in ((1, 9_000), (16, 500), (15, 1_000), (16, 900), (17, 800), (18, 700)):
            order.note(number, page(*[at] * (3 if number == 16 and at == 900 else size)))
        assert order.verdict is Order.NEWEST_FIRST


@settings(max_examples=300)
@given(
    steps=st.lists(st.sampled_from([0, 1, 60, 200, 5_000]), min_size=1, max_size=80),
    jitter=st.lists(st.floats(-SLACK / 2, SLACK / 2), min_size=80, max_size=80),
    sizes=st.lists(st.integers(1, 12), min_size=1, max_size=80),
    astray=st.none() | st.tuples(st.integers(0, 79), st.sampled_from([-1e9, 1e9])),
    newest=st.booleans(),
    sequence=st.randoms(),
)
def test_jitter_and_a_single_wrong_moment_never_prove_the_wrong_order(steps, jitter, sizes, astray, newest, sequence):
    moments = [sum(steps[: place + 1]) + jitter[place] for place in range(len(steps))]
    if astray is not None:
        moments[astray[0] % len(moments)] = astray[1]
    if newest:
        moments.reverse()
    pages, start = [], 0
    for size in sizes:
        pages.append(moments[start : start + size])
        start += size
    read = list(enumerate(pages, 1))
    sequence.shuffle(read)
    order = ProvenOrder(moment, SLACK)
    for number, on_page in read:
        order.note(number, page(*on_page))
        assert order.verdict in {Order.UNPROVEN, Order.NEWEST_FIRST if newest else Order.OLDEST_FIRST}


@pytest.mark.parametrize("newest", [True, False])
@pytest.mark.parametrize(
    ("where", "at", "fits"),
    [(10, 1_000, True), (10, 1_100, True), (10, 1_500, False), (10, 600, False), (1, 100, False), (29, 2_900, True)],
)
def test_a_moment_is_compared_with_its_place(newest, where, at, fits):
    """Thirty of them, a hundred seconds apart; one says something else."""
    moments = [100.0 * place for place in range(30)]
    moments[where] = at if where != 1 else 1_000.0
    entities = [{"id": str(place), "at": said} for place, said in enumerate(moments)]
    order = ProvenOrder(moment, SLACK)
    order.watch(str(where))
    if newest:
        entities.reverse()
    for number in range(3):
        order.note(number + 1, entities[10 * number : 10 * number + 10])
    assert order.is_in_line(str(where), entities[29 - where if newest else where]["at"]) is fits
    assert order.is_in_line("nobody watched it", 0.0)


def test_where_no_order_is_proven_what_lies_between_its_neighbours_is_in_line():
    order = ProvenOrder(moment, SLACK)
    entities = page(*[500] * 5, 0, *[500] * 5)
    order.watch(entities[5]["id"])
    order.watch(entities[0]["id"])
    order.note(1, entities)
    assert not order.is_in_line(entities[5]["id"], 0.0)
    assert order.is_in_line(entities[0]["id"], 500.0)


def without_zone(entity):
    return Created(entity["at"], entity["at"] - EAST, entity["at"] + WEST)


@pytest.mark.parametrize(
    ("apart", "verdict"),
    [(300, Order.UNPROVEN), (9_372, Order.UNPROVEN), (9_373, Order.NEWEST_FIRST), (86_400, Order.NEWEST_FIRST)],
)
def test_times_without_a_zone_prove_an_order_where_they_do_in_any_zone(apart, verdict):
    """Clocks are put back: half an hour later it is half an hour earlier. It takes 26 hours, and the slack."""
    order = ProvenOrder(without_zone, SLACK)
    order.note(1, page(*[apart * place for place in range(12, -1, -1)]))
    assert order.verdict is verdict


def test_a_moment_without_a_zone_is_compared_with_its_place_as_it_is_written():
    order = ProvenOrder(without_zone, SLACK)
    entities = page(*[10_000 - 100 * place for place in range(20)])
    entities[10]["at"] = 9_000 - 3_600
    for place in (5, 10):
        order.watch(entities[place]["id"])
    order.note(1, entities)
    assert order.is_in_line(entities[5]["id"], entities[5]["at"])
    assert not order.is_in_line(entities[10]["id"], entities[10]["at"])


def test_moments_with_and_without_a_zone_prove_no_wrong_order():
    """Every other one is written in the local time of New York."""

    def moment_in_either_form(entity):
        if int(entity["at"]) % 200:
            return moment(entity)
        return Created(entity["at"] - 5 * HOUR, entity["at"] - 5 * HOUR - EAST, entity["at"] - 5 * HOUR + WEST)

    order = ProvenOrder(moment_in_either_form, SLACK)
    order.note(1, page(*[100.0 * place for place in range(30)]))
    order.note(2, page(*[100.0 * place for place in range(30, 60)]))
    assert order.verdict is not Order.NEWEST_FIRST
