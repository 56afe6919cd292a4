# SPDX-License-Identifier: Apache-2.0
"""The safety rule: what an outcome means for its request, and the error that says what to do."""

from __future__ import annotations

import json

import pytest

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.exchange import Answer, Failure, Kind
from airflow_provider_instasent.api.refusals import Fate, body_of, classify, detail, error_of, proves_nothing_accepted

SEND, READ = Kind.SEND, Kind.READ
NEVER_LEFT = Failure(left=False, reason="refused")
LEFT = Failure(left=True, reason="cut")
REFUSED = (400, 401, 402, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 426, 428, 431)
PROVES_NOTHING = sorted({*range(100, 200), *range(300, 1000)} - {*REFUSED, 429})
TEXT = "Dear Ann, your code is 4711"
NUMBER = "+34600123456"


REDIRECTS = (301, 302, 303, 307, 308)


def answer(status, body=b"", **headers):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@pytest.mark.parametrize(
    ("kind", "outcome", "fate"),
    [
        (SEND, NEVER_LEFT, Fate.NOT_SENT),
        (READ, NEVER_LEFT, Fate.NOT_SENT),
        (SEND, LEFT, Fate.UNCONFIRMED),
        (READ, LEFT, Fate.UNAVAILABLE),
        *((kind, answer(status), Fate.SUCCEEDED) for kind in Kind for status in (200, 201, 204)),
        *((kind, answer(429), Fate.RATE_LIMITED) for kind in Kind),
        *((kind, answer(status), Fate.REFUSED) for kind in Kind for status in REFUSED),
        *((SEND, answer(status), Fate.UNCONFIRMED) for status in PROVES_NOTHING),
        *((READ, answer(status), Fate.UNAVAILABLE) for status in PROVES_NOTHING),
    ],
)
def test_what_an_outcome_means(kind, outcome, fate):
    assert classify(kind, outcome) is fate


@pytest.mark.parametrize(("kind", "fate"), [(SEND, Fate.UNCONFIRMED), (READ, Fate.UNAVAILABLE)])
def test_a_success_that_nobody_understands_is_none(kind, fate):
    assert classify(kind, answer(201), understood=False) is fate


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
        (Kind.SEND, 405, errors.RefusedError, "refused"),
        *((Kind.SEND, status, errors.UnconfirmedError, "may or may not") for status in (303, 304, 408, 409, 418, 499)),
        *(
            (Kind.SEND, status, errors.UnconfirmedError, "set the final address as `Base URL or host`")
            for status in REDIRECTS
        ),
        *(
            (Kind.READ, status, errors.UnavailableError, "set the final address as `Base URL or host`")
            for status in REDIRECTS
        ),
        (Kind.READ, 409, errors.UnavailableError, "no usable answer"),
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
        (Kind.READ, False, errors.NotSentError, "could not be reached: "),
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


def test_a_body_is_quoted_shortened_and_without_text_or_number():
    body = {"message": f"cannot send '{TEXT}' to {NUMBER} " + "x" * 1000}

    said = str(error_of(Kind.SEND, answer(422, body), hide=[TEXT]))

    assert "'(text)' to +34•••••456" in said
    assert "Ann" not in said
    assert NUMBER not in said
    assert len(said) < 400
    assert said.endswith("…")


def test_a_page_behind_a_success_is_not_quoted():
    assert "maintenance" not in str(error_of(Kind.SEND, answer(201, {"message": "maintenance"})))


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


@pytest.mark.parametrize("outcome", [NEVER_LEFT, *(answer(status) for status in (*REFUSED, 429))])
def test_what_proves_that_nothing_was_accepted(outcome):
    assert proves_nothing_accepted(outcome)


@pytest.mark.parametrize("outcome", [LEFT, *(answer(status) for status in (200, 201, 204, *PROVES_NOTHING))])
def test_what_proves_nothing(outcome):
    assert not proves_nothing_accepted(outcome)


DEEP = b'{"message": ' + b'{"a": [' * 240 + b"1" + b"]}" * 240 + b"}"


@pytest.mark.parametrize("status", [400, 422, 409, 500])
@pytest.mark.parametrize(
    "body", [DEEP, b'{"errors": "\\ud800"}', b"\xed\xa0\x80", b"\xff", b"[" * 100_000, b"9" * 5000]
)
def test_no_body_changes_what_a_status_means_nor_can_it_raise(status, body):
    error = error_of(SEND, Answer(status, {}, body), [TEXT], [TEXT])

    assert type(error) is (errors.InvalidRequestError if status in REFUSED else errors.UnconfirmedError)
    assert len(str(error).encode()) < 1500


def test_a_body_that_exhausts_memory_is_none(monkeypatch):
    def exhausted(*_arguments, **_named):
        raise MemoryError

    monkeypatch.setattr(json, "loads", exhausted)

    assert body_of(answer(400)) is None
    assert type(error_of(SEND, answer(400))) is errors.InvalidRequestError


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "body", [{"message": "Insufficient funds."}, {"errors": [{"code": 402}]}, "saldo insuficiente"]
)
def test_a_refusal_for_want_of_funds_is_like_a_402(status, body):
    error = error_of(SEND, answer(status, body))

    assert type(error) is errors.NoFundsError
    assert error.status == status
    assert "top it up" in str(error)


def test_a_refusal_that_repeats_our_own_words_is_none_for_want_of_funds():
    text = "Insufficient funds? Call us"

    error = error_of(SEND, answer(422, {"message": f"'{text}' is too long"}), [text], [text])

    assert type(error) is errors.InvalidRequestError
    assert text not in str(error)
