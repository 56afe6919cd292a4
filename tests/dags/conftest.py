# SPDX-License-Identifier: Apache-2.0

"""These tests run whole DAGs in a migrated Airflow that lives as long as the session."""

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
    """The sandbox, and the default connection to it."""
    value = connection(sandbox.url, password=sandbox.token, extra={"sender": "Acme", "default_region": "ES"})
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", value)
    return sandbox
