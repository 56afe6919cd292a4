# SPDX-License-Identifier: Apache-2.0

"""What a DAG file imports to alert or to send from SQL loads no heavy library while it is parsed."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from support.events import LONG

HEAVY = {"requests", "phonenumbers", "aiohttp", "pyarrow", "psycopg2", "psycopg", "starlette"}
PROGRAM = """
import json, sys
from airflow_provider_instasent.compat import BaseNotifier
from airflow_provider_instasent.compat import DAG, BaseOperator, DecoratedOperator, conf
before = set(sys.modules)
import airflow_provider_instasent.{module}
airflow_provider_instasent.{module}.{use}
print(json.dumps(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}})))
"""


@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("notifications.sms", "InstasentNotifier(to='+34600000001', text='{{ ti }}')"),
        ("transfers.sql_to_sms", "SqlToInstasentOperator(task_id='send', sql='SELECT 1', conn_id='db', text='hello')"),
        ("decorators.sms", "instasent_bulk_task(json.loads)"),
    ],
)
def test_parsing_loads_no_heavy_library(module, use):
    program = PROGRAM.format(module=module, use=use)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LONG, check=True)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "airflow_provider_instasent" in loaded
    assert not loaded & HEAVY
