# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all tests."""

from __future__ import annotations

import asyncio
import os

import pytest
from hypothesis import HealthCheck, settings
from support.apis import pytest_addoption
from support.sandbox import sandbox, sandbox_server

from airflow_provider_instasent.api.network_environment import CERTIFICATE_VARIABLES

__all__ = ["pytest_addoption", "sandbox", "sandbox_server"]

# How long an example takes is a matter of the machine.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _no_network_environment(monkeypatch):
    """What this machine says of proxies and certificates is no matter of a test."""
    for name in [*os.environ]:
        if name.lower().endswith("_proxy") or name in {*CERTIFICATE_VARIABLES, "NETRC", "REQUEST_METHOD"}:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session", autouse=True)
def _loop_of_the_main_thread():
    # pytest-asyncio keeps the main thread's loop aside, makes one where there is none, and never closes it: a
    # ResourceWarning in whichever test runs next.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()
