# SPDX-License-Identifier: Apache-2.0
"""Journal and results file on S3, through the Amazon provider as its users install it, against a server of our own."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from support import s3 as s3_support
from support.airflow_home import returned, run_dag
from support.bulk_send import BulkTask, Crash, messages
from support.instasent_connection import connection
from support.journal_places import ReadTogether
from support.s3 import BUCKET, s3
from support.sandbox import deliverable

from airflow_provider_instasent.compat import DAG, ObjectStoragePath
from airflow_provider_instasent.journal.errors import (
    JournalConflictError,
    JournalCorruptError,
    JournalError,
    JournalStoreError,
)
from airflow_provider_instasent.journal.exclusive_probe import refuse_where_creation_is_not_exclusive
from airflow_provider_instasent.journal.folder import folder_at
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator

__all__ = ["s3"]

# Airflow 2.11's own paths warn of universal-pathlib's future.
pytestmark = [
    pytest.mark.airflow,
    pytest.mark.filterwarnings("ignore:in a future version of UPath:PendingDeprecationWarning"),
]


@pytest.fixture
def prefix():
    return uuid4().hex


@pytest.fixture
def place(s3, prefix):
    return ObjectStoragePath(f"{s3_support.URL}/{prefix}/journals")


def opened(place, campaign="dag/run/task/-1"):
    store = PathSegments(place, campaign)
    return store, [record for records in store.read() for record in records]


def test_records_come_back_over_several_tries(place):
    """The first listing is that of an empty prefix."""
    for attempt in range(3):
        store, records = opened(place)
        assert records == [str(number) for number in range(attempt * 2)]
        store.append([str(attempt * 2)])
        store.append([str(attempt * 2 + 1)])
        store.close()


def test_of_two_writers_the_second_must_stop(place):
    (one, _), (two, _) = opened(place), opened(place)
    one.append(["1"])
    with pytest.raises(JournalConflictError):
        two.append(["2"])
    one.append(["3"])
    one.close()
    assert opened(place)[1] == ["1", "3"]


def test_each_single_object_that_is_lost_is_missed(place, s3, prefix):
    for attempt in range(2):
        store, _ = opened(place)
        store.append([f"{attempt}.0"])
        store.append([f"{attempt}.1"])
        store.close()
    client, keys = s3.client(), s3.keys(prefix)
    assert len(keys) == 6
    for key in keys:
        content = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        client.delete_object(Bucket=BUCKET, Key=key)
        with pytest.raises(JournalCorruptError, match="is missing"):
            opened(place)
        client.put_object(Bucket=BUCKET, Key=key, Body=content)
    assert opened(place)[1] == ["0.0", "0.1", "1.0", "1.1"]


def test_the_probe_accepts_it_and_leaves_nothing(place, s3, prefix):
    refuse_where_creation_is_not_exclusive(folder_at(place))
    assert s3.keys(prefix) == []


def test_what_another_process_wrote_since_is_seen(place, s3, prefix):
    """fsspec remembers what it listed."""
    folder = folder_at(place)
    folder.create("a", b"1")
    assert folder.names() == ["a"]
    s3.client().put_object(Bucket=BUCKET, Key=f"{prefix}/journals/b", Body=b"2")
    assert folder.names() == ["a", "b"]
    assert folder.read("b") == b"2"


@pytest.mark.parametrize("size", [1_000, 12 * 2**20], ids=["at once", "in parts"])
def test_creation_is_exclusive_at_once_and_in_parts(place, s3, prefix, size):
    path = place / "file"

    def create(content: bytes) -> None:
        path.fs.pipe_file(path.path, content, mode="create", chunksize=5 * 2**20)

    create(b"1" * size)
    with pytest.raises(FileExistsError):
        create(b"2" * size)
    kept = s3.client().get_object(Bucket=BUCKET, Key=f"{prefix}/journals/file")["Body"].read()
    assert kept == b"1" * size


def test_of_many_threads_one_creates(place):
    folder = folder_at(place)
    for number in range(5):
        barrier, winners = threading.Barrier(6), []

        def write(content: bytes, name: str = f"{number}", barrier=barrier, winners=winners) -> None:
            try:
                folder.create(name, content, lambda: barrier.wait(60))
                winners.append(content)
            except FileExistsError:
                pass

        threads = [threading.Thread(target=write, args=(bytes([index]),)) for index in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert winners == [folder.read(f"{number}")]


@pytest.mark.parametrize("wrong", ["bucket", "endpoint"])
def test_a_place_that_cannot_be_reached_sends_nothing(s3, sandbox, tmp_path, monkeypatch, wrong):
    if wrong == "endpoint":
        extra = {
            "endpoint_url": "http://127.0.0.1:9",
            "config_kwargs": {"connect_timeout": 1, "retries": {"total_max_attempts": 1}},
        }
        value = {**json.loads(s3.airflow_connection), "extra": extra | {"region_name": "us-east-1"}}
        monkeypatch.setenv("AIRFLOW_CONN_NOWHERE", json.dumps(value))
        place = ObjectStoragePath("s3://nowhere@journals/x")
    else:
        place = ObjectStoragePath(f"s3://{s3_support.CONNECTION}@Not_A_Bucket/x")
    with pytest.raises(JournalError, match="nothing was sent") as caught:
        OnS3(sandbox, tmp_path, "path", messages(10), place=place).attempt()
    assert isinstance(caught.value, JournalStoreError) or "next try" in str(caught.value)
    assert not sandbox.ledger.accepted


# --- campaigns ---


class OnS3(BulkTask):
    """A task whose journal is there."""

    def __init__(self, *arguments, place, **keywords) -> None:
        super().__init__(*arguments, **keywords)
        self.place = place
        self.together: threading.Barrier | None = None

    def segments(self):
        segments = PathSegments(self.place, self.campaign_id)
        return segments if self.together is None else ReadTogether(segments, self.together)


@pytest.mark.parametrize("dies", ["before", "after"])
def test_a_campaign_goes_on_after_its_process_died(sandbox, place, tmp_path, dies):
    task = OnS3(sandbox, tmp_path, "path", messages(1_500), place=place, policy="resend", grace=0.3)
    with pytest.raises(Crash):
        task.attempt(**{f"dies_{dies}_request": 5})
    with pytest.raises(Crash):
        task.attempt(dies_at_write=6)
    outcome = task.attempt()
    assert outcome.error is None
    assert outcome.summary["accepted"] == 1_500
    assert set(task.sent().values()) == {1}


def test_of_two_live_tries_nobody_is_texted_twice(sandbox, place, tmp_path):
    tasks = [OnS3(sandbox, tmp_path, "path", messages(1_500), place=place, grace=0.5) for _ in range(2)]
    ended, together = [], threading.Barrier(2)

    def run(task) -> None:
        task.together = together
        try:
            ended.append(task.attempt().error)
        except JournalError as error:
            ended.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert any(isinstance(error, JournalConflictError) for error in ended)
    tasks[0].together = None
    last = tasks[0].attempt()
    assert last.summary["accepted"] + last.summary["unconfirmed"] == 1_500
    assert set(tasks[0].sent().values()) == {1}
    assert len(tasks[0].sent()) >= last.summary["accepted"]


@pytest.mark.parametrize("deferrable", [False, True], ids=["in the worker", "deferred"])
def test_a_dag_keeps_journal_and_results_there(s3, sandbox, prefix, monkeypatch, deferrable):
    value = connection(sandbox.url, password=sandbox.token, extra={"sender": "Acme"})
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", value)
    sandbox.configure(sent_after=0.05, final_after=0.5)
    sandbox.fault("error_after", endpoint="bulk", times=1)
    home = f"{s3_support.URL}/{prefix}"

    def run():
        with DAG(f"s3_{deferrable}", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
            InstasentBulkSmsOperator(
                task_id="campaign",
                campaign_id=prefix,
                recipients=[deliverable(index) for index in range(1_200)],
                text="Hello",
                journal_path=f"{home}/journals",
                results_path=f"{home}/results.jsonl",
                unconfirmed_grace=2.0,
                retries=1,
                retry_delay=timedelta(0),
                wait_for_delivery=True,
                deferrable=deferrable,
                poll_interval=0.1,
            )
        ended = run_dag(dag)
        return str(ended.state), returned(ended, "campaign")

    for _ in range(2):  # a second run of the same campaign finds it done
        state, summary = run()
        assert state == "success"
        assert (summary["accepted"], summary["unconfirmed"], summary["delivered"]) == (1_200, 0, 1_200)
        assert set(sandbox.ledger.numbers().values()) == {1}
    lines = s3.client().get_object(Bucket=BUCKET, Key=f"{prefix}/results.jsonl")["Body"].read().splitlines()
    assert {json.loads(line)["status"] for line in lines} == {"delivered"}
    assert len(lines) == sandbox.ledger.accepted == 1_200
    assert not [key for key in s3.keys(prefix) if "probe" in key]
    assert os.environ[f"AIRFLOW_CONN_{s3_support.CONNECTION.upper()}"]
