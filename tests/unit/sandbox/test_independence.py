# SPDX-License-Identifier: Apache-2.0
"""The sandbox is an oracle: it shares no code with what is tested against it."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
import airflow_provider_instasent.sandbox.__main__, airflow_provider_instasent.sandbox.server
print("\\n".join(sys.modules))
"""


def test_it_loads_nothing_of_the_package_but_itself_and_neither_airflow_nor_phonenumbers():
    loaded = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True).stdout.split()

    own = {name for name in loaded if name.startswith("airflow_provider_instasent.")}
    foreign = {name for name in loaded if name.split(".")[0] in ("airflow", "phonenumbers", "requests", "httpx")}
    assert {name for name in own if not name.startswith("airflow_provider_instasent.sandbox")} == set()
    assert foreign == set()
