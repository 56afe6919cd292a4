# SPDX-License-Identifier: Apache-2.0

"""What a user gets from ``pip install``: the wheel is built, offline, and its contents are read."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from support.events import LONG

ROOT = Path(__file__).parents[2]
PACKAGE = "airflow_provider_instasent"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=LONG,
    )
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def sources(folder, pattern):
    return {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob(pattern)}


@pytest.fixture
def metadata(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return message_from_string(wheel.read(name).decode())


LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")


def test_no_link_of_the_description_is_relative(metadata):
    found = LINK.findall(metadata.get_payload())
    given = LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert len(found) == len(given)
    relative = [(image, link) for image, link in given if not link.startswith("https://")]
    assert {image for image, _ in relative} == {"", "!"}, "in a checkout they lead to its files"
    assert not [link for _, link in found if not link.startswith(("https://", "#"))]
    address = dict(entry.split(", ") for entry in metadata.get_all("Project-URL"))["Homepage"]
    raw = address.replace("https://github.com/", "https://raw.githubusercontent.com/")
    for (image, before), (_, after) in zip(given, found, strict=True):
        if (image, before) in relative and not before.startswith("#"):
            assert after == (f"{raw}/main/{before}" if image else f"{address}/blob/main/{before}")
        else:
            assert after == before


def test_the_images_of_the_docs_are_in_the_source_distribution(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=LONG)
    (path,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    images = sources("docs", "*.png")
    assert images
    assert images <= held


def test_the_project_says_where_it_is(metadata):
    urls = dict(entry.split(", ") for entry in metadata.get_all("Project-URL"))
    assert set(urls) == {"Homepage", "Documentation", "Changelog", "Issues"}
    assert all(url.startswith(urls["Homepage"]) for url in urls.values())


def test_the_wheel_holds_every_module_and_schema(wheel):
    expected = sources(PACKAGE, "*.py") | sources(PACKAGE, "*.json") | {f"{PACKAGE}/py.typed"}
    assert any(name.endswith(".json") for name in expected)
    assert expected <= set(wheel.namelist())


def test_the_wheel_carries_the_example_dags_inside_the_package(wheel):
    expected = {f"{PACKAGE}/{name}" for kind in ("*.py", "*.csv") for name in sources("example_dags", kind)}
    assert any(name.endswith(".csv") for name in expected)
    assert expected <= set(wheel.namelist())


def test_the_wheel_holds_nothing_beside_the_package(wheel):
    (metadata,) = {name.split("/")[0] for name in wheel.namelist()} - {PACKAGE}
    assert metadata.startswith(f"{PACKAGE}-")
    assert f"{metadata}/licenses/LICENSE" in wheel.namelist()
    assert not [name for name in wheel.namelist() if "__pycache__" in name]


def test_airflow_finds_the_provider_by_its_entry_point(wheel):
    (name,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    entry_points = configparser.ConfigParser()
    entry_points.read_string(wheel.read(name).decode())
    assert dict(entry_points["apache_airflow_provider"]) == {
        "provider_info": f"{PACKAGE}.provider_info:get_provider_info"
    }
