# SPDX-License-Identifier: Apache-2.0

"""The advice to keep a large campaign's journal outside Airflow's metadata database."""

from __future__ import annotations

import logging

import pytest
from support.bulk_send import BulkTask, messages

from airflow_provider_instasent.campaign import bulk_send


@pytest.mark.parametrize(
    ("journal", "total", "advised"), [("values", 21, True), ("values", 20, False), ("path", 21, False)]
)
def test_a_path_is_advised_where_it_would_help(sandbox, tmp_path, monkeypatch, caplog, journal, total, advised):
    monkeypatch.setattr(bulk_send, "MANY_MESSAGES", 20)
    task = BulkTask(sandbox, tmp_path, journal, messages(total))
    with caplog.at_level(logging.INFO, logger=bulk_send.__name__):
        assert task.attempt().summary["accepted"] == total
    assert ("`journal_path`" in caplog.text) is advised
