# SPDX-License-Identifier: Apache-2.0
"""What a wait says in the log, and how often."""

from __future__ import annotations

from airflow_provider_instasent.waiting.delivery_watch import MOST_WORDS, Watch
from airflow_provider_instasent.waiting.subscription import Subscription
from airflow_provider_instasent.waiting.wait_progress import WaitProgress, warn_of_unknown_words


def test_counts_requests_and_the_next_look_are_logged_when_something_changed_and_not_too_often():
    now = [1_000.0]
    lines: list[str] = []
    report = WaitProgress(lines.append, lambda: now[0])
    wait = Subscription(Watch(["id-0", "id-1"]), deadline=9_999.0, poll_interval=30.0)
    said = []
    for seconds, status in ((0, None), (30, "sent"), (29, None), (1, None), (300, None), (299, None), (1, None)):
        now[0] += seconds
        wait.requests += 2
        if status:
            wait.watch.saw("id-0", {"status": status})
        wait.begin_sweep(now[0])
        wait.answered()
        wait.end_sweep(now[0])
        report(wait)
        said.append(len(lines))
    assert said == [1, 1, 1, 2, 2, 2, 3]
    assert lines[0] == "0 of 2 delivered, 2 pending (unread 2). 2 requests so far; it looks again in 30 s."
    assert "8 requests so far" in lines[1]
    assert "id-" not in "".join(lines)


def test_before_the_first_sweep_it_looks_at_once():
    lines: list[str] = []
    wait = Subscription(Watch(["a"]), deadline=9_999.0, poll_interval=30.0)
    WaitProgress(lines.append, lambda: 5.0)(wait)
    assert lines[0].endswith("0 requests so far; it looks again in 0 s.")


def test_trouble_is_told_too():
    lines: list[str] = []
    wait = Subscription(Watch(["a"]), deadline=9_999.0, poll_interval=30.0)
    wait.watch.last_error = "HTTP 503"
    WaitProgress(lines.append, lambda: 5.0)(wait)
    assert "The last reads failed: HTTP 503." in lines[0]


def test_a_status_that_nobody_knows_is_warned_of_once_in_all_pokes_of_a_wait(caplog):
    watch = Watch("ab")
    for _ in range(3):
        watch.saw("a", {"status": "Teleported"})
        warn_of_unknown_words(watch)
        watch = Watch("ab", memory=watch.memory())
    assert [record.getMessage().count("teleported") for record in caplog.records] == [1]


def test_a_server_with_ever_new_words_does_not_fill_the_log_nor_the_memory(caplog):
    watch = Watch("a")
    for number in range(100):
        watch.saw("a", {"status": f"word {number}"})
        warn_of_unknown_words(watch)
    assert len(caplog.records) == len(watch.memory()["unknown_words"]) == MOST_WORDS
