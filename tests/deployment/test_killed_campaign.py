# SPDX-License-Identifier: Apache-2.0

"""A campaign that waits for delivery, while its worker, the API server and the triggerer are killed."""

from __future__ import annotations

import pytest
from support.deployed_campaign import Counted
from support.deployment_figures import KilledCampaign

pytestmark = pytest.mark.scheduler

WINDOW = 5.0
WINDOWS = 6
"""The sandbox's rate limit spreads a campaign over so many windows, so that there is a midst of it."""


def test_a_campaign_survives_its_worker_the_api_server_and_the_triggerer(
    deployment, instasent, campaign, figures, short
):
    messages = 2_000 if short else 20_000
    run = campaign("campaign", messages)
    instasent.configure(final_after=7_200.0, rate_limit=messages // 100 // WINDOWS, rate_window=WINDOW)
    run.start()

    at_the_kill = run.wait_for_share(0.3)
    (victim,) = run.running()
    deployment.kill_worker_of(victim)
    deployment.start_workers()
    at_the_restart = run.wait_for_share(0.6)
    deployment.restart("api-server")
    run.wait_for(lambda: [task.state for task in run.tasks()] == ["deferred"], "the wait")
    instasent.configure(rate_limit=1_200)
    _wait_for_a_look(run, instasent)
    deployment.restart("triggerer")
    _wait_for_a_look(run, instasent)
    instasent.advance(7_200)
    run.wait_for_success()

    tries, counted = run.tries(), run.counted()
    killed = ("worker", "API server", "triggerer")
    what = "one task, journal on S3, waits for delivery"
    figures.killed.append(KilledCampaign(deployment.executor, what, messages, killed, 1, len(tries), counted))
    assert at_the_kill < at_the_restart < messages
    assert counted == Counted(accepted=messages, twice=0, missing=0, strangers=0)
    assert len(tries) > 1
    (summary,) = run.summaries()
    whole = {"rows": messages, "total": messages, "accepted": messages, "delivered": messages}
    none = dict.fromkeys(("rejected", "unconfirmed", "planned", "invalid", "gone", "undeliverable", "pending"), 0)
    assert {name: summary[name] for name in (*whole, *none)} == {**whole, **none}
    results = run.results()
    assert [line["position"] for line in results] == list(range(messages))
    assert {(line["state"], line["status"]) for line in results} == {("accepted", "delivered")}
    assert {line["id"] for line in results} == {message.id for message in instasent.ledger}
    assert run.leaks() == []


def _wait_for_a_look(run, instasent):
    """Wait until the triggerer asks for statuses."""
    before = len(instasent.requests.records("list"))
    run.wait_for(lambda: len(instasent.requests.records("list")) > before, "a look at the statuses")
