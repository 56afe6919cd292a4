# SPDX-License-Identifier: Apache-2.0
"""The rule for when a wait is over, without sockets or a clock."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_instasent.api.statuses import TERMINAL_FAILURES
from airflow_provider_instasent.waiting.accepted_times import UNTOLD, AcceptedTimes
from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.delivery_watch import MISSING_GRACE, Watch, WatchRules
from airflow_provider_instasent.waiting.trigger_size import LARGEST_TRIGGER
from airflow_provider_instasent.waiting.wait_result import MAX_REPORTED, WatchResult

LATER = 10_000.0


def watch_of(statuses, **rules):
    """A watch that read these statuses; None stands for a message not read yet."""
    watch = Watch([f"id-{place}" for place in range(len(statuses))], WatchRules(**rules))
    for place, status in enumerate(statuses):
        if status is not None:
            watch.saw(f"id-{place}", {"id": f"id-{place}", "status": status})
    return watch


@pytest.mark.parametrize(
    ("statuses", "ratio", "ending"),
    [
        ([], 1.0, Ending.SUCCESS),
        (["delivered"], 1.0, Ending.SUCCESS),
        (["delivered", "sent"], 1.0, None),
        (["delivered", "sent"], 0.5, None),
        (["delivered", "failed"], 0.5, Ending.SUCCESS),
        (["delivered", "failed"], 0.51, Ending.UNDELIVERABLE),
        (["failed", None, None], 1.0, Ending.UNDELIVERABLE),
        (["failed", None, None], 0.6, None),
        (["failed", "expired", None], 0.6, Ending.UNDELIVERABLE),
        (["failed", "failed"], 0.0, Ending.SUCCESS),
        (["failed", None], 0.0, None),
    ],
)
def test_a_batch_ends_when_its_ratio_is_decided(statuses, ratio, ending):
    ended = watch_of(statuses, min_delivered_ratio=ratio).conclude(0.0, LATER)
    assert (ended and ended.ending) == ending


@pytest.mark.parametrize("status", sorted(TERMINAL_FAILURES))
def test_each_terminal_failure_ends_a_wait_for_all(status):
    ended = watch_of(["delivered", str(status)]).conclude(0.0, LATER)
    assert ended.ending is Ending.UNDELIVERABLE
    assert ended.final
    assert f"{status} 1" in ended.message


@pytest.mark.parametrize(
    ("statuses", "ratio", "ending"),
    [(["delivered", "sent"], 0.5, Ending.SUCCESS), (["delivered", "sent"], 1.0, Ending.TIMEOUT)],
)
def test_the_deadline_asks_whether_enough_are_delivered(statuses, ratio, ending):
    watch = watch_of(statuses, min_delivered_ratio=ratio)
    assert watch.conclude(99.9, 100.0) is None
    ended = watch.conclude(100.0, 100.0)
    assert ended.ending is ending
    assert ended.result.pending == 1
    assert ("success_statuses" in ended.message) == (ending is Ending.TIMEOUT)


@pytest.mark.parametrize(
    ("ratio", "total", "needed"), [(0.07, 100, 7), (0.29, 100, 29), (0.1, 3, 1), (1, 7, 7), (0, 7, 0), (0.999, 10, 10)]
)
def test_the_ratio_is_exact(ratio, total, needed):
    assert WatchRules(min_delivered_ratio=ratio).needed(total) == needed


@given(
    st.lists(st.sampled_from(["delivered", "failed", "sent", None]), max_size=12),
    st.floats(0, 1, allow_nan=False),
)
def test_a_wait_never_goes_on_without_hope_nor_ends_without_reason(statuses, ratio):
    watch = watch_of(statuses, min_delivered_ratio=ratio)
    ended = watch.conclude(0.0, LATER)
    arrived, lost = statuses.count("delivered"), statuses.count("failed")
    result = watch.result()
    assert (result.delivered, result.undeliverable, result.total) == (arrived, lost, len(statuses))
    assert result.delivered + result.undeliverable + result.pending == sum(result.counts.values()) == len(statuses)
    possible = (arrived + result.pending) / len(statuses) if statuses else 1.0
    if ended is None:
        assert result.pending
    elif ended.ending is Ending.SUCCESS:
        assert not result.pending
    else:
        assert ended.ending is Ending.UNDELIVERABLE
        assert possible < ratio


def test_final_messages_are_not_asked_for_again_and_the_rest_keeps_its_order():
    watch = watch_of([None] * 4)
    assert watch.pending == ["id-0", "id-1", "id-2", "id-3"]
    watch.saw("id-1", {"status": "delivered"})
    watch.saw("id-2", {"status": "sent"})
    watch.saw("id-0", {"status": "sent"})
    assert watch.pending == ["id-0", "id-2", "id-3"]
    assert [watch.is_pending(one) for one in ("id-0", "id-1", "nobody's")] == [True, False, False]


def test_an_id_given_twice_is_watched_once():
    assert Watch(["a", "b", "a"]).result().total == 2


def test_success_statuses_widen_what_is_delivered_and_are_compared_as_the_api_might_spell_them():
    watch = watch_of([" SENT ", "Delivered"], success_statuses=(" Sent",))
    assert watch.conclude(0.0, LATER).ending is Ending.SUCCESS
    assert watch.result().counts == {"sent": 1, "delivered": 1}


def test_a_404_is_lag_first_and_final_later():
    watch = Watch(["a"])
    watch.missed("a", 1_000.0)
    watch.missed("a", 1_000.0 + MISSING_GRACE - 1)
    assert watch.conclude(0.0, LATER) is None
    assert watch.result().counts == {"unread": 1}
    watch.missed("a", 1_000.0 + MISSING_GRACE)
    ended = watch.conclude(0.0, LATER)
    assert ended.ending is Ending.UNDELIVERABLE
    assert ended.result.counts == {"not_found": 1}
    assert "not visible to this connection's API token" in ended.message


def test_what_will_not_arrive_is_named_by_the_first_ids_and_words():
    watch = Watch([f"id-{place}" for place in range(15)])
    watch.saw("id-0", {"status": "delivered"})
    for place in range(1, 13):
        watch.saw(f"id-{place}", {"status": "failed", "statusCode": "27"} if place % 2 else {"status": "expired"})
    message = watch.conclude(0.0, LATER).message
    assert "Not delivered: id-1 failed (code 27), id-2 expired, id-3 failed (code 27), " in message
    assert "id-10 expired and 2 more." in message
    assert "id-11" not in message
    assert "id-13" not in message, "it may still arrive"


@pytest.mark.parametrize("sms_id", ["+34600000123", "34600000123", "0034600000123", "+34 600 000 123"])
@pytest.mark.parametrize("last", [0.0, MISSING_GRACE])
def test_an_id_that_is_a_phone_number_by_mistake_is_not_shown(sms_id, last):
    watch = Watch([sms_id])
    for now in (1_000.0, 1_000.0 + last):
        watch.missed(sms_id, now)
    message = watch.conclude(LATER, LATER).message
    assert "Not delivered: " in message
    assert "600" not in message


@pytest.mark.parametrize("sms_id", ["404946320000000001", "20261127001", "0f" * 60])
def test_an_id_that_the_api_answers_for_is_shown_whatever_it_looks_like(sms_id):
    watch = Watch([sms_id])
    watch.saw(sms_id, {"status": "failed"})
    assert f"Not delivered: {sms_id[:64]} failed." in watch.conclude(0.0, LATER).message


def test_what_was_accepted_without_an_id_is_counted_and_not_named():
    watch = Watch(["id-0"], memory={"without_id": 2})
    watch.saw("id-0", {"status": "unpaid"})
    message = watch.conclude(0.0, LATER).message
    assert "Not delivered: id-0 unpaid." in message
    assert "`no_id`: accepted" in message


MAY = "may still arrive"


@pytest.mark.parametrize(
    ("read", "unknown", "told"),
    [
        (["sent", "sent"], 0, " The pending messages were sent and may still arrive."),
        ([], 1, " The pending messages were not found: absent, or not visible to this connection's API token"),
        ([], 3, " The pending messages were not found: absent, or not visible to this connection's API token"),
        (["sent"], 1, " Of the pending messages 1 was not found: absent"),
        (["sent"], 2, " Of the pending messages 2 were not found: absent"),
        (["sent"], 2, "; 1 was sent and may still arrive."),
    ],
)
@pytest.mark.parametrize("ratio", [1.0, 0.0])
def test_nobody_is_told_that_what_the_api_does_not_know_may_still_arrive(read, unknown, told, ratio):
    known, lost = [f"id-{place}" for place in range(len(read))], [f"lost-{place}" for place in range(unknown)]
    watch = Watch([*known, *lost], WatchRules(min_delivered_ratio=ratio))
    for sms_id, status in zip(known, read, strict=True):
        watch.saw(sms_id, {"status": status})
    for sms_id in lost:
        watch.missed(sms_id, 1_000.0)
    ended = watch.conclude(LATER, LATER)
    assert ended.ending is (Ending.TIMEOUT if ratio else Ending.SUCCESS)
    assert told in ended.message
    assert (MAY in ended.message) == bool(read)
    assert not ratio or all(f"{sms_id} not found yet" in ended.message for sms_id in lost)


@pytest.mark.parametrize("ratio", [1.0, 0.0])
def test_nobody_is_told_that_what_was_never_read_was_sent(ratio):
    watch = Watch(["a", "b", "c"], WatchRules(min_delivered_ratio=ratio))
    assert "The pending messages were never read, so their status is not known." in watch.conclude(LATER, LATER).message
    watch.saw("a", {"status": "sent"})
    watch.missed("b", 1_000.0)
    message = watch.conclude(LATER, LATER).message
    assert "1 was never read, so their status is not known; 1 was sent and may still arrive." in message


def test_a_message_that_is_not_found_for_good_is_not_said_to_be_pending():
    watch = Watch(["lost", "on-its-way"], WatchRules(min_delivered_ratio=0.5))
    watch.saw("on-its-way", {"status": "sent"})
    for now in (1_000.0, 1_000.0 + MISSING_GRACE):
        watch.missed("lost", now)
    message = watch.conclude(LATER, LATER).message
    assert "The pending messages were sent and may still arrive." in message
    assert "Not delivered: lost not_found, on-its-way sent." in message


def test_a_404_that_is_found_meanwhile_starts_anew():
    watch = Watch(["a"])
    watch.missed("a", 1_000.0)
    watch.saw("a", {"status": "sent"})
    watch.missed("a", 1_000.0 + 2 * MISSING_GRACE)
    assert watch.result().counts == {"sent": 1}


def test_a_404_counts_from_the_first_poke_where_nothing_remembers_more():
    watch = Watch(["a"], missing_since=1_000.0)
    watch.missed("a", 1_000.0 + MISSING_GRACE)
    assert watch.result().counts == {"not_found": 1}


def test_failed_sweeps_count_in_a_row_only():
    watch = Watch(["a"], WatchRules(max_poll_failures=3))
    for _ in range(2):
        watch.last_error = "HTTP 503"
        watch.sweep_ended(succeeded=False)
    watch.sweep_ended(succeeded=True)
    assert watch.last_error is None
    for _ in range(2):
        watch.last_error = "HTTP 500"
        watch.sweep_ended(succeeded=False)
    assert watch.conclude(0.0, LATER) is None
    watch.sweep_ended(succeeded=False)
    ended = watch.conclude(0.0, LATER)
    assert ended.ending is Ending.ERROR
    assert not ended.final
    assert "HTTP 500" in ended.message
    assert "max_poll_failures" in ended.message


def test_a_refusal_ends_the_wait_for_good():
    watch = Watch(["a"])
    watch.refusal = "HTTP 401: the token is wrong"
    ended = watch.conclude(0.0, LATER)
    assert (ended.ending, ended.final) == (Ending.ERROR, True)


@pytest.mark.parametrize("final", [0, 500, 1_000])
def test_what_a_trigger_carries_has_a_bound(final):
    ids = [str(uuid.uuid4()) for _ in range(1_000)]
    watch = Watch(ids)
    for sms_id in ids[:final]:
        watch.saw(sms_id, {"id": sms_id, "status": "delivered", "statusCode": "0"})
    carried, memory = watch.for_trigger()
    assert len(json.dumps([carried, memory])) <= LARGEST_TRIGGER
    assert {*carried, *memory["settled"]} == set(ids)


def test_more_than_a_trigger_carries_is_an_error():
    with pytest.raises(ValueError, match="these are 2000"):
        Watch([str(uuid.uuid4()) for _ in range(2_000)]).for_trigger()


def test_messages_without_an_id_count_and_never_arrive():
    watch = Watch(["1", "2"], WatchRules(min_delivered_ratio=0.5), {"without_id": 2})
    watch.saw("1", {"status": "delivered"})
    again = Watch(["1", "2"], WatchRules(min_delivered_ratio=0.75), json.loads(json.dumps(watch.memory())))
    ended = again.conclude(0, 1)
    assert ended.ending is Ending.UNDELIVERABLE
    assert "no_id 2" in ended.message
    assert "did not tell the id" in ended.message
    watch.saw("2", {"status": "delivered"})
    result = watch.conclude(0, 1).result
    assert (result.total, result.delivered, result.undeliverable, result.counts["no_id"]) == (4, 2, 2, 2)


def test_memory_survives_json_and_other_ids():
    watch = Watch(["a", "b", "c"])
    watch.saw("a", {"status": "delivered", "statusCode": "000"})
    watch.missed("b", 5.0)
    watch.sweep_ended(succeeded=False)
    watch.blocked_until = 77.0
    memory = json.loads(json.dumps(watch.memory()))
    again = Watch(["a", "b", "c"], memory=memory)
    assert again.pending == ["b", "c"]
    assert again.result().statuses["a"] == {"status": "delivered", "code": "000"}
    assert again.failed_sweeps == 1
    assert not again.may_sweep(76.9)
    again.missed("b", 5.0 + MISSING_GRACE)
    assert again.result().counts == {"delivered": 1, "not_found": 1, "unread": 1}
    assert Watch(["b", "x"], memory=memory).pending == ["b", "x"]


def test_a_change_of_status_is_noted_and_a_repetition_is_not():
    watch = Watch(["a"])
    for status, changed in (("sent", True), ("sent", False), ("delivered", True)):
        watch.saw("a", {"status": status})
        assert watch.changed == changed
        watch.changed = False


def test_a_memory_knows_between_which_moments_the_messages_were_accepted():
    watch = Watch(["a", "b", "c"], accepted=AcceptedTimes.each([100.0, None, 900.0]))
    watch.saw("a", {"status": "delivered"})
    assert watch.stretches() == {UNTOLD: ["b"], (900.0, 900.0): ["c"]}
    again = Watch(["b", "c"], memory=json.loads(json.dumps(watch.memory())))
    assert again.stretches() == {(100.0, 900.0): ["b", "c"]}
    assert Watch(["b"], memory={"accepted": None}).stretches() == {UNTOLD: ["b"]}


def test_codes_are_passed_on_and_never_decide():
    watch = Watch(["a", "b", "c"])
    watch.saw("a", {"status": "sent", "statusCode": "failed"})
    watch.saw("b", {"status": "delivered", "code": 105})
    watch.saw("c", {"status": "delivered", "statusCode": ""})
    statuses = watch.result().statuses
    assert [one["code"] for one in statuses.values()] == ["failed", "105", None]
    assert watch.result().delivered == 2


def test_unknown_words_are_pending_and_kept_for_the_log_once():
    watch = watch_of(["teleported", "Teleported ", None, 7, "x" * 500 + " +34600111222"])
    assert watch.conclude(0.0, LATER) is None
    assert watch.unlogged_words == ["teleported", "no_status", "x" * 40]
    numbered = watch_of(["lost +34600111222"])
    assert "600111" not in str(numbered.result())


def test_only_the_first_thousand_are_reported_one_by_one():
    result = watch_of(["delivered"] * (MAX_REPORTED + 1)).result()
    assert (result.delivered, len(result.statuses)) == (MAX_REPORTED + 1, MAX_REPORTED)


def test_a_result_survives_being_plain():
    result = watch_of(["delivered", "failed", None]).result()
    assert WatchResult.of(json.loads(json.dumps(result.as_dict()))) == result
    assert str(result) == "1 of 3 delivered, 1 undeliverable, 1 pending (delivered 1, failed 1, unread 1)"


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"min_delivered_ratio": 1.1}, "min_delivered_ratio"),
        ({"min_delivered_ratio": -0.1}, "min_delivered_ratio"),
        ({"min_delivered_ratio": float("nan")}, "min_delivered_ratio"),
        ({"min_delivered_ratio": True}, "min_delivered_ratio"),
        ({"min_delivered_ratio": "1"}, "min_delivered_ratio"),
        ({"max_poll_failures": 0}, "max_poll_failures"),
        ({"max_poll_failures": 1.5}, "max_poll_failures"),
        ({"success_statuses": ()}, "success_statuses"),
        ({"success_statuses": "delivered"}, "success_statuses"),
        ({"success_statuses": ("delivered", " ")}, "success_statuses"),
        ({"success_statuses": (None,)}, "success_statuses"),
    ],
)
def test_bad_rules_name_the_parameter(rules, field):
    with pytest.raises(ValueError, match=f"`{field}`"):
        WatchRules(**rules)
