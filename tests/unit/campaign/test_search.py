# SPDX-License-Identifier: Apache-2.0
"""The list is looked through until all is found or the grace is over, and a look that fails is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.sms_list import HOUR, NOW, World, ours, wanted

from airflow_provider_instasent.api.errors import (
    AuthenticationError,
    NotFoundError,
    NotSentError,
    RateLimitedError,
    UnavailableError,
)
from airflow_provider_instasent.journal.worker_clock import Moment

if TYPE_CHECKING:
    from airflow_provider_instasent.api.pages import Page


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("skew", [0.0, HOUR, -HOUR])
@pytest.mark.parametrize("others", [0, 5, 10, 95])
def test_a_message_is_found_among_others(echo, order, repeats, skew, others):
    world = World(echo, order, skew=skew, repeats=repeats)
    for number in range(others):
        world.accept(f"other {number}", at=NOW - 7 * number, client_id=f"other-{number}")
    sms_id = world.accept(at=NOW + 1, client_id=ours())
    world.now += 5
    assert world.look(wanted()) == {wanted().key: sms_id}


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_what_was_not_accepted_is_not_found(echo, order):
    world = World(echo, order)
    for number in range(30):
        world.accept(f"other {number}", at=NOW - number, client_id=f"other-{number}")
    assert world.look(wanted()) == {}


@pytest.mark.parametrize("echo", [True, False])
def test_a_lagging_list_is_looked_at_until_the_grace_is_over(echo):
    for grace, found in ((30.0, True), (20.0, False)):
        world = World(echo, lag=25.0)
        world.accept(at=NOW, client_id=ours())
        assert bool(world.look(wanted(), grace=grace)) is found
        assert sum(world.slept) <= grace
        assert max(world.slept) <= 10.0
        assert len(world.slept) < 10


def test_the_last_look_is_at_the_end_of_the_grace():
    world = World(lag=17.0)
    world.accept(client_id=ours())
    assert world.look(wanted(), grace=17.0)
    assert world.now == NOW + 17.0


def test_at_least_one_look_is_made():
    world = World()
    world.accept(client_id=ours())
    assert world.look(wanted(), grace=-100.0)
    assert world.slept == []


def test_identical_messages_that_appear_one_by_one_are_awaited():
    world = World(echo=False, lag=5.0)
    world.accept(at=NOW)
    world.accept(at=NOW + 8)
    assert len(world.look(wanted(), wanted(occurrence=1), occurrences=2, grace=30.0)) == 2


@pytest.mark.parametrize("step", [-HOUR, HOUR, -87_600 * HOUR])
@pytest.mark.parametrize("lag", [25.0, 1_000.0])
def test_a_clock_that_is_set_during_a_look_neither_prolongs_nor_ends_it(step, lag):
    world = World(lag=lag)
    world.accept(client_id=ours())
    sleep = world.sleep

    def sleep_and_set(seconds):
        sleep(seconds)
        world.ahead += step

    world.sleep = sleep_and_set
    found = world.look(replace(wanted(), moment=Moment(NOW, offset=0.0)), grace=30.0)
    assert bool(found) is (lag == 25.0)
    assert sum(world.slept) == pytest.approx(30.0 if not found else 25.0, abs=5.0)


def test_a_page_that_is_not_found_behind_the_last_one_is_the_end():
    world = World()
    sms_id = world.accept(at=NOW, client_id=ours("late"))
    page = world.page

    def or_404(number: int, size: int) -> Page:
        if number > 1 and not page(number, size).entities:
            raise NotFoundError("404")
        return page(number, size)

    world.page = or_404
    findings = world.findings(wanted(), wanted("late"))
    assert (findings.whole, findings.found[wanted("late").key]["id"]) == (True, sms_id)
    world.failing = [NotFoundError("404")]
    with pytest.raises(NotFoundError):
        world.findings(wanted())


# --- looks that fail ---


@pytest.mark.parametrize("error", [UnavailableError("503"), NotSentError("down"), RateLimitedError("429")])
def test_a_look_that_fails_is_made_again(error):
    world = World(failing=[error, error])
    sms_id = world.accept(client_id=ours())
    assert world.look(wanted(), grace=20.0) == {wanted().key: sms_id}


def test_the_last_look_must_not_fail():
    error = UnavailableError("503")
    world = World(failing=[None, *[error] * 50])
    with pytest.raises(UnavailableError):
        world.look(wanted(), grace=20.0)
    assert world.now >= NOW + 20


def test_a_list_that_others_move_on_as_fast_as_it_is_read_is_looked_at_again():
    world = World()
    crowd(world)
    sleep = world.sleep

    def sleep_while_they_come_to_an_end(seconds):
        sleep(seconds)
        world.accept(at=NOW, client_id=ours())
        del world.page

    world.sleep = sleep_while_they_come_to_an_end
    assert world.look(wanted(), grace=5.0).keys() == {wanted().key}
    assert len(world.slept) == 1


def test_a_list_that_others_never_stop_moving_tells_nothing():
    world = World()
    crowd(world)
    with pytest.raises(UnavailableError, match="others send as fast as the list can be read"):
        world.look(wanted())
    assert world.reads < 200


def crowd(world):
    """Let others send a page's worth with each read."""
    page = world.page

    def moving(number: int, size: int) -> Page:
        found = page(number, size)
        for _ in range(world.per_page):
            world.accept("other", at=world.now, client_id="other")
        return found

    for _ in range(20 * world.per_page):
        world.accept("other", at=world.now, client_id="other")
    world.page = moving


def test_a_token_that_is_refused_ends_the_look_at_once():
    world = World(failing=[AuthenticationError("401")])
    with pytest.raises(AuthenticationError):
        world.look(wanted(), grace=20.0)
    assert world.slept == []


def test_what_an_earlier_look_found_is_not_forgotten():
    world = World(lag=4.0)
    first = world.accept("first", at=NOW - 10, client_id=ours("first"))
    second = world.accept("second", at=NOW, client_id=ours("second"))
    world.failing = [None, UnavailableError("503")]
    messages = wanted("first"), wanted("second")
    assert world.look(*messages, grace=30.0) == {messages[0].key: first, messages[1].key: second}


@pytest.mark.parametrize("echo", [True, False])
@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("tells_created", [True, False])
def test_a_look_is_bounded(echo, order, tells_created):
    world = World(echo, order, tells_created=tells_created)
    for number in range(2_000):
        world.accept(f"other {number}", at=NOW + number / 100, client_id=f"other-{number}")
    world.look(wanted(), max_pages=20)
    assert world.reads <= 20
