# SPDX-License-Identifier: Apache-2.0

"""For all tests over real sockets: both APIs and clients, an Airflow to ask for connections, nothing secret said.

The hook and the operators need an Airflow, of which they only ask connections: those come from the environment.
"""

from __future__ import annotations

import pytest
from support import airflow_home
from support.apis import api, pytest_configure, pytest_generate_tests, sandbox
from support.clients import client, connect, kind
from support.events import LONG
from support.secrets_guard import note_warning, secrets_guard

from airflow_provider_instasent.journal import journal

__all__ = [
    "api",
    "client",
    "connect",
    "kind",
    "pytest_configure",
    "pytest_generate_tests",
    "sandbox",
    "secrets_guard",
]

airflow_home.isolate()


def pytest_warning_recorded(warning_message):
    note_warning(warning_message.message)


@pytest.fixture(autouse=True)
def _records_have_time(monkeypatch):
    """What a busy machine has not written 1 s after an error is no record lost."""
    monkeypatch.setattr(journal, "RECORDING_SECONDS_AFTER_ERROR", LONG)


@pytest.fixture(autouse=True)
def _nothing_secret_is_said(secrets_guard):
    pass
