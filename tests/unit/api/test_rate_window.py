# SPDX-License-Identifier: Apache-2.0
"""What is known of a window of the rate limit, and how several senders share it; all time is simulated."""

from __future__ import annotations

import itertools

import pytest
from support.hand_clock import NOW, HandClock
from support.shared_limit import LimitedServer, SimulatedSender, Simulation

from airflow_provider_instasent.api.rate_limit import LONGEST_RESET_WAIT, RateLimit
from airflow_provider_instasent.api.rate_window import MARGIN, MEMORY, RateWindow


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def window(clock):
    return RateWindow(clock)


def says(remaining, reset_at=NOW + 60, limit=100, server_time=NOW, *, refused=False):
    return RateLimit(limit, remaining, None, reset_at, server_time, refused=refused)


def ask(window, answer=None, **named):
    window.leave()
    window.land(answer, **named)


def use_up(window, limit=100, **named):
    """Make all requests of a window, nobody else making any."""
    for remaining in reversed(range(limit)):
        ask(window, says(remaining, limit=limit, **named))


# One sender, before answers made by hand.


def test_it_is_open_until_it_knows_a_limit(window):
    for _ in range(1_000):
        window.leave()
    assert (window.pause(), window.limit, window.in_flight) == (0, None, 1_000)


def alone(window, remaining):
    """Have it make all requests of its window but some."""
    for left in range(99, remaining - 1, -1):
        ask(window, says(left))


def test_nothing_leaves_where_requests_in_flight_use_up_what_remains(window):
    alone(window, 2)
    window.leave()
    assert window.pause() == 0
    window.leave()
    assert window.pause() == pytest.approx(60 + MARGIN)
    window.land(None)  # it never left
    assert window.pause() == 0


def test_a_request_without_an_answer_may_have_been_counted(window):
    alone(window, 2)
    ask(window, counted=True)
    assert window.pause() == 0
    ask(window, counted=True)
    assert window.pause() == pytest.approx(60 + MARGIN)


def test_an_unanswered_request_that_was_counted_is_not_taken_for_one_of_others(window):
    ask(window, counted=True)
    ask(window, says(98))
    ask(window, counted=True)
    ask(window, says(96))
    assert window._others == 0


def test_an_answer_that_was_overtaken_does_not_raise_what_remains(window):
    alone(window, 3)
    for _ in range(2):
        window.leave()
    window.land(says(1))
    window.land(says(2))
    window.leave()
    assert window.pause() == pytest.approx(60 + MARGIN)


def test_after_the_reset_a_whole_window_is_open(window, clock):
    use_up(window)
    assert window.pause() == pytest.approx(60 + MARGIN)
    clock.now = NOW + 60 + MARGIN / 2
    assert window.pause() > 0
    clock.now = NOW + 60 + 2 * MARGIN
    for _ in range(98):
        assert window.pause() == 0
        window.leave()
    pauses = []
    for _ in range(2):
        pauses.append(window.pause())
        clock.now += pauses[-1]
        window.leave()
    assert pauses == pytest.approx([20, 20], abs=0.1), "the last 2 %, so that others are seen"
    assert window.pause() == pytest.approx(20, abs=0.1)


def test_within_the_first_window_nothing_is_kept_back(window):
    for left in reversed(range(100)):
        assert window.pause() == 0
        ask(window, says(left))
    assert window.pause() > 0


def test_an_answer_of_the_window_before_says_nothing_about_this_one(window, clock):
    window.leave()
    window.leave()
    window.land(says(99))
    clock.now = NOW + 61
    window.leave()
    window.land(says(99, NOW + 120, server_time=NOW + 61))
    window.land(says(0, NOW + 60, server_time=NOW + 59))
    assert window.pause() == 0


@pytest.mark.parametrize("server_time", [NOW, None])
def test_an_answer_that_comes_after_the_reset_does_not_close_the_window_after(window, clock, server_time):
    use_up(window, 99, server_time=server_time)
    window.leave()
    clock.now = NOW + 61
    assert window.pause() == 0
    window.land(says(0, server_time=server_time))
    assert window.pause() == 0


@pytest.mark.parametrize("ahead", [0, 500, -7_200, 7_200.5])
def test_the_reset_is_on_the_servers_clock(window, ahead):
    ask(window, says(0, NOW + ahead + 60, server_time=NOW + ahead))
    assert window.pause() == pytest.approx(60 + MARGIN)


def test_the_best_of_several_whole_seconds_counts(window, clock):
    alone(window, 1)
    clock.now += 0.9
    ask(window, says(0, server_time=NOW))
    assert window.pause() == pytest.approx(59.1 + MARGIN)


def test_without_the_servers_time_a_window_that_goes_on_tells_that_our_clock_is_ahead(window, clock):
    ask(window, says(0, NOW - 3_000, server_time=None))
    assert window.pause() == 0
    ask(window, says(0, NOW - 3_000, server_time=None, refused=True))
    assert window.pause() == pytest.approx(1 + MARGIN)
    clock.now += 2
    ask(window, says(0, NOW - 2_940, server_time=None))
    assert window.pause() == pytest.approx(60, abs=2), "and it keeps that in mind"


def test_without_the_servers_time_the_next_window_tells_that_our_clock_is_behind(window):
    ask(window, says(0, NOW + 3_000, server_time=None))
    assert window.pause() == pytest.approx(LONGEST_RESET_WAIT + MARGIN)
    ask(window, says(0, NOW + 3_060, server_time=None))
    assert window.pause() == pytest.approx(60 + MARGIN)


def test_what_a_sound_answer_says_counts_after_one_of_the_far_future(window):
    ask(window, says(0, NOW + 1e9))
    assert window.pause() == pytest.approx(LONGEST_RESET_WAIT + MARGIN)
    ask(window, says(7))
    assert window.pause() < 10


@pytest.mark.parametrize("server_time", [NOW, None])
def test_nothing_of_the_far_future_stays(window, clock, server_time):
    ask(window, says(0, NOW + 1e9, server_time=server_time))
    ask(window, says(0, server_time=server_time))
    assert window.pause() == pytest.approx(60 + MARGIN)


@pytest.mark.parametrize("server_time", [True, False])
@pytest.mark.parametrize("ahead", [121, 3_600, 86_400, 1e9, 1e12])
def test_a_reset_that_is_far_ahead_is_not_waited_for_without_asking_again(window, clock, ahead, server_time):
    """It may be in milliseconds, an hour's, or of a clock that is wrong."""
    reset_at, asked = NOW + ahead, []
    while clock.now < NOW + 1_000 and clock.now < reset_at - 10:
        ask(window, says(0, reset_at, server_time=clock.now if server_time else None, refused=bool(asked)))
        asked.append(clock.now - NOW)
        while pause := window.pause():
            clock.now += pause
    pauses = [later - former for former, later in itertools.pairwise(asked)]
    assert pauses == pytest.approx([LONGEST_RESET_WAIT + MARGIN] * len(pauses))
    assert len(pauses) == min(8, ahead // 125)


@pytest.mark.parametrize("missing", ["remaining", "reset_at"])
def test_headers_that_are_missing_close_nothing(window, missing):
    ask(window, RateLimit(**{"limit": 100, "remaining": 0, "reset_at": NOW + 60, missing: None}))
    assert window.pause() == 0


def test_without_the_limit_itself_a_window_closes_and_opens_again(window, clock):
    ask(window, says(0, limit=None))
    assert window.pause() == pytest.approx(60 + MARGIN)
    clock.now += 61
    for _ in range(200):
        assert window.pause() == 0
        window.leave()


def test_a_window_without_answers_is_as_long_as_the_one_before(window, clock):
    use_up(window, 5)
    clock.now = NOW + 70
    for _ in range(5):
        clock.now += window.pause()
        ask(window, counted=True)
    assert window.pause() == pytest.approx(NOW + 130 + MARGIN - clock.now)


def test_a_reserve_is_left_to_others(clock):
    window = RateWindow(clock, reserve=0.1)
    alone(window, 11)
    assert window.pause() == 0
    ask(window, says(10))
    assert window.pause() == pytest.approx(60 + MARGIN)


def test_a_limit_of_one_is_used_with_and_without_a_reserve(clock):
    for window in RateWindow(clock), RateWindow(clock, reserve=0.1):
        ask(window, says(0, limit=1))
        clock.now = NOW + 61
        assert window.pause() == 0
        window.leave()
        assert window.pause() == pytest.approx(60 + MARGIN)
        clock.now = NOW


# Others are seen.


def test_what_is_more_than_our_own_was_used_by_others(window):
    """What remains is spread over the rest of the window, ours in flight and the share of others left out."""
    for left in range(99, 79, -1):
        ask(window, says(left))
    assert window.pause() == 0
    ask(window, says(78))
    assert window.pause() == pytest.approx(60 / (78 + 1))
    window.leave()
    assert window.pause() == pytest.approx(60 / (77 + 1))


def test_requests_in_flight_are_not_taken_for_those_of_others(window):
    for _ in range(8):
        window.leave()
    window.land(says(92))
    assert window.pause() == 0
    window.land(says(91))
    assert window.pause() > 0


def test_refused_requests_are_not_taken_for_our_share(window):
    alone(window, 10)
    for _ in range(8):
        window.leave()
    for _ in range(8):
        window.land(says(0, refused=True))
    assert window._others == 10


def test_time_that_passed_since_the_last_request_counts(window, clock):
    for left in range(99, 79, -1):
        ask(window, says(left))
    ask(window, says(78))
    clock.now += 0.5
    assert window.pause() == pytest.approx(60 / 79 - 0.5)
    clock.now += 0.5
    assert window.pause() == 0


def test_a_clock_that_is_put_back_makes_no_pause_longer_than_the_window(window, clock):
    alone(window, 50)
    ask(window, says(48))
    clock.now -= 10
    assert window.pause() == pytest.approx(70 / 49)


def test_others_are_kept_in_mind_for_some_windows(window, clock):
    ask(window, says(90))
    for number in itertools.count(1):
        clock.now = NOW + 60 * number + 1
        ask(window, says(99, NOW + 60 * (number + 1), server_time=clock.now))
        if window.pause() == 0:
            break
    assert number == MEMORY + 1


def test_one_who_is_far_behind_catches_up_at_once(window):
    ask(window, says(60))
    made = 1
    while window.pause() == 0:
        window.leave()
        made += 1
    assert made == 10, "a tenth of the limit"


def test_a_window_of_hours_is_not_spread(window):
    for left in range(59, 39, -1):
        ask(window, says(left, NOW + 7_200))
    assert window.pause() == 0


# Several senders before a simulated server.


def sender(name, **named):
    return SimulatedSender(name, **named)


def used(server, windows):
    """The share of the limit that was used in some windows."""
    return sum(sum(window.values()) for window in windows) / (server.limit * len(windows))


def assert_even(windows, names, within=0.2):
    shares = [sum(window.get(name, 0) for window in windows) for name in names]
    assert min(shares) >= (1 - within) * max(shares), shares


TEN_WINDOWS = 99.0
LIMITS = [(80, 10), (1_200, 60), (30, 5)]


@pytest.mark.parametrize(("limit", "length"), LIMITS)
@pytest.mark.parametrize("latency", [0.02, 0.2, 1.0])
def test_one_alone_uses_each_window_and_is_never_refused(limit, length, latency):
    server, one = LimitedServer(limit, length), sender("a", latency=latency, most=min(limit, 48))
    Simulation(server, one).run(6 * length + 3)
    assert len(server.windows) >= 6
    assert used(server, server.windows[:-1]) == 1
    assert not one.refused
    for number in range(5):
        window = one.accepted[number * limit : (number + 1) * limit]
        at_once = sum(when < window[0] + 0.55 * length for when in window)
        assert at_once >= 0.96 * limit, "and most of it as soon as it opens"


@pytest.mark.parametrize("fixed", [False, True])
@pytest.mark.parametrize("starts", [0.0, 0.3, 3.0, 5.0, 15.0])
def test_two_come_to_even_shares(starts, fixed):
    server, one, other = LimitedServer(fixed=fixed), sender("a"), sender("b", starts=starts)
    Simulation(server, one, other).run(TEN_WINDOWS)
    assert_even(server.windows[5:], "ab", within=0.05)
    assert used(server, server.windows[:-1]) >= 0.98
    settled = 30
    assert sum(when > settled for when in one.refused + other.refused) <= 2


@pytest.mark.parametrize("number", [3, 5])
@pytest.mark.parametrize("apart", [0.0, 1.7, 7.0])
def test_more_come_to_even_shares_too(number, apart):
    names = "abcde"[:number]
    server, senders = LimitedServer(), [sender(name, starts=apart * place) for place, name in enumerate(names)]
    Simulation(server, *senders).run(TEN_WINDOWS)
    assert_even(server.windows[5:], names)
    assert used(server, server.windows[:-1]) >= 0.95
    assert sum(when > 50 for one in senders for when in one.refused) <= number


def test_two_share_a_real_minute():
    server = LimitedServer(1_200, 60)
    one, other = sender("a"), sender("b", starts=20.0)
    Simulation(server, one, other).run(10 * 60 - 1)
    assert_even(server.windows[2:], "ab", within=0.05)
    assert used(server, server.windows) >= 0.99
    assert not one.refused
    assert not other.refused


@pytest.mark.parametrize(("fast", "slow"), [(0.05, 0.5), (0.02, 0.3)])
@pytest.mark.parametrize("slow_first", [False, True])
def test_a_distant_one_comes_to_its_share(fast, slow, slow_first):
    latencies = (slow, fast) if slow_first else (fast, slow)
    server = LimitedServer()
    senders = [sender("a", latency=latencies[0]), sender("b", latency=latencies[1], starts=3.0)]
    Simulation(server, *senders).run(TEN_WINDOWS)
    assert_even(server.windows[5:], "ab")
    assert used(server, server.windows[:-1]) >= 0.95


def test_one_that_uses_all_at_once_does_not_keep_a_distant_one_out():
    """All of its window is used before a request of the other one is there."""
    server = LimitedServer()
    Simulation(server, sender("a", latency=0.02), sender("b", latency=2.0, starts=3.0)).run(TEN_WINDOWS)
    assert min(window.get("b", 0) for window in server.windows[3:-1]) >= 0.25 * server.limit


def test_one_who_stays_uses_what_the_one_who_leaves_had():
    server = LimitedServer()
    Simulation(server, sender("a"), sender("b", starts=3.0, ends=44.0)).run(TEN_WINDOWS)
    assert used(server, server.windows[4:-1]) >= 0.95
    assert server.windows[-2] == {"a": server.limit}


@pytest.mark.parametrize(("limit", "length", "every"), [(80, 10, 3.0), (1_200, 60, 20.0), (1_200, 60, 5.0)])
def test_one_who_is_nearly_idle_costs_nearly_nothing(limit, length, every):
    server, idle = LimitedServer(limit, length), sender("b", every=every)
    Simulation(server, sender("a"), idle).run(10 * length - 1)
    assert min(window["a"] for window in server.windows[:-1]) >= 0.92 * limit
    assert len(idle.refused) <= 2


@pytest.mark.parametrize("named", [{"ahead": -7_200.0}, {"ahead": 7_200.0}, {"ahead": 0.7}])
def test_clocks_that_are_off_change_nothing_where_the_server_tells_its_own(named):
    server, one, other = LimitedServer(), sender("a", **named), sender("b", starts=3.0)
    Simulation(server, one, other).run(TEN_WINDOWS)
    assert_even(server.windows[5:], "ab", within=0.05)


def test_without_the_servers_time_two_come_to_even_shares_by_their_own_clocks():
    server = LimitedServer(tells_time=False)
    Simulation(server, sender("a"), sender("b", starts=3.0, ahead=0.2)).run(TEN_WINDOWS)
    assert_even(server.windows[5:], "ab")
    assert used(server, server.windows[:-1]) >= 0.95


def test_without_the_servers_time_a_clock_that_is_ahead_costs_refusals_in_one_window_only():
    server, one = LimitedServer(tells_time=False), sender("a", ahead=7_200.0)
    Simulation(server, one).run(59.0)
    assert used(server, server.windows) >= 0.95
    assert max(one.refused) < 20


@pytest.mark.parametrize(("limit", "length"), [(1, 2), (2, 2), (5, 4)])
def test_a_tiny_limit_is_used_up(limit, length):
    server = LimitedServer(limit, length)
    Simulation(server, sender("a"), sender("b", starts=1.0)).run(20 * length - 0.5)
    assert used(server, server.windows[:-1]) >= 0.95
    alone_there = LimitedServer(limit, length)
    Simulation(alone_there, sender("a", most=limit)).run(20 * length - 0.5)
    assert used(alone_there, alone_there.windows[:-1]) == 1
    assert len(alone_there.windows) >= 19


def test_a_reader_with_a_reserve_leaves_it_to_sends():
    server, reader = LimitedServer(), sender("r", reserve=0.1)
    Simulation(server, reader).run(TEN_WINDOWS)
    assert {window["r"] for window in server.windows[:-1]} == {72}
    shared = LimitedServer()
    Simulation(shared, sender("r", reserve=0.1), sender("s", starts=3.0)).run(TEN_WINDOWS)
    assert min(window["s"] for window in shared.windows[3:-1]) >= 40
    assert used(shared, shared.windows[3:-1]) >= 0.95


@pytest.mark.parametrize(("reserve", "left"), [(0.0, 0), (0.1, 10), (0.5, 50)])
def test_a_reserve_of_each_window_is_left_to_others(clock, reserve, left):
    window = RateWindow(clock, reserve=reserve)
    for remaining in range(99, left, -1):
        assert window.pause() == 0
        ask(window, says(remaining))
    ask(window, says(left))
    assert window.pause() == pytest.approx(60 + MARGIN)
    clock.now += 61
    assert window.pause() == 0


# Limits that are told in other ways.


def test_nothing_leaves_for_as_long_as_a_refusal_without_a_window_asks(window, clock):
    ask(window, RateLimit(refused=True, retry_in=30.0))
    assert window.pause() == 30.0
    clock.now += 29
    assert window.pause() == 1.0
    clock.now += 1
    assert window.pause() == 0


@pytest.mark.parametrize(
    "limit", [RateLimit(retry_in=30.0), RateLimit(refused=True), RateLimit(refused=True, retry_in=0.0)]
)
def test_what_is_no_refusal_or_asks_for_nothing_holds_nobody_up(window, limit):
    ask(window, limit)
    assert window.pause() == 0


def test_a_window_that_is_told_is_believed_before_what_is_asked_for(window):
    ask(window, RateLimit(100, 0, 10.0, NOW + 10, NOW, refused=True, retry_in=30.0))
    assert window.pause() == pytest.approx(10 + MARGIN)


def test_it_holds_up_for_120_seconds_at_a_time_and_not_for_an_hour_because_our_clock_was_set_back(window, clock):
    ask(window, RateLimit(refused=True, retry_in=1e9))
    assert window.pause() == LONGEST_RESET_WAIT
    clock.now -= 3_600
    assert window.pause() == 0


@pytest.mark.parametrize("told_time", [True, False])
def test_a_reset_in_seconds_that_are_left_is_one_window_though_it_wavers(window, clock, told_time):
    """A hundred requests a minute, all made at once; the seconds are rounded either way."""
    for remaining in reversed(range(100)):
        clock.now += 0.1
        server_now = float(int(clock.now)) if told_time else None
        left = 60 - int(clock.now - NOW) + remaining % 2
        window.leave()
        reset_at = (clock.now if server_now is None else server_now) + left
        window.land(RateLimit(100, remaining, float(left), reset_at, server_now, is_rough=True))
    assert 45 < window.pause() < 55
    clock.now += 60
    assert window.pause() == 0
