# SPDX-License-Identifier: Apache-2.0

"""A campaign a slice, two at a time by a pool, with journals in Airflow's database; a worker and the API server die."""

from __future__ import annotations

import pytest
from support.deployed_campaign import Counted
from support.deployment import CELERY, WORKERS
from support.deployment_figures import KilledCampaign

pytestmark = pytest.mark.scheduler

SLICES = 4
SLOTS_OF_THE_POOL = 2
WINDOW = 5.0
WINDOWS = 6
"""The sandbox's rate limit spreads the campaigns over so many windows, so that there is a midst of them."""


def test_two_workers_share_a_mapped_campaign_and_one_of_them_dies(deployment, instasent, campaign, figures, short):
    size = 500 if short else 5_000
    messages = SLICES * size
    run = campaign("mapped_campaign", *[size] * SLICES)
    instasent.configure(rate_limit=messages // 100 // WINDOWS, rate_window=WINDOW)
    run.start()

    run.wait_for(lambda: len(run.running()) == SLOTS_OF_THE_POOL, "two at a time")
    at_the_kill = run.wait_for_share(0.3)
    at_work = run.running()
    deployment.kill_worker_of(at_work[0])
    deployment.start_workers()
    at_the_restart = run.wait_for_share(0.6)
    deployment.restart("api-server")
    run.wait_for_success()

    tries, counted = run.tries(), run.counted()
    what = "mapped, two at a time, journals in the task state store"
    killed = ("worker", "API server")
    figures.killed.append(KilledCampaign(deployment.executor, what, messages, killed, SLICES, len(tries), counted))
    assert len(at_work) <= SLOTS_OF_THE_POOL
    assert at_the_kill < at_the_restart < messages
    assert counted == Counted(accepted=messages, twice=0, missing=0, strangers=0)
    assert {task.map_index for task in run.tasks()} == set(range(SLICES))
    assert len(tries) > SLICES
    if deployment.executor == CELERY:
        assert {each.hostname for each in tries} == set(WORKERS)
    for summary in run.summaries():
        assert (summary["accepted"], summary["total"], summary["unconfirmed"]) == (size, size, 0)
    results = run.results()
    assert len(results) == messages
    assert {line["state"] for line in results} == {"accepted"}
    assert {line["id"] for line in results} == {message.id for message in instasent.ledger}
    assert run.leaks() == []
