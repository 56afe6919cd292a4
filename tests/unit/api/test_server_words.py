# SPDX-License-Identifier: Apache-2.0
"""From what came of a request to the error that says what to do; and what an answer tells beside its body."""

from __future__ import annotations

import json
import os
import time

import pytest

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.exchange import Answer, Failure, Kind, RateLimit, Request
from airflow_provider_instasent.api.server_words import brief, detail, error_of

TEXT = "Dear Ann, your code is 4711"
NUMBER = "+34600123456"
NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"  # NOW


def answer(status, body=b"", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@pytest.mark.parametrize(
    ("kind", "status", "error", "says"),
    [
        (Kind.SEND, 400, errors.InvalidRequestError, "payload"),
        (Kind.SEND, 401, errors.AuthenticationError, "password"),
        (Kind.SEND, 402, errors.NoFundsError, "top it up"),
        (Kind.READ, 403, errors.AuthenticationError, "api_sms"),
        (Kind.READ, 404, errors.NotFoundError, "base path"),
        (Kind.SEND, 413, errors.TooLargeError, "too large"),
        (Kind.SEND, 422, errors.InvalidRequestError, "payload"),
        (Kind.SEND, 429, errors.RateLimitedError, "wait"),
        (Kind.SEND, 418, errors.RefusedError, "refused"),
        (Kind.SEND, 302, errors.RefusedError, "redirects are off"),
        (Kind.READ, 308, errors.RefusedError, "redirects are off"),
        (Kind.SEND, 303, errors.UnconfirmedError, "may or may not"),
        (Kind.SEND, 503, errors.UnconfirmedError, "may or may not"),
        (Kind.SEND, 201, errors.UnconfirmedError, "may or may not"),
        (Kind.READ, 503, errors.UnavailableError, "no usable answer"),
        (Kind.READ, 200, errors.UnavailableError, "no usable answer"),
    ],
)
def test_each_status_has_its_error_and_advice(kind, status, error, says):
    found = error_of(kind, answer(status))

    assert type(found) is error
    assert found.status == status
    assert f"HTTP {status}" in str(found)
    assert says in str(found).replace("without a usable", "no usable")


@pytest.mark.parametrize(
    ("kind", "left", "error", "says"),
    [
        (Kind.SEND, False, errors.NotSentError, "nothing was sent"),
        (Kind.READ, False, errors.NotSentError, "nothing was sent"),
        (Kind.SEND, True, errors.UnconfirmedError, "may or may not"),
        (Kind.READ, True, errors.UnavailableError, "no usable answer"),
    ],
)
def test_a_failure_says_whether_anything_left(kind, left, error, says):
    found = error_of(kind, Failure(left=left, reason="the reason"))

    assert type(found) is error
    assert found.status is None
    assert says in str(found)
    assert "the reason" in str(found)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"<html>oops</html>", ""),
        (b"\xff\xfe\xfa", ""),
        (b"[" * 100_000, ""),
        ("a string", "a string"),
        ({"message": "no"}, "no"),
        ({"error": "no"}, "no"),
        ({"errors": {"to": ["bad", "worse"]}}, "to: bad, worse"),
        ({"status": "error", "errors": [{"index": 1, "to": ["bad"]}]}, "index: 1; to: bad"),
        ({"message": "", "error": {"code": 7}}, "code: 7"),
        ({"something": "else"}, ""),
        ({"message": "two\n  lines"}, "two lines"),
        (["a", 1, None], "a, 1, None"),
    ],
)
def test_what_an_error_body_says(body, said):
    assert detail(answer(400, body)) == said


def test_a_body_is_quoted_shortened_and_without_text_or_number():
    body = {"message": f"cannot send '{TEXT}' to {NUMBER} " + "x" * 1000}

    said = str(error_of(Kind.SEND, answer(422, body), hide=[TEXT]))

    assert "'(text)' to +34•••••456" in said
    assert "Ann" not in said
    assert NUMBER not in said
    assert len(said) < 400
    assert said.endswith("…")


def test_texts_are_hidden_whatever_their_white_space_and_the_longer_one_first():
    assert brief("Hi  there\nJohn", ["Hi there", "Hi there  John"]) == "(text)"
    assert brief("nothing to hide", [""]) == "nothing to hide"


def test_a_page_behind_a_success_is_not_quoted():
    assert "maintenance" not in str(error_of(Kind.SEND, answer(201, {"message": "maintenance"})))


@pytest.mark.parametrize(
    ("headers", "limit"),
    [
        ({}, RateLimit()),
        (
            {"x_ratelimit_limit": "1200", "x_ratelimit_remaining": "3", "x_ratelimit_reset": str(int(NOW) + 9)},
            RateLimit(1200, 3, 9.0, NOW + 9),
        ),
        (
            {"x_ratelimit_reset": str(int(NOW) + 9), "date": "Fri, 15 Jan 2027 08:00:05 GMT"},
            RateLimit(reset_in=4.0, reset_at=NOW + 9, server_time=NOW + 5),
        ),
        ({"x_ratelimit_reset": "1"}, RateLimit(reset_in=0.0, reset_at=1.0)),
        ({"x_ratelimit_limit": "nan", "x_ratelimit_remaining": "inf", "x_ratelimit_reset": "-inf"}, RateLimit()),
        ({"x_ratelimit_limit": "many", "x_ratelimit_remaining": "", "x_ratelimit_reset": "soon"}, RateLimit()),
        ({"x_ratelimit_remaining": "2.0"}, RateLimit(remaining=2)),
    ],
)
def test_the_rate_limit_headers(headers, limit):
    assert answer(200, **headers).rate_limit(NOW) == limit


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        (None, None),
        ("", None),
        ("yesterday", None),
        ("Fri, 99 Jan 2027 08:00:00 GMT", None),
        (DATE, NOW),
        ("Fri, 15 Jan 2027 10:00:00 +0200", NOW),
        ("Fri, 15 Jan 2027 08:00:00", NOW),
        ("Fri, 15 Jan 2027 08:00:00 -0000", NOW),
    ],
)
def test_the_servers_clock_in_any_zone_of_ours(date, moment, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert answer(200, **({} if date is None else {"date": date})).server_time() == moment
    finally:
        monkeypatch.undo()
        time.tzset()
    assert os.environ.get("TZ") != "America/New_York"


def test_a_body_is_compact_utf8_json():
    assert Request("POST", "sms", body={"text": "ñ €"}).encoded_body() == '{"text":"ñ €"}'.encode()
    assert Request("GET", "sms").encoded_body() is None
