# SPDX-License-Identifier: Apache-2.0
"""A reader for one wait in a worker: it waits to the end, sweeps once, and ends as soon as it is asked to."""

from __future__ import annotations

import threading
import time

import pytest
from support.counting import Counted
from support.fake_client import FakeClient, id_of, page_of, read_of

from airflow_provider_instasent.api.exchange import Answer
from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.delivery_watch import Watch
from airflow_provider_instasent.waiting.lone_reader import LoneReader

NOW = 1_800_000_000.0
QUICK = 60_000


class Stop(BaseException):
    """What asks a task to end."""


def lone(ids, *, clock=None, check=lambda: None, interval=0.02, deadline=None):
    deadline = deadline or (clock or time.time)() + 3_600
    return LoneReader(Watch(ids), deadline=deadline, poll_interval=interval, per_minute=QUICK, check=check, clock=clock)


def test_it_waits_until_the_batch_is_final_and_reports_each_sweep():
    looks = []

    def answer(request):
        looks.append(id_of(request))
        return read_of(id_of(request), "delivered" if len(looks) > 4 else "sent")

    reported = []
    client = FakeClient(answer)
    client.settings.counters = counted = Counted()
    with lone("ab") as reader:
        ended = reader.wait(client, lambda wait: reported.append(wait.sweeps))
    assert ended.ending is Ending.SUCCESS
    assert [sorted(looks[place : place + 2]) for place in (0, 2, 4)] == [["a", "b"]] * 3
    assert len(looks) == 6
    assert reported == [1, 2]
    assert counted.counts == {"waits.begun": 1, "waits.ended": 1, "reads.single": 6}


def test_what_the_check_raises_ends_it_while_an_answer_is_still_to_come():
    never, asked = threading.Event(), threading.Event()

    def answer(request):
        asked.set()
        never.wait()
        return read_of(id_of(request))

    def check():
        if asked.is_set():
            raise Stop

    client = FakeClient(answer)
    client.settings.counters = counted = Counted()
    with pytest.raises(Stop), lone("a", check=check) as reader:
        reader.wait(client)
    assert counted.counts["waits.ended"] == 1
    never.set()


def test_what_the_check_raises_ends_it_between_two_sweeps():
    looks, checks = [], []

    def check():
        checks.append(len(looks))
        if checks.count(1) == 4:  # in the middle of the pause
            raise Stop

    client = FakeClient(lambda request: looks.append(request) or read_of("a", "sent"))
    with pytest.raises(Stop), lone("a", check=check, interval=3_600) as reader:
        reader.wait(client)
    assert len(looks) == 1


def test_what_a_read_raises_is_the_waits():
    def fail(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), lone("a") as reader:
        reader.wait(FakeClient(fail))


def test_a_sweep_asks_once_for_all_that_is_pending_and_can_be_repeated():
    status = ["sent"]
    client = FakeClient(
        lambda request: (
            page_of(*"abcdef", status=status[0]) if request.path == "sms" else read_of(id_of(request), "sent")
        )
    )
    with lone("abcdef", clock=lambda: NOW) as reader:
        assert reader.sweep(client) is None
        lists = [request for request in client.requests if request.path == "sms"]
        assert len(lists) == 1
        assert reader.sweep(client) is None
        status[0] = "delivered"
        assert reader.sweep(client).ending is Ending.SUCCESS
        assert reader.sweep(client).ending is Ending.SUCCESS
    assert len([request for request in client.requests if request.path == "sms"]) == 3


def test_after_a_sweep_the_next_look_is_an_interval_after_it_however_long_nothing_has_changed():
    now = [NOW]
    client = FakeClient(lambda _: read_of("a", "sent"))
    with lone("a", clock=lambda: now[0], interval=30, deadline=NOW + 86_400) as reader:
        for _ in range(3):
            assert reader.sweep(client) is None
            assert reader.subscription.next_look() == now[0] + 30
            assert reader.subscription.pause == 30
            now[0] += 3_600
    assert len(client.requests) == 3


@pytest.mark.parametrize(
    ("connection", "wait", "expected"), [(60, None, 60), (None, 30, 30), (60, 30, 30), (30, 60, 30), (None, None, 300)]
)
def test_the_lowest_pace_counts_of_the_connections_and_the_waits(connection, wait, expected):
    watch = Watch(["a"])
    reader = LoneReader(watch, deadline=NOW, poll_interval=30, per_minute=connection, polls_per_minute=wait)
    assert reader._reader._budget.per_minute == expected


def test_a_sweep_returns_when_the_api_asks_for_a_pause_and_makes_no_request_before_it_is_over():
    now = [NOW]
    headers = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW + 50)}
    client = FakeClient(lambda _: Answer(429, headers, b"") if now[0] < NOW + 50 else read_of("a"))
    with lone("a", clock=lambda: now[0]) as reader:
        assert reader.sweep(client) is None
        assert reader.sweep(client) is None
        assert len(client.requests) == 1
        assert reader.subscription.watch.blocked_until == pytest.approx(NOW + 50, abs=1)
        now[0] += 51
        assert reader.sweep(client).ending is Ending.SUCCESS
    assert len(client.requests) == 2


def test_a_sweep_returns_when_the_api_does_not_answer():
    client = FakeClient(lambda _: Answer(503, {}, b""))
    with lone("abc", clock=lambda: NOW, interval=30) as reader:
        assert reader.sweep(client) is None
        assert reader.subscription.watch.failed_sweeps == 1
    assert len(client.requests) == 3


def test_a_sweep_after_the_deadline_looks_once_and_tells_the_end():
    client = FakeClient(lambda _: read_of("a", "sent"))
    with lone("a", clock=lambda: NOW, deadline=NOW - 100) as reader:
        assert reader.sweep(client).ending is Ending.TIMEOUT
    assert len(client.requests) == 1


def test_nothing_to_wait_for_needs_no_request_and_no_thread():
    before = set(threading.enumerate())  # of which some, of other tests, may be about to end
    client = FakeClient()
    with lone([]) as reader:
        assert reader.wait(client).ending is Ending.SUCCESS
        assert set(threading.enumerate()) <= before
    assert client.requests == []
