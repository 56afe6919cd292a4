# SPDX-License-Identifier: Apache-2.0
"""The one retry rule: what an outcome means, and whether the request is made again."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_instasent.api.exchange import Answer, Failure, Kind
from airflow_provider_instasent.api.retry import ONE_ATTEMPT, GiveUp, RetryPolicy, Wait, decide

SEND, READ = Kind.SEND, Kind.READ
NEVER_LEFT = Failure(left=False, reason="refused")
LEFT = Failure(left=True, reason="cut")
NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # NOW
POLICY = RetryPolicy(max_attempts=3, max_rate_limited=4, first_wait=1.0, longest_wait=5.0, longest_reset_wait=20.0)


def answer(status, **headers):
    return Answer(status, {name.replace("_", "-"): str(value) for name, value in headers.items()}, b"")


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (100, 5.0), (10**6, 5.0)])
def test_waits_double_up_to_a_cap(attempt, seconds):
    assert POLICY.backoff(attempt) == seconds


@pytest.mark.parametrize(
    ("attempt", "kind", "outcome", "decision"),
    [
        (1, SEND, NEVER_LEFT, Wait(1.0, "not sent")),
        (2, READ, NEVER_LEFT, Wait(2.0, "not sent")),
        (3, SEND, NEVER_LEFT, GiveUp()),
        (1, READ, LEFT, Wait(1.0, "unavailable")),
        (2, READ, answer(503), Wait(2.0, "unavailable")),
        (3, READ, answer(503), GiveUp()),
        (1, SEND, LEFT, GiveUp()),
        (1, SEND, answer(500), GiveUp()),
        (1, SEND, answer(201), GiveUp()),
        *((1, SEND, answer(status), GiveUp()) for status in (302, 408, 409, 425, 499)),
        *((1, READ, answer(status), Wait(1.0, "unavailable")) for status in (304, 408, 409, 425, 499)),
        *((1, READ, answer(status), GiveUp()) for status in (301, 302, 303, 307, 308)),
        *((1, kind, answer(status), GiveUp()) for kind in Kind for status in (200, 400, 401, 402, 403, 404, 413, 422)),
    ],
)
def test_what_is_made_again(attempt, kind, outcome, decision):
    assert decide(attempt, kind, outcome, NOW, POLICY) == decision


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 1.0),
        ({"x_ratelimit_reset": int(NOW) + 7}, 7.0),
        ({"x_ratelimit_reset": int(NOW) + 7, "date": DATE}, 7.0),
        ({"x_ratelimit_reset": int(NOW) + 600}, 20.0),
        ({"x_ratelimit_reset": int(NOW)}, 1.0),
        ({"x_ratelimit_reset": int(NOW) - 30}, 1.0),
        ({"x_ratelimit_reset": "soon"}, 1.0),
        ({"x_ratelimit_reset": "nan"}, 1.0),
        ({"x_ratelimit_reset": "inf"}, 1.0),
        ({"x_ratelimit_reset": (int(NOW) + 7) * 1_000}, 7.0),
        ({"x_ratelimit_reset": 7}, 7.0),
        ({"retry_after": 7}, 7.0),
        ({"retry_after": 600}, 20.0),
        ({"retry_after": 0}, 1.0),
        ({"retry_after": -7}, 1.0),
        ({"retry_after": "Fri, 15 Jan 2027 08:00:07 GMT", "date": DATE}, 7.0),
        ({"retry_after": "Fri, 15 Jan 2027 09:00:00 GMT", "date": DATE}, 20.0),
        ({"retry_after": "Fri, 15 Jan 2027 07:00:00 GMT", "date": DATE}, 1.0),
        ({"retry_after": 7, "x_ratelimit_reset": int(NOW) + 9}, 9.0),
    ],
)
@pytest.mark.parametrize("kind", Kind)
def test_a_rate_limit_waits_for_its_reset(kind, headers, seconds):
    assert decide(1, kind, answer(429, **headers), NOW, POLICY) == Wait(seconds, "rate limit reached")


@pytest.mark.parametrize("skew", [-3600, -5, 5, 3600])
def test_the_reset_is_read_on_the_servers_own_clock(skew):
    limited = answer(429, x_ratelimit_reset=int(NOW) + 7, date=DATE)

    assert decide(1, SEND, limited, NOW + skew, POLICY) == Wait(7.0, "rate limit reached")


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), ("600", 20.0), ("soon", 1.0), ("-1", 1.0)])
def test_a_read_is_made_again_when_an_api_that_is_down_asks_for_it_and_a_send_never_is(said, seconds):
    down = answer(503, retry_after=said)
    assert decide(1, READ, down, NOW, POLICY) == Wait(seconds, "unavailable")
    assert decide(3, READ, down, NOW, POLICY) == GiveUp()
    assert decide(1, SEND, down, NOW, POLICY) == GiveUp()


def test_a_rate_limit_that_does_not_end_is_given_up():
    assert isinstance(decide(3, SEND, answer(429), NOW, POLICY), Wait)
    assert decide(4, SEND, answer(429), NOW, POLICY) == GiveUp()


@pytest.mark.parametrize("outcome", [NEVER_LEFT, LEFT, answer(429), answer(503)])
def test_pollers_try_once(outcome):
    assert decide(1, READ, outcome, NOW, ONE_ATTEMPT) == GiveUp()


failures = st.builds(Failure, left=st.booleans(), reason=st.just("?"))
resets = st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=12))
answers = st.builds(
    lambda status, reset, retry_after: answer(
        status,
        **({} if reset is None else {"x_ratelimit_reset": reset}),
        **({} if retry_after is None else {"retry_after": retry_after}),
    ),
    st.integers(100, 599),
    resets,
    resets,
)
outcomes = st.one_of(failures, answers)


@given(st.integers(1, 100), outcomes, st.booleans())
def test_a_send_is_repeated_only_where_it_was_surely_not_accepted(attempt, outcome, understood):
    decision = decide(attempt, SEND, outcome, NOW, POLICY, understood=understood)

    if isinstance(decision, Wait):
        assert not outcome.left if isinstance(outcome, Failure) else outcome.status == 429


@given(st.integers(1, 100), st.sampled_from(Kind), outcomes, st.booleans())
def test_every_wait_is_bounded_and_every_request_ends(attempt, kind, outcome, understood):
    decision = decide(attempt, kind, outcome, NOW, POLICY, understood=understood)

    if isinstance(decision, Wait):
        assert attempt < max(POLICY.max_attempts, POLICY.max_rate_limited)
        assert 0 < decision.seconds <= POLICY.longest_reset_wait
        assert not math.isnan(decision.seconds)
