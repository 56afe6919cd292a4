# SPDX-License-Identifier: Apache-2.0
"""A notifier fired as Airflow fires it, and what it says in the log."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
from support.instasent_connection import connection

from airflow_provider_instasent.compat import BaseNotifier

TO, OTHER = "+34600000021", "+34600000022"
DEADLINE = {
    "dag_run": {"dag_id": "late", "dag_run_id": "manual__1", "state": "running"},
    "deadline": {"id": "0199", "deadline_time": "2026-01-01T00:00:00Z"},
}
MODES = [
    "sync",
    pytest.param(
        "async",
        marks=pytest.mark.skipif(not hasattr(BaseNotifier, "async_notify"), reason="needs Airflow 3.1"),
    ),
]


def context_of_try(number=1, **values):
    ti = SimpleNamespace(
        dag_id="etl", task_id="load", run_id="manual__1", map_index=-1, try_number=number, state="failed"
    )
    return {"ti": ti, "run_id": "manual__1", **values}


@pytest.fixture(params=MODES)
def fire(request):
    """Fire a notifier as a callback does, or as the triggerer does."""

    def fire(notifier, context):
        if request.param == "sync":
            assert notifier(context) is None
            return
        notifier.context = context

        async def run():
            assert await notifier is None

        asyncio.run(run())

    return fire


@pytest.fixture
def connected(sandbox, monkeypatch):
    def connect(host=sandbox.url, **fields):
        extra = {"sender": "Acme", "default_region": "ES", **fields.pop("extra", {})}
        monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(host, extra=extra, **fields))
        return sandbox

    connect()
    return connect


# Airflow 3 logs by structlog, past the standard library and what listens there, and ends in lines of this form.
OURS = "airflow_provider_instasent"
PRINTED = re.compile(rf"\[(?:warning|error|critical) *\] (.*?) +\[{OURS}")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def said(caplog, capfd, secrets_guard):
    """The log lines of level warning and up; none of them may hold a secret."""
    caplog.set_level(logging.INFO)

    def said():
        printed = COLOURS.sub("", "".join(capfd.readouterr()))
        secrets_guard.hear(printed)
        logged = [one for one in caplog.records if one.levelno >= logging.WARNING and one.name.startswith(OURS)]
        return [one.getMessage() for one in logged] or PRINTED.findall(printed)

    return said


CONNECTS = Counter()


@pytest.fixture
def connects():
    """How often a connection to each port was tried; an audit hook stays for good, so there is one."""
    if not CONNECTS["hooked"]:
        CONNECTS["hooked"] = 1

        def note(event, arguments):
            if event == "socket.connect" and isinstance(arguments[1], tuple):
                CONNECTS[arguments[1][1]] += 1

        sys.addaudithook(note)
    return CONNECTS
