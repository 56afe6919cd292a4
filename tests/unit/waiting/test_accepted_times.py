# SPDX-License-Identifier: Apache-2.0
"""When the messages of a batch were accepted, by stretches of a minute."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_instasent.waiting.accepted_times import LENGTH, UNTOLD, AcceptedTimes, Stretch


def test_without_a_word_nothing_is_told():
    times = AcceptedTimes()
    assert times.whole == UNTOLD
    assert times.as_json() is None
    assert AcceptedTimes.of(None).stretches("ab", "ab") == {UNTOLD: ["a", "b"]}


def test_a_batch_between_two_moments_is_one_stretch():
    times = AcceptedTimes.between(5.0, 9.0)
    assert times.stretches("abc", {"a", "c"}) == {Stretch(5.0, 9.0): ["a", "c"]}
    assert json.loads(json.dumps(times.as_json())) == [5.0, 9.0]
    assert AcceptedTimes.of([5, 9]).whole == Stretch(5.0, 9.0)


def test_moments_of_one_minute_are_one_stretch_as_long_as_they_are_apart():
    moments = [601.0, 659.0, 602.0, None, 661.0, 600.0]
    times = AcceptedTimes.each(moments)
    assert times.stretches("abcdef", "abcdef") == {
        Stretch(600.0, 659.0): ["a", "b", "c", "f"],
        UNTOLD: ["d"],
        Stretch(661.0, 661.0): ["e"],
    }
    assert times.whole == Stretch(600.0, 661.0)
    assert AcceptedTimes.each([None, None]).as_json() is None


def test_ids_beyond_those_that_are_told_are_untold():
    assert AcceptedTimes.each([5.0]).stretches("ab", "ab") == {Stretch(5.0, 5.0): ["a"], UNTOLD: ["b"]}


@given(st.lists(st.none() | st.floats(0, 1_000), max_size=40), st.data())
def test_each_pending_message_is_in_the_stretch_that_holds_its_moment(moments, data):
    ids = [f"m{place}" for place in range(len(moments))]
    pending = set(data.draw(st.lists(st.sampled_from(ids), max_size=40))) if ids else set()
    found = AcceptedTimes.each(moments).stretches(ids, pending)
    assert sorted(one for some in found.values() for one in some) == sorted(pending)
    for stretch, some in found.items():
        assert some == sorted(some, key=ids.index)
        for one in some:
            moment = moments[ids.index(one)]
            assert (stretch == UNTOLD) if moment is None else stretch.earliest <= moment <= stretch.latest
        assert stretch == UNTOLD or stretch.latest - stretch.earliest <= LENGTH
