# SPDX-License-Identifier: Apache-2.0

"""The lookup of 1,000 numbers, killed with SIGKILL in the middle and retried by a real scheduler: none twice."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from support.sandbox import deliverable

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.scheduler

PACKAGE = "airflow_provider_instasent"
NUMBERS = 1_000
POINTS: dict[str, dict[str, Any]] = {
    "intent to socket": {"target": f"{PACKAGE}.api.client:InstasentClient._exchange", "when": "before", "call": 500},
    "acceptance to record": {"target": f"{PACKAGE}.api.client:InstasentClient._exchange", "when": "after", "call": 500},
    "before a record": {"target": f"{PACKAGE}.journal.journal:Journal.settle", "when": "before", "call": 300},
}
CASES = [
    ("store", "acceptance to record", "task", "resend"),
    ("path", "before a record", "task", "resend"),
    ("store", "intent to socket", "task", "fail"),
    ("store", "acceptance to record", "supervisor", "fail"),
]


@dataclass
class Case:
    """A run that was killed once, with numbers of its own."""

    dag_id: str
    numbers: list[str]
    folder: Path
    run_id: str = ""
    state: str = ""
    policy: str = ""


@pytest.fixture(scope="module", params=CASES, ids=", ".join)
def case(airflow, instasent, tmp_path_factory, request):
    journal, point, victim, policy = request.param
    instasent.reset()
    instasent.configure(rate_limit=100_000, lookup_after=0.5)
    first = CASES.index(request.param) * 10 * NUMBERS
    numbers = [deliverable(first + place) for place in range(NUMBERS)]
    case = Case(f"look_up_{journal}", numbers, tmp_path_factory.mktemp("lookups"))
    (case.folder / "numbers.csv").write_text("\n".join(["to", *case.numbers]))
    case.run_id, case.state = airflow.run(
        case.dag_id,
        conf={"folder": str(case.folder), "policy": policy},
        crash_points=[{**POINTS[point], "kill": victim}],
    )
    case.policy = policy
    yield case
    instasent.reset()


def test_no_number_is_looked_up_twice_and_none_is_lost(airflow, instasent, case):
    assert len(airflow.crashes(case.dag_id, case.run_id)) == 1
    (task,) = airflow.task_instances(case.dag_id, case.run_id)
    # After a lost supervisor Airflow may need a further try.
    assert task.try_number >= 2
    ordered = instasent.lookups.numbers()
    assert set(ordered.values()) == {1}
    value = airflow.xcom(case.dag_id, case.run_id, "look_up")
    assert value["accepted"] + value["unconfirmed"] + value["planned"] == len(case.numbers)
    assert value["accepted"] == len(ordered)
    if case.policy == "resend":
        assert (case.state, value["finished"]) == ("success", len(case.numbers))
        assert ordered == Counter(case.numbers)
    # Nothing tells that the last few requests never left, and nothing is billed twice for that.
    assert (case.state == "failed") == (value["unconfirmed"] > 0)


def test_each_number_has_its_result(airflow, case):
    if case.state == "failed":
        pytest.skip("some lookups are unconfirmed, so nothing was waited for")
    rows = [json.loads(line) for line in (case.folder / "lookups.jsonl").read_text().splitlines()]
    assert [row["to"] for row in rows] == case.numbers
    assert all(row["lookup"]["id"] == row["id"] and row["lookup"]["status"] == "done" for row in rows)
    (task,) = airflow.task_instances(case.dag_id, case.run_id)
    tries = range(1, task.try_number + 1)
    said = "".join(airflow.task_log(case.dag_id, case.run_id, "look_up", number) for number in tries)
    assert "Lookups done" in said
    assert not [to for to in case.numbers if to[1:] in said]
