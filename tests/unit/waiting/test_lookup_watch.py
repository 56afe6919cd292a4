# SPDX-License-Identifier: Apache-2.0
"""When a lookup is finished, and how the wait for a batch of them ends."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.waiting.lookup_watch import LookupWatch


@pytest.mark.parametrize(
    ("entity", "finished"),
    [
        ({"status": "pending"}, False), ({"status": " Pending "}, False), ({"status": "done"}, True),
        ({"status": ""}, True), ({}, True), ({"status": None}, True), ({"status": 5}, True),
    ],
)  # fmt: skip
def test_the_default_rule(entity, finished):
    kept = []
    watch = LookupWatch(["a"], keep=lambda *known: kept.append(known))
    watch.saw("a", {"id": "a", **entity})
    assert (watch.conclude(0, 100) is not None) == finished
    assert kept == [("a", {"id": "a", **entity}, finished)]


def test_the_callers_rule():
    watch = LookupWatch(["a", "b"], pending_statuses=["Working"])
    watch.saw("a", {"status": "WORKING"})
    watch.saw("b", {"status": "pending"})
    assert watch.pending == ["a"]
    ended = watch.conclude(100, 100)
    assert ended.ending == "timeout"
    assert "1 of 2 lookups finished, 1 pending (pending 1, working 1)" in ended.message


def test_a_404_is_lag_for_a_while():
    watch = LookupWatch(["a", "b"], missing_since=1000)
    watch.missed("a", 1100)
    assert watch.conclude(1100, 9999) is None
    watch.missed("a", 1121)
    watch.saw("b", {})
    ended = watch.conclude(1121, 9999)
    assert (ended.ending, watch.not_found()) == ("success", ["a"])


def test_none_found_is_an_error():
    watch = LookupWatch(["a"], missing_since=0)
    watch.missed("a", 1000)
    ended = watch.conclude(1000, 9999)
    assert (ended.ending, ended.final) == ("error", True)


def test_no_lookups_are_finished_at_once():
    assert LookupWatch([]).conclude(0, 1).ending == "success"


def test_a_refusal_ends_it_and_failures_in_a_row_do():
    watch = LookupWatch(["a"], max_poll_failures=2)
    watch.sweep_ended(succeeded=False)
    assert watch.conclude(0, 100) is None
    watch.sweep_ended(succeeded=False)
    assert (watch.conclude(0, 100).ending, watch.conclude(0, 100).final) == ("error", False)
    watch.refusal = "HTTP 401"
    assert watch.conclude(0, 100).final is True


def test_a_wait_that_times_out_names_what_is_pending():
    watch = LookupWatch(["a", "b", "c"], missing_since=1_000.0)
    watch.saw("a", {"status": "done"})
    watch.saw("b", {"status": "processing"})
    watch.missed("c", 1_001.0)
    assert "Not finished: b processing, c not found yet." in watch.conclude(100, 100).message
