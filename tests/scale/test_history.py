# SPDX-License-Identifier: Apache-2.0
"""The history of 25,000 messages while new ones arrive: each exactly once, memory flat, measured.

`python -m pytest -s tests/scale/test_history.py` prints the figures. The reader runs in a process of its own, so that
the sandbox's memory is not measured with it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support.history import accept, arriving

MOST_MORE_MIB = 12
"""How much more memory ten times the messages may take: SQLite's cache is bounded, Python's heap wobbles."""

READER = """
import json, re, sys, time
from pathlib import Path
from airflow_provider_instasent.api import InstasentClient
from airflow_provider_instasent.campaign.sms_history import History, HistoryWindow

url, token, path = sys.argv[1:]
def peak():
    # Not ru_maxrss: a child's begins with the size of the process that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
with InstasentClient(token, base_url=url) as client, History(HistoryWindow()) as history:
    client.list_sms(1, 1)
    import airflow_provider_instasent.campaign.export_formats, pyarrow.parquet
    Path("/proc/self/clear_refs").write_text("5")
    base, began = peak(), time.monotonic()
    ended_by = history.read(lambda page: client.list_sms(page, 100))
    read_in = time.monotonic() - began
    rows = history.write(Path(path))
    print(json.dumps({
        "rows": rows, "pages": history.pages, "ended_by": ended_by, "read_s": round(read_in, 1),
        "write_s": round(time.monotonic() - began - read_in, 2),
        "base_mib": round(base, 1), "more_mib": round(peak() - base, 1),
    }))
"""


def read(sandbox, path):
    done = subprocess.run(
        [sys.executable, "-c", READER, sandbox.url, sandbox.token, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
        cwd=Path(__file__).parents[2],
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_25_000_messages_while_new_ones_arrive(sandbox, tmp_path, order, ending):
    sandbox.configure(list_order=order, rate_limit=1_000_000)
    figures = {}
    there: set[str] = set()
    for total in (2_500, 25_000):
        there |= accept(sandbox, len(there), total - len(there))
        path = tmp_path / f"{total}.{ending}"
        with arriving(sandbox, 1_000_000 + total * 100) as coming:
            figures[total] = read(sandbox, path)
        ids = ids_in(path)
        print(f"{order} first, {ending}, {len(coming)} arrived: {figures[total]}")
        assert max(ids.values()) == 1
        assert there <= set(ids)
        there |= coming
    assert figures[25_000]["more_mib"] - figures[2_500]["more_mib"] <= MOST_MORE_MIB


def ids_in(path):
    if path.suffix == ".jsonl":
        with path.open() as lines:
            return Counter(json.loads(line)["id"] for line in lines)
    from pyarrow import parquet

    return Counter(parquet.read_table(path, columns=["id"]).column("id").to_pylist())
