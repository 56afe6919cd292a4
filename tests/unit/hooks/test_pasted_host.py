# SPDX-License-Identifier: Apache-2.0

"""Whatever a person pastes as base URL or host either works or is refused with what to write instead."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api import ConfigurationError
from airflow_provider_instasent.api.client_settings import ClientSettings
from airflow_provider_instasent.hooks.pasted_host import base_url_of

DEFAULT = "https://api.instasent.com"


def base_url(host, schema=None, port=None):
    """What the clients would work with."""
    found = base_url_of(host, schema, port, DEFAULT)
    return ClientSettings(token="t", base_url=found, allow_http=True).base_url


@pytest.mark.parametrize("port", [None, 0, 443, 8443])
@pytest.mark.parametrize("host", [None, "", "  "])
def test_without_a_host_no_port_counts(host, port):
    assert base_url(host, port=port) == DEFAULT


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("sms.example.com", 0, "https://sms.example.com"),
        ("sms.example.com:0", None, "https://sms.example.com"),
        ("https://sms.example.com:0/v1", 0, "https://sms.example.com/v1"),
        ("[::1]:0", 8700, "https://[::1]:8700"),
        ("https://sms.example.com:8443", 0, "https://sms.example.com:8443"),
        ("https://sms.example.com:8443", 8443, "https://sms.example.com:8443"),
        ("http://127.0.0.1:8700", 0, "http://127.0.0.1:8700"),
        ("localhost:8700", None, "https://localhost:8700"),
        ("sms.example.com/", None, "https://sms.example.com"),
        ("sms.example.com:8443/transactional/v1/", None, "https://sms.example.com:8443/transactional/v1"),
        ("HTTPS://SMS.example.com/v1", None, "https://SMS.example.com/v1"),
        ("instasent_sandbox:8700", None, "https://instasent_sandbox:8700"),
        ("::1", None, "https://[::1]"),
        ("::1", 8700, "https://[::1]:8700"),
        ("[::1]:8700", None, "https://[::1]:8700"),
        ("http://[2001:db8::7]:8700/v1", None, "http://[2001:db8::7]:8700/v1"),
        ("sms.example.com.", None, "https://sms.example.com."),
        (" https://sms.example.com\n", None, "https://sms.example.com"),
        ("sms.example.com?", None, "https://sms.example.com"),
    ],
)
def test_what_a_person_pastes_works(host, port, expected):
    assert base_url(host, port=port) == expected


@pytest.mark.parametrize(
    ("host", "fix"),
    [
        ("http:/parcels.test", "lost its `://`: write https://"),
        ("https%3A%2F%2Fparcels.test", "must be a base URL such as"),
        ("https:parcels.test", "lost its `://`"),
        ("http//parcels.test", "lost its `://`"),
        ("https;//parcels.test", "lost its `://`"),
        ("https:\\\\parcels.test", "lost its `://`"),
        ("ttps:/parcels.test", "lost its `://`"),
        ("//parcels.test", "lost its `://`"),
        ("://parcels.test", "must be a base URL such as https://api.instasent.com"),
        ("https://https://parcels.test", "begins with two schemes: give a base URL such as"),
        ("https://http:/parcels.test", "begins with two schemes"),
        ("htps://parcels.test", "must be a base URL such as https://api.instasent.com, or a host"),
        ("https://", "must be a base URL such as https://api.instasent.com, or a host"),
        ("parcels test", "must be a base URL such as https://api.instasent.com, or a host"),
        ("<parcels.test>", "must be a base URL such as https://api.instasent.com, or a host"),
        ('"https://parcels.test"', "must be a base URL such as https://api.instasent.com, or a host"),
        ("parcels.test:port", "give a base URL such as https://api.instasent.com, or a host such as"),
        ("[::1", "give a base URL such as https://api.instasent.com, or a host such as"),
        ("https://robot:pass-4711@parcels.test", "no user name or password before an @; the API token has a field"),
        ("robot@parcels.test", "no user name or password before an @"),
        (":pass-4711@parcels.test", "no user name or password before an @"),
        ("https://parcels.test/?token=pass-4711", "must end before any ? or #"),
        ("https://parcels.test/#/sms", "must end before any ? or #"),
    ],
)
def test_what_cannot_work_is_refused_with_the_fix_and_not_repeated(host, fix):
    with pytest.raises(ConfigurationError) as caught:
        base_url(host)
    assert str(caught.value).startswith("`Base URL or host` ")
    assert fix in str(caught.value)
    assert not any(told in str(caught.value) for told in ("parcels", "pass-4711", "robot"))


@pytest.mark.parametrize("port", [-1, 65_536, 99_999])
def test_a_port_that_is_none_is_refused_by_its_name(port):
    with pytest.raises(ConfigurationError, match=r"^`port` must be a number from 1 to 65535"):
        base_url("sms.example.com", port=port)
