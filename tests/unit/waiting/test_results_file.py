# SPDX-License-Identifier: Apache-2.0
"""A results file tells a wait its messages, what of them is final, and when they were accepted."""

from __future__ import annotations

import json

import pytest

from airflow_provider_instasent.waiting.accepted_times import UNTOLD
from airflow_provider_instasent.waiting.delivery_watch import WatchRules
from airflow_provider_instasent.waiting.results_file import keep_statuses, read_results, watch_of_results, write_results


def record(place, **fields):
    told = {"position": place, "client_id": None, "id": f"m{place}", "state": "accepted", "status": None}
    return {**told, "reason": None, "accepted_at": None, **fields}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "results.jsonl"


def test_a_watch_knows_when_each_message_was_accepted(path):
    moments = [1_000.0, 1_001, None, "soon", True]
    write_results(path, [record(place, accepted_at=moment) for place, moment in enumerate(moments[:4])])
    assert watch_of_results(path, WatchRules()).stretches() == {(1_000.0, 1_001.0): ["m0", "m1"], UNTOLD: ["m2", "m3"]}


def test_a_file_of_an_earlier_version_tells_no_moment_and_is_taken(path):
    line = record(0)
    del line["accepted_at"]
    path.write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert watch_of_results(path, WatchRules()).stretches() == {UNTOLD: ["m0"]}


def test_only_what_was_accepted_is_watched_and_what_is_final_is_not_asked_for(path):
    states = [{"status": "delivered"}, {"status": "sent"}, {"state": "rejected", "id": None}, {"id": None}]
    write_results(path, [record(place, accepted_at=60.0, **fields) for place, fields in enumerate(states)])
    watch = watch_of_results(path, WatchRules())
    assert watch.pending == ["m1"]
    assert (watch.result().total, watch.result().counts) == (3, {"delivered": 1, "unread": 1, "no_id": 1})
    watch.saw("m1", {"status": "failed"})
    keep_statuses(path, watch)
    kept = list(read_results(path))
    assert [one["status"] for one in kept] == ["delivered", "failed", None, None]
    assert [one["accepted_at"] for one in kept] == [60.0] * 4


@pytest.mark.parametrize("line", ["no json", "[]", '{"id": "a"}'])
def test_what_is_no_results_file_names_the_line(path, line):
    path.write_text(json.dumps(record(0)) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(ValueError, match="line 1"):
        watch_of_results(path, WatchRules())
