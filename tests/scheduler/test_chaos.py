# SPDX-License-Identifier: Apache-2.0

"""The sending promise under fire, a few minutes of it; `make chaos` is the long version."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chaos import tables
from chaos.scenarios import POINTS, S3, at_points, at_random, superseded
from support.airflow_home import has_task_state_store

SEED = 1

pytestmark = [
    pytest.mark.scheduler,
    pytest.mark.skipif(not has_task_state_store(), reason="the task state store needs Airflow 3.3"),
]


def test_no_message_is_sent_twice_and_none_is_lost_whoever_dies():
    from chaos.arena import Arena

    to_s3 = [*superseded(1, SEED), *at_points(["socket → answer"], 1, SEED), *at_random(2, SEED)]
    scenarios = [
        *superseded(1, SEED),
        *at_points(list(POINTS), 1, SEED),
        *at_random(10, SEED),
        *[replace(one, name=f"{one.name}-s3", journal=S3) for one in to_s3],
    ]
    with Arena(slots=6, on_s3=True) as arena:
        verdicts = list(arena.play_all(scenarios))
    print(tables.by_point(verdicts), tables.by_fault(verdicts), sep="\n\n")

    assert [(verdict.run_id, verdict.broken) for verdict in verdicts if verdict.broken] == []
    assert len(verdicts) == len(scenarios)
    at_named_points = [verdict for verdict in verdicts if verdict.scenario.point in POINTS]
    assert [verdict.killed for verdict in at_named_points] == [1] * len(at_named_points)
    assert all(verdict.retries for verdict in at_named_points)
