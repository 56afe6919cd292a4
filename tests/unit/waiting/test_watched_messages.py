# SPDX-License-Identifier: Apache-2.0
"""Whose the messages are, where they lie, and which are due."""

from __future__ import annotations

import pytest
from support.simulated_account import SimulatedAccount, new_wait

from airflow_provider_instasent.waiting.accepted_times import UNTOLD, Stretch
from airflow_provider_instasent.waiting.watched_messages import WatchedMessages

NOW = 1_800_000_000.0


def wait_for(ids, accepted=None):
    return new_wait(SimulatedAccount(), list(ids), accepted)


def page(ids, status="sent"):
    return [{"id": one, "status": status} for one in ids]


def shown(messages, number, ids, status="sent"):
    """Take in a page as the reader does."""
    entities = page(ids, status)
    messages.positions.take(number, entities)
    messages.place_page(number, entities)
    messages.take_page(entities)


def begun(*waits):
    messages = WatchedMessages()
    for wait in waits:
        messages.add(wait)
        messages.begin_sweep(wait, NOW)
    return messages


def test_what_was_asked_for_is_left_no_longer_and_what_is_final_is_nobodys():
    wait = wait_for("abcd")
    messages = begun(wait)
    shown(messages, 1, "ab")
    messages.saw("c", {"id": "c", "status": "delivered"})
    assert list(wait.left) == ["d"]
    assert messages.owners("a") == (wait,)
    assert messages.owners("c") == ()
    assert messages.unplaced == {UNTOLD: {"d": None}}


def test_one_page_serves_all_waits_whatever_each_counts_as_final():
    one, other = wait_for("ab"), wait_for("bc")
    messages = begun(one, other)
    shown(messages, 1, "abc", "delivered")
    assert (one.left, other.left) == ({}, {})
    assert (one.watch.result().delivered, other.watch.result().delivered) == (2, 2)


def test_what_is_final_for_one_wait_stays_the_others():
    one, other = wait_for("ab"), wait_for("ab")
    other.watch.rules = type(other.watch.rules)(success_statuses=("sent",))
    messages = begun(one, other)
    shown(messages, 1, "ab", "sent")
    assert messages.owners("a") == (one,)
    messages.remove(other)
    assert messages.owners("a") == (one,)
    messages.begin_sweep(one, NOW)
    assert set(messages.placed.due_on(1, 2)) == {"a", "b"}


def test_messages_with_a_place_are_due_there_in_the_next_sweep():
    wait = wait_for([f"m{place}" for place in range(250)])
    messages = begun(wait)
    for number in (1, 2, 3):
        shown(messages, number, [f"m{place}" for place in range(100 * number - 100, min(250, 100 * number))])
    assert not messages.placed.has_due
    assert messages.placed
    messages.begin_sweep(wait, NOW)
    assert messages.placed.first_due(-(2**60)) == 0
    assert messages.placed.first_due(130) == 130
    assert messages.placed.first_due(250) is None
    assert len(messages.placed.due_on(3, 100)) == 50
    assert messages.unplaced == {}


@pytest.mark.parametrize("other_pending", [0, 500])
def test_only_what_the_waits_own_sweep_asks_for_is_due(other_pending):
    """Whether few or most of what has a place is asked for: the two are told apart for speed."""
    wait, other = wait_for("ab"), wait_for([f"x{place}" for place in range(other_pending)])
    messages = begun(wait, other)
    shown(messages, 1, ["a", "b", *[f"x{place}" for place in range(98)]][: 2 + other_pending])
    for number in range(2, 7):
        shown(messages, number, [f"x{place}" for place in range(98 + 100 * (number - 2), 98 + 100 * (number - 1))])
    messages.begin_sweep(wait, NOW)
    assert set(messages.placed.due_on(1, 100)) == {"a", "b"}
    assert messages.placed.first_due(2) is None


def test_a_wait_that_comes_later_knows_what_others_saw():
    messages = begun(wait_for("ab"))
    shown(messages, 1, "abxy")
    late = wait_for("bxyz")
    messages.add(late)
    assert late.unplaced == {UNTOLD: {"z": None}}
    messages.begin_sweep(late, NOW)
    assert set(messages.placed.due_on(1, 4)) == {"b", "x", "y"}


def test_a_wait_that_goes_takes_along_what_only_it_asked_for():
    one, other = wait_for("ab", (NOW, NOW)), wait_for("bc", (NOW, NOW))
    messages = begun(one, other)
    messages.not_on_list(["a"])
    messages.remove(one)
    assert messages.subscriptions == [other]
    assert messages.unplaced == {(NOW, NOW): {"b": None, "c": None}}
    assert messages.singly == {}
    assert [messages.owners(one) for one in "abc"] == [(), (other,), (other,)]
    shown(messages, 1, "abc")
    messages.remove(other)
    assert not messages.placed
    assert not messages.placed.has_due


def test_a_message_that_moves_on_while_it_is_due_is_due_where_it_has_moved():
    wait = wait_for([f"m{place}" for place in range(100)])
    messages = begun(wait)
    shown(messages, 1, wait.watch.ids)
    messages.begin_sweep(wait, NOW)
    moved = page([f"m{place}" for place in range(100)])
    messages.place_page(4, moved)
    assert messages.placed.due_on(1, 100) == []
    assert len(messages.placed.due_on(4, 100)) == 100


def test_a_message_that_is_found_while_it_is_due_is_due_where_it_was_found():
    wait = wait_for("abc")
    messages = begun(wait)
    messages.positions.take(1, page("ab"))
    messages.place_page(1, page("ab"))
    assert messages.unplaced == {UNTOLD: {"c": None}}
    assert set(messages.placed.due_on(1, 2)) == {"a", "b"}
    messages.asked("a")
    assert messages.placed.due_on(1, 2) == ["b"]


def test_what_does_not_lie_where_it_should_is_read_by_itself_until_the_list_shows_it():
    wait = wait_for("ab")
    messages = begun(wait)
    shown(messages, 1, "ab")
    messages.begin_sweep(wait, NOW)
    messages.not_on_list(["a"])
    assert (list(messages.singly), list(wait.unlisted)) == (["a"], ["a"])
    messages.missed("a", NOW)
    assert messages.singly == {}
    messages.begin_sweep(wait, NOW)
    assert list(messages.singly) == ["a"]
    messages.search_again(wait)
    assert (wait.unlisted, wait.unplaced[UNTOLD]) == ({}, {"a": None})
    shown(messages, 1, "ab")
    messages.begin_sweep(wait, NOW)
    assert messages.unplaced == {}
    assert set(messages.placed.due_on(1, 2)) == {"a", "b"}


def test_a_search_that_is_given_up_leaves_the_rest_to_be_read_one_by_one():
    stretch = Stretch(NOW - 9, NOW)
    wait = wait_for("ab", stretch)
    messages = begun(wait)
    shown(messages, 1, "a")
    messages.give_up_search([stretch, UNTOLD])
    assert messages.unplaced == {}
    assert list(messages.singly) == ["b"] == list(wait.unlisted)


def test_a_stretch_in_doubt_is_one_of_which_nobody_knows_and_only_where_it_can_be_found_out():
    stretch = Stretch(NOW - 9, NOW)
    wait, probed = wait_for("abcd", stretch), wait_for("wxyz", stretch)
    probed.is_probed = True
    messages = begun(wait, probed)
    assert messages.doubt_stretches([stretch])
    assert messages.unplaced == {UNTOLD: dict.fromkeys("abcd"), stretch: dict.fromkeys("wxyz")}
    assert wait.unplaced == {UNTOLD: dict.fromkeys("abcd")}
    assert not messages.doubt_stretches([stretch])


def test_places_that_are_lost_leave_a_search_by_when_they_were_created():
    wait = wait_for([f"m{place}" for place in range(200)])
    messages = begun(wait)
    for number in (1, 2):
        entities = [{"id": f"m{place}", "createdAt": NOW - number} for place in range(100 * number - 100, 100 * number)]
        messages.positions.take(number, entities)
        messages.positions.note_times(number, entities)
        messages.place_page(number, entities)
        messages.take_page(entities)
    messages.begin_sweep(wait, NOW)
    messages.lose_places()
    assert not messages.placed.has_due
    assert not messages.placed
    assert {stretch.earliest for stretch in messages.unplaced} <= {NOW - 1, NOW - 2}
    assert sum(map(len, messages.unplaced.values())) == 200 == sum(map(len, wait.unplaced.values()))


def test_a_failed_read_is_no_answer():
    wait = wait_for("a")
    messages = begun(wait)
    messages.asked("a")
    wait.end_sweep(NOW)
    assert wait.watch.failed_sweeps == 1
    assert messages.owners("a") == (wait,)
