# SPDX-License-Identifier: Apache-2.0
"""Whether a refusal says that its clientId was used before, in English and in Spanish, and what does not say so."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api.client_id_taken import says_client_id_taken

REPEATED = {"clientId": ["This value is already used."]}


@pytest.mark.parametrize(
    "said",
    [
        REPEATED,
        {"index": 1, "errors": REPEATED},
        {"client_id": "must be unique"},
        {"clientId": "already in use"},
        {"clientId": "in use"},
        {"clientId": "is not unique"},
        {"clientId": {"code": "duplicate"}},
        {"clientId": "duplicado"},
        {"clientId": ["Este valor ya existe."]},
        {"clientId": "Valor repetido"},
        {"field": "clientId", "message": "This value is already used."},
        {"propertyPath": "client_id", "code": "DUPLICATED"},
        [{"message": "clientId: this value already exists"}],
        "HTTP 422: clientId: This value is already used.",
        "HTTP 422: to: This value is not valid; clientId: This value is already used.",
        "Duplicate entry 'x' for key 'client_id'",
        "The clientId has been used before",
        "clientId already taken",
        "A message with this clientId exists",
        "clientId must not be reused",
        "clientId must be unique per SMS",
        "Invalid clientId. It was already used.",
        "clientId no válido: ya existe",
        "El clientId ya está en uso",
        "El identificador de cliente ya se ha utilizado",
        "clientId no puede repetirse",
        "ya hay un mensaje con este clientId",
        "client id ha sido utilizado anteriormente",
    ],
    ids=str,
)
def test_it_was_used_before(said):
    assert says_client_id_taken(said)


@pytest.mark.parametrize(
    "said",
    [
        None,
        True,
        {"clientId": 7},
        "already used",
        {"clientId": ["This value is too long."]},
        {"to": ["This value is already used."]},
        {"field": "to", "message": "already used"},
        {"clientId": "order-1", "errors": {"to": ["already used"]}},
        "The number is already in use",
        "to: This value is already used; clientId: This value is too long.",
        "to: already used, clientId: too long",
        "clientId: field not used; to: already used",
        {"clientId": ["This field does not exist"]},
        "clientId: This field does not exist.",
        "the clientId does not exist",
        {"clientId": "no existe"},
        {"clientId": "ya no existe"},
        {"clientId": "todavía no existe"},
        {"clientId": "never used"},
        {"clientId": "unused"},
        {"clientId": "is required to avoid duplicates"},
        {"clientId": "debe ser único y de 40 caracteres"},
        "clientId is not used in this API",
        "clientId must be a unique string of at most 40 characters",
        "clientId must be unique and have at most 40 characters",
        "clientId: unknown field, use client_id instead",
        "clientId cannot be used with this token",
        "clientId exists only in the Transactional API",
        "clientId is taken into account only for 24 hours",
    ],
    ids=str,
)
def test_it_was_not_or_nobody_says_so(said):
    assert not says_client_id_taken(said)


def test_what_is_nested_without_end_or_long_says_nothing():
    nested = "clientId already used"
    for _ in range(2000):
        nested = {"errors": [nested]}

    assert not says_client_id_taken(nested)
    assert not says_client_id_taken("x" * 10_000_000 + " clientId already used")
    assert not says_client_id_taken(["x"] * 1_000_000 + [REPEATED])
