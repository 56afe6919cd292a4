# SPDX-License-Identifier: Apache-2.0

"""Each call goes below the base path of the API that the connection chooses; and so do those of all wire tests."""

from __future__ import annotations

import pytest
from support.apis import WITHOUT_BASE_PATH, stray_paths
from support.instasent_connection import connection
from support.sandbox import call, message

from airflow_provider_instasent.api.base_urls import BASE_URLS
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.sandbox.endpoint_names import PREFIXES

BASE_PATHS = {"legacy": "", "transactional": "/transactional/v1"}


@pytest.fixture
def hook(sandbox, api, monkeypatch):
    """The hook of a connection that has no host and chooses by `api`; that API's host is this machine."""
    monkeypatch.setattr("airflow_provider_instasent.hooks.connection.BASE_URLS", {**BASE_URLS, api: sandbox.url})
    monkeypatch.setenv("AIRFLOW_CONN_INSTASENT_DEFAULT", connection(extra={"api": api, "sender": "Tests"}))
    with InstasentHook() as hook:
        yield hook


def test_there_are_two_apis_and_the_sandbox_agrees(sandbox, api):
    assert sandbox.base_path == BASE_PATHS[api]
    assert set(BASE_URLS) == set(BASE_PATHS)
    assert set(PREFIXES) == set(BASE_PATHS.values())


def test_each_call_of_the_hook_goes_there(hook, sandbox, api):
    sent = hook.send_sms("+34600000001", "hello")["id"]
    hook.send_bulk([{"to": "+34600000002", "text": "hello"}])
    hook.get_sms(sent)
    assert len(list(hook.iter_sms())) == 2
    ordered = hook.lookup("+34600000001")["id"]
    hook.get_lookup(ordered)
    assert len(list(hook.iter_lookups())) == 1
    assert hook.get_account()["currency"] == "EUR"
    assert hook.get_price_profile("sms")
    assert hook.get_price_profile("lookup")
    assert hook.test_connection()[0]

    base = BASE_PATHS[api]
    assert [(record.endpoint, f"{record.method} {record.path}") for record in sandbox.requests.records()] == [
        ("send", f"POST {base}/sms"),
        ("bulk", f"POST {base}/sms/bulk"),
        ("read", f"GET {base}/sms/{sent}"),
        ("list", f"GET {base}/sms"),
        ("list", f"GET {base}/sms"),
        ("lookup", f"POST {base}/lookup"),
        ("lookup_read", f"GET {base}/lookup/{ordered}"),
        ("lookup_list", f"GET {base}/lookup"),
        ("lookup_list", f"GET {base}/lookup"),
        ("account", f"GET {base}/organization/account"),
        ("prices", f"GET {base}/price-profile/sms"),
        ("prices", f"GET {base}/price-profile/lookup"),
        ("account", f"GET {base}/organization/account"),
    ]
    assert len(sandbox.ledger) == 2
    assert sandbox.lookups.accepted == 1


async def test_each_call_of_the_asynchronous_client_goes_there(hook, sandbox, api):
    async with await hook.aget_conn() as client:
        ordered = await client.lookup("+34600000001")
        await client.get_lookup(ordered["id"])
        await client.list_lookups()
        await client.list_sms()
        await client.get_account()
        await client.get_price_profile("sms")

    base = BASE_PATHS[api]
    assert [record.path for record in sandbox.requests.records()] == [
        f"{base}/lookup",
        f"{base}/lookup/{ordered['id']}",
        f"{base}/lookup",
        f"{base}/sms",
        f"{base}/organization/account",
        f"{base}/price-profile/sms",
    ]


def test_a_request_to_the_other_api_would_fail_its_test(sandbox, api):
    (other,) = set(BASE_PATHS) - {api}
    call(sandbox, "POST", "/sms", message())
    assert stray_paths(sandbox, api) == []
    sandbox.base_path = BASE_PATHS[other]
    call(sandbox, "POST", "/sms", message())
    assert stray_paths(sandbox, api) == [f"{BASE_PATHS[other]}/sms"]
    sandbox.reset()


def test_a_wire_test_runs_under_an_api_unless_it_says_that_it_is_about_none(request):
    ours = [item for item in request.session.items if item.path.parent == request.path.parent]
    assert ours
    for item in ours:
        about_none = item.get_closest_marker(WITHOUT_BASE_PATH) is not None
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        assert about_none != ("api" in parameters), item.nodeid
