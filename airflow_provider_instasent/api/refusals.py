# SPDX-License-Identifier: Apache-2.0
"""The safety rule: what came of a request, and which answers prove that nothing of it was accepted.

Sends are not idempotent, so all that may be sent again is what provably was not accepted: what never left this machine,
and what was refused. Everything else that comes back after a send left is *unconfirmed*. Whether a request is then made
again is for :func:`~airflow_provider_instasent.api.retry.decide` to say.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.exchange import Answer, Failure, Kind, Outcome
from airflow_provider_instasent.api.server_words import brief

if TYPE_CHECKING:
    from collections.abc import Collection

TOO_MANY_REQUESTS = 429
_REDIRECTS_THAT_DID_NOTHING = frozenset({301, 302, 307, 308})

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


class Fate(StrEnum):
    """What an outcome means for the request."""

    SUCCEEDED = "succeeded"
    NOT_SENT = "not sent"
    RATE_LIMITED = "rate limited"
    REFUSED = "refused"
    UNCONFIRMED = "unconfirmed"
    UNAVAILABLE = "unavailable"


def classify(kind: Kind, outcome: Outcome, *, understood: bool = True) -> Fate:
    """Tell what an outcome means.

    :param kind: whether the request was a send or a read
    :param outcome: the answer, or the failure to get one
    :param understood: whether the body of a 2xx made sense
    """
    lost = Fate.UNCONFIRMED if kind is Kind.SEND else Fate.UNAVAILABLE
    if not isinstance(outcome, Answer):
        return lost if outcome.left else Fate.NOT_SENT
    status = outcome.status
    if 200 <= status < 300:  # noqa: PLR2004 - the range of HTTP success
        return Fate.SUCCEEDED if understood else lost
    if status == TOO_MANY_REQUESTS:
        return Fate.RATE_LIMITED
    if 400 <= status < 500 or status in _REDIRECTS_THAT_DID_NOTHING:  # noqa: PLR2004 - HTTP client errors
        return Fate.REFUSED
    return lost


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
