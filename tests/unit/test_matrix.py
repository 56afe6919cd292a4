# SPDX-License-Identifier: Apache-2.0

"""`make matrix` itself: which tests count where, what the table says, and what fails a row."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from matrix import environments
from matrix.environments import ChangedPackagesError, MatrixEnvironment, NoInterpreterError, matrix_environments
from matrix.suites import PART, SUITES, WIRE, Results, count, paths_of, suites_of
from matrix.table import Row, cell, table

ROOT = Path(__file__).parents[2]
NEWEST = MatrixEnvironment("3.3.2", "3.11", date(2026, 9, 18))
LOWEST = MatrixEnvironment("2.11.0", "3.11", date(2025, 6, 1), lowest=True)


def test_each_environment_has_a_name_of_its_own():
    names = [one.name for one in matrix_environments()]

    assert len(set(names)) == len(names) == 10
    assert names[-1] == "lowest"


def test_what_a_suite_names_is_there():
    assert not [path for paths in SUITES.values() for path in paths if not (ROOT / path).exists()]


AIRFLOWS = {"hooks", "operators", "sensors", "triggers", "transfers", "notifications", "decorators", "compat"}


def reaches_airflow(path, seen):
    """Whether a test file, or what it takes from tests/support, imports a room of ours that is about Airflow."""
    if path in seen or not path.exists():
        return False
    seen.add(path)
    lines = path.read_text(encoding="utf-8").splitlines()
    names = [match for line in lines if (match := re.match(r"\s*from ([\w.]+) import (.*)", line))]
    if any(
        match[1].startswith("airflow_provider_instasent.") and match[1].split(".")[1] in AIRFLOWS for match in names
    ):
        return True
    modules = [match[1].split(".")[1] for match in names if match[1].startswith("support.")]
    modules += [part.strip() for match in names if match[1] == "support" for part in match[2].split(",")]
    return any(reaches_airflow(ROOT / "tests" / "support" / f"{module}.py", seen) for module in modules)


def test_the_wire_tests_that_reach_airflow_are_run():
    files = sorted((ROOT / "tests" / "wire").glob("test_*.py"))

    assert [f"tests/wire/{path.name}" for path in files if reaches_airflow(path, set())] == list(WIRE)


def test_an_example_dags_tests_are_among_the_examples():
    tested = " ".join((ROOT / path).read_text(encoding="utf-8") for path in SUITES["examples"])

    assert not [path.stem for path in (ROOT / "example_dags").glob("example_*.py") if path.stem not in tested]


@pytest.mark.parametrize(
    ("environment", "suites"),
    [
        (NEWEST, ["registration", "sends and waits", "examples", "DAGs", "wire"]),
        (LOWEST, ["registration", "sends and waits", "packages"]),
    ],
)
def test_an_environment_runs_what_it_has_the_packages_for(environment, suites):
    assert suites_of(environment, list(SUITES)) == suites
    assert suites_of(environment, list(PART)) == [name for name in suites if name in PART]


@pytest.mark.parametrize(
    ("environment", "suites", "paths", "left_out"),
    [
        (NEWEST, ["DAGs"], ["tests/dags"], list(SUITES["examples"])),
        (NEWEST, ["examples", "DAGs"], ["tests/dags"], []),
        (NEWEST, ["wire"], list(WIRE), []),
        (LOWEST, ["sends and waits"], ["tests/releases/test_sends_and_waits.py"], []),
    ],
)
def test_what_pytest_is_given(environment, suites, paths, left_out):
    assert paths_of(environment, suites) == (paths, left_out)


FILES = {
    "tests/dags/test_example_dags.py": "def test_a(): pass\ndef test_b(): assert 0\n",
    "tests/dags/test_other.py": "import pytest\ndef test_a(): pytest.skip('here')\ndef test_b(): pass\n",
    "tests/wire/test_hook.py": "import pytest\n@pytest.fixture\ndef broken(): raise OSError\ndef test_a(broken): 0\n",
}


def test_tests_are_counted_by_suite_and_outcome(tmp_path):
    for name, source in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-o", "junit_family=xunit1", f"--junitxml={report}", "tests"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert count(report, ["examples", "DAGs", "wire"]) == {
        "examples": {"passed": 1, "failed": 1},
        "DAGs": {"passed": 1, "skipped": 1},
        "wire": {"failed": 1},
    }


def test_a_test_that_is_of_no_suite_that_was_asked_for_is_none_to_count(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text('<testsuites><testcase file="tests/scheduler/test_x.py"/></testsuites>')

    with pytest.raises(ValueError, match="test_x"):
        count(report, ["DAGs"])


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (None, "-"),
        (Counter(), "-"),
        (Counter(passed=1234), "1,234"),
        (Counter(passed=12, skipped=3), "12, 3 skipped"),
        (Counter(passed=12, failed=2), "**2 failed**, 12 passed"),
        (Counter(failed=2, skipped=1), "**2 failed**, 0 passed, 1 skipped"),
    ],
)
def test_a_cell(counts, told):
    assert cell(counts) == told


def test_the_table_tells_what_passed_what_failed_and_what_is_not_here():
    rows = [
        Row(NEWEST, Results({"wire": Counter(passed=7)}, 61.4, 0)),
        Row(NEWEST, Results({"wire": Counter(passed=6, failed=1)}, 60, 1)),
        Row(NEWEST, note="no Python 3.14 here"),
        Row(LOWEST, Results({"packages": Counter(passed=9)}, 5, 0)),
        Row(NEWEST, note="the wheel changed jinja2", bad=True),
    ]

    assert table(rows, ["wire", "packages"]).splitlines()[2:] == [
        "| 3.3.2 | 3.11 | 7 | - | 61 | passed |",
        "| 3.3.2 | 3.11 | **1 failed**, 6 passed | - | 60 | **pytest ended with 1** |",
        "| 3.3.2 | 3.11 | - | - | 0 | no Python 3.14 here |",
        "| 2.11.0, lowest versions | 3.11 | - | 9 | 5 | passed |",
        "| 3.3.2 | 3.11 | - | - | 0 | the wheel changed jinja2 |",
    ]
    assert [row.failed for row in rows] == [False, True, False, False, True]


@pytest.mark.parametrize("after", [["jinja2==3.1.6"], ["jinja2==3.1.6", "attrs==25.2.0"]], ids=["gone", "newer"])
def test_a_wheel_that_changes_what_was_there_is_named(monkeypatch, after):
    monkeypatch.setattr(environments, "uv", lambda *arguments: "\n".join(after) if "freeze" in arguments else "")

    with pytest.raises(ChangedPackagesError, match=r"attrs==25\.1\.0"):
        NEWEST.install_wheel(Path("x.whl"), {"jinja2==3.1.6", "attrs==25.1.0"})


def test_a_wheel_that_only_brings_more_is_installed(monkeypatch):
    ran = []

    def uv(*arguments):
        ran.append(arguments)
        return "jinja2==3.1.6\nhttpx==0.28.1"

    monkeypatch.setattr(environments, "uv", uv)
    NEWEST.install_wheel(Path("x.whl"), {"jinja2==3.1.6"})

    assert {"x.whl[sandbox,sql,parquet]", "--constraints", NEWEST.constraints} <= set(ran[0])


def test_a_python_that_is_nowhere_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    with pytest.raises(NoInterpreterError, match=r"no Python 3\.99 here"):
        environments.interpreter("3.99")


def test_a_python_that_does_not_start_is_passed_over(monkeypatch, tmp_path):
    shim, real = tmp_path / "python3.99", tmp_path / "versions" / "3.99.1" / "bin" / "python3.99"
    real.parent.mkdir(parents=True)
    for path, code in ((shim, 127), (real, 0)):
        path.write_text(f"#!/bin/sh\nexit {code}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert environments.interpreter("3.99") == real
