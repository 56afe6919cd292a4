# SPDX-License-Identifier: Apache-2.0

"""The hook needs an Airflow, of which it only asks connections: those come from the environment."""

from __future__ import annotations

import os

from support import airflow_home

airflow_home.isolate()
# Or importing Airflow 2.11's models warns of its own future.
os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"
