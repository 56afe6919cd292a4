# SPDX-License-Identifier: Apache-2.0
"""Every wire test under the base path of each API, the Legacy and the Transactional one, without asking for it.

The fixture `sandbox` of these tests stands for one API: its `url`, and all that is built on it, has that API's base
path, and a request that went elsewhere fails the test. `--api` chooses between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_provider_instasent.api.base_urls import BASE_URLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.sandbox import SandboxOfTests

BOTH = "both"
WITHOUT_BASE_PATH = "without_base_path"
"""The marker of tests that are about no API's base path: each runs once, at the root, whatever `--api` says."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare `--api`, in the conftest above all tests: those below are read too late for `pytest` alone."""
    parser.addoption(
        "--api",
        choices=[*BASE_URLS, BOTH],
        default=BOTH,
        help="run tests/wire under the base path of this API; `make test-oldest` takes `transactional` (default: both)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", f"{WITHOUT_BASE_PATH}: about no API's base path; runs once, at the root")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test once an API."""
    if metafunc.definition.get_closest_marker(WITHOUT_BASE_PATH) is None:
        chosen = metafunc.config.getoption("--api")
        metafunc.parametrize("api", list(BASE_URLS) if chosen == BOTH else [chosen], indirect=True)


@pytest.fixture
def api(request: pytest.FixtureRequest) -> str | None:
    """The name of the API under test, None for a test about none."""
    return getattr(request, "param", None)


@pytest.fixture
def sandbox(sandbox: SandboxOfTests, api: str | None) -> Iterator[SandboxOfTests]:
    """The sandbox as the API under test."""
    if api is None:
        yield sandbox
        return
    sandbox.base_path = urlsplit(BASE_URLS[api]).path
    yield sandbox
    strays = stray_paths(sandbox, api)
    sandbox.base_path = ""
    assert not strays, f"requests that did not go to the {api} API"


def stray_paths(sandbox: SandboxOfTests, api: str) -> list[str]:
    """The paths of requests that went to another API than this."""
    return [record.path for record in sandbox.requests.records() if api_of(record.path) != api]


def api_of(path: str) -> str:
    """The name of the API that a path belongs to: the one with the longest base path that fits."""
    fitting = {urlsplit(url).path: api for api, url in BASE_URLS.items() if path.startswith(f"{urlsplit(url).path}/")}
    return fitting[max(fitting, key=len)]
