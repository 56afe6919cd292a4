# SPDX-License-Identifier: Apache-2.0
"""The first rejected rows, named by their place in the input."""

from __future__ import annotations

import pytest
from support.campaign import KEYS, key

from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.campaign.rejections import rejections_of
from airflow_provider_instasent.planning.spool import Spool


@pytest.fixture
def spool():
    """Messages of rows 0, 10, 20 … in another order in the journal."""
    with Spool() as opened:
        opened.keys = KEYS
        for place in range(30):
            opened.add(10 * place, key(place), Sms(f"+346000000{place:02}", f"text {place}", "Acme"), 1)
        opened.roster.extend([key(29 - place) for place in range(30)], [None] * 30)
        yield opened


def reject(spool, *rows, reason="to: no such number"):
    spool.roster.settle([MessageOutcome(29 - row // 10, MessageState.REJECTED, reason=reason) for row in rows])


def test_rows_are_named_in_input_order_with_the_reason(spool):
    reject(spool, 270, 30)
    reject(spool, 40, reason="unpaid.")
    assert rejections_of(spool, 3) == "row 30: to: no such number; row 40: unpaid; row 270: to: no such number"


def test_ten_are_named_and_the_rest_is_counted(spool):
    reject(spool, *range(0, 130, 10))
    told = rejections_of(spool, 13)
    assert told.startswith("row 0: to: no such number; row 10: ")
    assert told.endswith("row 90: to: no such number; and 3 more")


@pytest.mark.parametrize(
    ("reason", "told"), [(None, "no reason told"), ("", "no reason told"), ("x" * 500, "x" * 199 + "…")]
)
def test_a_reason_that_is_missing_or_long(spool, reason, told):
    reject(spool, 0, reason=reason)
    assert rejections_of(spool, 1) == f"row 0: {told}"


def test_a_row_of_a_file_is_named_by_its_line_too(spool):
    message = Sms("+34600000099", "text", "Acme")
    spool.add(300, key(30), message, 1, line=307)
    spool.roster.extend([key(30)], [None])
    spool.roster.settle([MessageOutcome(30, MessageState.REJECTED, reason="unpaid")])
    assert rejections_of(spool, 1) == "row 300 (line 307): unpaid"


def test_nothing_is_said_where_nothing_was_rejected(spool):
    assert rejections_of(spool, 0) == ""
