# SPDX-License-Identifier: Apache-2.0
"""The delivery sensor in all its modes, over real HTTP."""

from __future__ import annotations

import logging
import time

import pytest
from support.airflow_home import airflow_version
from support.delivery import MODES, accepted, connected, reads, run_sensor, single_reads, spaced, turning_final
from support.events import LONG
from support.instasent_connection import connection

from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.compat import AirflowFailException
from airflow_provider_instasent.waiting import delivery_watch as watch_module
from airflow_provider_instasent.waiting import poll_failures, subscription

__all__ = ["connected", "single_reads"]

pytestmark = [pytest.mark.parametrize("mode", MODES), pytest.mark.usefixtures("single_reads")]

REMEMBERS = [mode for mode in MODES if mode != "reschedule without memory"]
FAILURES = {
    "901": ("failed", "101"),
    "902": ("error", "102"),
    "903": ("expired", "103"),
    "904": ("rejected", "104"),
    "905": ("canceled", "105"),
    "906": ("unpaid", "106"),
    "907": ("unknown", "107"),
    "912": ("cancelled", "105"),
}


def test_delivered(connected, mode, monkeypatch):
    ids = turning_final(connected, 3, "001", "911")
    run = run_sensor(mode, monkeypatch, message_ids=ids)
    assert run.error is None
    assert len(reads(connected)) == 4, "two sweeps"
    assert (run.trigger is not None) == (mode == "deferrable")
    assert run.result == {
        "total": 2,
        "delivered": 2,
        "undeliverable": 0,
        "pending": 0,
        "counts": {"delivered": 2},
        "statuses": {sms_id: {"status": "delivered", "code": "000"} for sms_id in ids},
    }


@pytest.mark.parametrize("ending", FAILURES)
def test_each_terminal_failure_fails_without_retry(connected, mode, ending, monkeypatch):
    status, code = FAILURES[ending]
    ids = turning_final(connected, 3, "001", ending)
    run = run_sensor(mode, monkeypatch, message_ids=ids)
    assert run.ended_as == "AirflowFailException"
    assert f"{status} 1" in str(run.error)
    assert run.pushed["undeliverable"] == 1
    assert run.pushed["statuses"][ids[1]] == {"status": status, "code": code}


def test_the_last_line_is_logged_once(connected, mode, monkeypatch, caplog, capfd):
    caplog.set_level(logging.INFO)
    run = run_sensor(mode, monkeypatch, message_ids=turning_final(connected, 3, "001", "002"))
    assert run.error is None
    # Before 3.1, Airflow has each line in both.
    log = caplog.text if airflow_version() < (3, 1) else caplog.text + capfd.readouterr().out
    said = [line for line in log.splitlines() if "2 of 2 delivered" in line]
    assert len(said) == 1
    assert "2 of 2 delivered (delivered 2)." in said[0]


def test_a_failure_names_the_messages_and_leaves_the_log_to_airflow(connected, mode, monkeypatch, caplog, capfd):
    caplog.set_level(logging.INFO)
    ids = turning_final(connected, 4, "001", "901", "903")
    run = run_sensor(mode, monkeypatch, message_ids=ids, min_delivered_ratio=0.6)
    assert f"Not delivered: {ids[1]} failed (code 101), {ids[2]} expired (code 103)." in str(run.error)
    assert "Not delivered" not in caplog.text + capfd.readouterr().out, "Airflow logs what is raised"


def test_an_id_that_the_api_does_not_know_is_not_said_to_be_on_its_way(connected, mode, monkeypatch):
    run = run_sensor(mode, monkeypatch, message_ids=["0123456789abcdef"], timeout=0.5)
    assert run.ended_as == "AirflowSensorTimeout"
    assert "may still arrive" not in str(run.error)
    assert "Not delivered: 0123456789abcdef not found yet." in str(run.error)


def test_stuck_until_the_timeout(connected, mode, monkeypatch):
    connected.configure(final_after=0.0)
    ids = accepted(connected, "001", "908")
    started = time.monotonic()
    run = run_sensor(mode, monkeypatch, message_ids=ids, timeout=0.5)
    assert run.ended_as == "AirflowSensorTimeout"
    assert "1 of 2 delivered, 1 pending (delivered 1, sent 1)" in str(run.error)
    assert run.pushed["counts"] == {"delivered": 1, "sent": 1}
    assert time.monotonic() - started > 0.35


def test_an_unknown_status_is_pending_and_logged(connected, mode, monkeypatch, caplog):
    connected.configure(final_after=0.0)
    ids = accepted(connected, "909")
    with caplog.at_level(logging.WARNING, logger="airflow_provider_instasent.waiting.wait_progress"):
        run = run_sensor(mode, monkeypatch, message_ids=ids, timeout=0.5)
    assert run.ended_as == "AirflowSensorTimeout"
    assert run.pushed["counts"] == {"teleported": 1}
    logged = [one for one in caplog.records if "Unknown delivery status" in one.getMessage()]
    assert logged
    if mode == "poke":
        assert len(logged) == 1


def test_an_unknown_status_can_be_declared_a_success(connected, mode, monkeypatch):
    ids = turning_final(connected, 3, "909", "908")
    run = run_sensor(mode, monkeypatch, message_ids=ids, success_statuses=["Teleported", "sent"])
    assert (run.error, run.result["delivered"]) == (None, 2)


def test_a_404_that_is_lag_is_waited_for(connected, mode, monkeypatch):
    connected.configure(read_lag=30.0)
    ids = turning_final(connected, 3, "001")
    run = run_sensor(mode, monkeypatch, message_ids=ids)
    assert (run.error, run.result["delivered"]) == (None, 1)
    assert [one.status for one in reads(connected)] == [404, 404, 200]


def test_a_404_for_ever_ends_as_not_found(connected, mode, monkeypatch):
    monkeypatch.setattr(watch_module, "MISSING_GRACE", 0.4)
    ids = accepted(connected, "910")
    started = time.monotonic()
    run = run_sensor(mode, monkeypatch, message_ids=ids)
    assert run.ended_as == "AirflowFailException"
    assert run.pushed["counts"] == {"not_found": 1}
    assert "not visible to this connection's API token" in str(run.error)
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize(
    "case",
    [
        (["001", "002", "003", "901"], 0.75, ""),
        (["001", "002", "903", "901"], 0.75, "AirflowFailException"),
        (["001", "002", "003", "908"], 0.75, ""),
        (["001", "002", "913", "908"], 0.75, "AirflowSensorTimeout"),
        (["901", "902"], 0, ""),
    ],
)
def test_partial_success(connected, mode, case, monkeypatch):
    endings, ratio, ends = case
    if "908" in endings:  # one that never ends: so the timeout does
        connected.configure(final_after=0.0)
        ids, timeout = accepted(connected, *endings), 0.5
    else:
        ids, timeout = turning_final(connected, len(endings) + 1, *endings), LONG
    run = run_sensor(mode, monkeypatch, message_ids=ids, min_delivered_ratio=ratio, timeout=timeout)
    assert run.ended_as == ends, run.error
    result = run.pushed if ends else run.result
    assert result["total"] == len(endings)
    if ends == "AirflowFailException":
        assert result["undeliverable"] == 2, "it fails with the second, whatever became of the others"
        return
    assert result["delivered"] == sum(ending < "900" for ending in endings)
    assert result["pending"] == sum(ending in {"908", "913"} for ending in endings)


def test_it_fails_as_soon_as_the_ratio_is_out_of_reach(connected, mode, monkeypatch):
    ids = turning_final(connected, 5, "901", "908", "908", "908")
    run = run_sensor(mode, monkeypatch, message_ids=ids)
    assert run.ended_as == "AirflowFailException"
    assert run.pushed["pending"] == 3
    assert len(reads(connected)) == 8, "it ends with the sweep that found it out"


def test_a_final_message_is_not_asked_for_again(connected, mode, monkeypatch):
    if mode not in REMEMBERS:
        pytest.skip("below Airflow 3.3 nothing holds what a rescheduled poke learned")
    connected.stop_clock()
    (final,) = accepted(connected, "001")
    connected.advance(60)
    (late,) = turning_final(connected, 6, "002")
    run = run_sensor(mode, monkeypatch, message_ids=[final, late])
    assert run.error is None
    assert (len(reads(connected, final)), len(reads(connected, late))) == (1, 5)


def test_a_429_storm_is_sat_out(connected, mode, monkeypatch):
    ids = accepted(connected, "001", "002", "003")
    connected.fault("rate_limited", "read", times=1 if mode in REMEMBERS else 9, seconds=1)
    run = run_sensor(mode, monkeypatch, message_ids=ids, max_poll_failures=3)
    assert (run.error, run.result["delivered"]) == (None, 3)
    if mode in REMEMBERS:
        refused, *others = reads(connected)
        assert refused.status == 429
        assert others[0].time - refused.time >= 0.9, "the reset was not waited for"
        assert len(others) == 3
    else:
        assert len(reads(connected)) <= run.pokes + 2, "a poke that is refused asks no more"


def test_a_reset_after_the_last_look_is_not_waited_for(connected, mode, monkeypatch):
    ids = accepted(connected, "001")
    monkeypatch.setattr(subscription, "LAST_LOOK", 5.0)
    connected.fault("rate_limited", "read", times=None, seconds=3600)
    monkeypatch.setattr(poll_failures, "_UNTIL_RESET", RetryPolicy(max_rate_limited=9, longest_reset_wait=3600))
    started = time.monotonic()
    run = run_sensor(mode, monkeypatch, message_ids=ids, timeout=0.5)
    assert run.ended_as == "AirflowSensorTimeout"
    assert "429" in str(run.error)
    assert time.monotonic() - started < LONG, "it waited for the reset"
    if mode in REMEMBERS:
        assert len(reads(connected)) == 1


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden", "redirect"])
def test_a_refusal_costs_one_request(connected, mode, fault, monkeypatch):
    ids = accepted(connected, *["001"] * 20)
    connected.fault(fault, times=None)
    run = run_sensor(mode, monkeypatch, message_ids=ids)
    assert run.ended_as == "AirflowFailException"
    assert len(reads(connected)) == 1
    assert run.pushed["counts"] == {"unread": 20}
    assert connected.token not in str(run.error)


def test_a_token_revoked_in_the_middle_costs_one_more_request(connected, mode, monkeypatch):
    ids = accepted(connected, *["908"] * 20)
    connected.fault("unauthorized", skip=20, times=None)
    run = run_sensor(mode, monkeypatch, message_ids=ids)
    assert run.ended_as == "AirflowFailException"
    assert len(reads(connected)) == 21


@pytest.mark.parametrize("fault", ["error_before", "cut_before", "html", "truncated", "empty", "poll_fails"])
def test_transient_errors_between_polls_do_not_fail_it(connected, mode, fault, monkeypatch):
    connected.configure(final_after=0.0)
    ids = accepted(connected, "001")
    connected.fault(fault, "read", times=2)
    run = run_sensor(mode, monkeypatch, message_ids=ids, max_poll_failures=3)
    assert (run.error, run.result["delivered"]) == (None, 1)
    assert len(reads(connected)) == 3


def test_a_timeout_between_polls_does_not_fail_it(connected, mode, monkeypatch):
    extra = {"read_timeout": 0.1}
    monkeypatch.setenv(
        "AIRFLOW_CONN_INSTASENT_DEFAULT", connection(connected.url, password=connected.token, extra=extra)
    )
    ids = accepted(connected, "001")
    connected.fault("timeout_before", "read")
    run = run_sensor(mode, monkeypatch, message_ids=ids, max_poll_failures=2)
    assert (run.error, run.result["delivered"]) == (None, 1)
    assert reads(connected)[0].fault == "timeout_before"


def test_too_many_failures_in_a_row_are_an_error_that_may_be_retried(connected, mode, monkeypatch):
    ids = accepted(connected, "001")
    connected.fault("poll_fails", times=None)
    timeout = LONG if mode in REMEMBERS else 0.5
    run = run_sensor(mode, monkeypatch, message_ids=ids, max_poll_failures=3, timeout=timeout)
    if mode not in REMEMBERS:
        assert run.ended_as == "AirflowSensorTimeout", "below Airflow 3.3 nothing counts from poke to poke"
        return
    assert run.ended_as == "AirflowException"
    assert "3 sweeps in a row" in str(run.error)
    assert "503" in str(run.error)
    assert len(reads(connected)) == 3
    assert run.pushed["pending"] == 1


def test_an_api_that_is_down_is_not_hammered(connected, mode, monkeypatch):
    ids = accepted(connected, *["001"] * 50)
    connected.fault("poll_fails", times=None)
    run = run_sensor(mode, monkeypatch, message_ids=ids, max_poll_failures=1)
    assert run.ended_as == "AirflowException"
    assert len(reads(connected)) == 3


def test_a_burst_of_failures_ends_a_sweep_and_the_next_one_goes_on(connected, mode, monkeypatch):
    connected.configure(final_after=0.0)
    ids = accepted(connected, *["001"] * 8)
    connected.fault("poll_fails", "read", skip=2, times=3)
    run = run_sensor(mode, monkeypatch, message_ids=ids, max_poll_failures=1)
    assert (run.error, run.result["delivered"]) == (None, 8)
    if mode in REMEMBERS:
        assert [one.status for one in reads(connected)] == [200] * 2 + [503] * 3 + [200] * 6


@pytest.mark.parametrize("policy", ["soft_fail", "never_fail"])
@pytest.mark.parametrize("ending", ["901", "908"])
def test_a_failure_can_be_a_skip(connected, mode, policy, ending, monkeypatch):
    if ending == "901":
        ids, timeout = turning_final(connected, 2, ending), LONG
    else:
        connected.configure(final_after=0.0)
        ids, timeout = accepted(connected, ending), 0.5
    run = run_sensor(mode, monkeypatch, message_ids=ids, timeout=timeout, **{policy: True})
    assert run.ended_as == "AirflowSkipException"
    assert run.pushed["counts"] == ({"failed": 1} if ending == "901" else {"sent": 1})


def test_a_failure_at_the_first_poke_can_be_a_skip(connected, mode, monkeypatch):
    connected.configure(final_after=0.0)
    ids = accepted(connected, "901")
    run = run_sensor(mode, monkeypatch, message_ids=ids, soft_fail=True)
    assert (run.ended_as, run.pushed["counts"]) == ("AirflowSkipException", {"failed": 1})


def test_nothing_to_wait_for(connected, mode, monkeypatch):
    run = run_sensor(mode, monkeypatch, message_ids=[])
    assert run.result == {
        "total": 0,
        "delivered": 0,
        "undeliverable": 0,
        "pending": 0,
        "counts": {},
        "statuses": {},
    }
    assert not connected.requests.total


def test_bad_ids_are_refused_before_any_request_and_never_skipped(connected, mode, monkeypatch):
    run = run_sensor(mode, monkeypatch, message_ids="['a']", soft_fail=True)
    assert run.ended_as == "MessageIdsError"
    assert isinstance(run.error, AirflowFailException), "no retry"
    assert not connected.requests.total


def test_a_bad_connection_fails_before_any_request(connected, mode, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(connected.url, password=None))
    run = run_sensor(mode, monkeypatch, message_ids="abc")
    assert run.ended_as == "AirflowFailException"
    assert "token" in str(run.error)
    assert not connected.requests.total


def test_requests_are_spaced(connected, mode, monkeypatch):
    connected.configure(final_after=0.0)
    ids = accepted(connected, *["001"] * 6)
    began = connected.sandbox.server_time()
    run = run_sensor(mode, monkeypatch, message_ids=ids, max_polls_per_minute=600)
    assert run.error is None
    assert len(reads(connected)) == 6
    assert spaced(connected, began, 0.1)
