# SPDX-License-Identifier: Apache-2.0
"""The payload schemas and the validator that reads them."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from support.events import LONG

from airflow_provider_instasent.api import schema
from airflow_provider_instasent.api.errors import PayloadError

FILES = {
    file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
    for file in (resources.files("airflow_provider_instasent.api") / "schemas").iterdir()
}
MESSAGE = {"from": "ACME", "to": "+34600000001", "text": "Hello"}


def test_every_payload_has_a_schema():
    assert set(FILES) == {
        "account", "bulk_request", "bulk_response", "list_response", "lookup_entity", "lookup_list",
        "lookup_request", "price_profile", "send_request", "sms_entity",
    }  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_schemas_are_valid_titled_and_tell_where_their_facts_come_from(name):
    document = FILES[name]
    Draft202012Validator.check_schema(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert document["title"]
    for node in [document, *document.get("properties", {}).values()]:
        assert any(f"{tag}: " in node["description"] for tag in "CIU"), node


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("_request")])
def test_what_we_send_is_strict(name):
    document = schema.load(name)
    assert document.get("items", document)["additionalProperties"] is False


REFUSED = [
    ("send_request", {**MESSAGE, "from": ""}, "$.from", "minLength"),
    ("send_request", {**MESSAGE, "from": "ACMEACMEACME"}, "$.from", "pattern"),
    ("send_request", {**MESSAGE, "from": "1" * 16}, "$.from", "maxLength"),
    ("send_request", {**MESSAGE, "from": None}, "$.from", "type"),
    ("send_request", {**MESSAGE, "to": "34600000001"}, "$.to", "pattern"),
    ("send_request", {**MESSAGE, "to": "+34600000001\n"}, "$.to", "pattern"),
    ("send_request", {**MESSAGE, "to": 34600000001}, "$.to", "type"),
    ("send_request", {**MESSAGE, "text": ""}, "$.text", "minLength"),
    ("send_request", {**MESSAGE, "clientId": "x" * 41}, "$.clientId", "maxLength"),
    ("send_request", {**MESSAGE, "clientId": None}, "$.clientId", "type"),
    ("send_request", {**MESSAGE, "allowUnicode": "true"}, "$.allowUnicode", "const"),
    ("send_request", {**MESSAGE, "allowUnicode": 1}, "$.allowUnicode", "const"),
    ("send_request", {**MESSAGE, "scheduledAt": "now"}, "$", "additionalProperties"),
    ("send_request", {"from": "ACME", "text": "Hello"}, "$", 'required: ["to"]'),
    ("bulk_request", [], "$", "minItems: 1"),
    ("bulk_request", [MESSAGE] * 101, "$", "maxItems: 100"),
    ("bulk_request", [MESSAGE, {**MESSAGE, "text": ""}], "$[1].text", "minLength"),
    ("bulk_request", {"messages": [MESSAGE]}, "$", "type"),
    ("lookup_request", {"to": "600"}, "$.to", "pattern"),
    ("lookup_request", {"to": "+34600000001", "x": 1}, "$", "additionalProperties"),
    ("sms_entity", {"status": "sent"}, "$", 'required: ["id"]'),
    ("sms_entity", {"id": True}, "$.id", "type"),
    ("sms_entity", {"id": ""}, "$.id", "minLength"),
    ("sms_entity", ["id"], "$", "type"),
    ("bulk_response", {}, "$", "anyOf"),
    ("bulk_response", {"entities": ["id"]}, "$.entities[0]", "type"),
    ("bulk_response", {"errors": 3}, "$.errors", "type"),
    ("list_response", {"items": []}, "$", "required"),
    ("list_response", {"entities": [{"id": 1}, {"status": "sent"}]}, "$.entities[1]", "required"),
    ("account", {"available": 1, "currency": 978}, "$.currency", "type"),
    ("account", [], "$", "type"),
    ("lookup_entity", {}, "$", "required"),
    ("lookup_list", {"entities": [{}]}, "$.entities[0]", "required"),
    ("price_profile", {"entities": {}}, "$.entities", "type"),
]


@pytest.mark.parametrize(("name", "payload", "path", "rule"), REFUSED)
def test_a_payload_that_does_not_match_is_named_by_path_and_rule(name, payload, path, rule):
    with pytest.raises(PayloadError) as caught:
        schema.validate(name, payload)
    assert (caught.value.schema, caught.value.path) == (name, path)
    assert caught.value.rule.startswith(rule)


ACCEPTED = [
    ("send_request", MESSAGE),
    ("send_request", {**MESSAGE, "from": "+34600000001234"[:15], "clientId": "x" * 40, "allowUnicode": True}),
    ("send_request", {**MESSAGE, "from": "A", "text": "x" * 5000}),
    ("bulk_request", [MESSAGE] * 100),
    ("lookup_request", {"to": "+34600000001"}),
    ("sms_entity", {"id": 17}),
    ("sms_entity", {"id": "a", "status": None, "pricePerSms": "0.05", "messagesCount": "1", "new": [{}]}),
    ("bulk_response", {"entities": [{"id": 1}, {"to": "?"}], "errors": {"0": ["to"]}}),
    ("bulk_response", {"entities": None, "errors": []}),
    ("list_response", {"entities": [], "total": 0}),
    ("account", {"available": "12.5", "currency": "EUR", "name": "x"}),
    ("account", {"available": -0.5}),
    ("account", {"available": None, "currency": None}),
    ("lookup_entity", {"id": "a", "status": 3, "network": {}}),
    ("lookup_list", {"entities": [{"id": 1}]}),
    ("price_profile", {"entities": [{"country": "ES", "price": "0.05", "currency": "EUR", "net": 1}, {}]}),
]


@pytest.mark.parametrize(("name", "payload"), ACCEPTED)
def test_a_payload_that_matches_passes(name, payload):
    schema.validate(name, payload)


def test_the_error_never_repeats_a_value():
    secret = {"from": "SECRETSECRETSECRET", "to": "SECRET", "text": ["SECRET"], "clientId": "SECRET" * 9}
    for name, payload in [("send_request", secret), ("bulk_request", [secret]), ("list_response", "SECRET")]:
        with pytest.raises(PayloadError) as caught:
            schema.validate(name, payload)
        assert "SECRET" not in str(caught.value)


def test_an_unknown_schema_is_an_error():
    with pytest.raises(FileNotFoundError):
        schema.validate("nothing", {})


_values = st.none() | st.booleans() | st.integers() | st.text(max_size=16) | st.just("+34600000001")
_objects = st.dictionaries(
    st.sampled_from(["from", "to", "text", "clientId", "allowUnicode", "id", "entities", "errors", "available", "x"]),
    st.recursive(_values, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("id"), inner)),
)


@settings(max_examples=150, deadline=None, database=None)
@given(name=st.sampled_from(sorted(FILES)), payload=_objects | st.lists(_objects, max_size=3) | _values)
def test_the_quick_validator_agrees_with_jsonschema_on_the_raw_files(name, payload):
    known = Registry().with_resources((f"{key}.json", Resource.from_contents(raw)) for key, raw in FILES.items())
    expected = Draft202012Validator(FILES[name], registry=known).is_valid(payload)
    if expected:
        schema.validate(name, payload)
    else:
        with pytest.raises(PayloadError):
            schema.validate(name, payload)


def test_importing_the_message_module_loads_nothing_heavy():
    code = (
        "import sys; from airflow_provider_instasent.api import message, schema;"
        "print([n for n in ('jsonschema', 'referencing', 'phonenumbers', 'airflow') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=LONG)
    assert done.stdout.strip() == "[]"
