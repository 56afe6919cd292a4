# SPDX-License-Identifier: Apache-2.0
"""Whether an error means that the account has no funds, in English, in Spanish and in codes, and what does not."""

from __future__ import annotations

import pytest

from airflow_provider_instasent.api.no_funds import says_no_funds


@pytest.mark.parametrize(
    "said",
    [
        "Insufficient funds.",
        "Not enough balance",
        "not enough account balance to send",
        "INSUFFICIENT_CREDIT",
        "NotEnoughBalance",
        "insufficientFunds",
        "out of credit",
        "You have no credits left",
        "No balance",
        "Your balance is too low",
        "The balance does not suffice",
        "credit limit exceeded",
        "the price exceeds your available balance",
        "Payment required",
        "Please top up your account",
        "Saldo insuficiente",
        "El saldo de la cuenta es insuficiente",
        "Tu saldo no es suficiente",
        "No hay saldo suficiente",
        "No dispone de saldo suficiente",
        "Sin crédito",
        "Su crédito se ha agotado",
        "fondos insuficientes",
        "Falta de saldo",
        "Recargue su cuenta",
        {"credit": ["Insufficient"]},
        {"balance": "not enough"},
        {"errors": {"": ["Not enough funds."]}},
        [{"message": "no funds"}],
        {"code": 402},
        {"status": "402"},
        {"status": "unpaid"},
        {"index": 3, "error_code": "402"},
    ],
    ids=str,
)
def test_there_are_no_funds(said):
    assert says_no_funds(said)


@pytest.mark.parametrize(
    "said",
    [
        None,
        True,
        402,
        "402",
        "balance",
        "This number cannot be reached.",
        "The sender Funds is not allowed",
        "The text is insufficient",
        "no credit card numbers are allowed in a text",
        "not enough characters",
        "El número no existe",
        {"code": 400},
        {"code": 4020},
        {"code": True},
        {"index": 402, "message": "too long"},
        {"402": ["bad number"]},
        {"from": ["insufficient funds"]},
        {"text": "Your balance is insufficient"},
        {"clientId": ["unpaid"]},
    ],
    ids=str,
)
def test_it_means_something_else(said):
    assert not says_no_funds(said)


def test_prose_proves_nothing_where_the_request_reads_like_it_and_a_code_still_does():
    own = ["Acme", "Your credit is exhausted: top up!"]

    assert not says_no_funds("Insufficient funds", own)
    assert says_no_funds({"code": 402, "message": "Insufficient funds"}, own)
    assert says_no_funds("Insufficient funds", ["Funds", "Your balance is 4 EUR"])


def test_what_is_nested_without_end_or_long_says_nothing():
    nested = "no funds"
    for _ in range(2000):
        nested = {"errors": [nested]}

    assert not says_no_funds(nested)
    assert not says_no_funds("x " * 5_000_000 + "no funds")
    assert not says_no_funds(["x"] * 1_000_000 + ["no funds"])
