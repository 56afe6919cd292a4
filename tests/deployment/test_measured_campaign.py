# SPDX-License-Identifier: Apache-2.0

"""What a campaign that nobody disturbs costs in a deployment, by where its journal is."""

from __future__ import annotations

import pytest
from support.airflow_rest_api import FINISHED
from support.deployed_campaign import Counted
from support.deployment_figures import MeasuredCampaign
from support.events import wait_until
from support.metadata_size import compact, growth, sizes
from support.process_memory import PeakMemory

pytestmark = pytest.mark.scheduler

LATENCY = 0.05
NO_LIMIT = 1_000_000
LONG_RUN = 3_600.0


@pytest.mark.parametrize("journal", ["store", "s3"])
def test_what_a_campaign_costs(deployment, instasent, servers, campaign, figures, short, journal):
    messages = 2_000 if short else 100_000
    run = campaign(f"measured_{journal}", messages)
    instasent.configure(latency=LATENCY, rate_limit=NO_LIMIT)
    compact(deployment.rows)
    before, objects = sizes(deployment.rows), servers.s3.sizes()
    run.start()
    (task,) = run.wait_for(run.running, "the task")
    memory = PeakMemory(run.wait_for(lambda: deployment.task_process(task), "its process"))

    def over():
        memory.look()
        deployment.components.check()
        return deployment.api.run_state(run.dag_id, run.run_id) in FINISHED

    wait_until(over, "the end of the run", LONG_RUN, look=0.1)
    run.wait_for_success()
    added = growth(before, sizes(deployment.rows))
    compact(deployment.rows)
    kept = growth(before, sizes(deployment.rows))
    more = {key: size for key, size in servers.s3.sizes().items() if key not in objects and "recipients" not in key}

    assert run.counted() == Counted(accepted=messages, twice=0, missing=0, strangers=0)
    (ended,) = run.tries()
    (summary,) = run.summaries()
    assert (summary["accepted"], summary["total"]) == (messages, messages)
    assert len(run.results()) == messages
    times = [record.time for record in instasent.requests.records("bulk")]
    assert len(times) == messages // 100
    took = (ended.duration, max(times) - min(times) + LATENCY)
    measured = MeasuredCampaign(
        deployment.executor, journal, messages, *took, memory, added, kept, len(more), sum(more.values())
    )
    figures.measured.append(measured)
    assert memory.resident
    assert run.leaks() == []
