# SPDX-License-Identifier: Apache-2.0

"""The connection form is declared two ways, and both say the same."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import pytest

from airflow_provider_instasent.hooks import connection_extra
from airflow_provider_instasent.hooks.connection import read_connection
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.provider_info import get_provider_info

KINDS = {"boolean": "BooleanField", "integer": "IntegerField", "number": "StringField", "string": "StringField"}


@dataclass
class FakeField:
    """What wtforms makes of a field that is not yet in a form."""

    label: str
    validators: list = field(default_factory=list)
    description: str = ""
    default: object = None
    widget: object = None

    @property
    def field_class(self):
        return type(self)


def fake_form_libraries(monkeypatch):
    """Airflow 3 has neither wtforms nor Flask-AppBuilder unless its FAB auth manager is installed."""
    fakes = {
        "wtforms": {name: type(name, (FakeField,), {}) for name in KINDS.values()},
        "wtforms.validators": {"Optional": SimpleNamespace, "any_of": lambda values: SimpleNamespace(values=values)},
        "flask_babel": {"lazy_gettext": str},
        "flask_appbuilder": {},
        "flask_appbuilder.fieldwidgets": {"BS3TextFieldWidget": SimpleNamespace},
    }
    for name, content in fakes.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def widgets(monkeypatch):
    if find_spec("flask_appbuilder") is None:
        fake_form_libraries(monkeypatch)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Flask's own, of old versions that Airflow 2.11 asks for
            import flask_appbuilder.fieldwidgets  # noqa: F401
    return InstasentHook.get_connection_form_widgets()


@pytest.fixture
def declared():
    (connection_type,) = get_provider_info()["connection-types"]
    return connection_type


def test_both_ways_declare_the_same_fields_in_the_same_order(widgets, declared):
    assert list(widgets) == list(declared["conn-fields"])
    kinds = {name: made.field_class.__name__ for name, made in widgets.items()}
    types = {name: field["schema"]["type"][0] for name, field in declared["conn-fields"].items()}
    assert kinds == {name: KINDS[kind] for name, kind in types.items()}


def test_both_ways_treat_the_standard_fields_alike(declared):
    behaviour = InstasentHook.get_ui_field_behaviour()
    assert {name.replace("_", "-"): value for name, value in behaviour.items()} == declared["ui-field-behaviour"]


def test_the_hook_knows_exactly_the_fields_of_the_form(declared):
    extra = dict.fromkeys(declared["conn-fields"], "")
    settings = {"password": None, "host": None, "schema": None, "port": None}
    assert read_connection(**settings, extra=extra).unknown_extras == ()
    assert read_connection(**settings, extra=extra | {"other": ""}).unknown_extras == ("other",)


def test_no_field_is_required_and_no_name_confuses_airflow(declared):
    for name, declaration in declared["conn-fields"].items():
        assert declaration["schema"]["type"][1] == "null", name
        assert "__" not in name


def test_a_field_of_choices_offers_them(declared):
    schema = declared["conn-fields"]["api"]["schema"]
    assert schema == {"type": ["string", "null"], "enum": ["legacy", "transactional"], "default": "legacy"}


def test_defaults_named_in_the_help_are_those_of_the_client():
    from airflow_provider_instasent.api.base_urls import BASE_URLS
    from airflow_provider_instasent.api.client_settings import ClientSettings

    usual = ClientSettings(token="t")
    for one in connection_extra.EXTRA_FIELDS:
        if one.name in {"connect_timeout", "read_timeout", "max_in_flight"}:
            assert f"; {getattr(usual, one.name):g} if empty" in one.description
    assert tuple(BASE_URLS) == connection_extra.EXTRA_FIELDS[0].choices
    assert BASE_URLS[str(connection_extra.EXTRA_FIELDS[0].default)] == usual.base_url


def test_what_the_form_says_of_standard_fields_holds_for_both_apis(declared):
    from airflow_provider_instasent.api.base_urls import BASE_URLS

    said = " ".join(declared["ui-field-behaviour"]["placeholders"].values())
    assert not any(url in said for url in BASE_URLS.values())
    assert declared["ui-field-behaviour"]["relabeling"] == {"password": "API token", "host": "Base URL or host"}
