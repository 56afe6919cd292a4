# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from airflow_provider_instasent.sandbox import faults as faults_module
from airflow_provider_instasent.sandbox.faults import AFTER, BEFORE, Fault, Faults


def struck(faults, endpoint="send", requests=1):
    return [fault.name if (fault := faults.strike(endpoint)) else "" for _ in range(requests)]


def test_a_fault_strikes_as_often_as_told_after_as_many_as_told():
    faults = Faults()
    faults.arm(Fault("cut_after", "send", times=2, skip=1))

    assert struck(faults, requests=4) == ["", "cut_after", "cut_after", ""]
    assert faults.listed() == []


def test_requests_to_other_endpoints_do_not_count():
    faults = Faults()
    faults.arm(Fault("cut_after", "bulk", skip=1))

    assert struck(faults, "send", 3) == ["", "", ""]
    assert struck(faults, "bulk", 2) == ["", "cut_after"]


def test_the_first_armed_comes_first():
    faults = Faults()
    faults.arm(Fault("empty"))
    faults.arm(Fault("html"))

    assert struck(faults, requests=3) == ["empty", "html", ""]


def test_a_probability_is_repeatable_and_about_right():
    def run(seed):
        faults = Faults()
        faults.arm(Fault("empty", times=None, probability=0.25, seed=seed))
        return struck(faults, requests=1000)

    assert run(7) == run(7) != run(8)
    assert 200 < run(7).count("empty") < 300


def test_a_failing_poll_is_no_failing_send():
    faults = Faults()
    faults.arm(Fault("poll_fails"))

    assert struck(faults, "send") + struck(faults, "account") + struck(faults, "list") == ["", "", "poll_fails"]


def test_clearing_disarms():
    faults = Faults()
    faults.arm(Fault("empty", times=None))
    faults.clear()

    assert struck(faults) == [""]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"name": "explode"}, "unknown fault 'explode'; there are: cut_after, "),
        ({"name": "empty", "endpoint": "sms"}, "unknown endpoint 'sms'; there are: any, send, "),
        ({"name": "empty", "probability": 1.1}, "probability"),
        ({"name": "empty", "times": 0}, "times"),
        ({"name": "empty", "skip": -1}, "skip"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(options, complaint):
    with pytest.raises(ValueError, match=complaint):
        Fault(**options)


def test_every_fault_is_documented():
    names = BEFORE | AFTER

    assert not BEFORE & AFTER
    assert [name for name in names if f"``{name}`` " not in (faults_module.__doc__ or "")] == []
