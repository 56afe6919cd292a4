# SPDX-License-Identifier: Apache-2.0
"""What importing our modules loads into a DAG file; how long it takes is for `benchmarks/parse_cost.py` to say."""

from __future__ import annotations

import pytest

from benchmarks.parse_cost import HEAVY, measure, targets


@pytest.fixture(scope="module")
def costs():
    return measure(samples=1)


@pytest.mark.parametrize("name", targets())
def test_nothing_heavy_is_loaded_beyond_what_airflow_has(costs, name):
    assert {"requests", "phonenumbers", "aiohttp", "httpx", "jsonschema"} <= set(HEAVY)
    assert costs[name].loaded == ()
    assert costs[name].modules >= 1


@pytest.mark.parametrize("name", targets())
def test_triggers_are_loaded_where_a_task_defers_only(costs, name):
    assert not costs[name].triggers
