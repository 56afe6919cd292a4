# SPDX-License-Identifier: Apache-2.0
"""The history: each SMS of the window once, whatever the list's order, size, habits and growth."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.pages import Page
from airflow_provider_instasent.campaign.sms_history import History, HistoryWindow

START = 1_790_000_000.0


@dataclass
class Account:
    """A list on a server that grows while it is read.

    :ivar times: seconds after START at which each SMS was created, oldest first
    :ivar arriving: how many more arrive after each read
    """

    times: list[int]
    order: str = "newest"
    per_page: int = 10
    arriving: int = 0
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)

    def entity(self, place: int) -> dict[str, Any]:
        at = datetime.fromtimestamp(START + self.times[place], UTC).isoformat()
        return {"id": f"m{place}", "createdAt": at, "status": "sent", **self.extra.get(f"m{place}", {})}

    def page(self, number: int) -> Page:
        entities = [self.entity(place) for place in range(len(self.times))]
        if self.order == "newest":
            entities.reverse()
        chosen = entities[(number - 1) * self.per_page : number * self.per_page]
        last = self.times[-1] if self.times else 0
        self.times += [last + 1] * self.arriving
        return Page(chosen, None)


def read(account, window, path):
    with History(window) as history:
        ended_by = history.read(account.page)
        rows = history.write(path)
        told = {"counts": history.counts(), "newest": history.newest_id(), "undated": history.undated()}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows == len(lines) == sum(told["counts"].values())
    return ended_by, [line["id"] for line in lines], told


@settings(max_examples=150, deadline=None)
@given(
    steps=st.lists(st.sampled_from([0, 0, 1, 5, 300]), max_size=80),
    order=st.sampled_from(["newest", "oldest"]),
    per_page=st.sampled_from([1, 2, 7, 50]),
    bounds=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    arriving=st.booleans(),
)
def test_the_window_is_complete_and_each_sms_once(tmp_path_factory, steps, order, per_page, bounds, arriving):
    times = [sum(steps[:place]) for place in range(len(steps))]
    first, last = sorted(bounds)
    span = times[-1] if times else 0
    window = HistoryWindow(START + int(first * span), START + int(last * span) + 1)
    inside = [f"m{place}" for place, at in enumerate(times) if window.since <= START + at < window.until]
    account = Account(list(times), order, per_page, arriving=int(arriving and per_page > 1))

    ended_by, ids, _ = read(account, window, tmp_path_factory.mktemp("history") / "sms.jsonl")

    assert ended_by != "max_pages"
    assert len(ids) == len(set(ids))
    # Those that came while it was read are inside or not by their own time.
    there = [one for one in ids if int(one[1:]) < len(times)]
    assert sorted(there, key=lambda one: int(one[1:])) == inside
    assert [times[int(one[1:])] for one in there] == [times[int(one[1:])] for one in inside]
    # Within one second nothing tells the order but the list, whose pages shift under what arrives.
    if len(set(times)) > 1 and not account.arriving:
        assert there == inside


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("step", [0, 1, 400])
@pytest.mark.parametrize("known", [0, 3, 24, 37, 49])
def test_what_is_older_than_a_known_sms_is_left_out(tmp_path, order, step, known):
    account = Account([place * step for place in range(50)], order)

    ended_by, ids, told = read(account, HistoryWindow(until_id=f"m{known}"), tmp_path / "sms.jsonl")

    if step:
        assert ids == [f"m{place}" for place in range(known + 1, 50)]
        assert told["newest"] == "m49"
    elif order == "newest":  # all of one second, so the list counts as newest first
        assert sorted(ids) == sorted(f"m{place}" for place in range(known + 1, 50))
    assert ended_by == "until_id"


def test_an_id_that_is_not_there_cuts_nothing(tmp_path):
    ended_by, ids, _ = read(Account(list(range(30))), HistoryWindow(until_id="gone"), tmp_path / "sms.jsonl")

    assert (ended_by, len(ids)) == ("end_of_list", 30)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_bound_on_pages_says_that_it_cut_the_window(tmp_path, order):
    account = Account([place * 400 for place in range(500)], order)

    ended_by, ids, _ = read(account, HistoryWindow(START, max_pages=12), tmp_path / "sms.jsonl")

    assert ended_by == "max_pages"
    assert 0 < len(ids) <= 120


def test_reading_stops_soon_beyond_the_window(tmp_path):
    account = Account([place * 60 for place in range(10_000)])
    with History(HistoryWindow(START + 9_900 * 60)) as history:
        assert history.read(account.page) == "since"
        assert history.pages <= 12


@pytest.mark.parametrize(("order", "most"), [("newest", 1), ("oldest", 30)])
def test_reading_stops_at_the_known_sms(order, most):
    account = Account([place * 60 for place in range(10_000)], order)
    with History(HistoryWindow(until_id="m9994")) as history:
        assert history.read(account.page) == "until_id"
        assert history.pages <= most


def test_where_nothing_proves_the_order_all_is_read_and_nothing_is_missing(tmp_path):
    """A thousand in a minute: the first page alone would say that the oldest come first."""
    times = [place // 20 + 5 * (-1) ** place for place in range(1_000)]
    account = Account(times)

    ended_by, ids, _ = read(account, HistoryWindow(until_id="m10"), tmp_path / "sms.jsonl")

    assert ended_by == "until_id"
    assert {f"m{place}" for place in range(300, 1_000)} <= set(ids)


def test_the_later_reading_of_an_sms_counts(tmp_path):
    account = Account([0, 1, 2], per_page=2, arriving=1)
    pages = []

    def page(number):
        pages.append(number)
        account.extra = {"m1": {"status": "delivered" if len(pages) > 1 else "sent"}}
        return account.page(number)

    with History(HistoryWindow()) as history:
        history.read(page)
        history.write(tmp_path / "sms.jsonl")
        assert history.counts()["delivered"] == 1


def test_an_sms_without_a_time_is_inside_and_counted(tmp_path):
    account = Account(list(range(5)), extra={"m2": {"createdAt": None}})

    _, ids, told = read(account, HistoryWindow(START + 3, START + 100), tmp_path / "sms.jsonl")

    assert (ids, told["undated"]) == (["m3", "m4", "m2"], 1)


def test_parquet_has_a_column_for_each_field_and_one_type_for_each(tmp_path):
    account = Account(
        list(range(4)),
        extra={
            "m0": {"parts": 1, "price": 1, "charged": True, "mixed": 1, "deep": {"a": [1]}},
            "m1": {"parts": 2, "price": 0.5, "charged": None, "mixed": "x", "big": 2**70},
        },
    )
    with History(HistoryWindow()) as history:
        history.read(account.page)
        assert history.write(tmp_path / "sms.parquet") == 4

    table = parquet.read_table(tmp_path / "sms.parquet")
    rows = {row["id"]: row for row in table.to_pylist()}
    types = {field.name: str(field.type) for field in table.schema}
    assert {"parts": "int64", "price": "double", "charged": "bool", "mixed": "string", "deep": "string"}.items() <= (
        types.items()
    )
    assert (rows["m0"]["price"], rows["m1"]["parts"], rows["m0"]["mixed"]) == (1.0, 2, "1")
    assert (json.loads(rows["m0"]["deep"]), int(rows["m1"]["big"]), rows["m3"]["parts"]) == ({"a": [1]}, 2**70, None)


def test_an_empty_list_is_an_empty_file(tmp_path):
    for ending in ("jsonl", "parquet"):
        with History(HistoryWindow()) as history:
            assert history.read(Account([]).page) == "end_of_list"
            assert history.write(tmp_path / f"sms.{ending}") == 0
            assert history.newest_id() is None
    assert parquet.read_table(tmp_path / "sms.parquet").num_rows == 0


def test_another_ending_is_refused(tmp_path):
    with History(HistoryWindow()) as history, pytest.raises(ConfigurationError, match="results_path"):
        history.write(tmp_path / "sms.csv")


HOUR = 3_600


def zoneless(moments, hours):
    """What SMS show whose times are those of a place so many hours ahead of UTC, without saying so."""
    return {
        f"m{place}": {"createdAt": datetime.fromtimestamp(START + at + hours * HOUR, UTC).strftime("%Y-%m-%d %H:%M:%S")}
        for place, at in enumerate(moments)
    }


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("ahead", [-12, -5, 0, 2, 14])
def test_windows_in_a_row_leave_out_no_sms_whose_time_has_no_zone(tmp_path, order, ahead):
    """A day ends, and its run reads what there is by then; so does the next day's. West of UTC, by what is written as
    if it were UTC, the first hours of the second day are the first day's, and come too late for it."""
    times = [place * HOUR for place in range(48)]
    found = []
    for day in range(2):
        told = times[: 24 * day + 24]
        account = Account(told, order, extra=zoneless(told, ahead))
        window = HistoryWindow(START + day * 24 * HOUR, START + (day + 1) * 24 * HOUR)
        with History(window) as history:
            history.read(account.page)
            rows = history.write(tmp_path / "sms.jsonl")
            assert (history.zoneless(), history.undated()) == (rows, 0)
        found.append({json.loads(line)["id"] for line in (tmp_path / "sms.jsonl").read_text().splitlines()})
        assert {f"m{24 * day + hour}" for hour in range(24)} <= found[day]
    assert found[0] | found[1] == {f"m{place}" for place in range(48)}


def test_times_without_a_zone_end_the_reading_where_they_are_older_in_any_zone(tmp_path):
    times = [place * HOUR for place in range(200)]
    account = Account(times, extra=zoneless(times, -5))
    with History(HistoryWindow(since=START + 190 * HOUR)) as history:
        assert history.read(account.page) == "since"
        assert history.pages < 10
        assert history.write(tmp_path / "sms.jsonl") == history.zoneless() == 17


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_run_goes_on_from_the_newest_id_though_clocks_were_put_back(tmp_path, order):
    """Half an hour after 02:45 it is 02:15: that is newer, and not left out."""
    shown = ["2027-10-30 12:00:00", "2027-10-31 02:30:00", "2027-10-31 02:45:00", "2027-10-31 02:15:00"]
    account = Account(list(range(4)), order, extra={f"m{n}": {"createdAt": at} for n, at in enumerate(shown)})

    ended_by, ids, _ = read(account, HistoryWindow(until_id="m2"), tmp_path / "sms.jsonl")

    assert (ended_by, ids) == ("until_id", ["m3"])


@pytest.mark.parametrize(
    ("created", "outside"),
    [
        ("Mon, 21 Sep 2026 13:00:00 GMT", True),
        ("1789999999.5", True),
        ({"date": "2026-09-21 15:00:00.000000", "timezone_type": 3, "timezone": "Europe/Madrid"}, True),
        ("21/09/2026 13:00", False),
        (20260921, False),
        ("9999-12-31T23:59:59Z", False),
    ],
)
def test_the_window_goes_by_times_in_any_form_that_can_be_read(tmp_path, created, outside):
    account = Account(list(range(5)), extra={"m2": {"createdAt": created}})

    _, ids, told = read(account, HistoryWindow(START, START + 100), tmp_path / "sms.jsonl")

    assert told["undated"] == (0 if outside else 1)
    assert ("m2" in ids) is not outside
