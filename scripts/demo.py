# SPDX-License-Identifier: Apache-2.0

"""`make demo`: send 25 SMS from a DAG to a sandbox on this machine, and print what became of them.

Airflow runs as its own program with a home in `.demo`, and what it says goes to `.demo/airflow.log`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from airflow_provider_instasent.sandbox.server import SandboxServer

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / ".demo"
LOG = HOME / "airflow.log"
DAG_ID = "instasent_campaign"
RECIPIENTS = 25
AIRFLOW_TIMEOUT = 600
"""Seconds."""

NEXT = """
Look further
  .demo/airflow.log                        what Airflow said
  .demo/instasent_campaigns/               the journal, the results file and the report
  example_dags/example_campaign.py         the DAG that ran
  .venv/bin/instasent-sandbox              a sandbox that stays; its inbox is http://127.0.0.1:8700/
  docs/sandbox.md                          numbers that fail, faults on demand
"""


def airflow(sandbox: SandboxServer, *arguments: str) -> None:
    """Run an `airflow` command in the throw-away home.

    :raises SystemExit: with the reason, where it fails
    """
    connection = {
        "conn_type": "instasent",
        "host": sandbox.url,
        "password": sandbox.token,
        "extra": {"sender": "Acme", "default_region": "ES"},
    }
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    settings = {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "AIRFLOW_CONN_INSTASENT_SANDBOX": json.dumps(connection),
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-m", "airflow", *arguments]
    try:
        with LOG.open("a") as log:
            subprocess.run(  # noqa: S603  # our own command
                command,
                env=clean | settings,
                cwd=HOME,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=AIRFLOW_TIMEOUT,
                check=True,
            )
    except subprocess.SubprocessError as error:
        last = "".join(LOG.read_text(errors="replace").splitlines(keepends=True)[-15:])
        ended = getattr(error, "returncode", "a timeout")
        sys.exit(f"\n{last}\nThe demo failed: `airflow {' '.join(arguments)}` ended with {ended}; more in {LOG}")


def print_report(sandbox: SandboxServer) -> None:
    """Print the DAG's report beside what the sandbox knows, and check one against the other.

    :raises SystemExit: where they differ
    """
    (path,) = HOME.glob("instasent_campaigns/*/report.jsonl")
    lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text().splitlines()]
    print(f"\n  {'to':<12}  {'status':<10} parts")
    for line in lines:
        message = sandbox.ledger.find(line["id"])
        if message is None or sandbox.status_of(message) != line["status"]:
            sys.exit(f"The demo failed: the sandbox knows nothing of {line}")
        print(f"  {line['to']:<12}  {line['status']:<10} {message.parts:>5}")
    counts = Counter(line["status"] for line in lines)
    totals = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    print(f"\n  {len(lines)} recipients: {totals}; {sandbox.ledger.parts} parts")
    times = sandbox.ledger.client_ids()
    if not len(lines) == len(times) == sandbox.ledger.accepted == RECIPIENTS:
        sys.exit(f"The demo failed: {sandbox.ledger.accepted} SMS were accepted, {RECIPIENTS} were to be")
    print(f"  The sandbox accepted {sandbox.ledger.accepted} SMS, none twice.")


def main() -> None:
    """Tell the story from an empty home to the report."""
    began = time.monotonic()
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir()
    with SandboxServer(sent_after=1.0, final_after=5.0) as sandbox:
        print(f"1. A sandbox of Instasent listens on {sandbox.url}. Nothing leaves this machine.")
        print("2. Airflow gets a home of its own in .demo (about 10 s) ...", flush=True)
        airflow(sandbox, "db", "migrate")
        print(f"3. Airflow runs the DAG `{DAG_ID}`: preview, send, wait for delivery, report ...", flush=True)
        airflow(sandbox, "dags", "test", DAG_ID)
        calls = Counter(record.endpoint for record in sandbox.requests.records())
        print(f"   {calls['bulk']} request sent the campaign, {calls['read'] + calls['list']} asked for statuses.")
        print("4. The delivery report:")
        print_report(sandbox)
    print(f"\nDone in {time.monotonic() - began:.0f} s.\n{NEXT}", end="")


if __name__ == "__main__":
    main()
