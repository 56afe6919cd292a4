# SPDX-License-Identifier: Apache-2.0
"""A request as it leaves."""

from __future__ import annotations

from airflow_provider_instasent.api.exchange import Request


def test_a_body_is_compact_utf8_json():
    assert Request("POST", "sms", body={"text": "ñ €"}).encoded_body() == '{"text":"ñ €"}'.encode()
    assert Request("GET", "sms").encoded_body() is None
