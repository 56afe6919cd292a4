# SPDX-License-Identifier: Apache-2.0

"""The example campaign from the form of its connection to the sandbox's inbox, as seen on Airflow's pages."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from playwright.sync_api import expect
from support.airflow_pages import ConnectionsPage, RunPage
from support.browser import WIDTH, new_window

if TYPE_CHECKING:
    from airflow_provider_instasent.sandbox.server import SandboxServer

DAG = "instasent_campaign"
TASKS = ["preview", "send", "wait", "report"]
RECIPIENTS = Path(__file__).parents[2] / "example_dags" / "data" / "demo_recipients.csv"
LAST_WORDS = {
    "preview": "Preview, nothing is sent",
    "send": "Campaign done",
    "wait": "20 of 25 delivered, 5 undeliverable (delivered 20",
    "report": "Returned value was",
}


@dataclass(frozen=True)
class Campaign:
    """A run that was triggered and watched in a browser.

    :param address: of its page.
    :param sandbox: the one it sent to.
    """

    address: str
    sandbox: SandboxServer

    @property
    def run_id(self) -> str:
        return unquote(self.address.rpartition("/")[2])

    def on(self, page) -> RunPage:
        run = RunPage(page, DAG)
        run.address = self.address
        return run


@pytest.fixture(scope="module")
def campaign(playwright, airflow, new_sandbox):
    with new_sandbox() as sandbox:
        with new_window(playwright, airflow.address) as window:
            ConnectionsPage(window.page).create(
                "instasent_sandbox",
                {"Base URL or host": sandbox.url, "API token": sandbox.token, "Port": 0},
                {"Default sender": "Acme", "Default region": "ES"},
            )
            airflow.wait_until_parsed(DAG)
            run = RunPage(window.page, DAG)
            run.trigger()
            run.watch(TASKS, "Success")
            # Each task and the run.
            expect(window.page.get_by_text("Success", exact=True)).to_have_count(len(TASKS) + 1)
            assert not window.complaints
        yield Campaign(run.address, sandbox)


@pytest.fixture
def run(campaign, page):
    return campaign.on(page)


def numbers():
    """The recipients in international format, as the file has them and the connection's region completes them."""
    with RECIPIENTS.open(encoding="utf-8", newline="") as rows:
        written = [row["to"].replace(" ", "") for row in csv.DictReader(rows)]
    return [number if number.startswith("+") else f"+34{number}" for number in written]


def test_the_run_is_a_success(campaign, airflow, run, page, photograph):
    page.set_viewport_size({"width": WIDTH, "height": 600})  # for which the graph is laid out
    run.open()
    expect(page.get_by_role("heading", name=campaign.run_id)).to_be_visible()
    page.get_by_role("button", name="Show Graph").click()
    expect(page.locator(".react-flow__node").get_by_text("success", exact=True)).to_have_count(len(TASKS))
    photograph("campaign-run", height=600)

    assert airflow.metadata.run_state(DAG, campaign.run_id) == "success"


def test_each_recipient_is_texted_once_by_the_connection_of_the_form(campaign):
    messages = campaign.sandbox.ledger.messages()
    assert Counter(message.to for message in messages) == Counter(numbers())
    assert {message.sender for message in messages} == {"Acme"}


def test_the_logs_say_what_was_done_and_name_nobody(campaign, run, page, photograph):
    page.set_viewport_size({"width": WIDTH, "height": 1200})  # a log shows no more lines than fit
    logs = {task: run.show_log(task, LAST_WORDS[task]) for task in TASKS}
    photograph("campaign-log-report", height=900)
    run.show_log("send", LAST_WORDS["send"])
    photograph("campaign-log-send", height=600)

    assert "Planned: 25 rows, 25 messages" in logs["send"]
    assert "'accepted': 25, 'rejected': 0, 'unconfirmed': 0" in logs["send"]
    assert logs["report"].count("delivered\n") == 20
    said = "".join(logs.values())
    assert campaign.sandbox.token not in said
    assert not [number for number in numbers() if number.removeprefix("+")[-9:] in re.sub(r"[^\d\n]", "", said)]


def test_xcom_holds_the_summary(campaign, airflow, run, photograph):
    shown = run.show_xcom("send")
    photograph("campaign-xcom")

    summary = airflow.xcom(DAG, campaign.run_id, "send")
    for name in ("rows", "total", "accepted", "rejected", "unconfirmed", "parts"):
        assert f'"{name}": {summary[name]},' in shown
    assert (summary["accepted"], summary["unconfirmed"]) == (25, 0)
    assert len(summary["message_ids"]) == 25


def test_the_inbox_shows_what_arrived(campaign, page, photograph):
    page.goto(campaign.sandbox.url)
    expect(page.get_by_text("25 messages accepted, 27 parts.")).to_be_visible()
    expect(page.get_by_text("Jürgen, your parcel arrives today between 8 and 10.")).to_be_visible()
    photograph("sandbox-inbox")
