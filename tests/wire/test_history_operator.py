# SPDX-License-Identifier: Apache-2.0

"""The history operator against the sandbox: both APIs, both orders, growing lists and bad answers."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from pyarrow import parquet
from support.history import accept, arriving
from support.instasent_connection import connection, hasten

from airflow_provider_instasent.compat import AirflowFailException
from airflow_provider_instasent.operators.sms import InstasentSmsHistoryOperator


@pytest.fixture
def connected(sandbox, monkeypatch):
    hasten(monkeypatch)
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(sandbox.url))
    return sandbox


def read(path, **parameters):
    result = InstasentSmsHistoryOperator(task_id="history", results_path=str(path), **parameters).execute({})
    if str(path).endswith("parquet"):
        rows = parquet.read_table(path).to_pylist()
    else:
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert result["rows"] == len(rows) == sum(result["counts"].values())
    return result, rows


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize(("ending", "strings"), [("jsonl", False), ("parquet", True)])
def test_a_window_oldest_first_with_its_counts(connected, tmp_path, order, ending, strings):
    connected.configure(list_order=order, page_cap=20, numbers_as_strings=strings)
    start = connected.sandbox.clock.now()
    connected.advance(4000)
    for place in range(40):
        accept(connected, place * 5, 5, start + place * 100)
    since = datetime.fromtimestamp(int(connected.sandbox.clock.wall(start + 2000, 0)), UTC)  # as `createdAt` has it

    path = tmp_path / "deep" / f"sms.{ending}"
    result, rows = read(path, since=since.isoformat(), until=since + timedelta(seconds=1000))

    assert [row["text"] for row in rows] == sorted((row["text"] for row in rows), key=lambda text: int(text.split()[1]))
    assert {int(row["text"].split()[1]) for row in rows} == set(range(100, 150))
    assert (result["complete"], result["counts"], result["undated"]) == (True, {"delivered": 50}, 0)
    assert result["ended_by"] == "since"
    assert result["newest_id"] == rows[-1]["id"]
    assert result["results_path"] == str(path)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_each_sms_once_while_new_ones_arrive(connected, tmp_path, order):
    connected.configure(list_order=order)
    there = accept(connected, 0, 1_500)
    with arriving(connected, 10_000) as coming:
        result, rows = read(tmp_path / "sms.jsonl")
    assert len(coming) > 400
    ids = Counter(row["id"] for row in rows)
    assert max(ids.values()) == 1
    assert there <= set(ids) <= there | coming
    assert (result["complete"], result["ended_by"]) == (True, "end_of_list")


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_later_run_goes_on_from_the_newest_id(connected, tmp_path, order):
    connected.configure(list_order=order)
    for place in range(2):
        accept(connected, place * 60, 60, connected.sandbox.clock.now() - 500 + place * 100)
    first, _ = read(tmp_path / "first.jsonl")
    more = accept(connected, 500, 30)
    second, rows = read(tmp_path / "second.jsonl", until_id=first["newest_id"])
    assert ({row["id"] for row in rows}, second["ended_by"]) == (more, "until_id")
    third, _ = read(tmp_path / "third.jsonl", until_id=second["newest_id"])
    assert (third["rows"], third["newest_id"]) == (0, second["newest_id"])


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_bound_says_that_it_cut(connected, tmp_path, order):
    connected.configure(list_order=order)
    accept(connected, 0, 90)
    result, rows = read(tmp_path / "sms.jsonl", max_pages=2, per_page=20)
    assert (result["complete"], result["ended_by"], result["pages"], len(rows)) == (False, "max_pages", 2, 40)
    result, rows = read(tmp_path / "sms.jsonl", max_pages=50, per_page=20)
    assert (result["complete"], result["ended_by"], len(rows)) == (True, "end_of_list", 90)


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
def test_sms_of_few_fields_in_a_bare_list(connected, tmp_path, ending):
    """Only `id` is certain, and the envelope of a list may be missing."""
    body = json.dumps([{"id": 7}, {"id": "b", "status": None, "messagesCount": "2"}])
    connected.fault("error_before", "list", status=200, body=body)
    result, rows = read(tmp_path / f"sms.{ending}")
    assert [row["id"] for row in rows] in (["7", "b"], ["b", "7"])
    assert (result["complete"], result["undated"], result["counts"]) == (True, 2, {"no_status": 2})


def test_an_empty_account(connected, tmp_path):
    result, _ = read(tmp_path / "sms.jsonl", since="", until="None", until_id="None")
    assert (result["rows"], result["counts"], result["complete"]) == (0, {}, True)


def test_bad_answers_are_tried_again(connected, tmp_path):
    accept(connected, 0, 30)
    connected.fault("cut_before", "list")
    result, _ = read(tmp_path / "sms.jsonl")
    assert result["rows"] == 30


def test_a_failed_read_leaves_the_former_file(connected, tmp_path):
    accept(connected, 0, 30)
    path = tmp_path / "sms.jsonl"
    read(path)
    before = path.read_bytes()
    connected.fault("unauthorized", "list", skip=1)
    with pytest.raises(AirflowFailException, match="HTTP 401"):
        InstasentSmsHistoryOperator(task_id="history", results_path=str(path), per_page=10).execute({})
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"results_path": "x.csv"}, "`results_path`"),
        ({"results_path": "x.jsonl", "since": "yesterday"}, "`since`"),
        ({"results_path": "x.jsonl", "until": 5}, "`until`"),
        ({"results_path": "x.jsonl", "since": date(2026, 2, 1), "until": date(2026, 1, 1)}, "`since` must be before"),
    ],
)
def test_bad_parameters_end_it_before_anything_is_read(connected, parameters, told):
    with pytest.raises(AirflowFailException, match=told):
        InstasentSmsHistoryOperator(task_id="history", **parameters).execute({})
    assert not connected.requests.records("list")


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("rfc1123", (0, 0)),
        ("object", (0, 0)),
        ("local_west", (0, 40)),
        ("local_far_east", (0, 40)),
        ("day_first", (40, 0)),
    ],
)
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_what_has_no_time_that_can_be_read_is_written_counted_and_warned_of(
    connected, tmp_path, capsys, order, form, told
):
    connected.configure(list_order=order, created_form=form)
    start = connected.sandbox.clock.now() - 40
    accept(connected, 0, 40, start)
    since = datetime.fromtimestamp(int(connected.sandbox.clock.wall(start, 0)) - 60, UTC)
    result, rows = read(tmp_path / "sms.jsonl", since=since)
    assert (len(rows), result["undated"], result["zoneless"]) == (40, *told)
    assert (result["complete"], result["ended_by"]) == (True, "end_of_list")
    assert ("may lie outside the window" in capsys.readouterr().out) is (told != (0, 0))
