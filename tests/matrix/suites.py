# SPDX-License-Identifier: Apache-2.0

"""Which tests an environment runs, and what came of them."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from matrix.environments import CHECKOUT

if TYPE_CHECKING:
    from matrix.environments import MatrixEnvironment

EXAMPLES = (
    "tests/dags/test_example_dags.py",
    "tests/dags/test_example_dags_more.py",
    "tests/dags/test_example_mapped_campaign.py",
    "tests/dags/test_api_examples.py",
)
# Those that reach Airflow: through the hook, an operator, a sensor, a trigger or the notifier.
WIRE = tuple(
    f"tests/wire/test_{name}.py"
    for name in (
        *("account", "base_paths", "bulk_answers", "client_statuses", "clocks", "counters", "created_forms"),
        *("delivery_sensor", "delivery_trigger", "history_operator", "hook", "hook_doubts", "hook_lookups"),
        *("limit_forms", "list_sweeps", "looks", "lookup_operator", "lookup_operator_tries", "network_environment"),
        *("notifier", "notifier_messages", "says", "shared_reader", "single_send", "single_send_journals"),
        *("single_send_tries", "tls", "wait_stops"),
    )
)
# The longest path that begins a test's own decides in which suite it counts.
SUITES = {
    "registration": ("tests/releases/test_registration.py", "tests/unit/test_compat.py"),
    "sends and waits": ("tests/releases/test_sends_and_waits.py",),
    "examples": EXAMPLES,
    "DAGs": ("tests/dags",),
    "wire": WIRE,
    # What uses packages that are not Airflow's, for where these are the oldest that we take.
    "packages": (
        *(f"tests/unit/{room}" for room in ("api", "planning", "transfers", "notifications", "sandbox")),
        "tests/unit/campaign/test_sms_history.py",
        *(f"tests/wire/test_{name}.py" for name in ("client", "client_connections", "tls")),
    ),
}
PART = ("registration", "sends and waits", "examples", "packages")
OF_LOWEST = ("registration", "sends and waits", "packages")
# Base paths do not depend on Airflow, so the wire tests run under one of them. Most of a test is waiting.
OPTIONS = ("-o", "pythonpath=tests", "--api", "transactional", "--quiet")
SPREAD = ("--numprocesses", "4", "--dist", "worksteal")


@dataclass
class Results:
    """What came of an environment's tests.

    :param counts: by suite, how many `passed`, were `skipped` or `failed`
    :param seconds: how long pytest took
    :param exit_code: of pytest
    """

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    seconds: float = 0.0
    exit_code: int = 0


def suites_of(environment: MatrixEnvironment, wanted: list[str]) -> list[str]:
    """Those of the wanted suites that an environment runs.

    :param wanted: names of suites
    """
    of_others = [name for name in SUITES if name != "packages"]
    return [name for name in wanted if name in (OF_LOWEST if environment.lowest else of_others)]


def run(environment: MatrixEnvironment, suites: list[str]) -> Results:
    """Run suites in one go, so that Airflow's database is made once a process.

    :param environment: holds the wheel, which is what is tested: the checkout is kept off the import path
    :param suites: their names
    """
    paths, left_out = paths_of(environment, suites)
    with tempfile.TemporaryDirectory(prefix="instasent-matrix-") as folder:
        report = Path(folder) / "report.xml"
        command = [
            *(environment.folder / "bin" / "pytest", *OPTIONS, *([] if environment.lowest else SPREAD)),
            *(f"--junitxml={report}", "-o", "junit_family=xunit1", *paths),
            *(f"--ignore={path}" for path in left_out),
        ]
        started = time.monotonic()
        code = subprocess.run(command, cwd=CHECKOUT, env=_environment(), check=False).returncode
        counts = count(report, suites) if report.exists() else {}
    return Results(counts, time.monotonic() - started, code)


def paths_of(environment: MatrixEnvironment, suites: list[str]) -> tuple[list[str], list[str]]:
    """What pytest is given: folders and files, and those below them that belong to suites which do not run.

    :param environment: whose suites these are
    :param suites: those that run
    """

    def below(path: str, others: list[str]) -> bool:
        return any(path.startswith(f"{other}/") for other in others)

    paths = list(dict.fromkeys(path for name in suites for path in SUITES[name]))
    others = [path for name in suites_of(environment, list(SUITES)) if name not in suites for path in SUITES[name]]
    return [path for path in paths if not below(path, paths)], [path for path in others if below(path, paths)]


def count(report: Path, suites: list[str]) -> dict[str, Counter[str]]:
    """Sort the tests of a JUnit report by suite and outcome.

    :param report: with pytest's attribute `file` of each test
    :param suites: that were run
    :raises ValueError: a test is of none of them
    """
    counts = {name: Counter[str]() for name in suites}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest has just written it
        outcome = "skipped" if case.find("skipped") is not None else "passed"
        if case.find("failure") is not None or case.find("error") is not None:
            outcome = "failed"
        counts[_suite_of(case.get("file", ""), suites)][outcome] += 1
    return counts


def _suite_of(file: str, suites: list[str]) -> str:
    by_path = {path: name for name in suites for path in SUITES[name] if f"{file}/".startswith(f"{path}/")}
    if not by_path:
        raise ValueError(f"{file} is in none of the suites {', '.join(suites)}")
    return by_path[max(by_path, key=len)]


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
