# SPDX-License-Identifier: Apache-2.0

"""The example of a campaign and of the DAG that its asset event starts, in a hurry and with tries to lose.

(Airflow only reads DAG files that have its name in them.)
"""

from __future__ import annotations

from datetime import timedelta

from support.examples import load

example = load("example_asset")
dag, report_dag = example.dag, example.report_dag
send = dag.get_task("send")
send.deferrable = True
send.poll_interval = 0.5
send.unconfirmed_grace = 1.0
send.retries = 2
send.retry_delay = timedelta(seconds=1)
