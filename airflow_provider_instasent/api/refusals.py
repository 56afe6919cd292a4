# SPDX-License-Identifier: Apache-2.0
"""The safety rule: what came of a request, and which answers prove that nothing of it was accepted.

Sends are not idempotent, so all that may be sent again is what provably was not accepted: what never left this machine,
and what was refused with a status of the list below. Everything else that comes back after a send left is
*unconfirmed*: a proxy's 408 or 499 proves nothing, nor does a redirect, nor a refusal that lists what was accepted.
Whether a request is then made again is for :func:`~airflow_provider_instasent.api.retry.decide` to say.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.connection_fields import API_TOKEN, BASE_URL_OR_HOST
from airflow_provider_instasent.api.endpoints import shows_acceptance
from airflow_provider_instasent.api.exchange import Answer, Failure, Kind, Outcome
from airflow_provider_instasent.api.no_funds import says_no_funds
from airflow_provider_instasent.api.server_words import brief

if TYPE_CHECKING:
    from collections.abc import Collection

PAYMENT_REQUIRED = 402
TOO_MANY_REQUESTS = 429

REFUSED_STATUSES = frozenset({400, 401, 402, 403, 404, 405, 406, 410, 411, 413, 414, 415, 422, 426, 428, 429, 431})
"""All that prove that nothing was accepted (confirmed: 400 to 404, 413, 422, 429; inferred from HTTP: the others)."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_REFUSALS: dict[int, tuple[type[errors.RefusedError], str]] = {
    400: (errors.InvalidRequestError, "the API found fault with the payload"),
    401: (
        errors.AuthenticationError,
        f"the {API_TOKEN} is wrong or revoked; put a valid one into that field of the connection (its `password`)",
    ),
    402: (errors.NoFundsError, "the account has no funds; top it up"),
    403: (
        errors.AuthenticationError,
        f"the {API_TOKEN} lacks the scope for this call; the Transactional API needs one of scope `api_sms`",
    ),
    404: (errors.NotFoundError, f"absent, or not visible to this {API_TOKEN}, or the base path is wrong"),
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
    if status not in REFUSED_STATUSES or (kind is Kind.SEND and shows_acceptance(body_of(outcome))):
        return lost
    return Fate.RATE_LIMITED if status == TOO_MANY_REQUESTS else Fate.REFUSED


def proves_nothing_accepted(outcome: Outcome) -> bool:
    """Tell whether an outcome proves that nothing of a send was accepted.

    :param outcome: the answer, or the failure to get one
    """
    return classify(Kind.SEND, outcome) in {Fate.NOT_SENT, Fate.RATE_LIMITED, Fate.REFUSED}


def is_redirect(status: int | None) -> bool:
    """Tell whether an HTTP status leads to another address, which is never followed.

    :param status: None where there was no answer
    """
    return status in _REDIRECTS


def detail(answer: Answer, hide: Collection[str] = ()) -> str:
    """Return what an error body says, shortened and with phone numbers masked; empty where it says nothing.

    Bodies may be empty, HTML, a JSON string, or an object with `message`, `error` or `errors`
    (confirmed for 400: `{"message"}`; the rest inferred from sibling APIs).

    :param answer: the response
    :param hide: message texts that must not be repeated
    """
    body = body_of(answer)
    said = body
    if isinstance(body, dict):
        said = body.get("message") or body.get("error") or body.get("errors") or ""
    return "" if said is None else brief(said, hide)


def body_of(outcome: Outcome) -> Any:
    """Return the decoded body of an answer, None where there is none or it cannot be read. Never raises.

    :param outcome: the answer, or the failure to get one
    """
    try:
        return outcome.json() if isinstance(outcome, Answer) else None
    except errors.MISHAPS:  # an answer is here, and what it means does not depend on its body
        return None


def error_of(kind: Kind, outcome: Outcome, hide: Collection[str] = (), own: Collection[str] = ()) -> errors.ApiError:
    """Return the error for an outcome that is no success.

    :param kind: whether the request was a send or a read
    :param outcome: the answer that is no 2xx or made no sense, or the failure
    :param hide: message texts that must not be repeated
    :param own: the strings of the request, which an error may repeat
    """
    fate = classify(kind, outcome, understood=False)
    if isinstance(outcome, Failure):
        return _error_of_failure(kind, fate, outcome)
    said = detail(outcome, hide) if outcome.status >= 400 else ""  # noqa: PLR2004 - where HTTP errors begin
    suffix = f": {said}" if said else ""
    status = outcome.status
    if is_redirect(status):
        suffix = f": the base URL redirects and redirects are off; set the final address as `{BASE_URL_OR_HOST}`"
    if fate is Fate.UNCONFIRMED:
        return errors.UnconfirmedError(
            f"HTTP {status} without a usable answer: it may or may not have been accepted{suffix}", status=status
        )
    if fate is Fate.UNAVAILABLE:
        return errors.UnavailableError(f"HTTP {status} without a usable answer{suffix}", status=status)
    refused, advice = _REFUSALS.get(status, (errors.RefusedError, "the API refused the request"))
    if kind is Kind.SEND and refused is errors.InvalidRequestError and says_no_funds(body_of(outcome), own):
        refused, advice = _REFUSALS[PAYMENT_REQUIRED]
    return refused(f"HTTP {status}: {advice}{suffix}", status=status)


def _error_of_failure(kind: Kind, fate: Fate, failure: Failure) -> errors.ApiError:
    if fate is Fate.NOT_SENT:
        nothing = ", nothing was sent" if kind is Kind.SEND else ""
        return errors.NotSentError(f"the API could not be reached{nothing}: {failure.reason}")
    if fate is Fate.UNCONFIRMED:
        return errors.UnconfirmedError(f"no answer: it may or may not have been accepted: {failure.reason}")
    return errors.UnavailableError(f"no usable answer: {failure.reason}")
