# SPDX-License-Identifier: Apache-2.0
"""The functions at which the scheduler and chaos tests kill processes exist: a name that is gone would kill nobody."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from chaos.scenarios import POINTS

PACKAGE = "airflow_provider_instasent"
TARGET = re.compile(r"(?:\{PACKAGE\}|airflow_provider_instasent)\.([\w.]+):([\w.]+)")
SCHEDULER = Path(__file__).parents[1] / "scheduler"

TARGETS = {place.removeprefix(f"{PACKAGE}.") for places in POINTS.values() for place, _ in places} | {
    f"{module}:{name}"
    for path in SCHEDULER.rglob("*.py")
    for module, name in TARGET.findall(path.read_text(encoding="utf-8"))
}


def test_the_targets_were_found():
    assert len(TARGETS) > 8


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_target_exists(target):
    module, _, names = target.partition(":")
    found = import_module(f"{PACKAGE}.{module}")
    for name in names.split("."):
        found = getattr(found, name)

    assert callable(found)
