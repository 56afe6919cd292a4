# SPDX-License-Identifier: Apache-2.0

"""Each name of Airflow that we use is found, whatever Airflow's common-compat knows of it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace

import pytest
from support import airflow_home

airflow_home.isolate()

from airflow_provider_instasent import compat  # noqa: E402 - Airflow reads its settings once

SDK = "airflow.providers.common.compat.sdk"
NAMES = sorted(compat._PLACES)


def knows(monkeypatch, *names):
    """Have common-compat know these names only, as an older one would."""
    older = ModuleType(SDK)
    for name in names:
        setattr(older, name, f"common-compat's {name}")
    monkeypatch.setitem(sys.modules, SDK, older)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_without_common_compats_sdk(name, monkeypatch):
    with_it = getattr(compat, name)
    monkeypatch.setitem(sys.modules, SDK, None)  # `import` raises

    assert getattr(compat, name) is with_it


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_found_where_common_compats_sdk_lacks_it(name, monkeypatch):
    with_it = getattr(compat, name)
    knows(monkeypatch, "AnotherName")

    assert getattr(compat, name) is with_it


def test_common_compat_is_asked_first(monkeypatch):
    knows(monkeypatch, "conf")

    assert compat.conf == "common-compat's conf"


def test_a_name_that_common_compat_cannot_import_is_looked_for_elsewhere(monkeypatch):
    def refuse(name):
        raise ImportError(f"Could not import {name!r}")

    with_it = compat.AirflowFailException
    knows(monkeypatch)
    sys.modules[SDK].__getattr__ = refuse

    assert compat.AirflowFailException is with_it


def test_a_name_that_no_airflow_has_is_an_import_error_that_says_where_it_was_looked_for(monkeypatch):
    monkeypatch.setitem(compat._PLACES, "Nobody", ("airflow.sdk", "airflow.nowhere"))
    monkeypatch.delitem(sys.modules, SDK, raising=False)

    with pytest.raises(ImportError, match=r"'Nobody' in any of: airflow\.sdk, airflow\.nowhere"):
        compat._name_of_airflow("Nobody")


@pytest.mark.parametrize("name", ["Operator", "__path__", "baseoperator"])
def test_other_names_are_none_of_ours(name):
    assert not hasattr(compat, name)


@pytest.mark.parametrize(
    "told", ["2026-11-27T23:41:28.5+00:00", datetime(2026, 11, 27, 23, 41, 28, 500_000, tzinfo=UTC)]
)
def test_when_a_sensor_first_poked_is_a_time_also_where_airflow_tells_it_as_text(told):
    ti = SimpleNamespace(get_first_reschedule_date=lambda _context: told)

    assert compat.first_start(None, {"ti": ti}) == datetime(2026, 11, 27, 23, 41, 28, 500_000, tzinfo=UTC)
