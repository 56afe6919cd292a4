# SPDX-License-Identifier: Apache-2.0
"""One reader for all waits of an account: what it reads and how often, and how each wait ends, all time simulated."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest
from support.simulated_account import START, SimulatedAccount, campaigns, new_reader, new_wait, pages_of, run

from airflow_provider_instasent.api.exchange import Answer, Failure
from airflow_provider_instasent.waiting.account_reader import LONG_PAUSE, PageRead, SingleRead
from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.delivery_watch import Watch, WatchRules
from airflow_provider_instasent.waiting.locating import LEAST_IN_VAIN
from airflow_provider_instasent.waiting.subscription import LAST_LOOK, Subscription

DAY = 86_400.0


def sent_and_waited_for(batches=10, waits=1, **habits):
    """An account, a reader, and waits for campaigns that were sent at once."""
    account = SimulatedAccount(**{"final_after": 45.0, **habits})
    began = account.now
    all_ids = campaigns(account, batches, waits)
    reader = new_reader(account)
    subscriptions = [new_wait(account, ids, (began, account.now)) for ids in all_ids]
    for one in subscriptions:
        reader.attach(one)
    return account, reader, subscriptions


def failing(account, *numbers, what=lambda _: Answer(503, {}, b"")):
    """Have those requests fail, counted from 0."""
    account.fault = lambda _: what(account) if len(account.requests) - 1 in numbers else None


def endings(account):
    return [ended.ending for ended in account.endings.values()]


# Which pages, and how often


def test_a_page_is_read_once_a_round_for_all_waits_with_messages_on_it():
    account, reader, waits = sent_and_waited_for(batches=6, waits=4)
    alone = len(pages_of(account, [one for wait in waits for one in wait.watch.ids]))
    run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS] * 4
    for one in account.rounds(waits):
        assert len(one) == len(set(one)) == alone
    assert max(wait.requests for wait in waits) == len(account.requests)


def test_nothing_is_read_before_the_first_look_is_due():
    account, reader, (wait,) = sent_and_waited_for(final_after=0.0)
    reader.detach(wait)
    later = new_wait(account, list(wait.watch.ids), next_sweep=account.now + 17)
    reader.attach(later)
    assert reader.idle_for() == 17
    assert reader.next_reads() == []
    account.move(17)
    assert reader.next_reads() == [PageRead(1)] or isinstance(reader.next_reads()[0], SingleRead)


def test_up_to_three_messages_are_read_by_themselves_and_four_from_the_list():
    for messages, kind in ((1, "read"), (3, "read"), (4, "list")):
        account = SimulatedAccount(final_after=0.0)
        began = account.now
        ids = account.accept(messages)
        reader = new_reader(account)
        reader.attach(new_wait(account, ids, (began, account.now)))
        run(account, reader, 60)
        assert {one for _, one, _ in account.requests} == {kind}


def test_the_first_read_goes_alone_and_others_follow_side_by_side():
    account, reader, _ = sent_and_waited_for(batches=20)
    widths = []
    while len(account.requests) < 15:
        reads = reader.next_reads()
        widths.append(len(reads))
        for read in reads:
            reader.leaves(read)
        for read in reads:
            outcome = account.answer(read)
            reader.take(read, outcome, outcome.json()["entities"])
        account.move(1.5)
    assert widths[0] == 1
    assert max(widths) == 5


def test_two_waits_for_the_same_messages_cost_no_more_than_one():
    account, reader, (wait,) = sent_and_waited_for()
    other = new_wait(account, list(wait.watch.ids)[:500])
    reader.attach(other)
    run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS] * 2
    assert len(account.requests) <= 10 * max(wait.sweeps, other.sweeps) + 4
    assert other.watch.result().delivered == 500


@pytest.mark.parametrize("newest_first", [True, False])
def test_three_hundred_single_waits_cost_thirty_requests_a_minute(newest_first):
    account = SimulatedAccount(newest_first=newest_first, final_after=300.0, traffic=5.0)
    account.accept(5_000, "old", account.now - 3_600)
    reader, waits = new_reader(account), []
    for _ in range(300):
        (one,) = account.accept(1)
        waits.append(new_wait(account, [one], (account.now - 5, account.now), next_sweep=account.now + 30))
        reader.attach(waits[-1])
        run(account, reader, 0.2)
        account.move(max(0.0, START + 0.2 * len(waits) - account.now))
    run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS] * 300
    minutes = (account.requests[-1][0] - account.requests[0][0]) / 60
    assert len(account.requests) / minutes <= 30


def test_a_sweep_longer_than_its_interval_is_followed_at_once_by_the_next():
    account = SimulatedAccount(final_after=600.0)
    ids = account.accept(20_000)
    reader = new_reader(account, per_minute=120)  # 200 pages take 100 s
    wait = new_wait(account, ids, (account.now, account.now), poll_interval=30.0)
    reader.attach(wait)
    run(account, reader, 450)
    moments = [moment for moment, _, _ in account.requests]
    assert wait.sweeps == 4
    assert max(later - sooner for sooner, later in pairwise(moments)) < 1.0


def test_the_interval_grows_with_silence_up_to_ten_times():
    account = SimulatedAccount(final_after=DAY)
    (one,) = account.accept(1)
    reader = new_reader(account)
    reader.attach(new_wait(account, [one], poll_interval=30.0, deadline=account.now + 7_200))
    run(account, reader, 7_200)
    moments = [moment for moment, _, _ in account.requests]
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    assert gaps[:5] == pytest.approx([30.0] * 5, abs=0.5)
    assert gaps == sorted(gaps)
    assert gaps[-1] == pytest.approx(300.0, abs=1)
    assert all(gap <= max(31, 0.12 * (moments[place] - START) + 1) for place, gap in enumerate(gaps))


# What the list does not show


def test_what_the_list_does_not_show_is_read_one_by_one_and_from_the_list_once_it_does():
    account = SimulatedAccount(final_after=600.0)
    began = account.now
    (ids,) = campaigns(account, 10)
    account.hidden = set(ids[100:150])
    reader = new_reader(account)
    wait = new_wait(account, ids, (began, account.now))
    reader.attach(wait)
    run(account, reader, 29)
    assert set(account.read("read")) == account.hidden
    assert len(account.read("list")) <= 2 * (10 + 1)  # by when they were sent as told, then as messages tell
    account.hidden = set()
    run(account, reader, 280)  # it searches again, after ever more sweeps
    begin = len(account.requests)
    run(account, reader, 200)
    assert account.read("read", begin) == []
    run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS]


def test_a_message_that_is_in_neither_is_not_found_in_the_end():
    account = SimulatedAccount(final_after=10.0)
    ids = account.accept(20)
    reader = new_reader(account)
    wait = new_wait(account, [*ids, "nowhere"])
    reader.attach(wait)
    ended = run(account, reader, DAY)
    assert account.endings[wait].ending is Ending.UNDELIVERABLE
    assert wait.watch.result().counts == {"delivered": 20, "not_found": 1}
    assert ended[wait] - START < 200


@pytest.mark.parametrize("is_told", [True, False])
def test_single_reads_and_pages_do_not_starve_each_other(is_told):
    account = SimulatedAccount(final_after=3_600.0)
    (listed,) = campaigns(account, 40)
    absent = account.accept(400, "absent")
    account.hidden = set(absent)
    reader = new_reader(account, per_minute=60)
    told = (START, account.now) if is_told else None
    one, other = new_wait(account, listed, told), new_wait(account, absent)
    reader.attach(other)
    run(account, reader, 40)
    reader.attach(one)
    begin = len(account.requests)
    run(account, reader, 120)
    assert len(account.read("list", begin)) >= 40
    assert len(account.read("read", begin)) >= 15
    run(account, reader, 2_100)
    assert one.sweeps >= 20
    assert other.sweeps >= 1


# Trouble


@pytest.mark.parametrize("place", [0, 3, 7, 9, 10, 13, 19])
def test_a_429_pauses_the_reader_and_no_other_page_of_the_round_is_read_twice(place):
    account, wait = refused_at(place)
    moments = [moment for moment, _, _ in account.requests]
    refused = account.requests[place][2]
    assert account.statuses.count(429) == 1
    assert moments[place + 1] - moments[place] >= 59
    for number, one in enumerate(account.rounds([wait])[:2]):
        twice = refused if number == place // 10 else None
        assert Counter(one) == Counter({page: 1 + (page == twice) for page in range(1, 11)})
    assert endings(account) == [Ending.SUCCESS]
    assert wait.watch.failed_sweeps == 0


@pytest.mark.parametrize("place", [0, 3, 9, 10, 13, 19])
def test_the_page_that_was_refused_is_read_next(place):
    account, _ = refused_at(place)
    assert account.requests[place + 1][2] == account.requests[place][2]


def refused_at(place):
    """One wait of ten pages, read one by one, of which the request of that number is answered with 429."""
    account = SimulatedAccount(final_after=200.0)
    began = account.now
    (ids,) = campaigns(account, 10)
    wait = new_wait(account, ids, (began, account.now))
    reader = new_reader(account, per_minute=30)
    reader.attach(wait)
    failing(account, place, what=SimulatedAccount.refusal)
    run(account, reader, DAY)
    return account, wait


@pytest.mark.parametrize("page", [1, 4, 10])
def test_a_page_that_always_fails_leaves_its_messages_to_be_read_one_by_one(page):
    account, reader, (wait,) = sent_and_waited_for()
    account.fault = lambda read: Answer(500, {}, b"") if read == PageRead(page) else None
    run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS]
    assert wait.sweeps <= 3


@pytest.mark.parametrize("page", [4, 10])
def test_a_page_that_always_fails_costs_single_reads_only_of_what_is_on_it(page):
    account, reader, (wait,) = sent_and_waited_for()
    account.fault = lambda read: Answer(500, {}, b"") if read == PageRead(page) else None
    run(account, reader, DAY)
    assert len(account.read("read")) <= 100 * wait.sweeps + 2


def test_a_429_while_others_are_under_way_costs_nothing_but_a_pause():
    account, reader, (wait,) = sent_and_waited_for(batches=30)
    failing(account, 5, 6, 7, what=SimulatedAccount.refusal)
    run(account, reader, DAY)
    (first, *_) = account.rounds([wait])
    assert len(first) == 33
    assert set(first) == set(range(1, 31))
    assert endings(account) == [Ending.SUCCESS]


def test_a_429_of_a_single_read_leaves_its_message_due():
    account = SimulatedAccount(final_after=200.0)
    ids = account.accept(3)
    wait = new_wait(account, ids)
    reader = new_reader(account)
    reader.attach(wait)
    failing(account, 1, what=SimulatedAccount.refusal)
    run(account, reader, 100)
    assert account.statuses.count(429) == 1
    first, *_ = account.rounds([wait])
    assert Counter(first) == Counter([*ids, account.requests[1][2]])
    assert wait.watch.failed_sweeps == 0


def test_a_429_never_counts_towards_max_poll_failures():
    account = SimulatedAccount(final_after=0.0)
    ids = account.accept(200)
    watch = Watch(ids, WatchRules(max_poll_failures=1))
    reader = new_reader(account)
    reader.attach(Subscription(watch, deadline=account.now + DAY, poll_interval=30.0))
    account.fault = lambda _: account.refusal() if account.now < START + 3_600 else None
    ended = run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS]
    assert account.statuses.count(429) <= 2 * 61  # each endpoint has a limit of its own
    assert max(ended.values()) - START < 3_700


@pytest.mark.parametrize("fault", [Answer(503, {}, b""), Answer(200, {}, b"no json"), Failure(left=True, reason="x")])
def test_one_read_that_fails_delays_nobody(fault):
    account, reader, (wait,) = sent_and_waited_for()
    failing(account, 4, what=lambda _: fault)
    run(account, reader, 25)
    (first,) = account.rounds([wait])
    assert len(first) == 11
    assert len(set(first)) == 10
    assert wait.watch.failed_sweeps == 0
    assert account.requests[10][0] - account.requests[0][0] < 5


def test_three_failures_in_a_row_pause_for_an_interval_and_count_once_for_each_wait():
    account, reader, waits = sent_and_waited_for(waits=3)
    account.fault = lambda _: Answer(503, {}, b"")
    run(account, reader, 29.9)
    assert len(account.requests) == 3
    assert reader.is_paused
    assert [wait.watch.failed_sweeps for wait in waits] == [1, 1, 1]
    assert all("503" in wait.watch.last_error for wait in waits)
    run(account, reader, 30)
    assert len(account.requests) == 6
    assert [wait.watch.failed_sweeps for wait in waits] == [2, 2, 2]
    account.fault = lambda _: None
    run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS] * 3
    assert [wait.watch.failed_sweeps for wait in waits] == [0, 0, 0]


def test_an_api_that_is_down_ends_each_wait_after_its_own_patience():
    account = SimulatedAccount()
    ids = account.accept(100)
    reader = new_reader(account)
    waits = [
        Subscription(Watch(ids, WatchRules(max_poll_failures=most)), deadline=account.now + DAY, poll_interval=30.0)
        for most in (1, 2, 5)
    ]
    for wait in waits:
        reader.attach(wait)
    account.fault = lambda _: Failure(left=False, reason="down")
    ended = run(account, reader, DAY)
    assert endings(account) == [Ending.ERROR] * 3
    assert not account.endings[waits[0]].final
    assert [round((ended[wait] - START) / 30) for wait in waits] == [0, 1, 4]
    singly = account.read("read")
    assert len(account.requests) - len(singly) == 3 + 3 + 3 + 1 + 1
    assert len(singly) <= 5, "from the third pause of the list on, one message is tried an interval"


@pytest.mark.parametrize("status", [401, 403, 301, 302])
def test_a_refusal_ends_all_waits_with_one_request(status):
    account, reader, waits = sent_and_waited_for(waits=3)
    account.fault = lambda _: Answer(status, {"location": "/elsewhere"}, b"{}")
    ended = run(account, reader, 60)
    assert set(ended) == set(waits)
    assert endings(account) == [Ending.ERROR] * 3
    assert all(one.final for one in account.endings.values())
    assert len(account.requests) == 1


def test_the_pause_is_the_shortest_interval_of_those_that_wait():
    account = SimulatedAccount()
    ids = account.accept(100)
    reader = new_reader(account)
    for interval in (60.0, 10.0):
        reader.attach(new_wait(account, ids, (account.now, account.now), poll_interval=interval))
    failing(account, 0, 1, 2)
    run(account, reader, 30)
    assert 10 <= account.requests[3][0] - account.requests[2][0] < 11


def test_failures_of_one_sweep_do_not_count_in_the_next():
    account = SimulatedAccount(final_after=DAY)
    reader = new_reader(account)
    reader.attach(new_wait(account, account.accept(3)))
    failing(account, 1, 2, 3)
    run(account, reader, 50)
    moments = [moment for moment, _, _ in account.requests]
    assert len(moments) == 6
    assert moments[5] - moments[3] < 5


@pytest.mark.parametrize("messages", [3, 2_000])
@pytest.mark.parametrize("looks", [0, 1, 2])
def test_each_sweep_begins_with_one_read_alone_so_a_token_that_was_revoked_costs_one(messages, looks):
    account = SimulatedAccount(final_after=DAY)
    ids = account.accept(messages)
    reader = new_reader(account)
    reader.attach(new_wait(account, ids, (account.now, account.now)))
    run(account, reader, 30 * looks - 1)
    begin = len(account.requests)
    assert (begin > 0) == (looks > 0)
    account.fault = lambda _: Answer(401, {}, b"{}")
    run(account, reader, 60)
    assert endings(account) == [Ending.ERROR]
    assert len(account.requests) == begin + 1


# The budget


@pytest.mark.parametrize(
    ("connection", "asked", "limit", "interval"),
    [
        (None, [], 480, 0.5),
        (None, [], 1_200, 0.2),
        (60, [], 1_200, 1.0),
        (60, [120], 1_200, 1.0),
        (120, [60], 1_200, 1.0),
        (None, [300, 60, None], 1_200, 1.0),
        (None, [], 3, 60.0),
    ],
)
def test_reads_are_spaced_by_the_lowest_that_is_asked_for_else_by_a_quarter_of_the_limit(
    connection, asked, limit, interval
):
    account = SimulatedAccount(final_after=DAY, limit=limit)
    ids = account.accept(1_000)
    reader = new_reader(account, connection)
    for most in asked or [None]:
        reader.attach(new_wait(account, ids, (account.now, account.now), polls_per_minute=most))
    account.now = START + 0.5  # in a window of its own
    run(account, reader, 10 * interval + 2)
    moments = [moment for moment, _, _ in account.requests][1:10]
    assert (moments[-1] - moments[0]) / (len(moments) - 1) == pytest.approx(interval, rel=0.15)


def test_nothing_is_chosen_before_it_may_leave():
    account = SimulatedAccount(final_after=DAY)
    reader = new_reader(account, per_minute=60)
    reader.attach(new_wait(account, account.accept(1_000), (account.now, account.now)))
    (read,) = reader.next_reads()
    reader.leaves(read)
    outcome = account.answer(read)
    reader.take(read, outcome, outcome.json()["entities"])
    assert reader.next_reads() == []
    assert reader.idle_for() == pytest.approx(1.0)
    account.move(0.9)
    assert reader.next_reads() == [PageRead(2)]


@pytest.mark.parametrize("per_minute", [6, 30])
def test_a_slow_pace_is_no_pause(per_minute):
    """A wait in a worker goes on with its poke: at this pace no later one would come any further."""
    account = SimulatedAccount(final_after=DAY)
    reader = new_reader(account, per_minute)
    reader.attach(new_wait(account, account.accept(1_000), (account.now, account.now)))
    run(account, reader, 1)
    assert len(account.requests) == 1
    assert not reader.is_paused


def test_windows_that_are_used_up_for_both_kinds_of_reads_are_a_pause_unless_they_open_soon():
    account = SimulatedAccount(final_after=DAY)
    (one, *_) = account.accept(1_000)
    reader = new_reader(account)
    reader.attach(new_wait(account, [one]))
    headers = {"x-ratelimit-limit": "100", "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(account.now + 50)}
    entity, pauses = {"id": one, "status": "sent"}, []
    for read, result in ((PageRead(1), [entity]), (SingleRead(one), entity)):
        reader.leaves(read)
        reader.take(read, Answer(200, headers, b""), result)
        pauses.append(reader.is_paused)
    assert pauses == [False, True]
    account.move(50 - LONG_PAUSE + 1)
    assert not reader.is_paused


@pytest.mark.parametrize(("messages", "put_off"), [(1, 3.0), (100, 3.0), (101, 0.0)])
def test_the_first_look_of_a_small_wait_is_put_off_by_a_share_of_its_interval(messages, put_off):
    """Others like it may be coming; each later look is on time."""
    account = SimulatedAccount(final_after=DAY)
    reader = new_reader(account)  # which gathers for a tenth
    wait = new_wait(account, account.accept(messages), poll_interval=30.0)
    reader.attach(wait)
    run(account, reader, 60)
    assert account.requests[0][0] - START == pytest.approx(put_off, abs=0.01)
    assert wait.sweeps == 2


@pytest.mark.parametrize("per_minute", [60, 6])
def test_a_deadline_that_is_past_leaves_one_look_however_slow_the_pace(per_minute):
    account = SimulatedAccount(final_after=0.0)
    ids = account.accept(3)
    reader = new_reader(account, per_minute)
    reader.attach(new_wait(account, ids, deadline=account.now - 1))
    run(account, reader, 90)
    assert endings(account) == [Ending.SUCCESS]


def test_a_wait_that_goes_takes_its_limit_with_it():
    account = SimulatedAccount(final_after=DAY, limit=1_200)
    ids = account.accept(3_000)
    reader = new_reader(account)
    slow, quick = new_wait(account, ids[:10], polls_per_minute=6), new_wait(account, ids)
    reader.attach(slow)
    reader.attach(quick)
    run(account, reader, 25)
    assert len(account.requests) <= 4
    reader.detach(slow)
    run(account, reader, 30)
    assert len(account.requests) >= 30


@pytest.mark.parametrize("per_minute", [480, 2_000])
def test_five_waits_of_ten_thousand_use_what_the_limit_allows_and_waste_nothing(per_minute):
    account = SimulatedAccount(limit=480, final_after=120.0)
    began = account.now
    all_ids = campaigns(account, 100, 5)
    reader = new_reader(account, per_minute)
    waits = [new_wait(account, ids, (began, account.now), poll_interval=60.0) for ids in all_ids]
    for wait in waits:
        reader.attach(wait)
    ended = run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS] * 5
    for one in account.rounds(waits):
        assert len(set(one)) / len(one) >= 0.9
    assert account.read("read") == []
    assert account.statuses.count(429) == 0
    by_minute = Counter(int(moment // 60) for moment, _, _ in account.requests)
    assert max(by_minute.values()) <= 480 * 0.9 + 1
    pages_in_all = 500 * max(wait.sweeps for wait in waits)
    assert max(ended.values()) - began <= 1.5 * max(pages_in_all / (480 * 0.9) * 60, 120 + 60)


def test_a_tenth_of_each_window_is_left_to_others():
    account = SimulatedAccount(limit=100, final_after=DAY)
    ids = account.accept(30_000)
    reader = new_reader(account, per_minute=6_000)
    reader.attach(new_wait(account, ids, (account.now, account.now)))
    run(account, reader, 300)
    by_minute = Counter(int(moment // 60) for moment, _, _ in account.requests)
    assert max(by_minute.values()) <= 90
    assert min(by_minute[minute] for minute in sorted(by_minute)[1:-1]) >= 80


@pytest.mark.parametrize(("limit", "per_minute"), [(101, 6_000), (100, 110), (480, 450), (60, 60)])
def test_a_reader_that_waits_for_the_next_window_of_the_list_sleeps(limit, per_minute):
    """Single reads have a window of their own, which is open all the while."""
    account = SimulatedAccount(limit=limit, final_after=DAY)
    ids = account.accept(30_000)
    reader = new_reader(account, per_minute)
    reader.attach(new_wait(account, ids, (account.now, account.now)))
    idle_for, pauses = reader.idle_for, []
    reader.idle_for = lambda: pauses.append(idle_for()) or pauses[-1]
    run(account, reader, 200)
    assert len(pauses) <= len(account.requests) + 20


# Waits that come and go


def test_a_wait_that_comes_in_the_middle_of_a_sweep_shares_it():
    account = SimulatedAccount(final_after=45.0, limit=1_200)
    began = account.now
    ids, others = campaigns(account, 20, 2)
    wait, other = new_wait(account, ids, (began, account.now)), new_wait(account, others, (began, account.now))
    reader = new_reader(account)
    reader.attach(wait)
    run(account, reader, 3)
    assert 0 < len(account.requests) < 40
    reader.attach(other)
    run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS] * 2
    assert len(account.read("read")) <= 2
    # Messages that were seen before anybody waited for them have their place.
    first, *rest = account.rounds([wait, other])
    assert len(first) <= 60
    assert all(len(one) <= 44 for one in rest)


def test_a_list_that_moves_on_in_the_middle_of_a_search_costs_a_page_or_two():
    account, reader, (wait,) = sent_and_waited_for(batches=40, limit=1_200)
    run(account, reader, 3)
    assert 0 < len(account.requests) < 40
    account.accept(300, "newer")
    run(account, reader, DAY)
    assert endings(account) == [Ending.SUCCESS]
    assert account.read("read") == []
    assert all(len(one) <= 46 for one in account.rounds([wait]))


TRAFFIC = pytest.mark.parametrize("traffic", [100.0, 200.0, 400.0])
FINAL_AFTER = 360.0


def ten_thousand_among(traffic):
    """A wait for ten thousand messages to its end, while others send as many a second."""
    account = SimulatedAccount(final_after=FINAL_AFTER, limit=1_200, traffic=traffic)
    account.accept(5_000, "old", account.now - 3_600)
    began = account.now
    (ids,) = campaigns(account, 100)
    last_final = account.now + FINAL_AFTER
    wait = new_wait(account, ids, (began, account.now), poll_interval=60.0)
    reader = new_reader(account)
    reader.attach(wait)
    ended = run(account, reader, 7_200)
    return account, wait, ended[wait] - last_final


@TRAFFIC
def test_while_others_send_steadily_no_message_is_read_by_itself(traffic):
    account, _, _ = ten_thousand_among(traffic)
    assert account.read("read") == []
    assert account.statuses.count(429) == 0


@TRAFFIC
def test_while_others_send_steadily_a_wait_ends_two_intervals_and_a_round_after_the_last_final_status(traffic):
    account, wait, late = ten_thousand_among(traffic)
    assert endings(account) == [Ending.SUCCESS]
    assert wait.watch.result().delivered == 10_000
    first, *others = map(len, account.rounds([wait]))
    per_second = 1_200 / 4 / 60
    assert late <= 2 * 60 + max(others) / per_second
    # Read downwards, the list comes to meet the reader: of each page it reads, so much is new.
    is_new = 1 - traffic / 100 / per_second
    fewest = len(pages_of(account, wait.watch.ids)) / is_new
    assert max(others) <= 1.75 * fewest
    assert first <= 1.75 * fewest + LEAST_IN_VAIN


def test_what_only_a_wait_that_goes_had_asked_for_is_not_read_any_more():
    account, reader, (first, second) = sent_and_waited_for(batches=20, waits=2, limit=1_200)
    run(account, reader, 3)
    begin = len(account.requests)
    assert 0 < begin < 40
    reader.detach(first)
    reader.detach(first)  # twice is once
    run(account, reader, DAY)
    assert list(account.endings) == [second]
    pages = len(pages_of(account, second.watch.ids))
    assert len(account.requests) - begin <= pages * second.sweeps + 12
    assert first.left == {}


def test_a_wait_for_nothing_ends_without_a_request():
    account = SimulatedAccount()
    reader = new_reader(account)
    reader.attach(new_wait(account, [], next_sweep=account.now + 30))
    run(account, reader, 1)
    assert endings(account) == [Ending.SUCCESS]
    assert account.requests == []


@pytest.mark.parametrize("late", [0.0, 1.0, 100_000.0])
def test_a_deadline_that_is_past_leaves_one_look(late):
    account = SimulatedAccount(final_after=30.0)
    ids = account.accept(500)
    account.move(31)
    reader = new_reader(account)
    wait = new_wait(account, ids, deadline=account.now - late, next_sweep=account.now + 30)
    reader.attach(wait)
    run(account, reader, 90)
    assert endings(account) == [Ending.SUCCESS]
    assert wait.sweeps <= 1
    assert 5 <= len(account.requests) <= 12


def test_a_deadline_before_the_first_look_brings_that_look_forward():
    account = SimulatedAccount(final_after=5.0)
    ids = account.accept(500)
    reader = new_reader(account)
    wait = new_wait(account, ids, deadline=account.now + 10, next_sweep=account.now + 300)
    reader.attach(wait)
    ended = run(account, reader, 400)
    assert account.endings[wait].ending is Ending.SUCCESS
    assert account.requests[0][0] == pytest.approx(START + 10)
    assert ended[wait] < START + 15


def test_a_wait_looks_once_more_at_its_deadline_and_then_is_timed_out():
    account = SimulatedAccount(final_after=DAY)
    ids = account.accept(500)
    reader = new_reader(account)
    wait = new_wait(account, ids, deadline=account.now + 50)
    reader.attach(wait)
    ended = run(account, reader, 400)
    assert account.endings[wait].ending is Ending.TIMEOUT
    assert START + 50 < ended[wait] < START + 55
    assert wait.sweeps == 3


def test_a_deadline_in_the_middle_of_a_sweep_waits_for_its_end_a_minute_at_most():
    """A sweep takes 200 s here; what it has read until a minute after the deadline is what counts."""
    account = SimulatedAccount(final_after=DAY)
    ids = account.accept(20_000)
    reader = new_reader(account, per_minute=60)
    soon, late = (new_wait(account, ids, (START, START), deadline=START + left) for left in (20, 170))
    reader.attach(soon)
    reader.attach(late)
    ended = run(account, reader, 1_000)
    assert endings(account) == [Ending.TIMEOUT] * 2
    assert START + 20 + LAST_LOOK <= ended[soon] <= START + 25 + LAST_LOOK
    assert START + 195 <= ended[late] <= START + 175 + LAST_LOOK
    assert soon.watch.result().counts["sent"] >= 7_500


@pytest.mark.parametrize("messages", [1, 1_000])
def test_a_deadline_during_a_pause_leaves_a_last_look_after_it(messages):
    account = SimulatedAccount(final_after=45.0)
    ids = account.accept(messages)
    reader = new_reader(account)
    wait = new_wait(account, ids, deadline=account.now + 40)
    reader.attach(wait)
    account.fault = lambda _: account.refusal(110) if account.now < START + 100 else None
    ended = run(account, reader, 300)
    assert account.endings[wait].ending is Ending.SUCCESS
    assert ended[wait] < START + 40 + LAST_LOOK


def test_a_pause_without_end_ends_a_wait_with_its_last_look():
    account, reader, (wait,) = sent_and_waited_for(final_after=DAY)
    wait.deadline = account.now + 40
    account.fault = lambda _: account.refusal(110)
    ended = run(account, reader, 600)
    assert account.endings[wait].ending is Ending.TIMEOUT
    assert ended[wait] == pytest.approx(START + 110, abs=1), "the next pause would not be over before the last look is"


@pytest.mark.parametrize("late", [0, 5_000])
def test_waits_whose_deadline_is_past_when_a_triggerer_restarts_survive_a_429(late):
    account = SimulatedAccount(final_after=0.0)
    ids = account.accept(300)
    account.move(10)
    reader = new_reader(account)
    for one in ids:
        reader.attach(new_wait(account, [one], (START, START), deadline=account.now - late))
    account.fault = lambda _: account.refusal(58) if len(account.requests) == 1 else None
    assert len(run(account, reader, 600)) == 300
    assert endings(account) == [Ending.SUCCESS] * 300


def test_a_rate_limit_that_a_wait_brings_along_is_kept():
    account = SimulatedAccount(final_after=0.0)
    wait = new_wait(account, account.accept(10))
    wait.watch.blocked_until = account.now + 33
    reader = new_reader(account)
    reader.attach(wait)
    run(account, reader, 100)
    assert account.requests[0][0] >= START + 33
    assert endings(account) == [Ending.SUCCESS]


# All at once


def fuzzed(seed):
    """Waits of any kind on an account of any kind, in which one endpoint may be down for a while.

    Returns the account, all waits, when each has ended, those that went before, and which endpoint it was.
    """
    chance = random.Random(seed)
    account = SimulatedAccount(
        newest_first=chance.random() < 0.6,
        tells_time=chance.random() < 0.8,
        page_cap=chance.choice([100, 100, 30, 7]),
        repeats=chance.random() < 0.3,
        latency=chance.choice([0.02, 0.1, 1.0]),
        limit=chance.choice([10**6, 1_200, 480, 120]),
        created_off=chance.choice([0.0, 0.0, 7_200.0, -18_000.0]),
        final_after=chance.choice([0.0, 5.0, 60.0, 300.0]),
        traffic=chance.choice([0.0, 0.0, 1.0, 10.0]),
    )
    account.accept(chance.choice([0, 50, 3_000]), "old", account.now - chance.choice([10, 9_000]))
    reader = new_reader(account, chance.choice([None, None, 600]))
    waits, ended, left = [], {}, set()
    down = chance.choice([None] * 6 + [PageRead, SingleRead]), account.now + chance.choice([100, 400])
    account.fault = lambda read: (
        Answer(500, {}, b"")
        if type(read) is down[0] and account.now < down[1]
        else chance.choice(
            [None] * 60
            + [Answer(503, {}, b""), Failure(left=True, reason="x"), account.refusal(chance.choice([1, 30]))]
        )
    )
    for _ in range(chance.randint(1, 6)):
        ids, began = [], account.now
        others = chance.choice([0, 0, 0, 1, 4])  # senders who take turns with this one
        for _ in range(chance.choice([1, 1, 3, 10])):
            ids += account.accept(size := chance.choice([1, 1, 100]))
            account.accept(others * size, "turn")
            account.move(chance.choice([0, 0.05, 0.5]))
        if chance.random() < 0.3:
            account.accept(chance.choice([5, 500, 2_000]), "newer")
        account.hidden |= {one for one in ids if chance.random() < 0.02 and down[0] is not SingleRead}
        told = chance.choice([(began, account.now), (began, account.now), None, (began - 3_000, began - 3_000)])
        wait = new_wait(
            account,
            chance.sample(ids, len(ids)) if chance.random() < 0.2 else ids,
            told,
            poll_interval=chance.choice([5.0, 30.0, 60.0]),
            next_sweep=account.now + chance.choice([0, 30]),
        )
        waits.append(wait)
        reader.attach(wait)
        ended |= run(account, reader, chance.choice([0, 1, 30, 100]))
        if chance.random() < 0.3:
            account.hidden.clear()
        if chance.random() < 0.1:
            gone = chance.choice(waits)
            reader.detach(gone)
            left.add(gone)
    ended |= run(account, reader, DAY)
    return account, waits, ended, left, down[0]


@pytest.mark.parametrize("seed", range(60))
def test_every_wait_ends_with_the_truth_and_a_bounded_number_of_reads(seed):
    """Without single reads a wait for up to three messages is an error in the end; without the list none is."""
    account, waits, ended, left, down = fuzzed(seed)
    assert {*waits} - left <= ended.keys()
    for wait in ended:
        if down is SingleRead and account.endings[wait].ending is Ending.ERROR:
            continue
        assert {status for _, status, _ in wait.watch.statuses()} == {"delivered"}
    sweeps = max(wait.sweeps for wait in waits) + 3 * len(waits)
    pages = len(account.accepted) / account.page_cap
    messages = sum(len(wait.watch) for wait in waits)
    singly = (1.0 if down is PageRead else 0.05) * messages * sweeps
    assert len(account.read("list")) <= sweeps * (min(pages, 2 * messages) + 40)
    assert len(account.read("read")) <= 3 * messages + singly + 10 * sweeps


def untold(account, count, name):
    return new_wait(account, account.accept(count, name))


@pytest.mark.parametrize("by", ["leaving", "a refusal", "a 429"])
def test_a_wait_that_leaves_while_it_asks_when_its_messages_were_sent_stops_nobody(by):
    account = SimulatedAccount(final_after=0.0)
    reader = new_reader(account)
    leaves, stays = untold(account, 200, "a"), new_wait(account, account.accept(300, "b"), (account.now, account.now))
    reader.attach(leaves)
    (probe,) = reader.next_reads()
    reader.leaves(probe)
    if by == "leaving":
        reader.detach(leaves)
    else:
        answer = Answer(403, {}, b"") if by == "a refusal" else account.refusal()
        reader.take(probe, answer, None)
        for wait, _ in reader.conclusions():
            reader.detach(wait)
        if leaves in reader.subscriptions:
            reader.detach(leaves)
    reader.attach(stays)
    assert list(run(account, reader, 600)) == [stays]
    assert stays.watch.result().delivered == 300


def test_an_old_refusal_does_not_end_a_later_wait():
    account = SimulatedAccount(final_after=3_600.0)
    reader = new_reader(account)
    first, later = untold(account, 1, "a"), new_wait(account, account.accept(1, "b"), next_sweep=account.now + 900)
    for wait in (first, later):
        reader.attach(wait)
    account.fault = lambda _: Answer(403, {}, b"")
    assert list(run(account, reader, 100)) == [first]
    account.fault = lambda _: Answer(500, {}, b"") if account.now < START + 1_000 else None
    assert list(run(account, reader, DAY)) == [later]
    assert later.watch.result().delivered == 1


def test_a_limit_of_single_reads_leaves_the_list():
    account = SimulatedAccount(final_after=0.0)
    reader = new_reader(account)
    waits = [untold(account, 200, "a"), new_wait(account, account.accept(300, "b"), (account.now, account.now))]
    for wait in waits:
        reader.attach(wait)
    account.fault = lambda read: account.refusal() if isinstance(read, SingleRead) else None
    assert set(run(account, reader, 600)) == set(waits)


def read_while_always_failing(kind, answer, sizes):
    """Wait for so many messages each while one kind of read always comes to the same; return the account."""
    account = SimulatedAccount(final_after=0.0)
    reader = new_reader(account)
    for place, size in enumerate(sizes):
        reader.attach(new_wait(account, account.accept(size, f"w{place}-"), (account.now, account.now)))
    account.fault = lambda read: answer if isinstance(read, kind) else None
    assert len(run(account, reader, DAY)) == len(sizes)
    assert endings(account) == [Ending.SUCCESS] * len(sizes)
    return account


@pytest.mark.parametrize("sizes", [[1], [10], [1] * 300, [2_000], [1, 10, 500]], ids=str)
@pytest.mark.parametrize(
    "answer", [Answer(400, {}, b"{}"), Answer(404, {}, b""), Answer(500, {}, b""), Answer(200, {}, b"<")]
)
def test_a_list_that_always_fails_leaves_all_to_single_reads(sizes, answer):
    """How many messages a page may have is unknown, so a 400 may well come."""
    account = read_while_always_failing(PageRead, answer, sizes)
    assert len(account.read("read")) <= 1.2 * sum(sizes) + 4


@pytest.mark.parametrize("sizes", [[4, 500], [1] * 5, [2, 3]], ids=str)
@pytest.mark.parametrize("answer", [Answer(500, {}, b""), Answer(400, {}, b"")])
def test_single_reads_that_always_fail_leave_all_to_the_list(answer, sizes):
    read_while_always_failing(SingleRead, answer, sizes)


@pytest.mark.parametrize("per_minute", [20, 60, None])
def test_with_the_list_down_nobody_runs_out_of_patience_while_others_are_read_one_by_one(per_minute):
    account = SimulatedAccount(final_after=0.0)
    reader = new_reader(account, per_minute)
    for name in "abc":
        reader.attach(new_wait(account, account.accept(400, name), (account.now, account.now)))
    account.fault = lambda read: Answer(500, {}, b"") if isinstance(read, PageRead) else None
    assert len(run(account, reader, DAY)) == 3
    assert endings(account) == [Ending.SUCCESS] * 3


def test_one_message_that_may_not_be_read_ends_nobody_elses_wait():
    account = SimulatedAccount()
    reader = new_reader(account)
    waits = [new_wait(account, account.accept(1, name)) for name in "abc"]
    for wait in waits:
        reader.attach(wait)
    (foreign,) = waits[1].watch.ids
    account.fault = lambda read: Answer(403, {}, b"") if getattr(read, "message_id", None) == foreign else None
    assert len(run(account, reader, DAY)) == 3
    told = {wait: ended.ending for wait, ended in account.endings.items()}
    assert [told[wait] for wait in waits] == [Ending.SUCCESS, Ending.ERROR, Ending.SUCCESS]


@pytest.mark.parametrize("per_minute", [60, 120, 240])
def test_a_slow_pace_does_not_take_single_sends_from_the_list(per_minute):
    account = SimulatedAccount(final_after=DAY)
    ids = account.accept(300)
    reader = new_reader(account, per_minute)
    for one in ids:
        reader.attach(new_wait(account, [one], (START, START)))
    run(account, reader, 600)
    assert len(account.read("read")) <= 3


@pytest.mark.parametrize("per_minute", [20, 60, 240])
def test_a_slow_pace_asks_when_messages_were_sent(per_minute):
    account = SimulatedAccount(final_after=0.0)
    account.accept(40_000, "old", START - DAY)
    ids = account.accept(2_000)
    account.move(60)
    account.accept(40_000, "new")
    reader = new_reader(account, per_minute)
    reader.attach(new_wait(account, ids))
    run(account, reader, 7_200)
    assert len(account.read("read")) == 2
    assert len(account.read("list")) <= 45


def test_a_list_that_is_always_refused_leaves_a_few_messages_to_single_reads():
    account = SimulatedAccount(final_after=0.0)
    reader = new_reader(account)
    wait = new_wait(account, account.accept(10), (account.now, account.now))
    reader.attach(wait)
    account.fault = lambda read: account.refusal() if isinstance(read, PageRead) else None
    assert list(run(account, reader, DAY)) == [wait]


def test_a_reader_with_nothing_to_read_now_does_not_ask_again_at_once():
    account = SimulatedAccount()
    reader = new_reader(account)
    reader.attach(untold(account, 200, "a"))
    while reads := reader.next_reads():
        for read in reads:
            reader.leaves(read)
            reader.take(read, account.refusal(), None)
    assert reader.idle_for() >= 0.01


@pytest.mark.parametrize("status", [500, 502, 404])
def test_an_error_after_a_429_is_no_429(status):
    account = SimulatedAccount(final_after=3_600.0)
    reader = new_reader(account)
    for ids in (account.accept(1, "a"), account.accept(300, "b")):
        reader.attach(new_wait(account, ids, (account.now, account.now)))
    account.fault = lambda read: account.refusal() if isinstance(read, PageRead) else Answer(status, {}, b"")
    run(account, reader, 35)
    singly = [at for at, kind, _ in account.requests if kind == "read"]
    assert max(singly) - START >= 29, "it is asked for again after its interval, not after the other one's reset"
