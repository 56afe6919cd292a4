# SPDX-License-Identifier: Apache-2.0

"""The Test button of Airflow's list of connections: what it says, and what it asked of the API."""

from __future__ import annotations

import pytest
from support.airflow_pages import STANDARD

CONNECTION = "instasent_default"
FAILED, SUCCESSFUL = "Test Connection Failed", "Test Connection Successful"


@pytest.fixture
def connect(connections, instasent):
    """Create a connection to the sandbox by the form."""

    def create(token=instasent.token, **more):
        connections.create(CONNECTION, {"Base URL or host": instasent.url, "API token": token, "Port": 0, **more})

    return create


def asked(instasent):
    return [(record.endpoint, record.token, record.status) for record in instasent.requests.records()]


def test_the_right_token(connections, connect, instasent, photograph):
    connect()
    connections.open()
    connections.test(CONNECTION)

    assert connections.notice(SUCCESSFUL) == f"Balance 250.0 EUR; API at {instasent.url}"
    photograph("connection-test-success", height=600)
    assert asked(instasent) == [("account", "right", 200)]


def test_a_wrong_token(connections, connect, instasent, photograph):
    connect("a-token-of-somebody-else")
    connections.open()
    connections.test(CONNECTION)

    said = connections.notice(FAILED)
    photograph("connection-test-failure", height=600)
    assert said.startswith(f"API at {instasent.url}: HTTP 401")
    assert said.endswith("The API token must be one of this very API")
    assert "a-token-of-somebody-else" not in said
    assert asked(instasent) == [("account", "wrong", 401)]


def test_a_sandbox_that_is_stopped(connections, connect, instasent):
    connect()
    instasent.stop()
    connections.open()
    connections.test(CONNECTION)

    said = connections.notice(FAILED)
    assert said.startswith(f"API at {instasent.url}: ")
    assert "nothing listens there" in said
    assert asked(instasent) == []


def test_airflow_refuses_to_test_without_a_port_and_0_mends_that(connections, connect, instasent, window):
    """Once a newer Airflow tests without a port, the form's help and docs/connection.md may forget about it."""
    connect(Port="")
    connections.open()
    connections.test(CONNECTION)
    assert connections.notice(FAILED) == "Bad Request"
    assert asked(instasent) == []
    (complaint,) = window.complaints
    assert "400 (Bad Request)" in complaint
    window.complaints.clear()

    form = connections.edit(CONNECTION)
    form.fill(STANDARD, {"Port": 0})
    form.save()
    connections.test(CONNECTION)
    assert connections.notice(SUCCESSFUL).startswith("Balance 250.0 EUR")
    assert asked(instasent) == [("account", "right", 200)]
