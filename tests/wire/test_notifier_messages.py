# SPDX-License-Identifier: Apache-2.0

"""What an alert puts on the wire: its text, its parts, its clientId, whoever fires it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from support.notifier import DEADLINE, OTHER, TO, connected, context_of_try, fire, said

from airflow_provider_instasent.notifications.sms import InstasentNotifier

__all__ = ["connected", "fire", "said"]


def test_the_same_alert_of_the_same_try_has_the_same_client_id(connected, fire):
    sandbox = connected()
    clock = iter(range(100))
    alert = InstasentNotifier(to=TO, text="It is {{ clock() }} o'clock")
    plain = InstasentNotifier(to=TO)
    for notifier in (alert, plain):
        fire(notifier, context_of_try(1, clock=lambda: next(clock)))
        fire(notifier, context_of_try(1, clock=lambda: next(clock)))
        fire(notifier, context_of_try(2, clock=lambda: next(clock)))
    ids = [message.client_id for message in sandbox.ledger]
    assert [ids.index(client_id) for client_id in ids] == [0, 0, 2, 3, 3, 5]
    assert len({message.text for message in sandbox.ledger}) == 5


def test_each_event_of_a_try_and_each_number_has_an_id_of_its_own(connected, fire):
    sandbox = connected()
    notifier = InstasentNotifier(to=[TO, OTHER], text="look at it")
    context = context_of_try()
    fire(notifier, context)
    context["ti"].state = "running"
    fire(notifier, context)
    context["ti"].map_index = 3
    fire(notifier, context)
    fire(notifier, {"reason": "task_failure", "run_id": "manual__1", "ti": context["ti"]})
    fire(notifier, DEADLINE)
    assert len(sandbox.ledger.client_ids()) == 10


@pytest.mark.parametrize(
    ("values", "text"), [({}, "load failed ()"), ({"exception": ValueError("no file")}, "load failed (no file)")]
)
def test_an_exception_that_airflow_does_not_know_keeps_no_alert_from_leaving(connected, fire, values, text):
    sandbox = connected()
    notifier = InstasentNotifier(to=TO, text="{{ ti.task_id }} failed ({{ exception }})")
    fire(notifier, context_of_try(**values))
    assert [message.text for message in sandbox.ledger] == [text]


def test_alerts_of_no_run_have_no_client_id(connected, fire):
    sandbox = connected()
    for _ in range(2):
        fire(InstasentNotifier(to=TO), {"dag": SimpleNamespace(dag_id="slow")})
    assert [(message.client_id, message.text) for message in sandbox.ledger] == [(None, "Airflow: DAG slow")] * 2


@pytest.mark.parametrize(
    ("context", "text"),
    [
        (context_of_try(2), "Airflow: etl.load failed, try 2, run manual__1"),
        (DEADLINE, "Airflow: DAG late missed its deadline, run manual__1"),
        (
            {"dag": SimpleNamespace(dag_id="etl"), "run_id": "r", "reason": "all_tasks_deadlocked"},
            "Airflow: DAG etl failed (all_tasks_deadlocked), run r",
        ),
        ({"dag_run": SimpleNamespace(dag_id="etl", run_id="r", state="success")}, "Airflow: DAG etl success, run r"),
        ({}, "Airflow: DAG ?"),
    ],
)
def test_the_default_text_says_what_the_context_knows(connected, fire, context, text):
    sandbox = connected()
    fire(InstasentNotifier(to=TO), context)
    fire(InstasentNotifier(to=TO, text="  "), context)
    assert [message.text for message in sandbox.ledger] == [text] * 2


@pytest.mark.parametrize("max_parts", [1, 2, 3])
@pytest.mark.parametrize("unicode", [False, True])
@pytest.mark.parametrize("word", ["disk ", "€uro ", "niño ", "día 🎉 "])
def test_a_long_text_is_never_billed_as_more_parts(connected, fire, max_parts, unicode, word):
    sandbox = connected(extra={"allow_unicode": unicode})
    fire(InstasentNotifier(to=TO, text=word * 400, max_parts=max_parts), context_of_try())
    (message,) = sandbox.ledger
    assert message.parts == max_parts
    assert message.text.endswith(("...", "…"))


def test_a_list_rendered_into_a_string_says_how_to_pass_one(connected, fire, said):
    sandbox = connected()
    fire(InstasentNotifier(to="{{ people }}", text="look at it"), context_of_try(people=[TO, OTHER]))
    assert len(sandbox.ledger) == 0
    (line,) = said()
    assert "`render_template_as_native_obj=True`" in line


def test_the_context_is_left_as_it_was(connected, fire):
    context = context_of_try()
    before = dict(context)
    fire(InstasentNotifier(to=TO, text="hello there"), context)
    assert context == before


@pytest.mark.parametrize(("field", "value"), [("to", ""), ("to", []), ("max_parts", 0), ("max_parts", "2")])
def test_a_wrong_parameter_is_named_when_the_dag_is_parsed(field, value):
    with pytest.raises(ValueError, match=f"`{field}`"):
        InstasentNotifier(**{"to": TO, field: value})


CALLBACK = "airflow_provider_instasent.notifications.sms.InstasentNotifier"


def test_a_deadlines_callback_trigger_sends_it(connected):
    """With the keyword arguments of Airflow: the user's, and a context of `dag_run` and `deadline` alone."""
    callback = pytest.importorskip("airflow.triggers.callback", reason="needs Airflow 3.1")
    sandbox = connected()

    async def states():
        trigger = callback.CallbackTrigger(CALLBACK, {"to": TO, "max_parts": 1, "context": dict(DEADLINE)})
        return [str(event.payload["state"]) async for event in trigger.run()]

    assert asyncio.run(states())[-1] == "success"
    assert [message.text for message in sandbox.ledger] == ["Airflow: DAG late missed its deadline, run manual__1"]


def test_a_deadlines_callback_in_an_executor_sends_it(connected):
    supervisor = pytest.importorskip("airflow.sdk.execution_time.callback_supervisor", reason="needs Airflow 3.2")
    sandbox = connected()
    structlog = pytest.importorskip("structlog")
    log = structlog.get_logger("callback")
    assert supervisor.execute_callback(CALLBACK, {"to": TO, "context": dict(DEADLINE)}, "dag.py", None, log) == (
        True,
        None,
    )
    assert len(sandbox.ledger) == 1
