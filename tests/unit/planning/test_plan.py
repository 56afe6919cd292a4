# SPDX-License-Identifier: Apache-2.0

"""From rows to messages: what is sent, what is left out, and why."""

from __future__ import annotations

import pytest
from support.campaign import KEYS
from support.sandbox import deliverable

from airflow_provider_instasent.campaign.summary import preview_of
from airflow_provider_instasent.journal.errors import PlanError
from airflow_provider_instasent.planning.choices import OnInvalid
from airflow_provider_instasent.planning.plan import MOST_REPORTED, Planner, PlanSettings
from airflow_provider_instasent.planning.row_template import RowTemplate
from airflow_provider_instasent.planning.rows import BadRow, FileRow
from airflow_provider_instasent.planning.spool import Spool


@pytest.fixture
def spool():
    with Spool() as opened:
        opened.keys = KEYS
        yield opened


def planner(spool, **settings):
    return Planner(spool, PlanSettings("c", **{"sender": "Acme", "default_region": "ES", **settings}))


def planned(spool, limit=100):
    spool.roster.extend(*zip(*((key, given) for _, key, given in spool.unlisted(-1, limit)), strict=True))
    return [placed.message for placed in spool.planned(-1, limit)]


def issues(spool):
    return [(row["position"], row["state"]) for row in spool.issues()]


def test_a_template_makes_a_message_a_row(spool):
    plan = planner(spool, template=RowTemplate("Hi {{ row.name }}", {}), to_column="phone", allow_unicode=True)
    plan.read([{"phone": "600000001", "name": "Ana"}, {"phone": 34600000002, "name": "Łukasz"}])
    first, second = planned(spool)
    assert (first.to, first.text, first.sender, first.allow_unicode) == ("+34600000001", "Hi Ana", "Acme", True)
    assert second.to == "+34600000002"
    assert plan.summary.encodings == {"GSM-7": 1, "UCS-2": 1}
    assert plan.summary.parts_by_country == {"ES": 2}


def test_whole_messages_may_set_each_field(spool):
    row = {"to": "+34600000001", "text": "t", "sender": "Other", "allow_unicode": True, "client_id": "mine"}
    planner(spool).read([row, {"to": "+34600000001", "text": "t"}])
    first, second = planned(spool)
    assert (first.sender, first.allow_unicode, first.client_id) == ("Other", True, "mine")
    assert (second.sender, second.allow_unicode) == ("Acme", False)
    assert str(second.client_id).startswith("ia-")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (BadRow("is not JSON"), "is not JSON"),
        ({"text": "t"}, "`to`"),
        ({"to": "12", "text": "t"}, "`to`.*at least 6"),
        ({"to": "+34600000001"}, "`text`: is missing"),
        ({"to": "+34600000001", "text": "  "}, "`text`: is empty"),
        ({"to": "+34600000001", "text": "t", "sender": "A long sender"}, "`sender`"),
        ({"to": "+34600000001", "text": "t", "client_id": "x" * 41}, "`client_id`"),
        ({"to": "+34600000001", "text": "t", "allow_unicode": "yes"}, "`allow_unicode`"),
        ({"to": "+34600000001", "text": "t", "from": "A", "600000001": 1}, r"unknown fields: •••••, from"),
    ],
)
def test_a_bad_message_is_told_by_its_position(spool, row, words):
    plan = planner(spool)
    plan.read([{"to": deliverable(0), "text": "t"}, row])
    with pytest.raises(PlanError, match=f"^1 of 2 rows cannot be sent, so nothing was sent.* row 1: .*{words}"):
        plan.check()


@pytest.mark.parametrize("column", ["phone", None])
def test_a_row_without_the_column_is_bad(spool, column):
    plan = planner(spool, template=RowTemplate("t", {}), to_column="phone")
    plan.read([{"to": "+34600000001"} if column else {"phone": None}])
    with pytest.raises(PlanError, match="row 0: `to"):
        plan.check()


def test_many_bad_rows_are_counted_and_some_are_told(spool):
    plan = planner(spool)
    plan.read(BadRow("is bad") for _ in range(MOST_REPORTED + 5))
    with pytest.raises(PlanError, match=r"^25 of 25 rows .*row 19: .*; and 5 more$") as caught:
        plan.check()
    assert "row 20" not in str(caught.value)


def test_bad_rows_may_be_left_out(spool):
    plan = planner(spool, on_invalid=OnInvalid.SKIP)
    plan.read([BadRow("is bad"), {"to": deliverable(0), "text": "t"}])
    plan.check()
    assert (plan.summary.rows, plan.summary.messages, plan.summary.invalid) == (2, 1, 1)
    assert issues(spool) == [(0, "invalid")]


def test_repeated_content_goes_out_once_unless_wanted(spool):
    rows = [{"to": deliverable(0), "text": "t"}] * 3 + [{"to": deliverable(0), "text": "t", "sender": "Other"}]
    plan = planner(spool)
    plan.read(rows)
    assert (plan.summary.messages, plan.summary.duplicates) == (2, 2)
    assert issues(spool) == [(1, "duplicate"), (2, "duplicate")]
    with Spool() as other:
        other.keys = KEYS
        again = planner(other, deduplicate=False)
        again.read(rows)
        assert again.summary.messages == 4
        assert other.occurrences == 3
        assert len({message.client_id for message in planned(other)}) == 4


def test_one_client_id_twice_is_an_error(spool):
    plan = planner(spool)
    plan.read([{"to": deliverable(n), "text": "t", "client_id": "mine"} for n in range(2)])
    with pytest.raises(PlanError, match="row 1: `client_id`: is also that of message 0; it must be unique"):
        plan.check()


def test_suppressed_numbers_are_left_out_however_they_are_written(spool):
    spool.suppress("+34600000001")
    plan = Planner(spool, PlanSettings("c", sender="Acme", default_region="ES"), spool.is_suppressed)
    plan.read([{"to": to, "text": "t"} for to in ("600 000 001", "+34 600-000-001", "0034600000001", "600000002")])
    assert (plan.summary.suppressed, plan.summary.messages) == (3, 1)


def test_the_keys_of_a_plan_depend_on_neither_order_nor_position(spool):
    rows = [{"to": deliverable(n), "text": "t"} for n in range(20)]
    planner(spool).read(rows)
    with Spool() as other:
        other.keys = KEYS
        planner(other).read([BadRow("x"), *rows[::-1]])
        assert {key for _, key, _ in spool.unlisted(-1, 99)} == {key for _, key, _ in other.unlisted(-1, 99)}


def test_a_preview_tells_what_is_to_know(spool):
    plan = planner(spool, on_invalid=OnInvalid.SKIP, allow_unicode=True)
    rows = [("600000001", "a"), ("600000001", "a"), ("+33612345678", "Ł" * 71), ("+34100000000", "ñ"), ("1", "t")]
    plan.read({"to": to, "text": text} for to, text in rows)
    (invalid,) = plan.summary.first_invalid
    assert preview_of("c", plan.summary, "too many") == {
        "campaign_id": "c",
        "preview": True,
        "rows": 5,
        "total": 3,
        "parts": 4,
        "encodings": {"GSM-7": 2, "UCS-2": 1},
        "countries": {"ES": 2, "FR": 1},
        "parts_by_country": {"ES": 2, "FR": 2},
        "number_types": {"mobile": 2, "unknown": 1},
        "not_valid": 1,
        "invalid": 1,
        "first_invalid": [{"position": 4, "reason": invalid[1]}],
        "duplicates": 1,
        "suppressed": 0,
        "refused": "too many",
    }


BAD = {"to": "6OO OOO OO1", "text": "t"}


@pytest.mark.parametrize(
    ("bad", "good", "most", "passes"), [(1, 9, 0.1, True), (2, 9, 0.1, False), (9, 1, 1.0, True), (1, 99, 0.0, False)]
)
def test_no_more_rows_may_be_left_out_than_is_said(spool, bad, good, most, passes):
    plan = planner(spool, on_invalid=OnInvalid.SKIP, max_invalid_ratio=most)
    plan.read([{"to": deliverable(place), "text": "t"} for place in range(good)] + [BAD] * bad)
    if passes:
        plan.check()
        return
    with pytest.raises(
        PlanError, match=rf"^{bad} of {bad + good} rows cannot be sent, .*`max_invalid_ratio` is {most:g}"
    ):
        plan.check()


@pytest.mark.parametrize("rows", [[BAD], [BAD] * 3, [BadRow("is not JSON", 7)]])
def test_a_plan_of_which_nothing_is_left_fails(spool, rows):
    plan = planner(spool, on_invalid=OnInvalid.SKIP)
    plan.read(rows)
    with pytest.raises(PlanError, match=rf"^{len(rows)} of {len(rows)} rows cannot be sent.*nothing is left to send"):
        plan.check()


def test_where_all_rows_are_suppressed_nothing_is_left_either(spool):
    spool.suppress("+34600000001")
    plan = Planner(spool, PlanSettings("c", sender="Acme"), spool.is_suppressed)
    plan.read([{"to": "+34600000001", "text": "t"}])
    with pytest.raises(PlanError, match="1 are on the suppression list, so nothing is left to send"):
        plan.check()


def test_no_rows_are_no_failure(spool):
    plan = planner(spool, on_invalid=OnInvalid.SKIP)
    plan.read([])
    plan.check()


def test_a_bad_row_of_a_file_says_its_line(spool):
    plan = planner(spool, template=RowTemplate("Hi {{ row.name }}", {}))
    row = FileRow(to="+34600000001", nmae="Ana")
    row.line = 12
    plan.read([row, BadRow("is not JSON", 14)])
    with pytest.raises(PlanError) as caught:
        plan.check()
    assert "not there: name; the columns are: to, nmae (line 12); row 1: `row`: is not JSON (line 14)" in str(
        caught.value
    )


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Pen\u0303a", "Pe\u00f1a"),
        ("Jose\u0301", "Jos\u00e9"),
        ("\uac00", "\u1100\u1161"),
        ("A\u030angstro\u0308m", "\u00c5ngstr\u00f6m"),
    ],
)
def test_two_spellings_of_one_letter_are_one_message_of_one_part(spool, text, same):
    plan = planner(spool, allow_unicode=True)
    plan.read([{"to": "+34600000001", "text": text * 20}, {"to": "+34600000001", "text": same * 20}])
    assert (plan.summary.messages, plan.summary.duplicates, plan.summary.parts) == (1, 1, 1)


def test_a_name_that_cannot_be_encoded_is_told_all_the_same(spool):
    plan = planner(spool, template=RowTemplate("Hi {{ row.name }}", {}))
    plan.read([{"a\ud800": 1}, {"to": "+34600000001", "a\ud800": 1}])
    assert [reason.partition("columns are: ")[2] for _, reason in plan.summary.first_invalid] == ["a?", "to, a?"]


def test_missing_fields_of_a_message_are_those_of_the_connection(spool):
    plan = planner(spool)
    nothing = float("nan")
    plan.read([{"to": deliverable(0), "text": "t", "sender": nothing, "allow_unicode": None, "client_id": nothing}])
    assert plan.summary.messages == 1
    plan.read([{"to": deliverable(1), "text": nothing}, {"to": nothing, "text": "t"}])
    assert [reason for _, reason in plan.summary.first_invalid] == ["`text`: is missing", "`to`: is missing"]
