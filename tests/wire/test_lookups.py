# SPDX-License-Identifier: Apache-2.0
"""Lookups and prices over a real socket: both clients, both APIs, and what the bodies may look like."""

from __future__ import annotations

import pytest
from support.wires import closed_port

from airflow_provider_instasent.api import (
    InvalidRequestError,
    NoFundsError,
    NotFoundError,
    NotSentError,
    PayloadError,
    UnavailableError,
    UnconfirmedError,
)

NUMBER = "+34600000001"
LOST = ["cut_after", "error_after", "html", "truncated", "empty", "without_id"]


@pytest.fixture
def shape(request, sandbox):
    """How the bodies look: wrapped or bare, and numbers as strings."""
    envelope, strings = request.param
    sandbox.configure(envelope=envelope, numbers_as_strings=strings, send_created_at=not strings)


shapes = pytest.mark.parametrize("shape", [("wrapped", False), ("bare", True)], indirect=True, ids=["wrapped", "bare"])


@shapes
@pytest.mark.usefixtures("shape")
def test_a_lookup_is_ordered_and_read_until_it_is_done(client, sandbox):
    sandbox.stop_clock()
    ordered = client._call("lookup", NUMBER)
    assert (ordered["status"], ordered["to"]) == ("pending", NUMBER)
    assert sandbox.lookups.numbers() == {NUMBER: 1}

    sandbox.advance(60)
    done = client._call("get_lookup", ordered["id"])
    assert (done["id"], done["status"], done["active"]) == (ordered["id"], "done", True)


@pytest.mark.parametrize(("ending", "what"), [("931", "absent"), ("932", "ported"), ("933", "landline")])
def test_unknown_fields_are_kept_as_they_came(client, sandbox, ending, what):
    ordered = client._call("lookup", f"+34600000{ending}")
    sandbox.advance(60)
    done = client._call("get_lookup", ordered["id"])
    assert done[what] is True if what in done else done["type"] == what


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_the_list_gives_each_lookup_once(client, sandbox, order):
    sandbox.stop_clock()
    sandbox.configure(list_order=order, page_cap=3)
    ids = {client._call("lookup", f"+3460000{place:04}")["id"] for place in range(8)}

    page = client._call("list_lookups", page=1, per_page=50)
    assert len(page.entities) == 3
    assert page.server_time == int(sandbox.sandbox.server_time())
    listed = _iterate(client, "iter_lookups")
    assert (len(listed), {one["id"] for one in listed}) == (8, ids)


def _iterate(client, method):
    if client._runner is None:
        return list(getattr(client.client, method)(3))

    async def collect():
        return [one async for one in getattr(client.client, method)(3)]

    return client._runner.run(collect())


@pytest.mark.parametrize("fault", LOST)
def test_a_lookup_without_an_answer_is_unconfirmed_and_never_repeated(client, sandbox, fault):
    sandbox.fault(fault, "lookup")

    error = client.fails(UnconfirmedError, client._call, "lookup", NUMBER)

    assert "may or may not have been accepted" in str(error)
    assert sandbox.lookups.numbers() == {NUMBER: 1}


@pytest.mark.parametrize(
    ("fault", "error"),
    [("no_funds", NoFundsError), ("not_found", NotFoundError)],
)
def test_a_refused_lookup_is_not_billed(client, sandbox, fault, error):
    sandbox.fault(fault, "lookup")

    client.fails(error, client._call, "lookup", NUMBER)

    assert not sandbox.lookups.accepted


def test_the_api_may_find_fault_with_a_number(client, sandbox):
    sandbox.fault("error_before", "lookup", status=422, body='{"errors": {"to": ["no number: +34600000001"]}}')

    assert NUMBER not in str(client.fails(InvalidRequestError, client._call, "lookup", NUMBER))


def test_what_is_no_number_never_leaves(client, sandbox):
    client.fails(PayloadError, client._call, "lookup", "600000001")

    assert not sandbox.requests.records("lookup")


def test_a_rate_limit_and_an_api_that_is_down_are_waited_for(client, connect, sandbox):
    sandbox.fault("rate_limited", "lookup")
    assert client._call("lookup", NUMBER)["id"]
    assert sandbox.lookups.numbers() == {NUMBER: 1}

    down = connect(base_url=f"http://127.0.0.1:{closed_port()}")
    down.fails(NotSentError, down._call, "lookup", NUMBER)


def test_a_lookup_that_is_not_there_is_not_found(client):
    client.fails(NotFoundError, client._call, "get_lookup", "nothing/here")


@shapes
@pytest.mark.usefixtures("shape")
@pytest.mark.parametrize("what", ["sms", "lookup"])
def test_prices_come_as_the_api_sends_them(client, what):
    profile = client._call("get_price_profile", what)

    spain = next(entry for entry in profile if entry["country"] == "ES")
    assert (float(spain["price"]), spain["currency"]) == ({"sms": 0.05, "lookup": 0.01}[what], "EUR")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"entities": [{"country": "ES", "cost": {"a": 1}}]}', [{"country": "ES", "cost": {"a": 1}}]),
        ('[{"pais": "ES"}, {}]', [{"pais": "ES"}, {}]),
        ('{"entity": {"entities": []}}', []),
    ],
)
def test_a_profile_of_another_shape_is_returned_all_the_same(client, sandbox, body, expected):
    sandbox.fault("error_before", "prices", status=200, body=body)

    assert client._call("get_price_profile", "sms") == expected


@pytest.mark.parametrize("body", ["{}", '{"entities": [1]}', "<html>", "", '"prices"'])
def test_what_is_no_profile_is_an_error(client, sandbox, body):
    sandbox.fault("error_before", "prices", status=200, body=body, times=None)

    client.fails(UnavailableError, client._call, "get_price_profile", "sms")


@pytest.mark.parametrize(
    ("what", "setting"), [("sms", "price_profile_sms_path"), ("lookup", "price_profile_lookup_path")]
)
def test_a_404_names_the_path_and_its_setting(client, what, setting):
    error = client.fails(NotFoundError, client._call, "get_price_profile", what, "/else/where/")

    assert error.status == 404
    assert "`else/where`" in str(error)
    assert f"`{setting}`" in str(error)


def test_there_are_two_profiles(client):
    with pytest.raises(ValueError, match="sms, lookup"):
        client._call("get_price_profile", "mms")
