# SPDX-License-Identifier: Apache-2.0
"""The drawings of the rooms, and what CONTRIBUTING says of them, name the files there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "airflow_provider_instasent"
ROOMS = sorted(
    path.parent for path in PACKAGE.glob("*/__init__.py") if path.parent.name not in {"example_dags", "__pycache__"}
)
MOST_LINES = 300
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FOLDERS = "|".join([*(room.name for room in ROOMS), "tests", "docs", "benchmarks", "example_dags", "scripts"])


def drawing(room: Path) -> str:
    """The part of a room's docstring that draws its files."""
    said = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8"))) or ""
    return said.partition("::\n")[2]


def drawn(room: Path) -> set[str]:
    """The files a drawing names: the words before four spaces or more, and those in brackets at the end."""
    names: set[str] = set()
    for line in drawing(room).splitlines():
        if line.startswith("    "):
            names |= set(re.findall(r"\w+", re.split(" {4,}", line.strip())[0]))
            names |= {name for group in re.findall(r"\(([\w, ]+)\)$", line) for name in group.split(", ")}
    return names


def test_all_rooms_were_found():
    assert {"api", "waiting", "journal", "planning", "campaign", "operators", "sandbox"} <= {one.name for one in ROOMS}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_draws_each_of_its_files_and_no_other(room):
    files = {path.stem for path in room.glob("*.py")} - {"__init__"}
    folders = {path.name for path in room.iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert drawn(room) == files | folders


@pytest.mark.parametrize("room", ["api", "waiting", "journal", "planning", "campaign"])
def test_a_plain_room_says_which_question_it_answers(room):
    first = (PACKAGE / room / "__init__.py").read_text(encoding="utf-8").splitlines()[1]

    assert "?" in first
    assert first.removeprefix('"""').partition("?")[0].lower() in CONTRIBUTING.lower()


def test_the_files_that_contributing_names_exist():
    named = re.findall(rf"`((?:{FOLDERS})/[\w./]+)`", CONTRIBUTING)
    missing = [one for one in named if not ((PACKAGE / one).exists() or (ROOT / one).exists())]

    assert len(set(named)) > 60
    assert not missing


def test_where_to_change_what_is_told_for_many_changes_in_at_most_two_files_each():
    table = CONTRIBUTING.partition("| what | start in |")[2].partition("\n\n")[0].splitlines()[2:]
    files = [re.findall(r"`([\w./]+/[\w./]+)`", row.split(" | ")[1]) for row in table]

    assert len(table) >= 12
    assert not [row for row, named in zip(table, files, strict=True) if len(named) > 2]


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_the_unit_tests_of_a_room_are_named_after_its_files(room):
    tests = ROOT / "tests" / "unit" / room.name
    names = {path.stem.removeprefix("test_") for path in tests.glob("test_*.py")}
    files = {path.stem for path in room.glob("*.py")}

    assert names - files <= NAMED_OTHERWISE.get(room.name, set())


NAMED_OTHERWISE = {
    "api": {"exports"},
    "sandbox": {"independence", "rules"},
    "triggers": {"lookup_and_account"},
}
"""Tests of a room that are about more than one of its files."""


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_is_small_enough_to_hold_in_mind(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
