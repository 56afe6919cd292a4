# SPDX-License-Identifier: Apache-2.0

"""A single send killed with SIGKILL at each point and retried by a real scheduler: one SMS, or a plain report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

pytestmark = pytest.mark.scheduler

PACKAGE = "airflow_provider_instasent"
POINTS: dict[str, dict[str, Any]] = {
    "before the intent": {"target": f"{PACKAGE}.journal.journal:Journal.intend", "when": "before"},
    "intent to socket": {"target": f"{PACKAGE}.journal.journal:Journal.intend", "when": "after"},
    "acceptance to record": {"target": f"{PACKAGE}.api.client:InstasentClient.send_sms", "when": "after"},
    "after the record": {"target": f"{PACKAGE}.campaign.single_send:SingleSend.send", "when": "after"},
}
SENT = {"tries": 2, "state": "success", "accepted": 1}
EXPECTED = {
    **{("task", point, policy): SENT for point in POINTS for policy in ("fail", "resend")},
    # Nothing tells that the request never left, and nobody is texted twice for that.
    ("task", "intent to socket", "fail"): {"tries": 2, "state": "failed", "accepted": 0},
    # The orphan goes on: what its intent is durable for it sends, and the next try finds it.
    **{("supervisor", point, "fail"): SENT for point in POINTS},
}
JOURNALS = ("store", "path")
CASES = list(product(EXPECTED, JOURNALS))


@dataclass(frozen=True)
class Case:
    """A run that was killed once."""

    dag_id: str
    run_id: str
    state: str


@pytest.fixture(scope="module")
def runs(airflow, instasent, tmp_path_factory):
    """All cases, run at once."""

    def run(case: Any) -> Case:
        (victim, point, policy), journal = case
        dag_id = f"send_{journal}"
        conf = {"policy": policy, "journal_path": str(tmp_path_factory.mktemp("journal"))}
        points = [{**POINTS[point], "kill": victim}]
        return Case(dag_id, *airflow.run(dag_id, conf=conf, crash_points=points))

    instasent.reset()
    with ThreadPoolExecutor(len(CASES)) as pool:
        return dict(zip(CASES, pool.map(run, CASES), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{', '.join(case[0])}, {case[1]}")
def test_one_sms_or_a_plain_report(airflow, instasent, runs, case):
    run = runs[case]
    assert len(airflow.crashes(run.dag_id, run.run_id)) == 1
    (task,) = airflow.task_instances(run.dag_id, run.run_id)
    sent = [message for message in instasent.ledger if message.text.endswith(run.run_id)]
    assert {"tries": task.try_number, "state": run.state, "accepted": len(sent)} == EXPECTED[case[0]]
    value = airflow.xcom(run.dag_id, run.run_id, "send")
    if run.state == "success":
        assert (value["id"], value["client_id"]) == (sent[0].id, sent[0].client_id)
    else:
        assert value["state"] == "unconfirmed"
        assert "1 message is unconfirmed" in airflow.task_log(run.dag_id, run.run_id, "send", 2)


def test_what_was_accepted_before_the_kill_is_found_and_not_sent_again(airflow, instasent, runs):
    accepted_before = [runs[case] for case in CASES if case[0][1] in {"acceptance to record", "after the record"}]
    for run in accepted_before:
        (sent,) = (message for message in instasent.ledger if message.text.endswith(run.run_id))
        assert airflow.xcom(run.dag_id, run.run_id, "send")["id"] == sent.id
    sends, lists = instasent.requests.records("send"), instasent.requests.records("list")
    assert len(sends) == sum(EXPECTED[case[0]]["accepted"] for case in CASES) == len(instasent.ledger)
    assert len(lists) >= len(accepted_before) // 2


def test_the_tasks_logs_tell_no_secret(airflow, instasent, runs):
    for run in runs.values():
        said = "".join(airflow.task_log(run.dag_id, run.run_id, "send", number) for number in (1, 2))
        assert run.run_id in said
        for private in (instasent.token, "Words to keep private", "611222001"):
            assert private not in said
