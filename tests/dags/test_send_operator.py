# SPDX-License-Identifier: Apache-2.0

"""`InstasentSendSmsOperator` as Airflow runs it: what is sent, what is retried, what is in XCom; never a secret."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Thread
from types import SimpleNamespace

import pytest
from support.airflow_home import has_task_state_store
from support.airflow_settings import free_port
from support.events import LONG, wait_until
from support.instasent_connection import connection
from support.send_operator import CONNECTION, PRIVATE_WORDS, journals, number, send_dag

from airflow_provider_instasent.compat import airflow_version
from airflow_provider_instasent.operators.task_try import TaskTry

__all__ = ["send_dag"]

pytestmark = [
    pytest.mark.airflow,
    # Airflow 2.11's own paths warn of universal-pathlib's future.
    pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning"),
]

TODAY = datetime(2026, 11, 23, tzinfo=UTC)
YESTERDAY = TODAY - timedelta(days=1)
POLICIES = ("fail", "resend", "skip")
FOUND = dict.fromkeys(POLICIES, ("success", 1, 1, "accepted"))
UNCONFIRMED = {
    "fail": ("failed", 1, 0, "unconfirmed"),
    "resend": ("success", 1, 1, "accepted"),
    "skip": ("success", 1, 0, "unconfirmed"),
}
NOT_SENT = dict.fromkeys(POLICIES, ("failed", 1, 0, "planned"))
FAULTS = {
    "cut_before": UNCONFIRMED,
    "cut_after": FOUND,
    "error_after": FOUND,
    "timeout_after": FOUND,
    "html": FOUND,
    "empty": FOUND,
    "rate_limited": FOUND,
    "no_funds": NOT_SENT,
    "unauthorized": NOT_SENT,
}


def seen(ended):
    return (ended.state, ended.tries, ended.accepted, ended.value and ended.value["state"])


def each_policy_and_journal(send_dag, trouble=None, **parameters):
    for policy in POLICIES:
        for journal in journals():
            send_dag.send(f"{policy}.{journal}", journal, trouble=trouble, on_unconfirmed=policy, **parameters)
    return {name: seen(one) for name, one in send_dag.run().items()}


def as_planned(by_policy):
    return {f"{policy}.{journal}": by_policy[policy] for policy in POLICIES for journal in journals()}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_as_the_policy_says(send_dag, fault):
    seconds = 30.0 if fault.startswith("timeout") else 0.7
    ended = each_policy_and_journal(send_dag, lambda _try: send_dag.sandbox.fault(fault, "send", seconds=seconds))
    assert ended == as_planned(FAULTS[fault])


def test_what_is_in_doubt_is_looked_for_by_the_next_try(send_dag):
    def trouble(try_number):
        if try_number == 1:
            send_dag.sandbox.fault("cut_after", "send")
            send_dag.sandbox.fault("error_before", "list", times=None)

    expected = as_planned(dict.fromkeys(POLICIES, ("success", 2, 1, "accepted")))
    # Without a journal the next try would not know that there is a doubt, so there is none.
    expected |= {"fail.none": ("failed", 1, 1, "unconfirmed"), "skip.none": ("success", 1, 1, "unconfirmed")}
    assert each_policy_and_journal(send_dag, trouble) == expected


def test_while_it_stays_in_doubt_xcom_says_so(send_dag):
    def trouble(_try_number):
        send_dag.sandbox.fault("cut_after", "send")
        send_dag.sandbox.fault("error_before", "list", times=None)

    send_dag.send("send", "path", trouble=trouble)
    assert seen(send_dag.run()["send"]) == ("failed", 3, 1, "unconfirmed")


def test_an_api_out_of_reach_is_tried_again(send_dag):
    up, down = os.environ[CONNECTION], connection(f"http://127.0.0.1:{free_port()}")
    for journal in journals():
        send_dag.send(
            f"late.{journal}", journal, trouble=lambda n: send_dag.environment(CONNECTION, down if n < 3 else up)
        )
        send_dag.send(f"never.{journal}", journal, trouble=lambda _: send_dag.environment(CONNECTION, down))
    ended = {name: seen(one) for name, one in send_dag.run().items()}
    for journal in journals():
        assert ended[f"late.{journal}"] == ("success", 3, 1, "accepted")
        # Without a journal nothing tells the later tries that the earlier ones did not send.
        assert ended[f"never.{journal}"] == ("failed", 3, 0, "unconfirmed" if journal == "none" else "planned")


def test_a_refusal_ends_the_task_at_once(send_dag):
    faults = {"forbidden": "planned", "not_found": "planned", "redirect": "unconfirmed", "too_large": "rejected"}
    for fault in faults:
        send_dag.send(fault, trouble=lambda _, name=fault: send_dag.sandbox.fault(name, "send"))
    for ending in ("920", "921", "922"):  # 422 with fields, 400 with a message that repeats what was sent, bare 400
        send_dag.send(ending, ending=ending)
    send_dag.send("limited", trouble=lambda _: send_dag.sandbox.fault("rate_limited", "send", times=None, seconds=0))
    ended = {name: seen(one) for name, one in send_dag.run().items()}
    assert ended.pop("limited") == ("failed", 3, 0, "planned")
    assert ended == {name: ("failed", 1, 0, faults.get(name, "rejected")) for name in ended}
    assert "402" not in "".join(send_dag.errors.values())
    assert "HTTP 403" in send_dag.errors["forbidden"]


@pytest.mark.parametrize("deferrable", [False, True])
def test_waiting_ends_with_the_final_status(send_dag, deferrable):
    failures = {"901": "failed", "902": "error", "903": "expired", "904": "rejected", "905": "canceled"}
    failures |= {"906": "unpaid", "907": "unknown", "912": "cancelled"}
    send_dag.sandbox.configure(final_after=0.2)
    send_dag.sandbox.stop_clock()
    send_dag.sandbox.each("read", lambda: send_dag.sandbox.advance(0.15))  # so each is final at its second read
    waiting = {"wait_for_delivery": True, "deferrable": deferrable}
    for ending in ("", *failures):
        send_dag.send(f"to-{ending}", ending=ending, **waiting)
    send_dag.send("sent-will-do", ending="908", success_statuses=["sent"], **waiting)
    ended = send_dag.run()
    assert seen(ended["to-"]) == ("success", 1, 1, "delivered")
    assert ended["to-"].value == {**ended["to-"].value, "status": "delivered", "parts": 1}
    assert seen(ended["sent-will-do"]) == ("success", 1, 1, "delivered")
    for ending, status in failures.items():
        assert seen(ended[f"to-{ending}"]) == ("failed", 1, 1, "undeliverable")
        assert ended[f"to-{ending}"].value["status"] == status
    agents = [one.headers["user-agent"].split()[2].split("/")[0] for one in send_dag.sandbox.requests.records("read")]
    messages = len(failures) + 1
    # The one that is `sent` at its first read will do then. Who defers reads nothing before.
    assert Counter(agents) == {"httpx" if deferrable else "requests": 2 * messages + 1}


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_wait_that_times_out_leaves_the_last_status(send_dag, deferrable):
    send_dag.sandbox.configure(final_after=0.0)
    waiting = {"wait_for_delivery": True, "deferrable": deferrable, "timeout": 0.6}
    send_dag.send("stuck", ending="908", **waiting)
    send_dag.send("teleported", ending="909", **waiting)
    ended = send_dag.run()
    for name, status in {"stuck": "sent", "teleported": "teleported"}.items():
        assert seen(ended[name]) == ("failed", 1, 1, "accepted")
        assert ended[name].value["status"] == status
        assert "Timed out" in send_dag.errors[name]


@pytest.mark.parametrize(
    "deferrable",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                airflow_version().startswith("3.0."),
                reason="Airflow 3.0 resumes a retry with the event of the try before",
            ),
        ),
    ],
)
def test_statuses_that_cannot_be_read_are_retried_where_a_journal_keeps_the_retry_from_sending(send_dag, deferrable):
    def trouble(try_number):
        if try_number == 1:
            send_dag.sandbox.fault("error_before", "read", times=None)

    for journal in journals():
        send_dag.send(journal, journal, trouble=trouble, wait_for_delivery=True, deferrable=deferrable)
    ended = {name: seen(one) for name, one in send_dag.run().items()}
    expected = dict.fromkeys(journals(), ("success", 2, 1, "delivered"))
    assert ended == {**expected, "none": ("failed", 1, 1, "accepted")}


@pytest.mark.skipif(airflow_version().startswith("2."), reason="`dag.test()` of Airflow 2 does not survive it")
def test_out_of_time_in_the_middle_of_the_request(send_dag):
    sandbox = send_dag.sandbox

    def time_is_up(accepted):
        wait_until(lambda: sandbox.ledger.accepted > accepted, "the acceptance")
        os.kill(os.getpid(), signal.SIGALRM)  # as the timer of `execution_timeout` does

    def trouble(try_number):
        if try_number == 1:
            sandbox.fault("timeout_after", "send", seconds=3600)
            sandbox.at(1, "send", Thread(target=time_is_up, args=[sandbox.ledger.accepted]).start)

    patient = connection(sandbox.url, password=sandbox.token, extra={"read_timeout": 3600})
    send_dag.environment(CONNECTION, patient)
    for journal in journals():
        send_dag.send(journal, journal, trouble=trouble, execution_timeout=timedelta(seconds=LONG))
    ended = {name: seen(one) for name, one in send_dag.run().items()}
    assert ended == dict.fromkeys(journals(), ("success", 2, 1, "accepted"))


@pytest.mark.parametrize("echoed", [True, False])
def test_clearing_after_success_sends_nothing(send_dag, echoed):
    from support.clearing import ClearOnce

    send_dag.sandbox.configure(echo_client_id=echoed)
    for journal in journals():
        send_dag.send(journal, journal) >> ClearOnce(task_id=f"clear-{journal}", target=journal, dag=send_dag.dag)
    ended = send_dag.run()
    for journal in journals():
        assert seen(ended[journal]) == ("success", 2, 1, "accepted")
        assert ended[journal].value["id"] in {message.id for message in send_dag.sandbox.ledger}
    assert len(send_dag.sandbox.requests.records("send")) == len(journals())


TASK_INSTANCE = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, try_number=1)


@pytest.mark.parametrize(
    ("run", "since"),
    [
        # Clearing a finished run moves its start: `dag.test()` cannot show that, it writes its own copy back.
        ({"clear_number": 0, "start_date": YESTERDAY, "run_after": None}, YESTERDAY),
        ({"clear_number": 1, "start_date": TODAY, "run_after": YESTERDAY}, YESTERDAY),
        ({"clear_number": 1, "start_date": TODAY, "data_interval_end": YESTERDAY}, YESTERDAY),  # Airflow 2
        ({"clear_number": 0, "start_date": None, "run_after": YESTERDAY}, YESTERDAY),
        ({"clear_number": 1, "start_date": TODAY, "data_interval_end": None}, None),
    ],
)
def test_without_a_journal_it_is_looked_for_since_the_run_was_made(run, since):
    dag_run = SimpleNamespace(**{"data_interval_end": None, **run})
    task_try = TaskTry.of({"ti": TASK_INSTANCE, "dag_run": dag_run})
    assert task_try.possible_since == (since.timestamp() if since else 0.0)


@pytest.mark.parametrize("named", [False, True], ids=["campaign of the task", "campaign by name"])
def test_mapped_over_five_numbers(send_dag, named):
    from airflow_provider_instasent.operators.sms import InstasentSendSmsOperator

    numbers = [number(ending) for ending in range(5)]
    given = {"campaign_id": "welcome"} if named else {}
    parameters = send_dag.defaults("mapped", "path", None, 0, given)
    del parameters["to"]
    for task_id in ("mapped", "again"):
        InstasentSendSmsOperator.partial(task_id=task_id, dag=send_dag.dag, **parameters).expand(to=numbers)
    send_dag.run()
    assert send_dag.finished.state == "success"
    # A campaign with a name of its own reaches over tasks: each number gets its one message once.
    assert sorted(message.to for message in send_dag.sandbox.ledger) == sorted(numbers * (1 if named else 2))


def test_another_text_in_a_campaign_by_name_is_an_error_and_not_lost_silently(send_dag):
    first = send_dag.send("first", ending=1, campaign_id="order 42", client_id="order-42")
    first >> send_dag.send("second", ending=1, campaign_id="order 42", client_id="order-42")
    ended = send_dag.run()
    assert (seen(ended["first"]), seen(ended["second"])) == (
        ("success", 1, 1, "accepted"),
        ("failed", 1, 0, "planned"),
    )
    assert "`campaign_id`" in send_dag.errors["second"]


@pytest.mark.parametrize("native", [False, True])
def test_everything_templated(send_dag, native):
    send_dag.dag.render_template_as_native_obj = native
    given = {"international": number(1), "national": number(2)[3:], "digits": "0042", "code": 12345, "nothing": None}
    send_dag.dag.params.update(given)
    templated = {
        "sender": "{{ params.code }}",
        "client_id": "{{ params.code }}",
        "campaign_id": "{{ dag.dag_id }} {{ run_id }}",
        "on_unconfirmed": "{{ 'resend' if params.code else 'fail' }}",
        "journal_path": f"{send_dag.folder}/{{{{ params.code }}}}",
    }
    send_dag.send("all", to="{{ params.international }}", text="{{ params.code }}", **templated)
    send_dag.send("national", to="{{ params.national }}", text="{{ params.digits }}", sender="007")
    send_dag.send("literal", to=number(3), text="[1, 2]")
    send_dag.send("nothing", sender="{{ params.nothing }}")
    ended = send_dag.run()
    assert {name: one.state for name, one in ended.items()} == {
        "all": "success", "national": "success", "literal": "success", "nothing": "failed",
    }  # fmt: skip
    sent = {(one.to, one.text, one.sender) for one in send_dag.sandbox.ledger}
    assert sent == {
        (number(1), "12345", "12345"), (number(2), "0042", "007"), (number(3), "[1, 2]", "Tests"),
    }  # fmt: skip
    assert ended["all"].value["client_id"] == "12345"
    assert list((send_dag.folder / "12345").glob("*/*.jsonl"))


def test_an_output_of_another_task(send_dag):
    from airflow_provider_instasent.compat import task

    with send_dag.dag:

        @task(show_return_value_in_logs=False)
        def find_out():
            return number(7)

        send_dag.send("send", to=find_out())
    assert send_dag.run()["send"].value["state"] == "accepted"
    assert [message.to for message in send_dag.sandbox.ledger] == [number(7)]
    assert PRIVATE_WORDS in send_dag.sandbox.ledger.message(0).text


@pytest.mark.skipif(not has_task_state_store(), reason="the task state store needs Airflow 3.3")
def test_the_store_is_used_where_nothing_is_said(send_dag):
    send_dag.send("send", "store")
    assert send_dag.run()["send"].state == "success"
    assert not list(send_dag.folder.iterdir())
