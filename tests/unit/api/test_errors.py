# SPDX-License-Identifier: Apache-2.0
"""The error tree: what is a kind of what, and what survives a trip through another process."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from airflow_provider_instasent.api import errors
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState

TREE = {
    "InstasentError": Exception,
    "ConfigurationError": errors.InstasentError,
    "InvalidMessageError": errors.InstasentError,
    "PayloadError": errors.InstasentError,
    "ApiError": errors.InstasentError,
    "NotSentError": errors.ApiError,
    "UnconfirmedError": errors.ApiError,
    "UnavailableError": errors.ApiError,
    "RefusedError": errors.ApiError,
    "InvalidRequestError": errors.RefusedError,
    "AuthenticationError": errors.RefusedError,
    "NoFundsError": errors.RefusedError,
    "NotFoundError": errors.RefusedError,
    "TooLargeError": errors.RefusedError,
    "RateLimitedError": errors.RefusedError,
    "BulkStoppedError": errors.ApiError,
}
OUTCOME = MessageOutcome(0, MessageState.PLANNED, client_id="mine")
EXAMPLES = [
    errors.ConfigurationError("bad"),
    errors.InvalidMessageError("to", "is empty", 3),
    errors.PayloadError("send_request", "$.to", "pattern"),
    *(
        getattr(errors, name)("no", status=418)
        for name in TREE
        if issubclass(getattr(errors, name), errors.RefusedError)
    ),
    errors.NotSentError("no"),
    errors.UnconfirmedError("no", status=503),
    errors.UnavailableError("no"),
    errors.BulkStoppedError("stopped", [OUTCOME], status=402),
]


def test_the_tree_is_the_one_that_is_drawn():
    found = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)}

    assert {name: kind.__bases__[0] for name, kind in found.items()} == TREE
    drawn = inspect.getdoc(errors)
    assert not [name for name in TREE if name not in drawn]


def test_values_that_do_not_fit_are_value_errors_too():
    assert issubclass(errors.InvalidMessageError, ValueError)
    assert issubclass(errors.PayloadError, ValueError)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("again", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy])  # noqa: S301
def test_an_error_survives_another_process(error, again):
    other = again(error)

    assert type(other) is type(error)
    assert str(other) == str(error)
    assert vars(other) == vars(error)


def test_an_invalid_message_names_field_and_position():
    error = errors.InvalidMessageError("text", "is empty")

    assert str(error) == "`text`: is empty"
    assert str(error.at(7)) == "`text`: is empty (message 7)"
    assert (error.at(7).field, error.at(7).position, error.position) == ("text", 7, None)


def test_a_payload_error_names_schema_path_and_rule():
    assert str(errors.PayloadError("account", "$.available", "type")) == (
        "the payload does not match the schema `account` at `$.available`: type"
    )


def test_an_outcome_moves_to_another_position():
    assert OUTCOME.at(5) == MessageOutcome(5, MessageState.PLANNED, client_id="mine")
