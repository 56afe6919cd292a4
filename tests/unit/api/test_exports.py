# SPDX-License-Identifier: Apache-2.0
"""The names of the API package, and what importing it costs: nothing."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest
from support.events import LONG

from airflow_provider_instasent import api

NAMES = {
    "ApiError",
    "AsyncInstasentClient",
    "AuthenticationError",
    "BulkStoppedError",
    "ConfigurationError",
    "DeliveryStatus",
    "InstasentClient",
    "InstasentError",
    "InvalidMessageError",
    "InvalidRequestError",
    "MessageOutcome",
    "MessageState",
    "NoFundsError",
    "NotFoundError",
    "NotSentError",
    "PayloadError",
    "RateLimitedError",
    "RefusedError",
    "Sms",
    "TooLargeError",
    "UnavailableError",
    "UnconfirmedError",
    "Verdict",
    "judge",
}


def test_the_public_names():
    assert set(api.__all__) == NAMES
    assert len(api.__all__) == len(NAMES)
    assert set(dir(api)) >= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_name_is_the_thing_itself(name):
    thing = getattr(api, name)

    assert thing.__name__ == name
    assert getattr(import_module(thing.__module__), name) is thing


def test_every_error_is_exported():
    errors = import_module("airflow_provider_instasent.api.errors")

    assert {name for name in vars(errors) if name.endswith("Error")} <= NAMES


def test_a_name_that_is_none_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = api.nothing


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import airflow_provider_instasent.api", "airflow requests httpx phonenumbers jsonschema"),
        ("from airflow_provider_instasent.api import Sms, judge", "airflow requests httpx phonenumbers jsonschema"),
        ("from airflow_provider_instasent.api import InstasentClient", "airflow httpx phonenumbers jsonschema"),
        ("from airflow_provider_instasent.api import AsyncInstasentClient", "airflow requests phonenumbers jsonschema"),
    ],
)
def test_a_name_loads_only_what_it_needs(statement, absent):
    program = f"import sys; {statement}; print([name for name in {absent.split()!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=LONG)

    assert done.stdout.strip() == "[]"
