# SPDX-License-Identifier: Apache-2.0

"""What is tested here needs an Airflow to import, of which it asks at most connections."""

from __future__ import annotations

import os

from support import airflow_home

airflow_home.isolate()
# Or importing Airflow 2.11's models warns of its own future.
os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"
