# SPDX-License-Identifier: Apache-2.0

"""One Airflow for all tests of this folder: starting one takes many seconds."""

from __future__ import annotations

import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from support.instasent_connection import connection
from support.scheduler import AirflowDeployment

from airflow_provider_instasent.sandbox.server import SandboxServer

DAGS = Path(__file__).parent / "harness_dags"


def _has_task_state_store() -> bool:
    try:
        newer = version("apache-airflow-core").split(".")[:2]
    except PackageNotFoundError:
        return False
    return tuple(map(int, newer)) >= (3, 3)


@pytest.fixture(scope="session")
def instasent():
    """The API of the deployment's connections: the default one is in the environment, `instasent_sandbox` is stored."""
    with SandboxServer(token="token-of-the-scheduler-tests") as server:
        yield server


@pytest.fixture(scope="session")
def airflow(instasent):
    if not _has_task_state_store():
        pytest.skip("the task state store needs Airflow 3.3")
    started = time.monotonic()
    environment = {"AIRFLOW_CONN_INSTASENT_DEFAULT": connection(instasent.url, password=instasent.token)}
    with AirflowDeployment(dags_folder=DAGS, env=environment, triggerer=True) as deployment:
        stored = connection(instasent.url, password=instasent.token, extra={"sender": "Acme"})
        deployment.connection("instasent_sandbox", stored)
        print(f"start-up: {time.monotonic() - started:.1f} s")
        yield deployment
