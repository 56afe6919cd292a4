# SPDX-License-Identifier: Apache-2.0

"""What a campaign does about messages it cannot find: where the list is long, and where a chunk was sent in parts."""

from __future__ import annotations

import pytest
from support.bulk_send import BulkTask, messages
from support.sandbox import call

from airflow_provider_instasent.api.errors import NoFundsError, UnconfirmedError
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.campaign import search
from airflow_provider_instasent.campaign.findings import Doubt


@pytest.mark.parametrize("policy", ["fail", "skip", "resend"])
def test_what_a_long_list_may_hide_is_not_sent_again(sandbox, tmp_path, monkeypatch, policy):
    monkeypatch.setattr(search, "MOST_PAGES", 3)
    sandbox.configure(page_cap=50)
    sandbox.fault("cut_after", endpoint="bulk")  # the first chunk: 300 messages stand before it in the list
    task = BulkTask(sandbox, tmp_path, rows=messages(400), policy=policy, in_flight=1)
    outcome = task.attempt()
    assert (outcome.summary["accepted"], outcome.summary["unconfirmed"]) == (300, 100)
    assert set(task.sent().values()) == {1}
    assert len(task.sent()) == 400
    assert isinstance(outcome.error, UnconfirmedError) is (policy != "skip")
    if policy == "resend":
        assert "at most 3 pages" in str(outcome.error)
    monkeypatch.undo()
    assert task.attempt().summary["accepted"] == (300 if policy == "skip" else 400)  # `skip` has finished
    assert set(task.sent().values()) == {1}


def test_the_whole_of_a_long_list_is_read(sandbox, tmp_path):
    sandbox.configure(page_cap=1)
    sandbox.fault("cut_after", endpoint="bulk")
    task = BulkTask(sandbox, tmp_path, rows=messages(400), policy="resend", in_flight=1)
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 400)
    assert set(task.sent().values()) == {1}


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("echo", [False, True])
def test_the_part_of_a_chunk_that_left_first_is_found_though_the_rest_waited(
    sandbox, tmp_path, monkeypatch, echo, given
):
    monkeypatch.setattr(search, "CLOCK_SLACK", 1.2)
    monkeypatch.setattr("airflow_provider_instasent.journal.stale_intents.STALE_INTENT_SECONDS", 0.2)
    sandbox.configure(echo_client_id=echo)
    sandbox.fault("too_large", endpoint="bulk")  # so the four become two and two
    sandbox.fault("cut_after", endpoint="bulk")
    sandbox.fault("rate_limited", endpoint="bulk", seconds=4)
    rows = [{**row, **({"client_id": f"mine-{place}"} if given else {})} for place, row in enumerate(messages(4))]
    task = BulkTask(sandbox, tmp_path, rows=rows, policy="resend", in_flight=1, retry_policy=RetryPolicy())
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 4)
    assert set(task.sent().values()) == {1}


@pytest.mark.parametrize("journal", ["values", "path"])
def test_what_was_found_is_written_down_and_not_looked_for_again(sandbox, tmp_path, journal):
    """More than fit into one record."""
    sandbox.fault("cut_after", endpoint="bulk", times=4)
    sandbox.fault("no_funds", endpoint="bulk")
    task = BulkTask(sandbox, tmp_path, journal, messages(450), in_flight=1)
    outcome = task.attempt()
    assert isinstance(outcome.error, NoFundsError)
    assert (outcome.summary["accepted"], outcome.summary["planned"]) == (400, 50)
    reads = len(sandbox.requests.records("list"))
    assert reads
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 450)
    assert len(sandbox.requests.records("list")) == reads
    assert set(task.sent().values()) == {1}


def test_the_results_file_says_what_the_list_told_of_each_message(sandbox, tmp_path):
    rows = messages(3)
    call(sandbox, "POST", "/sms", {"from": "Acme", "to": rows[0]["to"], "text": rows[0]["text"]})
    sandbox.configure(send_created_at=False)
    sandbox.fault("error_before", endpoint="bulk", status=500)
    task = BulkTask(sandbox, tmp_path, rows=rows)
    task.options["results_path"] = task.results_path
    assert isinstance(task.attempt().error, UnconfirmedError)
    absent = "no answer, and not found in the list"
    assert [row["reason"] for row in task.results()] == [f"no answer, and {Doubt.UNDATED}", absent, absent]
    assert {row["state"] for row in task.results()} == {MessageState.UNCONFIRMED}


def test_the_results_file_says_whose_id_is_not_known(sandbox, tmp_path):
    """The API refuses the clientId of what it has accepted and does not list yet."""
    sandbox.configure(list_lag=1_000.0, repeated_client_id="refuse")
    sandbox.fault("cut_after", endpoint="bulk")
    task = BulkTask(sandbox, tmp_path, rows=messages(2), policy="resend")
    task.options["results_path"] = task.results_path
    outcome = task.attempt()
    assert (outcome.error, outcome.summary["accepted"]) == (None, 2)
    rows = task.results()
    assert [(row["state"], row["id"]) for row in rows] == [(MessageState.ACCEPTED, None)] * 2
    assert {row["reason"] for row in rows} == {"accepted; its id is not in the list"}
    assert set(task.sent().values()) == {1}


def test_what_is_sent_again_is_not_told_of_as_more_than_there_is(sandbox, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("airflow_provider_instasent.campaign.send_progress.INTERVAL", 0.0)
    sandbox.fault("cut_before", endpoint="bulk", times=2)
    task = BulkTask(sandbox, tmp_path, rows=messages(400), policy="resend", in_flight=1)
    with caplog.at_level("INFO"):
        assert task.attempt().error is None
    told = [record.getMessage().split()[0] for record in caplog.records if "messages settled" in record.getMessage()]
    assert told == ["100", "200", "300", "400", "300", "400"]
