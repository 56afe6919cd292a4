# SPDX-License-Identifier: Apache-2.0
"""The documented rules for a message, its statuses, the shapes of errors and the windows of the rate limit."""

from __future__ import annotations

from typing import get_args

import pytest
from support.sandbox import message

from airflow_provider_instasent.sandbox import bulk_errors, statuses
from airflow_provider_instasent.sandbox.bulk_errors import Rejection, shaped
from airflow_provider_instasent.sandbox.checks import message_errors
from airflow_provider_instasent.sandbox.clock import Clock, http_date, iso_time
from airflow_provider_instasent.sandbox.countries import country_of
from airflow_provider_instasent.sandbox.limits import RateLimiter
from airflow_provider_instasent.sandbox.settings import BulkErrors, Settings
from airflow_provider_instasent.sandbox.statuses import FATES, status_at


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"from": "ElevenChars"},
        {"from": "3"},
        {"from": "123456789012345"},
        {"clientId": "x" * 40},
        {"allowUnicode": False},
        {"text": "x" * 5000},
    ],
)
def test_a_good_message_has_no_errors(fields):
    assert message_errors(message(**fields), Settings()) == {}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"from": ""}, "from"),
        ({"from": None}, "from"),
        ({"from": "TwelveChars1"}, "from"),
        ({"from": "1234567890123456"}, "from"),
        ({"to": "34600000001"}, "to"),
        ({"to": "+0600000001"}, "to"),
        ({"to": "+34 600 000 001"}, "to"),
        ({"to": "+34600000001\n"}, "to"),
        ({"to": 34600000001}, "to"),
        ({"to": "+34600000920"}, "to"),
        ({"text": ""}, "text"),
        ({"text": 5}, "text"),
        ({"clientId": ""}, "clientId"),
        ({"clientId": None}, "clientId"),
        ({"clientId": "x" * 41}, "clientId"),
        ({"allowUnicode": "true"}, "allowUnicode"),
        ({"validity": 5}, "validity"),
    ],
)
def test_a_bad_message_has_one_error_in_the_field_that_is_wrong(fields, wrong):
    assert list(message_errors(message(**fields), Settings())) == [wrong]


def test_what_is_no_object_and_what_lacks_everything():
    assert message_errors("hello", Settings()) == {"": ["A message must be an object."]}
    assert list(message_errors({}, Settings())) == ["from", "to", "text"]


def test_leniency_is_a_switch():
    lenient = Settings(unknown_fields="ignore", lenient_booleans=True)

    assert message_errors(message(allowUnicode="true", validity=5), lenient) == {}


def test_a_status_follows_its_number_and_its_age():
    settings = Settings(sent_after=1, final_after=2)

    assert [status_at("+34600000001", age, settings) for age in (0, 1, 2)] == ["enqueued", "sent", "delivered"]
    assert [status_at("+34600000903", age, settings) for age in (0, 1, 2)] == ["enqueued", "sent", "expired"]
    assert [status_at("+34600000908", age, settings) for age in (0, 1, 2)] == ["enqueued", "sent", "sent"]
    assert status_at("+34600000913", 1000, settings) == "enqueued"


def test_every_fate_is_documented():
    assert [digits for digits in FATES if f"…{digits} " not in (statuses.__doc__ or "")] == []


def test_countries():
    numbers = {"+34600000001": "ES", "+351910000001": "PT", "+12025550123": "US", "+9991234567": None}

    assert {number: country_of(number) for number in numbers} == numbers


REJECTIONS = [
    Rejection(1, message("+1", clientId="b"), {"to": ["bad"]}),
    Rejection(3, "no object", {"": ["An object"]}),
]


@pytest.mark.parametrize(
    ("shape", "errors"),
    [
        ("list_with_index", [{"index": 1, "errors": {"to": ["bad"]}}, {"index": 3, "errors": {"": ["An object"]}}]),
        ("list_with_client_id", [{"clientId": "b", "errors": {"to": ["bad"]}}, {"errors": {"": ["An object"]}}]),
        ("list_with_to", [{"to": "+1", "errors": {"to": ["bad"]}}, {"errors": {"": ["An object"]}}]),
        (
            "list_with_all",
            [
                {"index": 1, "clientId": "b", "to": "+1", "errors": {"to": ["bad"]}},
                {"index": 3, "errors": {"": ["An object"]}},
            ],
        ),
        (
            "list_with_position",
            [{"position": "1", "errors": {"to": ["bad"]}}, {"position": "3", "errors": {"": ["An object"]}}],
        ),
        ("list_of_fields", [{"to": ["bad"]}, {"": ["An object"]}]),
        ("list_of_strings", ["bad", "An object"]),
        ("object_by_index", {"1": {"to": ["bad"]}, "3": {"": ["An object"]}}),
        ("object_by_client_id", {"b": {"to": ["bad"]}, "": {"": ["An object"]}}),
        ("object_by_to", {"+1": {"to": ["bad"]}, "": {"": ["An object"]}}),
        ("object_by_field", {"to": ["bad"], "": ["An object"]}),
        ("unattributed", [{"errors": {"to": ["bad"]}}, {"errors": {"": ["An object"]}}]),
    ],
)
def test_shapes_of_bulk_errors(shape, errors):
    assert shaped(shape, REJECTIONS) == {"errors": errors}


def test_a_bulk_answer_may_lack_errors_and_every_shape_exists():
    assert shaped("missing", REJECTIONS) == {}
    assert set(get_args(BulkErrors)) - {"missing"} == set(bulk_errors._SHAPES)


def test_a_window_lets_through_its_limit_and_says_when_the_next_opens():
    limiter, settings = RateLimiter(), Settings(rate_limit=2, rate_window=10)

    seen = [limiter.hit("send", now, settings) for now in (100.7, 105.0, 109.9, 110.0)]

    assert [allowed for allowed, _ in seen] == [True, True, False, True]
    assert [headers["X-RateLimit-Remaining"] for _, headers in seen] == ["1", "0", "0", "1"]
    assert [headers["X-RateLimit-Reset"] for _, headers in seen] == ["110", "110", "110", "120"]
    assert limiter.hit("read", 109.0, settings)[0]


def test_reading_a_window_uses_nothing_up():
    limiter, settings = RateLimiter(), Settings(rate_limit=1)
    limiter.hit("send", 5.0, settings, count=False)

    assert limiter.hit("send", 5.0, settings)[0]


def test_the_clock_moves_forward_only():
    clock = Clock()
    before = clock.now()
    clock.advance(3600)

    assert 3600 <= clock.now() - before < 3660
    with pytest.raises(ValueError, match="only moves forward"):
        clock.advance(-1)


def test_forms_of_time():
    assert http_date(0.9) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert iso_time(86399.9) == "1970-01-01T23:59:59+00:00"
