# SPDX-License-Identifier: Apache-2.0
"""`InstasentBulkSmsOperator(wait_for_delivery=True)`: the outcomes of a campaign, in XCom and in its results file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from support import airflow_home
from support.instasent_connection import connection
from support.sandbox import deliverable

pytestmark = pytest.mark.airflow

IN_BOTH_WAYS = pytest.mark.parametrize("deferrable", [True, False], ids=["deferrable", "in the worker"])


@pytest.fixture
def run_bulk(sandbox, monkeypatch, tmp_path, request):
    """Run a bulk operator once in a DAG of its own; return the run's state, its XCom and its statuses by line."""
    from airflow_provider_instasent.compat import DAG
    from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

    monkeypatch.setenv(
        "AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url, password=sandbox.token, extra={"sender": "Acme"})
    )
    sandbox.stop_clock()
    # Final after the first look: that reads at most 5 messages here, or a list of 11 pages.
    for number, endpoint in ((4, "read"), (15, "list")):
        sandbox.at(number, endpoint, lambda: sandbox.advance(60))
    dag_id = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)

    def run(recipients, *, with_file=True, **parameters):
        results = tmp_path / "results.jsonl"
        with DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
            InstasentBulkSmsOperator(
                task_id="campaign",
                recipients=recipients,
                text="Hello",
                journal_path=str(tmp_path / "journal"),
                results_path=str(results) if with_file else None,
                wait_for_delivery=True,
                poll_interval=0.1,
                **parameters,
            )
        ended = airflow_home.run_dag(dag)
        lines = [json.loads(line) for line in results.read_text().splitlines()] if with_file else []
        return str(ended.state), airflow_home.returned(ended, "campaign"), [line["status"] for line in lines]

    return run


@IN_BOTH_WAYS
def test_a_large_campaign_is_followed_by_its_results_file(run_bulk, sandbox, deferrable):
    state, value, statuses = run_bulk([deliverable(index) for index in range(1_100)], deferrable=deferrable)
    assert state == "success"
    assert (value["accepted"], value["delivered"], value["statuses"]) == (1_100, 1_100, {"delivered": 1_100})
    assert statuses == ["delivered"] * 1_100
    assert sandbox.ledger.accepted == 1_100
    assert sandbox.requests.records("read") == []


@IN_BOTH_WAYS
def test_a_small_one_needs_no_file(run_bulk, deferrable):
    state, value, _ = run_bulk([deliverable(index) for index in range(3)], with_file=False, deferrable=deferrable)
    assert (state, value["delivered"], len(value["message_ids"])) == ("success", 3, 3)


@IN_BOTH_WAYS
def test_too_few_delivered_fails_with_the_outcomes_in_xcom_and_file(run_bulk, sandbox, deferrable):
    recipients = [*(deliverable(index) for index in range(3)), "+34600000901", "+34600000903"]
    state, value, statuses = run_bulk(recipients, deferrable=deferrable, min_delivered_ratio=0.8)
    assert state == "failed"
    assert (value["accepted"], value["undeliverable"]) == (5, 2)
    assert {"failed", "expired"} <= set(statuses)
    assert sandbox.ledger.accepted == 5


@IN_BOTH_WAYS
def test_enough_delivered_is_a_success_that_says_what_was_not(run_bulk, deferrable):
    recipients = [*(deliverable(index) for index in range(3)), "+34600000901"]
    state, value, statuses = run_bulk(recipients, deferrable=deferrable, min_delivered_ratio=0.75)
    assert (state, value["delivered"], value["undeliverable"]) == ("success", 3, 1)
    assert sorted(statuses) == ["delivered", "delivered", "delivered", "failed"]


@IN_BOTH_WAYS
@pytest.mark.parametrize("with_file", [True, False])
@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_what_was_accepted_under_no_known_id_counts_as_not_delivered(run_bulk, sandbox, deferrable, with_file, ratio):
    # That a clientId of ours is taken proves the acceptance; the list, which would tell the id, shows nothing yet.
    sandbox.configure(repeated_client_id="refuse", list_lag=1_000.0)
    sandbox.fault("cut_after", endpoint="bulk", skip=1)
    state, value, _ = run_bulk(
        [deliverable(index) for index in range(110)],
        deferrable=deferrable,
        with_file=with_file,
        on_unconfirmed="resend",
        unconfirmed_grace=0.0,
        max_in_flight=1,
        min_delivered_ratio=ratio,
    )
    assert state == ("failed" if ratio == 1 else "success")
    assert (value["accepted"], len(sandbox.ledger)) == (110, 110)
    assert (value["delivered"] + value["pending"], value["undeliverable"]) == (100, 10)
    assert value["statuses"]["no_id"] == 10


def test_more_than_a_trigger_carries_fails_without_retry_and_sends_nothing_again(run_bulk, sandbox, monkeypatch):
    # Ids of a length that 1,000 of them would not fit; the sandbox's are short, so the room is made smaller.
    monkeypatch.setattr("airflow_provider_instasent.waiting.trigger_size.LARGEST_TRIGGER", 100)
    sandbox.configure(final_after=1_000.0)
    recipients = [deliverable(index) for index in range(3)]
    spring = {"campaign_id": "spring", "with_file": False, "retries": 2, "retry_delay": timedelta(0)}
    state, value, _ = run_bulk(recipients, deferrable=True, **spring)
    assert (state, value["accepted"], len(value["message_ids"])) == ("failed", 3, 3)
    assert sandbox.ledger.accepted == 3
    assert (len(sandbox.requests.records("bulk")), len(sandbox.requests.records("read"))) == (1, 0)
    sandbox.configure(final_after=0.0)
    state, value, _ = run_bulk(recipients, deferrable=False, **spring)
    assert (state, value["delivered"], sandbox.ledger.accepted) == ("success", 3, 3)
