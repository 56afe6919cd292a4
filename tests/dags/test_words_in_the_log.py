# SPDX-License-Identifier: Apache-2.0

"""What a person reads in a task's log: who was reached, who was not and why, each once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from support.airflow_home import airflow_version, run_dag
from support.clearing import ClearOnce

from airflow_provider_instasent.compat import DAG
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator, InstasentSendSmsOperator

pytestmark = pytest.mark.airflow


@pytest.fixture
def log_of(request, caplog, capfd):
    """Runs a DAG of one task and returns its state and all that was logged."""
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)

    def run(operator, *, cleared=False, **parameters):
        caplog.set_level("INFO")
        with DAG(name, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), catchup=False) as dag:
            task = operator(task_id="send", retry_delay=timedelta(0), **parameters)
            if cleared:
                task >> ClearOnce(task_id="clear", target="send")
        instance = run_dag(dag).get_task_instance("send")
        printed, errors = capfd.readouterr()
        # Before 3.1, Airflow has what tasks log in both, but 3.0 has errors in what is printed alone.
        return instance, caplog.text if airflow_version() < (3,) else once(caplog.text + printed + errors)

    return run


def once(log):
    """Without the lines that Airflow 3.0 prints although the standard library's loggers have noted them."""
    return "\n".join(line for line in log.splitlines() if not re.match(r"\[\d{4}-.*\] \{|Message: ", line))


def lines(log, *words):
    return [line for line in log.splitlines() if all(word in line for word in words)]


def test_a_single_sms_is_one_line(connected, log_of, tmp_path):
    text = "ñandú " * 30
    instance, log = log_of(
        InstasentSendSmsOperator, to="+34600000001", text=text, journal_path=f"file://{tmp_path}/journal"
    )
    assert instance.state == "success"
    (message,) = connected.ledger
    (line,) = lines(log, "SMS to ")
    assert f"SMS to +34•••••001: accepted, id {message.id}, {message.parts} parts, status enqueued." in line
    assert "+34600000001" not in line


def test_a_single_sms_that_is_cleared_has_one_line_more(connected, log_of, tmp_path):
    instance, log = log_of(
        InstasentSendSmsOperator,
        cleared=True,
        to="+34600000001",
        text="hello",
        journal_path=f"file://{tmp_path}/journal",
    )
    assert (instance.state, instance.try_number) == ("success", 2)
    (message,) = connected.ledger
    sent, cleared = lines(log, "SMS to +34•••••001: accepted")
    assert f"accepted, id {message.id}, 1 part, status enqueued." in sent
    assert f"accepted by an earlier try and nothing sent now, id {message.id}, 1 part, status not told." in cleared
    assert len(lines(log, "nothing sent now")) == len(lines(log, "earlier try")) == 1


def test_a_single_sms_that_arrives_ends_with_a_line_that_says_so(connected, log_of):
    connected.configure(sent_after=0.0, final_after=0.0)
    instance, log = log_of(
        InstasentSendSmsOperator, to="+34600000001", text="hello", wait_for_delivery=True, poll_interval=0.1
    )
    assert instance.state == "success"
    assert len(lines(log, "SMS to +34•••••001: accepted, id ")) == 1
    assert len(lines(log, "1 of 1 delivered (delivered 1).")) == 1


def test_a_bulk_rejection_names_rows_and_reasons(connected, log_of, tmp_path):
    instance, log = log_of(
        InstasentBulkSmsOperator,
        recipients=["+34600000001", "+34600000920", "+34600001920"],
        text="hello",
        journal_path=f"file://{tmp_path}/journal",
        retries=2,
    )
    assert (instance.state, instance.try_number) == ("failed", 1)
    told = "Rejected: row 1: to: This number cannot be reached; row 2: to: This number cannot be reached."
    assert lines(log, "RejectedError", told)
    assert "600000920" not in "".join(lines(log, "RejectedError"))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("people.csv", 'to,note\n+34600000001,"two\nlines"\n\n+34600000920,one\n', "row 1 (line 5)"),
        ("people.jsonl", '{"to": "+34600000001"}\n{"to": "+34600000920"}\n', "row 1 (line 2)"),
    ],
)
def test_a_bulk_rejection_names_the_line_of_a_file(connected, log_of, tmp_path, name, content, told):
    (tmp_path / name).write_text(content)
    instance, log = log_of(
        InstasentBulkSmsOperator,
        recipients=str(tmp_path / name),
        text="hello",
        journal_path=f"file://{tmp_path}/journal",
        on_invalid="skip",
    )
    assert instance.state == "failed"
    assert lines(log, "RejectedError", f"Rejected: {told}: to: This number cannot be reached.")


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_failed_wait_names_ids_and_words(connected, log_of, tmp_path, deferrable):
    connected.configure(sent_after=0.0, final_after=0.0)
    instance, log = log_of(
        InstasentBulkSmsOperator,
        recipients=["+34600000001", "+34600000901", "+34600000903"],
        text="hello",
        journal_path=f"file://{tmp_path}/journal",
        retries=2,
        wait_for_delivery=True,
        deferrable=deferrable,
        poll_interval=0.1,
    )
    assert (instance.state, instance.try_number) == ("failed", 1)
    failed, expired = (message.id for message in connected.ledger if message.to != "+34600000001")
    told = f"Not delivered: {failed} failed (code 101), {expired} expired (code 103)."
    assert lines(log, "AirflowFailException", told)
