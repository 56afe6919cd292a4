# SPDX-License-Identifier: Apache-2.0
"""Memory and CPU of a campaign whose rows come from a database, through the SQL operator itself."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from benchmarks.children import run_child
from benchmarks.footprint import MEMORY_BAR_MIB, status
from benchmarks.report import Bar, Section
from benchmarks.sandbox import TOKEN, SandboxProcess

if TYPE_CHECKING:
    from support.postgres import PostgresServer

TIMEOUT = 1_500.0
WARM_UP = 10
"""Rows of the campaign that is planned first, so that all imports are in the baseline."""

TABLE = "CREATE TABLE people (id INTEGER PRIMARY KEY, phone TEXT, name TEXT, number_of_order INTEGER)"
FILL = """
INSERT INTO people
SELECT i, '+346' || lpad((i / 900)::text, 5, '0') || lpad((i % 900)::text, 3, '0'), 'person ' || i, i
FROM generate_series(0, {last}) AS i
"""
"""The numbers of :func:`benchmarks.campaign.number_of`, made by PostgreSQL itself."""
QUERY = "SELECT phone, name, number_of_order FROM people WHERE id < {rows} ORDER BY id"
TEXT = "Hello {{ row.name }}, your order {{ row.number_of_order }} is ready."


def section(*, quick: bool) -> Section:
    """Campaigns of several sizes from each database, each in a fresh process."""
    from support.postgres import postgres_server

    sizes = (2_000, 10_000, 20_000) if quick else (10_000, 100_000, 1_000_000)
    found = []
    with TemporaryDirectory() as folder, postgres_server() as server, SandboxProcess() as sandbox:
        databases = {
            f"PostgreSQL {server.run('SHOW server_version')[0][0]}": fill_postgres(server, sizes[-1]),
            f"SQLite {sqlite3.sqlite_version}": fill_sqlite(Path(folder) / "people.db", sizes[-1]),
        }
        for database, connection in databases.items():
            for rows in sizes:
                sandbox.fresh()
                one = run_child("sql", TIMEOUT, url=sandbox.url, database=connection, rows=rows)
                accepted = sandbox.accepted()
                if accepted != {"accepted": rows, "different": rows}:
                    raise RuntimeError(f"{rows} messages were to be accepted once each, and the ledger says {accepted}")
                found.append({"database": database, **one})
    return Section(
        "A million rows from a database",
        "`SqlToInstasentOperator`, run to its end: query, plan, de-duplicate on disk, journal, send, results file. One "
        "campaign a process; PostgreSQL, read through a server-side cursor, and the sandbox at 0 ms in processes of "
        "their own. Memory is the peak resident set above that after the imports, Airflow's among them. CPU is that of "
        "the process, all threads.",
        (
            "database",
            "rows",
            "peak MiB above baseline",
            "baseline MiB",
            "CPU µs a message",
            "seconds",
            "journal writes",
        ),
        [_row(one) for one in found],
        [_bar(one) for one in found if one["rows"] == sizes[-1]],
    )


def fill_postgres(server: PostgresServer, rows: int) -> str:
    """Make the table in PostgreSQL.

    :param server: a server of our own
    :param rows: how many people
    :returns: the value of an `AIRFLOW_CONN_…` variable
    """
    server.run(
        TABLE,
        FILL.format(last=rows - 1),
        "VACUUM ANALYZE people",
    )
    return server.airflow_connection


def fill_sqlite(file: Path, rows: int) -> str:
    """Make the table in a new SQLite file.

    :param file: where
    :param rows: how many people
    :returns: the value of an `AIRFLOW_CONN_…` variable
    """
    from benchmarks.campaign import number_of

    with closing(sqlite3.connect(file)) as opened:
        opened.execute(TABLE)
        people = ((index, number_of(index), f"person {index}", index) for index in range(rows))
        opened.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", people)
        opened.commit()
    return json.dumps({"conn_type": "sqlite", "host": str(file)})


def main(url: str, database: str, rows: int, preview: bool = False) -> dict[str, Any]:
    """Send a campaign in this process and measure it.

    :param url: of the sandbox
    :param database: the connection to a filled database
    :param rows: how many of its rows
    :param preview: plan it, and send nothing
    """
    with TemporaryDirectory() as folder:
        os.environ |= {
            "AIRFLOW_HOME": folder,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW_CONN_WAREHOUSE": database,
            "AIRFLOW_CONN_INSTASENT_DEFAULT": json.dumps({"conn_type": "instasent", "host": url, "password": TOKEN}),
        }
        from benchmarks import campaign

        store = campaign.StateStore()
        _operator(WARM_UP, folder, preview=True).execute(_context(store))
        baseline = status("VmRSS")
        began, cpu = time.perf_counter(), time.process_time()
        summary = _operator(rows, folder, preview=preview).execute(_context(store))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    if summary["total"] != rows:
        raise RuntimeError(f"{rows} rows were to be messages: {summary}")
    return {
        "rows": rows,
        "peak_mib": status("VmHWM") - baseline,
        "baseline_mib": baseline,
        "cpu_us": cpu / rows * 1e6,
        "seconds": seconds,
        "writes": store.writes,
    }


def _operator(rows: int, folder: str, *, preview: bool) -> Any:
    from airflow_provider_instasent.transfers.sql_to_sms import SqlToInstasentOperator

    return SqlToInstasentOperator(
        task_id="send",
        conn_id="warehouse",
        sql=QUERY.format(rows=rows),
        to_column="phone",
        text=TEXT,
        sender="Bench",
        campaign_id="benchmark",
        results_path=f"{folder}/results.jsonl",
        preview=preview,
        retries=1,
    )


def _context(store: Any) -> Any:
    """What of a task's context a campaign asks for, with a journal that costs what Airflow's does."""
    ti = SimpleNamespace(dag_id="benchmark", run_id="benchmark", task_id="send", map_index=-1, try_number=1)
    return {"ti": ti, "task_state_store": _Store(store), "params": {}, "run_id": ti.run_id}


class _Store:
    """Airflow's task state store, by the benchmark's.

    :param store: :class:`benchmarks.campaign.StateStore`
    """

    def __init__(self, store: Any) -> None:
        self.get = store.get
        self._set = store.set

    def set(self, key: str, value: Any, *, retention: Any) -> None:  # noqa: ARG002 - Airflow's signature
        """Keep a value."""
        self._set(key, value)


def _bar(one: dict[str, Any]) -> Bar:
    return Bar(
        f"memory above the imported baseline, {one['rows']:,} rows, {one['database']}",
        f"at most {MEMORY_BAR_MIB:.0f} MiB",
        f"{one['peak_mib']:.0f} MiB",
        one["peak_mib"] <= MEMORY_BAR_MIB,
    )


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return (
        one["database"],
        f"{one['rows']:,}",
        f"{one['peak_mib']:.0f}",
        f"{one['baseline_mib']:.0f}",
        f"{one['cpu_us']:.0f}",
        f"{one['seconds']:.1f}",
        f"{one['writes']:,}",
    )
