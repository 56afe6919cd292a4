# SPDX-License-Identifier: Apache-2.0

"""These tests run whole DAGs in a migrated Airflow that lives as long as the session."""

from __future__ import annotations

import pytest
from support import airflow_home

airflow_home.isolate()


@pytest.fixture(scope="session", autouse=True)
def airflow_database():
    """The SQLite file of the migrated metadata database."""
    return airflow_home.migrate()
