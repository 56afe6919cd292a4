# SPDX-License-Identifier: Apache-2.0

"""Examples that need a real scheduler: a DAG that an asset event starts, and mapped campaigns in a pool."""

from __future__ import annotations

import csv
import json
from collections import Counter

import pytest

pytestmark = pytest.mark.scheduler

CAMPAIGN, REPORT, MAPPED = "instasent_asset_campaign", "instasent_asset_report", "instasent_mapped_campaign"
ACCEPTED = {"target": "airflow_provider_instasent.api.client:InstasentClient._exchange", "when": "after"}
"""The API took a chunk, and nobody wrote that down."""

FILES, SLOTS = 5, 2


def test_the_scheduler_starts_a_dag_with_the_counts_of_a_campaign_that_was_delivered(airflow, instasent):
    instasent.reset()
    run_id, state = airflow.run(CAMPAIGN, crash_points=[{**ACCEPTED, "task_id": "send"}])
    assert state == "success"
    assert len(airflow.crashes(CAMPAIGN, run_id)) == 1
    (report_id,) = airflow.wait_for_runs(REPORT, 1)  # of one that was killed and went on there is one event
    assert airflow.wait(REPORT, report_id) == "success"
    (extra,) = airflow.metadata.asset_extras(CAMPAIGN)
    assert airflow.xcom(REPORT, report_id, "report") == [extra]
    assert extra == {
        "rows": 3,
        "total": 3,
        "gone": 0,
        "accepted": 3,
        "rejected": 0,
        "unconfirmed": 0,
        "planned": 0,
        "invalid": 0,
        "duplicates": 0,
        "suppressed": 0,
        "parts": 3,
        "delivered": 2,
        "undeliverable": 1,
        "pending": 0,
    }
    assert all(type(count) is int for count in extra.values())
    said = json.dumps(extra)
    assert len(instasent.ledger) == len(instasent.ledger.numbers()) == 3
    for message in instasent.ledger:
        private = (message.to, message.to[1:], message.to[-9:], message.text, message.id, message.client_id)
        assert not [words for words in private if words in said]


def test_a_campaign_that_failed_starts_nothing(airflow, instasent):
    instasent.reset()
    before = airflow.metadata.run_ids(REPORT)
    instasent.fault("no_funds", endpoint="bulk")
    run_id, state = airflow.run(CAMPAIGN)
    assert state == "failed"
    assert airflow.metadata.run_ids(REPORT) == before
    airflow.clear(CAMPAIGN, run_id, ["send"])
    assert airflow.wait_for_runs(REPORT, len(before) + 1)
    assert len(instasent.ledger) == len(instasent.ledger.numbers()) == 3


def test_mapped_campaigns_keep_to_their_pool_and_each_dies_once(airflow, instasent, tmp_path):
    instasent.reset()
    instasent.configure(latency=3.0)  # so that without the pool more of them would run at once
    airflow.pool("instasent", SLOTS)
    people = {f"file_{number}": [f"+3460000{number}{index:03d}" for index in range(20)] for number in range(FILES)}
    for name, numbers in people.items():
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("to", "name"), *((number, "Ana") for number in numbers)])
    run_id, state = airflow.run(MAPPED, conf={"folder": str(tmp_path)}, crash_points=[{**ACCEPTED, "task_id": "send"}])
    assert state == "success"
    assert len(airflow.crashes(MAPPED, run_id)) == FILES
    assert instasent.ledger.numbers() == Counter(number for numbers in people.values() for number in numbers)
    sent = [airflow.xcom(MAPPED, run_id, "send", map_index=index) for index in range(FILES)]
    assert [one["campaign_id"] for one in sent] == [f"regions/{name}" for name in people]
    assert {one["accepted"] for one in sent} == {20}
    times = airflow.metadata.times(MAPPED, run_id, "send")
    at_once = [sum(began <= moment < ended for began, ended in times) for moment, _ in times]
    print(f"{FILES} files in {SLOTS} slots, at once: {at_once}")
    assert max(at_once) <= SLOTS
