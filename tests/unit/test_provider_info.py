# SPDX-License-Identifier: Apache-2.0

"""What Airflow reads of the provider before it loads anything: checked by Airflow's own schemas and commands."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module, metadata, resources
from importlib.util import find_spec

import pytest
from jsonschema import Draft7Validator
from support import airflow_home
from support.events import LONG

from airflow_provider_instasent import __version__
from airflow_provider_instasent.provider_info import get_provider_info

airflow_home.isolate()

DISTRIBUTION = "airflow-provider-instasent"
HEAVY = ("airflow", "requests", "httpx", "phonenumbers", "jsonschema", "wtforms")


def run(*command):
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True, timeout=LONG)
    return done.stdout


def airflow_schema(name):
    return json.loads(resources.files("airflow").joinpath(name).read_text(encoding="utf-8"))


def test_it_is_valid_by_the_schema_that_airflow_applies_at_start():
    Draft7Validator(airflow_schema("provider_info.schema.json")).validate(get_provider_info())


def test_its_connection_type_is_valid_by_the_schema_of_provider_files():
    schema = airflow_schema("provider.yaml.schema.json")["properties"]["connection-types"]
    info = get_provider_info()["connection-types"]
    if "conn-fields" not in schema["items"]["properties"]:
        pytest.skip("this Airflow does not know conn-fields yet")
    Draft7Validator(schema).validate(info)
    assert set(info[0]) <= set(schema["items"]["properties"])


def test_its_names_agree_with_each_other():
    info = get_provider_info()
    (integration,) = info["integrations"]
    used = {item["integration-name"] for kind in ("operators", "sensors", "hooks", "triggers") for item in info[kind]}
    assert used == {integration["integration-name"]}
    (connection_type,) = info["connection-types"]
    module, name = connection_type["hook-class-name"].rsplit(".", 1)
    hook = getattr(import_module(module), name)
    assert hook.conn_type == connection_type["connection-type"] == "instasent"
    assert hook.hook_name == connection_type["hook-name"] == "Instasent"
    assert (hook.conn_name_attr, hook.default_conn_name) == ("instasent_conn_id", "instasent_default")
    assert info["versions"] == [__version__]


@pytest.mark.parametrize("kind", ["operators", "sensors", "hooks", "triggers"])
def test_every_module_it_names_exists(kind):
    (item,) = get_provider_info()[kind]
    for module in item["python-modules"]:
        assert find_spec(module), module


def test_it_loads_nothing_heavy():
    code = (
        "import sys, json; from airflow_provider_instasent.provider_info import get_provider_info; "
        f"get_provider_info(); print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    assert json.loads(run("-c", code)) == []


@pytest.fixture
def installed():
    """The provider as Airflow finds it: by its distribution's entry point."""
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{DISTRIBUTION} is not installed here, so Airflow cannot list it")
    return distribution


def airflow_lists(kind):
    return json.loads(run("-m", "airflow", "providers", kind, "--output", "json"))


def test_the_package_name_is_that_of_the_distribution(installed):
    assert get_provider_info()["package-name"] == DISTRIBUTION
    assert installed.metadata["Name"] == DISTRIBUTION
    (entry_point,) = installed.entry_points.select(group="apache_airflow_provider")
    assert entry_point.load() is get_provider_info


def test_airflow_lists_the_provider(installed):
    (ours,) = [row for row in airflow_lists("list") if row["package_name"] == DISTRIBUTION]
    assert ours["version"] == installed.version


def test_airflow_lists_the_hook_and_its_connection_type(installed):
    (ours,) = [row for row in airflow_lists("hooks") if row["package_name"] == DISTRIBUTION]
    assert ours["connection_type"] == "instasent"
    assert ours["class"] == "InstasentHook" or ours["class"].endswith(".InstasentHook")
    assert ours["conn_id_attribute_name"] == "instasent_conn_id"
    assert ours["hook_name"] == "Instasent"


def test_airflow_lists_the_triggers(installed):
    ours = [row for row in airflow_lists("triggers") if row["package_name"] == DISTRIBUTION]
    assert "airflow_provider_instasent.triggers.sms" in str(ours)


def test_airflow_offers_the_connection_form(installed):
    """Airflow 3.3 warns and leaves out a declaration that does not please it; so its own answer to the UI counts."""
    if find_spec("airflow.api_fastapi") is None:
        pytest.skip("Airflow 2 takes the form from the hook's methods")
    code = (
        "import json; from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService\n"
        "(ours,) = [one for one in HookMetaService.hook_meta_data() if one.connection_type == 'instasent']\n"
        "print('ANSWER', ours.model_dump_json())"
    )
    (answer,) = [line for line in run("-c", code).splitlines() if line.startswith("ANSWER ")]
    form = json.loads(answer.removeprefix("ANSWER "))
    (declared,) = get_provider_info()["connection-types"]
    assert form["hook_name"] == "Instasent"
    assert list(form["extra_fields"]) == list(declared["conn-fields"])
    assert form["extra_fields"]["api"]["value"] == "legacy"
    assert form["extra_fields"]["api"]["schema"]["enum"] == ["legacy", "transactional"]
    assert form["standard_fields"]["login"]["hidden"] is True
    assert form["standard_fields"]["password"]["title"] == "API token"
