# SPDX-License-Identifier: Apache-2.0

"""The example of a mapped campaign, in a hurry. (Airflow only reads DAG files that have its name in them.)"""

from __future__ import annotations

from datetime import timedelta

from support.examples import load

dag = load("example_mapped_campaign").dag
dag.get_task("send").partial_kwargs |= {"retry_delay": timedelta(seconds=1), "unconfirmed_grace": 1.0}
