# SPDX-License-Identifier: Apache-2.0

"""A deployment an executor, the sandbox it sends to, and what the tests found there."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import deployment as deployments
from support.deployed_campaign import DeployedCampaign
from support.deployment_figures import Figures

from airflow_provider_instasent.sandbox.server import SandboxServer
from benchmarks import machine, report

DAGS = Path(__file__).parent / "dags"
EXECUTORS = {"local": deployments.LOCAL, "celery": deployments.CELERY}
BOTH = "both"
CAMPAIGNS = 2 * len(EXECUTORS)
TOKEN = "token-of-the-deployment"
CONNECTION = "instasent_sandbox"
FIGURES, VERSIONS = pytest.StashKey[Figures](), pytest.StashKey[str]()
SLOTS_OF_THE_POOL = 2


def pytest_addoption(parser):
    group = parser.getgroup("deployment")
    group.addoption("--executor", choices=(*EXECUTORS, BOTH), default=BOTH)
    group.addoption("--short", action="store_true", help="small campaigns, and nothing is written down")
    group.addoption("--document", type=Path, help="write the figures of both executors into this Markdown file")


def pytest_configure(config):
    config.stash[FIGURES] = Figures()


def pytest_terminal_summary(terminalreporter, exitstatus, config):
    figures = config.stash[FIGURES]
    if found := figures.markdown():
        place = f"{config.stash[VERSIONS]} {machine.describe()}"
        terminalreporter.section("deployment")
        terminalreporter.write(f"{found}\n\n{place}\n")
        document, whole = config.getoption("document"), len(figures.killed) == len(figures.measured) == CAMPAIGNS
        if document and whole and not config.getoption("short") and exitstatus == pytest.ExitCode.OK:
            report.update(document, "deployment", f"{found}\n\n{place}", command="make e2e")


def pytest_generate_tests(metafunc):
    if "executor" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("executor", BOTH)
        executors = [executor for name, executor in EXECUTORS.items() if chosen in {name, BOTH}]
        metafunc.parametrize("executor", executors, scope="session", indirect=True)


@pytest.fixture(scope="session")
def short(request):
    """Whether the campaigns are small ones."""
    return request.config.getoption("short", default=False)


@pytest.fixture(scope="session")
def servers(request):
    with deployments.servers() as running:
        request.config.stash[VERSIONS] = running.versions
        yield running


@pytest.fixture(scope="session")
def figures(request):
    return request.config.stash[FIGURES]


@pytest.fixture(scope="session")
def instasent():
    with SandboxServer(token=TOKEN) as server:
        yield server


@pytest.fixture(scope="session")
def executor(request):
    return request.param


@pytest.fixture(scope="session")
def deployment(executor, servers, instasent):
    with deployments.Deployment(executor, DAGS, servers) as running:
        extra = '{"sender": "Tests", "max_in_flight": 8}'
        fields = {"connection_id": CONNECTION, "conn_type": "instasent", "host": instasent.url, "password": TOKEN}
        running.api.create("connections", {**fields, "extra": extra})
        running.api.create("pools", {"name": "campaigns", "slots": SLOTS_OF_THE_POOL})
        yield running


@pytest.fixture
def campaign(deployment, instasent, servers):
    """A campaign of a DAG, by the number of messages of each of its tasks."""
    return lambda dag_id, *slices: DeployedCampaign(deployment, instasent, servers.s3, dag_id, *slices)
