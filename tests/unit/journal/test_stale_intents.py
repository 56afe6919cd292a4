# SPDX-License-Identifier: Apache-2.0
"""An intent is too old once more than ten seconds have passed."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.journal.stale_intents import STALE_INTENT_SECONDS, is_stale


@pytest.mark.parametrize(("age", "stale"), [(0.0, False), (STALE_INTENT_SECONDS, False), (10.5, True), (3_600.0, True)])
def test_when_an_intent_is_too_old(age, stale):
    assert is_stale(1_000.0, 1_000.0 + age) is stale
