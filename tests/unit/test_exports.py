# SPDX-License-Identifier: Apache-2.0
"""The public names, where users find them, and the parameters that mean the same everywhere."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest
from support import airflow_home

from airflow_provider_instasent import __version__

airflow_home.isolate()

PACKAGE = "airflow_provider_instasent"
NAMES = [
    ("api", "InstasentClient"),
    ("api", "AsyncInstasentClient"),
    ("api", "Sms"),
    ("api", "DeliveryStatus"),
    ("hooks.instasent", "InstasentHook"),
    ("operators.sms", "InstasentSendSmsOperator"),
    ("sensors.sms", "InstasentDeliverySensor"),
    ("triggers.sms", "InstasentDeliveryTrigger"),
    ("provider_info", "get_provider_info"),
]
CONNECTED = [
    (module, name) for module, name in NAMES if module.startswith(("hooks", "operators", "sensors", "triggers"))
]
HOOK = {
    "get_conn": [],
    "aget_conn": [],
    "send_sms": ["to", "text", "sender", "allow_unicode", "client_id"],
    "send_bulk": ["messages"],
    "get_sms": ["sms_id"],
    "iter_sms": ["per_page"],
    "get_account": [],
    "test_connection": [],
}
SEND = [
    "to", "text", "sender", "allow_unicode", "client_id", "campaign_id", "wait_for_delivery", "deferrable",
    "poll_interval", "timeout", "success_statuses", "on_unconfirmed", "unconfirmed_grace", "journal_path",
    "instasent_conn_id",
]  # fmt: skip
SENSOR = ["message_ids", "success_statuses", "min_delivered_ratio", "deferrable", "max_poll_failures"]


def public(module, name):
    return getattr(import_module(f"{PACKAGE}.{module}"), name)


def parameters(thing):
    """The parameters of a class, without the names that Airflow's base classes add by `**kwargs`."""
    return inspect.signature(thing).parameters


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_a_public_name_is_where_users_find_it(module, name):
    thing = public(module, name)

    assert thing.__name__ == name
    assert inspect.getdoc(thing)


@pytest.mark.parametrize(("module", "name"), CONNECTED)
def test_everything_that_talks_to_instasent_takes_the_same_connection_by_default(module, name):
    parameter = parameters(public(module, name).__init__)["instasent_conn_id"]

    assert parameter.default == "instasent_default"


@pytest.mark.parametrize("method", HOOK)
def test_the_hooks_methods_take_what_was_promised(method):
    taken = list(parameters(getattr(public("hooks.instasent", "InstasentHook"), method)))

    assert taken[: len(HOOK[method]) + 1] == ["self", *HOOK[method]]


@pytest.mark.parametrize(
    ("module", "name", "promised"),
    [("operators.sms", "InstasentSendSmsOperator", SEND), ("sensors.sms", "InstasentDeliverySensor", SENSOR)],
)
def test_the_parameters_that_were_promised(module, name, promised):
    assert set(promised) <= set(parameters(public(module, name).__init__))


def test_the_send_operators_templates():
    assert set(public("operators.sms", "InstasentSendSmsOperator").template_fields) >= {
        "to", "text", "sender", "client_id", "campaign_id", "on_unconfirmed", "journal_path"
    }  # fmt: skip
    assert "message_ids" in public("sensors.sms", "InstasentDeliverySensor").template_fields


def test_both_clients_have_the_same_surface():
    sync, other = (public("api", name) for name in ("InstasentClient", "AsyncInstasentClient"))

    def surface(client):
        methods = inspect.getmembers(client, inspect.isfunction)
        return {name: set(parameters(method)) for name, method in methods if not name.startswith("_")}

    ours, theirs = surface(sync), surface(other)
    # The fence of the journal is a shorthand of the synchronous calls; in `perform` both have it.
    assert ours.pop("perform") == theirs.pop("perform")
    assert {name: taken - {"before_send"} for name, taken in ours.items()} == theirs
    assert {"send_sms", "send_bulk", "get_sms", "list_sms", "iter_sms", "get_account", "close"} <= set(ours)


def test_the_version_is_one():
    assert re.fullmatch(r"\d+\.\d+\.\d+([a-z]+\d+)?", __version__)
    assert public("provider_info", "get_provider_info")()["versions"] == [__version__]
