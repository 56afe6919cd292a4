# SPDX-License-Identifier: Apache-2.0

"""What this Airflow knows of the installed provider, and whether all of it can be loaded."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import pytest

import airflow_provider_instasent

MODULES = [
    module.name
    for module in pkgutil.walk_packages(airflow_provider_instasent.__path__, "airflow_provider_instasent.")
    if "example_dags" not in module.name and not module.name.endswith("__main__")
]


@pytest.mark.filterwarnings("ignore:ProvidersManager")  # what its warnings advise is not in all Airflows
def test_airflow_knows_the_provider_and_its_connection():
    from airflow.providers_manager import ProvidersManager

    manager = ProvidersManager()

    assert manager.providers["airflow-provider-instasent"].version == airflow_provider_instasent.__version__
    hook = manager.hooks["instasent"]
    assert hook is not None
    assert hook.hook_class_name == "airflow_provider_instasent.hooks.instasent.InstasentHook"
    assert hook.hook_name == "Instasent"
    assert "instasent_bulk" in manager.taskflow_decorators


def test_all_modules_were_found():
    assert len(MODULES) > 150


@pytest.mark.parametrize("name", MODULES)
def test_a_module_can_be_loaded(name):
    import_module(name)
