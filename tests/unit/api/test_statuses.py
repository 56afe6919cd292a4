# SPDX-License-Identifier: Apache-2.0
"""The status vocabulary, and the one rule for when a message's journey is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_instasent.api.statuses import (
    IN_TRANSIT,
    TERMINAL_FAILURES,
    DeliveryStatus,
    Verdict,
    is_known,
    judge,
    normalise_status,
)

PENDING = ["enqueued", "scheduled", "accepted", "buffered", "sent"]
FAILED = ["failed", "error", "expired", "rejected", "canceled", "cancelled", "unpaid", "unknown", "not_found", "no_id"]


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, Verdict.PENDING) for status in PENDING),
        ("delivered", Verdict.DELIVERED),
        *((status, Verdict.UNDELIVERABLE) for status in FAILED),
        (" DELIVERED ", Verdict.DELIVERED),
        ("Expired\n", Verdict.UNDELIVERABLE),
        ("stop", Verdict.PENDING),
        ("teleported", Verdict.PENDING),
        ("", Verdict.PENDING),
        (None, Verdict.PENDING),
        (7, Verdict.PENDING),
        (["delivered"], Verdict.PENDING),
        (DeliveryStatus.DELIVERED, Verdict.DELIVERED),
    ],
)
def test_the_rule(status, verdict):
    assert judge(status) is verdict


@pytest.mark.parametrize(
    ("status", "success", "verdict"),
    [
        ("sent", ("sent",), Verdict.DELIVERED),
        ("SENT", [" Sent "], Verdict.DELIVERED),
        ("delivered", ("sent",), Verdict.DELIVERED),
        ("delivered", (), Verdict.DELIVERED),
        ("unknown", {"unknown"}, Verdict.DELIVERED),
        ("failed", ("sent",), Verdict.UNDELIVERABLE),
        ("sent", (DeliveryStatus.SENT,), Verdict.DELIVERED),
        (None, "sent", Verdict.PENDING),
    ],
)
def test_the_caller_may_widen_what_counts_as_success(status, success, verdict):
    assert judge(status, success) is verdict


def test_the_vocabulary_has_no_gaps_and_no_overlap():
    assert frozenset(PENDING) == IN_TRANSIT
    assert frozenset(FAILED) == TERMINAL_FAILURES
    assert {*PENDING, *FAILED, "delivered"} == set(DeliveryStatus)
    assert not IN_TRANSIT & TERMINAL_FAILURES


@given(st.text())
def test_what_is_unknown_is_pending(status):
    normalised = normalise_status(status)

    assert normalised == status.strip().lower()
    if not is_known(normalised):
        assert judge(status) is Verdict.PENDING


@pytest.mark.parametrize("status", list(DeliveryStatus))
def test_every_status_is_known(status):
    assert is_known(status.value)
    assert not is_known("teleported")
