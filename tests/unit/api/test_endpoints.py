# SPDX-License-Identifier: Apache-2.0
"""Each endpoint without a socket: the request that goes out, and how its body is read."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api import endpoints
from airflow_provider_instasent.api.bulk_flows import MAX_BULK
from airflow_provider_instasent.api.errors import PayloadError
from airflow_provider_instasent.api.exchange import Kind, Request
from airflow_provider_instasent.api.message import Sms

SMS = Sms(to="+34600000001", text="hello", sender="Tests", client_id="mine", allow_unicode=True)
PAYLOAD = {"from": "Tests", "to": "+34600000001", "text": "hello", "clientId": "mine", "allowUnicode": True}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (endpoints.send_sms_request(SMS), Request("POST", "sms", Kind.SEND, body=PAYLOAD)),
        (endpoints.send_bulk_request([SMS] * 2), Request("POST", "sms/bulk", Kind.SEND, body=[PAYLOAD] * 2)),
        (endpoints.get_sms_request("abc"), Request("GET", "sms/abc")),
        (endpoints.list_sms_request(2, 50), Request("GET", "sms", params={"page": 2, "per_page": 50})),
        (endpoints.get_account_request(), Request("GET", "organization/account")),
    ],
)
def test_the_request_of_each_endpoint(request_, expected):
    assert request_ == expected
    assert request_.kind is expected.kind


@pytest.mark.parametrize("sms_id", ["a/b", "../organization/account", "a b?c#d", "ñ"])
def test_an_id_cannot_leave_its_place_in_the_path(sms_id):
    path = endpoints.get_sms_request(sms_id).path

    assert path.startswith("sms/")
    assert path.count("/") == 1
    assert not set(path) & set(" ?#ñ")


@pytest.mark.parametrize("count", [0, 101])
def test_a_bulk_call_takes_one_to_a_hundred(count):
    with pytest.raises(PayloadError):
        endpoints.send_bulk_request([SMS] * count)
    assert len(endpoints.send_bulk_request([SMS] * MAX_BULK).body) == 100


@pytest.mark.parametrize(
    "wrong",
    [Sms(to="600000001", text="hello", sender="Tests"), Sms(to="+34600000001", text="hello", sender="far too long")],
)
def test_a_message_that_was_never_checked_is_refused_without_its_values(wrong):
    for request in (lambda: endpoints.send_sms_request(wrong), lambda: endpoints.send_bulk_request([wrong])):
        with pytest.raises(PayloadError) as caught:
            request()
        assert not [value for value in ("600000001", "hello", "far too long") if value in str(caught.value)]


@pytest.mark.parametrize(
    ("body", "entity"),
    [
        ({"entity": {"id": "a", "status": "sent"}}, {"id": "a", "status": "sent"}),
        ({"id": "a", "new": [1]}, {"id": "a", "new": [1]}),
        ({"entity": {"id": 7}}, {"id": "7"}),
        ({"entity": "x", "id": "a"}, {"entity": "x", "id": "a"}),
        ({"id": "a", "errors": ["?"]}, {"id": "a", "errors": ["?"]}),
    ],
)
def test_an_entity_in_its_envelope_or_bare(body, entity):
    assert endpoints.read_entity(body) == entity


@pytest.mark.parametrize(
    "body",
    [None, "", "id", 7, True, [], [{"id": "a"}], {}, {"entity": {}}, {"entity": None}, {"entity": []}]
    + [{"id": wrong} for wrong in (None, "", True, 1.5, [], {})],
)
def test_a_body_without_an_entity(body):
    with pytest.raises(ValueError, match=r"."):
        endpoints.read_entity(body)


@pytest.mark.parametrize(
    ("body", "accepted", "errors"),
    [
        ({"entities": [{"id": 1}, {"id": "b"}], "errors": []}, [{"id": "1"}, {"id": "b"}], []),
        (
            {"entities": [{"id": "a"}, {"to": "x"}, None, 3, {"id": ""}]},
            [{"id": "a"}, {"id": None, "to": "x"}, {"id": None}, {"id": None}, {"id": None}],
            None,
        ),
        ({"entities": None, "errors": {"0": "no"}}, [], {"0": "no"}),
        ({"errors": ["no"]}, [], ["no"]),
        ({"entities": []}, [], None),
    ],
)
def test_a_bulk_answer(body, accepted, errors):
    assert endpoints.read_bulk(body) == (accepted, errors)


NO_IDS = [None, "", " ", True, 1.5, [], {}, "x" * 256, 10**300, "a\nb", "a\x00", "a\ufffd", "\u202ea"]


@pytest.mark.parametrize("wrong", NO_IDS, ids=lambda wrong: repr(wrong)[:20])
def test_what_cannot_be_an_id_is_none(wrong):
    for read in (endpoints.read_entity, endpoints.read_lookup):
        with pytest.raises(ValueError, match="id"):
            read({"entity": {"id": wrong}})
    with pytest.raises(ValueError, match="id"):
        endpoints.read_list({"entities": [{"id": "a"}, {"id": wrong}]})
    accepted, _ = endpoints.read_bulk({"entities": [{"id": "a"}, {"id": wrong, "to": "x"}]})
    assert accepted == [{"id": "a"}, {"id": None, "to": "x"}]


@pytest.mark.parametrize("identifier", ["x" * 255, "a b", "ñ", 0, -7, 10**40, "9a:b/c?d=e"])
def test_what_can_be_an_id_is_kept_as_a_string(identifier):
    assert endpoints.read_entity({"id": identifier})["id"] == str(identifier)


@pytest.mark.parametrize("body", [None, "", [], [{"id": "a"}], {}, {"entity": {"id": "a"}}, {"entities": {"id": "a"}}])
def test_what_is_no_bulk_answer(body):
    with pytest.raises(ValueError, match="entities"):
        endpoints.read_bulk(body)


@pytest.mark.parametrize(
    ("body", "entities"),
    [
        ({"entities": []}, []),
        ({"entities": [{"id": 1, "x": 2}]}, [{"id": "1", "x": 2}]),
        ([{"id": "a"}], [{"id": "a"}]),
    ],
)
def test_a_list_answer(body, entities):
    assert endpoints.read_list(body) == entities


@pytest.mark.parametrize("body", [None, "", {}, {"entities": None}, {"entities": {}}, {"entities": [{"to": "x"}]}, [1]])
def test_what_is_no_list_answer(body):
    with pytest.raises(ValueError, match=r"entities|entity"):
        endpoints.read_list(body)


@pytest.mark.parametrize(
    ("body", "account"),
    [
        ({"entity": {"available": "12.5", "currency": "EUR"}}, {"available": "12.5", "currency": "EUR"}),
        ({"available": 0, "plan": "x"}, {"available": 0, "plan": "x"}),
        ({"entity": {"available": None}}, {"available": None}),
    ],
)
def test_an_account(body, account):
    assert endpoints.read_account(body) == account


@pytest.mark.parametrize("body", [None, "", [], 7, {"entity": {"currency": []}}])
def test_what_is_no_account(body):
    with pytest.raises(ValueError, match="account"):
        endpoints.read_account(body)
