# SPDX-License-Identifier: Apache-2.0

"""A campaign of a million messages: refused as a whole for one bad row, planned in little memory, resumed quickly.

Outside the default run: `pytest tests/scale`.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from subprocess import run

import pytest
from support.bulk_send import BulkTask
from support.campaign import Values
from support.sandbox import deliverable

from airflow_provider_instasent.api.client_ids import KEY_BYTES
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.campaign.campaign_try import LISTED_AT_ONCE
from airflow_provider_instasent.journal.errors import PlanError
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.key_value_store import KeyValueSegments
from airflow_provider_instasent.journal.replay import Replay
from airflow_provider_instasent.planning.spool import Spool

pytestmark = pytest.mark.scale

MILLION = 1_000_000
MOST_READS = 600
MOST_MEMORY = 150
"""MiB above what is used after the imports."""

PLAN = """
import sys
sys.path[:0] = {path!r}
from pathlib import Path
import phonenumbers
from airflow_provider_instasent.api.numbers import normalise
from airflow_provider_instasent.planning.plan import Planner, PlanSettings
from airflow_provider_instasent.planning.row_source import rows_of_path
from airflow_provider_instasent.planning.spool import Spool
from airflow_provider_instasent.planning.row_template import RowTemplate
from benchmarks.footprint import status

normalise("+34600000001")
before = status("VmRSS")
with Spool() as spool:
    settings = PlanSettings("c", sender="Acme", template=RowTemplate("Hi {{{{ row.name }}}}", {{}}))
    planner = Planner(spool, settings)
    planner.read(rows_of_path(Path({rows!r}), "recipients", "to"))
    planner.check()
    assert planner.summary.messages == {total}, planner.summary.messages
    assert spool.total_parts() == {total}
    # Not ru_maxrss: a child's begins with the size of the process that started it.
    print(status("VmHWM") - before)
"""


class Rows:
    """A million messages, made as they are asked for."""

    def __init__(self, bad: int) -> None:
        self._bad = bad

    def __iter__(self):
        for index in range(MILLION):
            yield {"to": "+341" if index == self._bad else deliverable(index), "text": "text to keep private"}


def test_one_bad_row_of_a_million_and_nothing_is_sent(sandbox, tmp_path):
    task = BulkTask(sandbox, tmp_path, rows=Rows(900_000))
    with pytest.raises(PlanError, match=rf"^1 of {MILLION} rows cannot be sent.* row 900000: `to`"):
        task.attempt()
    assert sandbox.requests.total == 0


def test_a_million_rows_are_planned_in_little_memory(tmp_path):
    rows = tmp_path / "rows.csv"
    with rows.open("w") as stream:
        stream.write("to,name\n")
        stream.writelines(f"{deliverable(index)},N{index}\n" for index in range(MILLION))
    code = PLAN.format(path=sys.path, rows=str(rows), total=MILLION)
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=1_200)
    print(f"peak above the imports: {float(done.stdout):.0f} MiB")
    assert float(done.stdout) <= MOST_MEMORY


@pytest.mark.parametrize("kind", ["values", "path"])
def test_a_million_messages_are_resumed_with_few_reads(tmp_path, kind, monkeypatch):
    """After 90 %, with random ids of 24 hexadecimal digits, and one or two records a write, as on a slow network."""
    values, reads = Values(), [0]

    def store():
        return KeyValueSegments(values, "c") if kind == "values" else PathSegments(tmp_path, "c")

    with Journal(store()) as journal:
        list(journal.replay())
        for start in range(0, MILLION, LISTED_AT_ONCE):
            keys = [secrets.token_bytes(KEY_BYTES) for _ in range(min(LISTED_AT_ONCE, MILLION - start))]
            journal.enlist(keys, [None] * len(keys))
        journal.note("plan", "x").result()
        for chunk in range(1, 9_001):
            journal.intend_places(chunk, [((chunk - 1) * 100, 100)])[1].result()
            outcomes = [MessageOutcome(place, MessageState.ACCEPTED, id=secrets.token_hex(12)) for place in range(100)]
            journal.settle(chunk, outcomes).result()
    if kind == "path":
        read_bytes = Path.read_bytes

        def counting(path):
            reads[0] += 1
            return read_bytes(path)

        monkeypatch.setattr(Path, "read_bytes", counting)
    values.reads = 0
    with Journal(store()) as journal, Spool() as spool:
        Replay(spool.roster).take(journal.replay())
        states = dict(spool.database.execute("SELECT state, count(*) FROM roster GROUP BY 1"))
    total = values.reads or reads[0]
    print(f"{kind}: {total} reads")
    assert states == {"accepted": 900_000, "planned": 100_000}
    assert total <= MOST_READS
