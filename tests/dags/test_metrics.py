# SPDX-License-Identifier: Apache-2.0
"""A campaign counts in a real StatsD client of Airflow's, which sends to a real socket."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support import airflow_home
from support.events import LONG
from support.instasent_connection import connection
from support.sandbox import deliverable

pytestmark = pytest.mark.airflow

ROOT = Path(__file__).parents[2]
TEXT = "a text to keep private"
PROGRAM = """
import json, sys
from datetime import datetime, UTC
from airflow_provider_instasent.compat import DAG
from support import airflow_home
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

messages, folder = json.loads(sys.argv[1]), sys.argv[2]
with DAG("counted", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False) as dag:
    InstasentBulkSmsOperator(
        task_id="send",
        messages=messages,
        max_rejected_ratio=1.0,
        journal_path=f"file://{folder}/journal",
        wait_for_delivery=True,
        deferrable=True,
        poll_interval=0.2,
        retries=1,
    )
airflow_home._register(dag)
assert str(dag.test().state) in {"success", "DagRunState.SUCCESS"}
"""


@pytest.fixture
def statsd():
    """A socket to which metrics are sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        opened.settimeout(0)
        yield opened


def received(statsd):
    """Return all counters that came under our name, by name without Airflow's prefix."""
    counts: Counter[str] = Counter()
    while True:
        try:
            lines = statsd.recv(65_535).decode().splitlines()
        except BlockingIOError:
            return counts
        for line in lines:
            name, _, value = line.partition(":")
            if name.startswith("cluster.instasent."):
                number, kind = value.split("|")
                assert kind == "c"
                counts[name.removeprefix("cluster.")] += int(number)


def test_airflows_statsd_client_tells_what_became_of_a_campaign(sandbox, statsd, airflow_database, tmp_path):
    sandbox.configure(sent_after=0, final_after=1.5)  # so that the trigger reads too
    sandbox.fault("rate_limited", endpoint="bulk", seconds=0)
    rows = [{"to": deliverable(index), "text": TEXT} for index in range(120)]
    rows += [{"to": f"+346{index:05d}920", "text": TEXT} for index in range(5)]
    shutil.copy(airflow_database, tmp_path / "airflow.db")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        **airflow_home.environment(tmp_path),
        "AIRFLOW__METRICS__STATSD_ON": "True",
        "AIRFLOW__METRICS__STATSD_HOST": "127.0.0.1",
        "AIRFLOW__METRICS__STATSD_PORT": str(statsd.getsockname()[1]),
        "AIRFLOW__METRICS__STATSD_PREFIX": "cluster",
        "AIRFLOW_CONN_INSTASENT_DEFAULT": connection(
            sandbox.url, password=sandbox.token, extra={"sender": "Acme", "default_region": "ES"}
        ),
        "PYTHONPATH": os.pathsep.join([*filter(None, sys.path), str(ROOT / "tests")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(rows), str(tmp_path)],
        env=environment,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=LONG,
    )
    assert done.returncode == 0, done.stdout[-5_000:]
    counts = received(statsd)
    outcomes = {name: number for name, number in counts.items() if name.startswith("instasent.messages.")}
    assert outcomes == {
        "instasent.messages.planned": 125,
        "instasent.messages.accepted": 120,
        "instasent.messages.rejected": 5,
    }
    assert counts["instasent.requests.rate_limited"] == 1
    assert counts["instasent.requests"] == sandbox.requests.total  # those of the trigger's loop among them
    assert {record.endpoint for record in sandbox.requests.records()} >= {"bulk", "list"}
