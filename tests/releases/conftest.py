# SPDX-License-Identifier: Apache-2.0

"""`make releases` runs these tests on each Airflow that we support, from the wheel, among the packages of its time."""

from __future__ import annotations

import pytest
from support import airflow_home
from support.instasent_connection import connection

airflow_home.isolate()


@pytest.fixture(scope="session", autouse=True)
def airflow_database():
    """The SQLite file of the migrated metadata database."""
    return airflow_home.migrate()


@pytest.fixture
def connected(sandbox, monkeypatch):
    """The sandbox behind the default connection."""
    extra = {"sender": "Acme", "default_region": "ES"}
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url, extra=extra))
    return sandbox
