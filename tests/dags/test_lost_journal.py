# SPDX-License-Identifier: Apache-2.0
"""A journal that was emptied after a success is not taken for a task that never sent; one that never was may send."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.airflow_home import has_task_state_store, run_dag
from support.clearing import ClearOnce
from support.instasent_connection import connection
from support.sandbox import deliverable

from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.operators.lookup import InstasentLookupOperator
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator, InstasentSendSmsOperator

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.airflow
KINDS = ("bulk", "single", "lookup")


class ClearAfter(ClearOnce):
    """Clears a task once it has ended, whichever way, and something else was done.

    :param then: what is done before
    """

    def __init__(self, *, then: Callable[[], object], **kwargs: Any) -> None:
        super().__init__(trigger_rule="all_done", **kwargs)
        self.then = then

    def execute(self, context: Any) -> None:
        self.then()
        super().execute(context)


@pytest.fixture
def run(request, sandbox, monkeypatch, tmp_path):
    """Runs a task that is cleared after its end, and something is done before; returns the task instance."""
    extra = {"sender": "Acme", "default_region": "ES"}
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url, password=sandbox.token, extra=extra))
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)

    def run_one(kind: str, then: Callable[[], object], **parameters: Any) -> Any:
        parameters = {
            "task_id": "send",
            "journal_path": f"file://{tmp_path}/journal",
            "unconfirmed_grace": 0.0,
            "retries": 1,
            "retry_delay": timedelta(0),
            **parameters,
        }
        with DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False) as dag:
            if kind == "bulk":
                task = InstasentBulkSmsOperator(
                    **{"messages": [{"to": deliverable(n), "text": "t"} for n in range(3)], **parameters}
                )
            elif kind == "single":
                task = InstasentSendSmsOperator(**{"to": deliverable(0), "text": "t", **parameters})
            else:
                task = InstasentLookupOperator(**{"to": [deliverable(0)], "wait": False, **parameters})
            task >> ClearAfter(task_id="clear", target="send", then=then)
        return run_dag(dag).get_task_instance("send")

    return run_one


def accepted(sandbox) -> int:
    return len(sandbox.ledger) + len(sandbox.lookups)


@pytest.mark.parametrize("kind", KINDS)
def test_a_journal_that_was_lost_after_a_success_stops_the_cleared_task(run, sandbox, tmp_path, kind):
    sent: list[int] = []

    def lose() -> None:
        sent.append(accepted(sandbox))
        shutil.rmtree(tmp_path / "journal")

    ended = run(kind, lose)
    assert (str(ended.state), ended.try_number) == ("failed", 2)
    assert sent == [accepted(sandbox)] != [0]


@pytest.mark.skipif(not has_task_state_store(), reason="the task state store is Airflow 3.3's")
@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_the_api_server_empties_stops_the_cleared_task(run, sandbox, monkeypatch, kind):
    """`clear_on_success` is set where the API server runs and not where the task does."""
    monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", "True")

    class WithoutIt:
        @staticmethod
        def getboolean(*_: object, fallback: bool) -> bool:
            return fallback

    monkeypatch.setattr("airflow_provider_instasent.operators.journals.conf", WithoutIt)
    ended = run(kind, lambda: None, journal_path=None)
    assert (str(ended.state), ended.try_number) == ("failed", 2)
    assert accepted(sandbox) == (3 if kind == "bulk" else 1)


@pytest.mark.parametrize("kind", ["bulk"])
def test_who_accepts_the_risk_may_go_on(run, sandbox, tmp_path, kind):
    ended = run(kind, lambda: shutil.rmtree(tmp_path / "journal"), on_unconfirmed="resend")
    assert (str(ended.state), ended.try_number) == ("success", 2)
    assert accepted(sandbox) == 2 * (3 if kind == "bulk" else 1)


@pytest.mark.parametrize("kind", ["bulk", "single"])
def test_a_try_that_ended_before_it_wrote_anything_is_retried(run, sandbox, kind):
    def die(context: Any) -> None:
        if context["ti"].try_number == 1:
            raise RuntimeError("the worker is gone")

    ended = run(kind, lambda: None, pre_execute=die)
    assert str(ended.state) == "success"
    assert accepted(sandbox) == (3 if kind == "bulk" else 1)


def test_a_task_whose_rows_were_bad_sends_once_they_are_mended(run, sandbox, tmp_path):
    rows = tmp_path / "rows.csv"
    rows.write_text(f"to\n{deliverable(0)}\nnobody\n")
    ended = run(
        "bulk", lambda: rows.write_text(f"to\n{deliverable(0)}\n"), messages=None, recipients=str(rows), text="t"
    )
    assert (str(ended.state), ended.try_number) == ("success", 2)
    assert len(sandbox.ledger) == 1


@pytest.mark.parametrize("kind", ["bulk", "single"])
def test_a_task_without_a_connection_sends_once_there_is_one(run, sandbox, monkeypatch, kind):
    good = connection(sandbox.url, password=sandbox.token, extra={"sender": "Acme", "default_region": "ES"})
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url, password=""))
    ended = run(kind, lambda: monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", good))
    assert str(ended.state) == "success"
    assert accepted(sandbox) == (3 if kind == "bulk" else 1)
