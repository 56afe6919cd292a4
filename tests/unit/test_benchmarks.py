# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import csv

import pytest

from airflow_provider_instasent.sandbox.statuses import DELIVERED, fate_of
from benchmarks import campaign, report, sharing, throughput, waits_list
from benchmarks.wait_rounds import Pending, rounds_of


def request(time, status=201):
    return {"time": time, "status": status}


def test_windows_that_were_used_up_count_as_the_whole_ceiling():
    first = [request(100.4 + n * 0.02) for n in range(120)]
    second = [request(106.1 + n * 0.02) for n in range(30)]

    pace = throughput.paced([*first, *second])

    assert (pace.share, pace.refused, pace.refused_later) == (1.0, 0, 0)


def test_what_a_window_left_unused_is_missing_from_the_ceiling():
    first = [request(100.4 + n * 0.02) for n in range(90)]
    second = [request(106.1)]

    assert throughput.paced([*first, *second]).share == pytest.approx(0.75)


def test_refusals_are_counted_by_window():
    records = [request(100.0), request(101.0, 429), request(107.0, 429), request(107.5)]
    pace = throughput.paced(records)

    assert (pace.refused, pace.refused_later) == (2, 1)


def sent_by(name, times, status=201):
    agent = {"user-agent": f"provider/1 {name}"}
    return [{"time": when, "status": status, "headers": agent} for when in times]


def test_shares_are_those_of_the_time_in_which_both_were_sending():
    first = [*sent_by("first", [100.2] * 80), *sent_by("first", [110.5] * 50), *sent_by("first", [121.0, 131.0, 133.0])]
    second = [*sent_by("second", [103.0] * 8, 429), *sent_by("second", [110.6] * 30), *sent_by("second", [122.0] * 78)]
    second += [*sent_by("second", [131.5], 429), *sent_by("second", [140.0])]

    found = sharing.shared([*first, *second])

    assert found.shares == (sharing.Share(130, 3, 0, 0), sharing.Share(30, 78, 9, 1))
    assert found.used == pytest.approx((80 + 79) / 160)
    assert found.difference_after_half == pytest.approx(1 - 3 / 78)


def test_a_section_is_replaced_and_others_stay(tmp_path):
    document = tmp_path / "docs" / "benchmarks.md"
    report.update(document, "one", "first")
    report.update(document, "two", "second")
    report.update(document, "one", "third")

    text = document.read_text()
    assert "first" not in text
    assert text.index("third") < text.index("second")
    assert text.count("<!-- one:") == 1


def test_a_bar_that_was_not_held_stands_out():
    bar = report.Bar("speed", "at least 2", "1", held=False)
    markdown = report.Section("Title", "Text.", ("a", "b"), [("1", "2")], [bar]).markdown()

    assert "| 1 | 2 |" in markdown
    assert "| speed | at least 2 | 1 | **no** |" in markdown


def test_recipients_are_all_different_and_none_has_a_fate_of_its_own(tmp_path):
    path = campaign.write_recipients(tmp_path / "recipients.csv", 2_000)
    with path.open() as stream:
        numbers = [row["to"] for row in csv.DictReader(stream)]

    assert len(set(numbers)) == 2_000
    assert {len(number) for number in numbers} == {12}
    assert all(fate_of(number) == DELIVERED for number in numbers)


def test_each_number_of_throughput_stands_under_its_heading(monkeypatch):
    class Sandbox:
        url = "http://127.0.0.1:1"
        sent = 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def fresh(self, **_):
            pass

        def requests(self, _endpoint):
            return [{"time": 10.0, "in_flight": 3}, {"time": 11.0, "in_flight": 7}]

        def accepted(self):
            return {"accepted": Sandbox.sent, "different": Sandbox.sent}

    def child(_program, _timeout, *, messages, **_):
        Sandbox.sent = messages
        return {"seconds": 2.0, "cpu": messages * 5e-6}

    monkeypatch.setattr(throughput, "SandboxProcess", Sandbox)
    monkeypatch.setattr(throughput, "run_child", child)
    found = throughput.at_latencies(quick=True)

    rows = [dict(zip(found.header, row, strict=True)) for row in found.rows]
    assert {row["way"] for row in rows} == set(throughput.NAMES.values())
    assert {row["latency"] for row in rows} == {"0 ms", "200 ms"}
    assert {row["most in flight"] for row in rows} == {"7"}
    assert {row["requests"] for row in rows} == {"2"}
    assert {row["seconds"] for row in rows} == {"2.00"}
    assert {row["CPU µs a message"] for row in rows} == {"5"}
    first = rows[0]
    assert (first["messages"], first["messages/s while sending"], first["messages/s in all"]) == (
        "4,000", "4,000", "2,000",
    )  # fmt: skip


def listed(time, page, status=200):
    query = {"page": str(page), "per_page": "100"}
    return {"time": time, "status": status, "endpoint": "list", "path": "/sms", "query": query}


def single(time, sms_id):
    return {"time": time, "status": 200, "endpoint": "read", "path": f"/sms/{sms_id}", "query": {}}


def test_a_round_needs_the_pages_on_which_something_is_not_known_to_be_final():
    finals = dict.fromkeys(range(200), 50.0)  # below a hundred newer messages: on the pages 2 and 3
    records = [
        listed(0.0, 2),
        listed(1.0, 3),
        listed(60.0, 2),
        listed(61.0, 3, 429),
        listed(120.0, 3),
        listed(121.0, 3),
    ]

    found = list(rounds_of(records, Pending(finals, {}, 300), interval=60.0))

    assert [one.needed for one in found] == [2, 2, 1]
    assert [one.requests for one in found] == [2, 2, 2]
    assert [one.pages for one in found] == [2, 2, 1]
    assert [one.refused for one in found] == [0, 1, 0]


def test_an_answer_tells_what_was_so_in_the_middle_of_the_request():
    pending = Pending({0: 10.0}, {"one": 0}, 1)
    pending.answered(single(9.9, "one"), latency=0.1)
    assert pending.pages() == 1

    pending.answered(single(9.95, "one"), latency=0.1)
    assert pending.pages() == 0


def test_reads_of_others_and_pages_beyond_the_end_change_nothing():
    pending = Pending({0: 0.0}, {"one": 0}, 1)
    pending.answered(single(9.0, "another"), latency=0.0)
    pending.answered(listed(9.0, 2), latency=0.0)
    assert pending.pages() == 1


def test_tables_beside_the_first_one_are_written_too():
    section = report.Section("Title", "Text.", ("a", "b"), [], more=[(("c", "d"), [("3", "4")])])

    assert "| 3 | 4 |" in section.markdown()
    assert "| a | b |" not in section.markdown()


def test_senders_take_turns_and_one_may_begin_earlier():
    together = waits_list.Setting("", waits=2, messages=250)
    later = waits_list.Setting("", waits=2, messages=200, lead=100)

    turns = list(waits_list._turns(together))
    assert (turns[:100], turns[100:200], turns[400:450], turns[450:]) == ([0] * 100, [1] * 100, [0] * 50, [1] * 50)
    assert list(waits_list._turns(later)) == [0] * 200 + [1] * 200
