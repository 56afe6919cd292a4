# SPDX-License-Identifier: Apache-2.0
"""What is counted, and under names that every metrics system takes and that tell of nobody."""

from __future__ import annotations

import re

import pytest
from support.counting import Counted

from airflow_provider_instasent.api import counters
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.api.counters import MESSAGES, NO_COUNTERS, count_outcomes, count_request
from airflow_provider_instasent.api.exchange import Answer, Failure
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState


def test_all_names_are_listed_once():
    single = {value for name, value in vars(counters).items() if name.isupper() and isinstance(value, str)}
    assert len(set(counters.NAMES)) == len(counters.NAMES)
    assert single < set(counters.NAMES)
    assert MESSAGES.accepted == "instasent.messages.accepted"


@pytest.mark.parametrize("name", counters.NAMES)
def test_a_name_is_one_that_all_of_airflows_backends_take(name):
    """OpenTelemetry has the narrowest rule: 63 characters in Airflow 2.11, with the prefix that users may choose."""
    assert re.fullmatch(r"instasent(\.[a-z_]+)+", name)
    assert len(name) <= 40


def test_without_airflow_nothing_is_counted():
    assert ClientSettings("token").counters is NO_COUNTERS
    NO_COUNTERS.count(MESSAGES.accepted, 3)


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (Answer(201, {}, b""), {"requests": 1}),
        (Answer(500, {}, b""), {"requests": 1}),
        (Answer(429, {}, b""), {"requests": 1, "requests.rate_limited": 1}),
        (Failure(left=True, reason="cut"), {"requests": 1}),
        (Failure(left=False, reason="no listener"), {}),
    ],
)
def test_a_request_counts_where_it_left(outcome, counts):
    counted = Counted()
    count_request(counted, outcome)
    assert counted.counts == counts


def test_outcomes_are_counted_by_their_state():
    counted = Counted()
    states = [MessageState(state) for state in ("accepted", "planned", "rejected", "accepted", "unconfirmed")]
    count_outcomes(counted, MESSAGES, [MessageOutcome(place, state) for place, state in enumerate(states)])
    assert counted.counts == {"messages.accepted": 2, "messages.rejected": 1, "messages.unconfirmed": 1}
