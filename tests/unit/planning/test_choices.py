# SPDX-License-Identifier: Apache-2.0
"""A policy is known by its name, and only by that."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.planning.choices import OnUnconfirmed


@pytest.mark.parametrize("name", ["fail", "resend", "skip", " skip\n", OnUnconfirmed.SKIP])
def test_a_policy_has_its_name(name):
    assert OnUnconfirmed.of(name) == str(name).strip()


@pytest.mark.parametrize("name", ["", "Fail", "retry", None, 1, True, ["fail"], "{{ params.policy }}"])
def test_another_name_is_an_error_that_lists_those_there_are(name):
    with pytest.raises(ConfigurationError, match='`on_unconfirmed` must be one of "fail", "resend", "skip"'):
        OnUnconfirmed.of(name)
