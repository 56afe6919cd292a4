# SPDX-License-Identifier: Apache-2.0

"""The example from SQL to SMS and back, in a hurry. (Airflow only reads DAG files that have its name in them.)"""

from __future__ import annotations

import importlib.util
from datetime import timedelta
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]

spec = importlib.util.spec_from_file_location("sql_outcomes", CHECKOUT / "example_dags" / "example_sql_outcomes.py")
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)

dag = example.dag
send = dag.get_task("send")
send.retry_delay = timedelta(seconds=1)
send.poll_interval = 0.5
# What was on its way when the task died may never have reached the API, and nobody can wait a minute here.
send.unconfirmed_grace = 2.0
send.on_unconfirmed = "resend"
