# SPDX-License-Identifier: Apache-2.0

"""One Airflow with its pages for all tests of this folder, a browser for each, and the sandbox they lead to."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from support.airflow_pages import ConnectionsPage
from support.browser import HEIGHT, new_window
from support.scheduler import AirflowDeployment

from airflow_provider_instasent.sandbox.server import SandboxServer

CHECKOUT = Path(__file__).parents[2]
IMAGES = CHECKOUT / "docs" / "images"
DOCUMENTED_PORT = 8700
"""Of the sandbox in the docs, and so on the screenshots."""


def pytest_addoption(parser):
    parser.addoption("--screenshots", action="store_true", help="renew docs/images; else they go to a temporary folder")


@pytest.fixture(scope="session")
def for_the_docs(request):
    return request.config.getoption("screenshots", default=False)


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def airflow():
    environment = {"AIRFLOW__CORE__TEST_CONNECTION": "Enabled"}
    folder = CHECKOUT / "example_dags"
    with AirflowDeployment(dags_folder=folder, env=environment, triggerer=True, pages=True) as deployment:
        yield deployment


@pytest.fixture(autouse=True)
def _no_connections(airflow):
    airflow.remove_connections()


@pytest.fixture(scope="session")
def new_sandbox(for_the_docs):
    """Make a sandbox; the documentation's images show the port that its text has."""
    return lambda: SandboxServer(port=DOCUMENTED_PORT if for_the_docs else 0, balance=250)


@pytest.fixture
def instasent(new_sandbox):
    with new_sandbox() as server:
        yield server


@pytest.fixture
def window(playwright, airflow, tmp_path):
    """A browser; what it showed last stays in the test's temporary folder. Its page must not complain of anything."""
    with new_window(playwright, airflow.address) as opened:
        yield opened
        opened.photograph(tmp_path / "last.png")
    assert not opened.complaints


@pytest.fixture
def page(window):
    return window.page


@pytest.fixture
def connections(page):
    return ConnectionsPage(page)


@pytest.fixture
def photograph(window, for_the_docs, tmp_path):
    """Keep what the window shows, under a name; `height` pixels of it."""
    folder = IMAGES if for_the_docs else tmp_path
    folder.mkdir(exist_ok=True)
    return lambda name, height=HEIGHT: window.photograph(folder / f"{name}.png", height)
