# SPDX-License-Identifier: Apache-2.0
"""Waiting for many messages by the list, over real HTTP: few requests, whatever the list is like."""

from __future__ import annotations

import json
import re
import time
from typing import get_args

import pytest
from support.delivery import MODES, connected, first_event, run_sensor
from support.events import LONG
from support.sandbox import deliverable

from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.sandbox.settings import CreatedForm
from airflow_provider_instasent.waiting.results_file import RESULT_FIELDS

__all__ = ["connected"]

QUICK = {"poll_interval": 0.05, "max_polls_per_minute": 60_000}


def send(sandbox, count, ending=None):
    numbers = [deliverable(index) if ending is None else f"+3461{index:05d}{ending}" for index in range(count)]
    with InstasentClient(sandbox.token, base_url=sandbox.url) as client:
        outcomes = client.send_bulk([Sms.create(to=number, text="Hello", sender="Acme") for number in numbers])
    return [outcome.id for outcome in outcomes]


def results_of(path, ids, accepted_at=None):
    rest = "accepted", "enqueued", None, accepted_at
    lines = [
        dict(zip(RESULT_FIELDS, (position, f"c{position}", sms_id, *rest), strict=True))
        for position, sms_id in enumerate(ids)
    ]
    lines.append(dict(zip(RESULT_FIELDS, (len(ids), None, None, "invalid", None, "no number", None), strict=True)))
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def statuses_in(path):
    return [json.loads(line)["status"] for line in path.read_text().splitlines()]


async def wait(ids=(), results_path=None, accepted=None):
    from airflow_provider_instasent.triggers.sms import InstasentDeliveryTrigger

    path = None if results_path is None else str(results_path)
    memory = {"accepted": accepted}
    deadline = time.time() + LONG
    return await first_event(InstasentDeliveryTrigger(list(ids), deadline, results_path=path, memory=memory, **QUICK))


def now_there(sandbox):
    return [sandbox.sandbox.server_time()] * 2


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("page_cap", [100, 30])
@pytest.mark.parametrize("told", [True, False])
async def test_a_sweep_costs_a_request_a_page(connected, order, page_cap, told):
    connected.configure(list_order=order, page_cap=page_cap, sent_after=0, final_after=0)
    connected.stop_clock()
    ids = send(connected, 600)
    event = await wait(ids, accepted=now_there(connected) if told else None)
    assert (event["outcome"], event["delivered"]) == ("success", 600)
    assert len(connected.requests.records("list")) == 600 // page_cap
    # Where nobody knows when they were accepted, the first and the last one are asked.
    assert len(connected.requests.records("read")) == (0 if told else 2)


async def test_what_the_list_does_not_show_is_read_by_itself(connected):
    connected.configure(list_lag=3_600, read_lag=0, sent_after=0, final_after=0)
    ids = send(connected, 60)
    event = await wait(ids)
    assert (event["outcome"], event["delivered"]) == ("success", 60)
    assert len(connected.requests.records("read")) >= 60 - 25


async def test_a_list_that_fails_does_not_end_the_wait(connected):
    connected.configure(sent_after=0, final_after=0)
    ids = send(connected, 60)
    connected.fault("poll_fails", endpoint="list", times=2)
    event = await wait(ids)
    assert (event["outcome"], event["delivered"]) == ("success", 60)


async def test_a_bad_token_costs_one_request(connected):
    ids = send(connected, 60)
    connected.fault("unauthorized", endpoint="list", times=None)
    before = len(connected.requests.records())
    event = await wait(ids, accepted=now_there(connected))
    assert (event["outcome"], event["fail"]) == ("error", True)
    assert len(connected.requests.records()) - before == 1


async def test_the_trigger_brings_a_results_file_up_to_date(connected, tmp_path):
    connected.stop_clock()
    ids = send(connected, 150)
    connected.at(5, "list", lambda: connected.advance(60))
    path = results_of(tmp_path / "results.jsonl", ids)
    event = await wait(results_path=path)
    assert (event["outcome"], event["total"]) == ("success", 150)
    assert statuses_in(path) == ["delivered"] * 150 + [None]


async def test_what_a_results_file_knows_to_be_final_is_not_asked_for_again(connected, tmp_path):
    connected.configure(sent_after=0, final_after=0)
    path = results_of(tmp_path / "results.jsonl", send(connected, 80))
    await wait(results_path=path)
    before = len(connected.requests.records())
    assert (await wait(results_path=path))["delivered"] == 80
    assert len(connected.requests.records()) == before


async def test_a_file_that_is_no_results_file_is_an_event_that_says_so(connected, tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text("hello\n")
    event = await wait(results_path=path)
    assert event["outcome"] == "error"
    assert re.search(r"line 0 of \S+ is not one of a results file", event["message"])


@pytest.mark.parametrize("mode", MODES)
def test_the_sensor_takes_a_results_file_in_every_mode(connected, mode, tmp_path, monkeypatch):
    connected.stop_clock()
    ids = send(connected, 120)
    connected.at(5, "list", lambda: connected.advance(60))
    path = results_of(tmp_path / "results.jsonl", ids, now_there(connected)[0])
    run = run_sensor(mode, monkeypatch, results_path=str(path), max_polls_per_minute=60_000)
    assert run.error is None
    assert run.result["delivered"] == 120
    assert statuses_in(path) == ["delivered"] * 120 + [None]
    assert len(connected.requests.records("list")) >= 5
    assert connected.requests.records("read") == []


@pytest.mark.parametrize("form", get_args(CreatedForm))
@pytest.mark.parametrize("told", [True, False])
async def test_a_wait_ends_well_and_soon_whatever_form_times_have(connected, form, told):
    """Times only help to find what is asked for: one by one is the dearest that it gets."""
    connected.put_before(2_000)
    connected.configure(created_form=form, sent_after=0, final_after=0)
    connected.stop_clock()
    ids = send(connected, 300)
    event = await wait(ids, accepted=now_there(connected) if told else None)
    assert (event["outcome"], event["delivered"]) == ("success", 300)
    assert len(connected.requests.records("list")) + len(connected.requests.records("read")) < 2 * 300 + 25
