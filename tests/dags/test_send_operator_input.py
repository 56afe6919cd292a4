# SPDX-License-Identifier: Apache-2.0

"""Bad input to `InstasentSendSmsOperator`: an error that names the field, before any request."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from support.instasent_connection import connection
from support.send_operator import send_dag

from airflow_provider_instasent.compat import DAG, AirflowSensorTimeout, airflow_version
from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator
from airflow_provider_instasent.operators.task_try import TaskTry

__all__ = ["send_dag"]

pytestmark = [
    pytest.mark.airflow,
    # Airflow 2.11's own paths warn of universal-pathlib's future.
    pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning"),
]


def new(**parameters):
    with DAG("parsed", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
        return InstasentSendSmsOperator(task_id="send", **{"to": "+34600000001", "text": "hello", **parameters})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allow_unicode", "yes"),
        ("wait_for_delivery", "False"),
        ("deferrable", 1),
        ("poll_interval", 0),
        ("poll_interval", "30"),
        ("timeout", -1),
        ("timeout", float("inf")),
        ("success_statuses", "delivered"),
        ("success_statuses", []),
        ("on_unconfirmed", "retry"),
        ("unconfirmed_grace", -1),
    ],
)
def test_what_is_not_templated_is_checked_while_the_dag_is_parsed(name, value):
    with pytest.raises(Exception, match=f"`{name}`"):
        new(**{name: value})


def test_templates_are_left_to_the_execution():
    new(on_unconfirmed="{{ var.value.policy }}", client_id="{{ 'x' * 41 }}", campaign_id="{{ run_id }}")


def test_a_literal_campaign_id_without_a_path_warns_once_where_it_is_written():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            new(campaign_id="welcome")
        new(campaign_id="welcome", journal_path="/journals")
        new(campaign_id="{{ run_id }}")
        new()
    (warning,) = caught
    assert "`journal_path`" in str(warning.message)
    assert warning.filename == __file__


BAD = {
    "to": [
        {"to": "12"}, {"to": "not a number"}, {"to": ""}, {"to": None}, {"to": "{{ none }}"}, {"to": "+999123456789"},
    ],
    "text": [{"text": ""}, {"text": " {{ '' }} "}, {"text": None}, {"text": "{{ none }}"}],
    "sender": [
        {"sender": "TwelveLetter"}, {"sender": "1" * 16}, {"sender": ""}, {"sender": None}, {"sender": "{{ none }}"},
    ],
    "client_id": [{"client_id": "{{ 'x' * 41 }}"}, {"client_id": ""}, {"client_id": "{{ none }}"}],
    "on_unconfirmed": [{"on_unconfirmed": "{{ 'retry' }}"}, {"on_unconfirmed": None}],
    "campaign_id": [{"campaign_id": "{{ '' }}"}, {"campaign_id": "{{ none }}"}],
    "journal_path": [
        {"journal_path": "{{ '' }}"}, {"journal_path": "{{ none }}"}, {"journal_path": "journals"},
        {"journal_path": "nowhere://journals"},
    ],
    "API token": [{"instasent_conn_id": "without_token"}],
    "Base URL or host": [{"instasent_conn_id": "open_to_all"}],
    "default_region": [{"instasent_conn_id": "no_country"}],
}  # fmt: skip


def test_the_rest_is_checked_before_any_request(send_dag):
    url, token = send_dag.sandbox.url, send_dag.sandbox.token
    for name, value in {
        "without_token": connection(url, password=None),
        "open_to_all": connection("http://sms.example.com", password=token),
        "no_country": connection(url, password=token, extra={"default_region": "Spain"}),
    }.items():
        send_dag.environment(f"AIRFLOW_CONN_{name.upper()}", value)
    fields = {}
    for field, cases in BAD.items():
        for index, parameters in enumerate(cases):
            task = send_dag.send(f"{field.replace(' ', '_')}.{index}", **parameters)
            fields[task.task_id] = field
    ended = send_dag.run()
    assert {(one.state, one.tries) for one in ended.values()} == {("failed", 1)}
    assert send_dag.sandbox.requests.total == 0
    for task_id, field in fields.items():
        assert f"`{field}`" in send_dag.errors[task_id]


TASK_INSTANCE = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "try_number": 1}


def test_a_silent_triggerer_ends_the_task_without_a_retry():
    reason = "Trigger/execution timeout" if airflow_version().startswith("2.") else "Trigger timeout"
    with pytest.raises(AirflowSensorTimeout, match="triggerer"):
        new().resume_execution(
            "__fail__", {"error": reason}, {"ti": SimpleNamespace(**TASK_INSTANCE), "task_state_store": object()}
        )


def test_an_xcom_that_cannot_be_written_changes_nothing_about_the_failure(caplog):
    def unavailable(**_):
        raise OSError("the backend is away")

    context = {"ti": SimpleNamespace(**TASK_INSTANCE, xcom_push=unavailable)}
    TaskTry.of(context).report_before_failing(new(), {"id": None})
