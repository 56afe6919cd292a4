# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest
from support.crash_points import CrashPoint, install
from support.events import LONG

PROGRAM = """
import json, sys, time
from support import crash_points

class Place:
    def method(self, number): print("method", number, flush=True)
    @staticmethod
    def static(number): print("static", number, flush=True)
    @classmethod
    def of_class(cls, number): print(cls.__name__, number, flush=True)

point = json.loads(sys.argv[1])
if "target" in point:
    crash_points.install(point)
for number in (1, 2, 3):
    Place().method(number)
    Place.static(number)
    Place.of_class(number)
if "delay" in point:
    crash_points.install(point)
    time.sleep(600)
print("end", flush=True)
"""


def run(point: dict[str, object]) -> tuple[int, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(point)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=LONG,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    ("name", "when", "call", "printed"),
    [
        ("method", "before", 1, []),
        ("method", "after", 1, ["method 1"]),
        ("static", "before", 2, ["method 1", "static 1", "Place 1", "method 2"]),
        ("of_class", "after", 1, ["method 1", "static 1", "Place 1"]),
    ],
)
def test_the_process_dies_exactly_there(tmp_path, name, when, call, printed):
    marker = tmp_path / "marker"
    point = {"target": f"__main__:Place.{name}", "when": when, "call": call, "marker": str(marker)}

    assert run(point) == (-signal.SIGKILL, printed)
    assert json.loads(marker.read_text())["when"] == when


def test_a_point_fires_only_once(tmp_path):
    point = {"target": "__main__:Place.method", "marker": str(tmp_path / "marker")}

    assert run(point)[0] == -signal.SIGKILL
    code, printed = run(point)
    assert (code, printed[-1]) == (0, "end")


def test_a_point_in_time(tmp_path):
    code, printed = run({"delay": 0.3, "marker": str(tmp_path / "marker")})

    assert code == -signal.SIGKILL
    assert printed[-1] == "Place 3"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"target": "os:getpid", "delay": 1},
        {"target": "os.getpid"},
        {"target": "os:getpid", "when": "during"},
        {"target": "os:getpid", "kill": "everyone"},
        {"target": "os:getpid", "call": 0},
    ],
)
def test_fields_that_make_no_sense_are_refused(fields):
    with pytest.raises(ValueError, match=r"crash point|not of the form"):
        CrashPoint(marker="anything", **fields)


def test_a_target_that_does_not_exist_is_an_error():
    with pytest.raises(AttributeError, match="no_such_function"):
        install({"target": "os:no_such_function", "marker": "anything"})
