# SPDX-License-Identifier: Apache-2.0
"""Turn what came of a request into the error that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.exchange import Answer, Failure, Kind, Outcome
from airflow_provider_instasent.api.numbers import mask_in
from airflow_provider_instasent.api.retry import Fate, classify

if TYPE_CHECKING:
    from collections.abc import Collection

_LONGEST_DETAIL = 300

_REFUSALS: dict[int, tuple[type[errors.RefusedError], str]] = {
    400: (errors.InvalidRequestError, "the API found fault with the payload"),
    401: (
        errors.AuthenticationError,
        "the token is wrong or revoked; put a valid one into the connection's password",
    ),
    402: (errors.NoFundsError, "the account has no funds; top it up"),
    403: (
        errors.AuthenticationError,
        "the token lacks the scope for this call; the Transactional API needs a token of scope `api_sms`",
    ),
    404: (errors.NotFoundError, "absent, or not visible to this token, or the base path is wrong"),
    413: (errors.TooLargeError, "the request body is too large"),
    422: (errors.InvalidRequestError, "the API found fault with the payload"),
    429: (errors.RateLimitedError, "the rate limit is used up; lower the rate or wait"),
}


def detail(answer: Answer, hide: Collection[str] = ()) -> str:
    """Return what an error body says, shortened and with phone numbers masked; empty where it says nothing.

    Bodies may be empty, HTML, a JSON string, or an object with `message`, `error` or `errors`
    (confirmed for 400: `{"message"}`; the rest inferred from sibling APIs).

    :param answer: the response
    :param hide: message texts that must not be repeated
    """
    try:
        body = answer.json()
    except ValueError:
        return ""
    said = body
    if isinstance(body, dict):
        said = body.get("message") or body.get("error") or body.get("errors") or ""
    return brief(said, hide)


def brief(said: Any, hide: Collection[str] = ()) -> str:
    """Return words of the server fit for a log: one line, shortened, phone numbers masked.

    :param said: a string, or a list or object of strings
    :param hide: message texts that must not be repeated
    """
    line = _one_line(said)
    for text in sorted(hide, key=len, reverse=True):  # a text may hold another one
        line = line.replace(" ".join(text.split()) or text, "(text)") if text else line
    line = mask_in(line)
    return line if len(line) <= _LONGEST_DETAIL else line[: _LONGEST_DETAIL - 1] + "…"


def _one_line(said: Any) -> str:
    if isinstance(said, dict):
        return "; ".join(f"{key}: {_one_line(value)}" for key, value in said.items())
    if isinstance(said, list):
        return ", ".join(_one_line(item) for item in said)
    return " ".join(str(said).split())


def error_of(kind: Kind, outcome: Outcome, hide: Collection[str] = ()) -> errors.ApiError:
    """Return the error for an outcome that is no success.

    :param kind: whether the request was a send or a read
    :param outcome: the answer that is no 2xx or made no sense, or the failure
    :param hide: message texts that must not be repeated
    """
    fate = classify(kind, outcome, understood=False)
    if isinstance(outcome, Failure):
        return _error_of_failure(fate, outcome)
    said = detail(outcome, hide) if outcome.status >= 400 else ""  # noqa: PLR2004 - where HTTP errors begin
    suffix = f": {said}" if said else ""
    if fate is Fate.UNCONFIRMED:
        return errors.UnconfirmedError(
            f"HTTP {outcome.status} without a usable answer: it may or may not have been accepted{suffix}",
            status=outcome.status,
        )
    if fate is Fate.UNAVAILABLE:
        return errors.UnavailableError(f"HTTP {outcome.status} without a usable answer{suffix}", status=outcome.status)
    if outcome.status < 400:  # noqa: PLR2004 - a redirect
        return errors.RefusedError(
            f"HTTP {outcome.status}: the base URL redirects and redirects are off; set the final address as the host",
            status=outcome.status,
        )
    refused, advice = _REFUSALS.get(outcome.status, (errors.RefusedError, "the API refused the request"))
    return refused(f"HTTP {outcome.status}: {advice}{suffix}", status=outcome.status)


def _error_of_failure(fate: Fate, failure: Failure) -> errors.ApiError:
    if fate is Fate.NOT_SENT:
        return errors.NotSentError(f"the API could not be reached, nothing was sent: {failure.reason}")
    if fate is Fate.UNCONFIRMED:
        return errors.UnconfirmedError(f"no answer: it may or may not have been accepted: {failure.reason}")
    return errors.UnavailableError(f"no usable answer: {failure.reason}")
