# SPDX-License-Identifier: Apache-2.0

"""What we ask for, against what Airflow's own constraints allow; and what the README says of it."""

from __future__ import annotations

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
WANTED = [Requirement(text) for text in chain(PROJECT["dependencies"], *EXTRAS.values())]
FILES = sorted((ROOT / "constraints").glob("*.txt"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def pins(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.lstrip().startswith("#"))


def test_each_airflow_has_its_file():
    assert {path.stem for path in FILES} == {
        *(f"airflow-{version}-python3.11" for version in ("2.11.2", "3.0.6", "3.1.8", "3.2.2", "3.3.2")),
        "airflow-2.11.2-python3.12",
        *(f"airflow-3.3.2-python3.{minor}" for minor in (12, 13, 14)),
        "lowest",
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("wanted", WANTED, ids=lambda wanted: wanted.name)
def test_the_constraints_of_an_airflow_allow_what_we_ask_for(path, wanted):
    pinned = pins(path)[canonicalize_name(wanted.name)]

    assert wanted.specifier.contains(pinned, prereleases=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_constraints_hold_names_and_versions_only(path):
    assert all(
        re.fullmatch(r"[a-z0-9][a-z0-9.-]*", name) and re.fullmatch(r"[0-9][\w.+]*", pinned)
        for name, pinned in pins(path).items()
    )
    assert "://" not in path.read_text(encoding="utf-8")


def test_an_airflows_file_is_about_this_airflow():
    for path in FILES[:-1]:
        assert pins(path)["apache-airflow"] == path.stem.split("-")[1]


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_readme_names_each_extra(extra):
    assert f"`{extra}`" in README.partition("## Install")[2].partition("\n## ")[0]


def test_the_readme_names_each_python_that_the_package_is_classified_for():
    classified = [text.rpartition(" ")[2] for text in PROJECT["classifiers"] if "Python :: 3." in text]

    assert f"Python {classified[0]} to {classified[-1]}" in README.partition("## Versions")[2].partition("\n## ")[0]
