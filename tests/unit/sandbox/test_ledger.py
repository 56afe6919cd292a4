# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter

import pytest

from airflow_provider_instasent.sandbox.ledger import Ledger


def accept(ledger, number=1, *, client_id=None, now=0.0, text="hello"):
    return ledger.accept(
        client_id=client_id, sender="Tests", to=f"+34600000{number:03d}", text=text, allow_unicode=True, now=now
    )


def numbers(messages):
    return [int(message.to[-3:]) for message in messages]


def test_a_message_is_found_by_its_id_and_by_no_other():
    ledger = Ledger()
    accept(ledger, 1, client_id="one")
    found = ledger.message(accept(ledger, 2, client_id="two", now=4.5, text="ж" * 71))

    assert ledger.find(found.id) == found
    assert (found.client_id, found.to, found.parts, found.accepted_at) == ("two", "+34600000002", 2, 4.5)
    for wrong in ("", "x", found.id[:-1], found.id + "0", found.id.upper() + " ", "0" * 18, "f" * 18, "-1"):
        assert ledger.find(wrong) is None


def test_ids_from_before_clearing_are_unknown():
    ledger = Ledger()
    identifier = ledger.message(accept(ledger)).id
    ledger.clear()
    accept(ledger)

    assert ledger.find(identifier) is None


def test_pages_in_both_orders():
    ledger = Ledger()
    for number in range(7):
        accept(ledger, number)

    assert numbers(ledger.page(1, 3, "newest", 0)) == [6, 5, 4]
    assert numbers(ledger.page(3, 3, "newest", 0)) == [0]
    assert numbers(ledger.page(4, 3, "newest", 0)) == []
    assert numbers(ledger.page(1, 3, "oldest", 0)) == [0, 1, 2]
    assert numbers(ledger.page(3, 3, "oldest", 0)) == [6]
    assert numbers(ledger.page(9, 3, "oldest", 0)) == []


def test_a_list_whose_last_page_is_repeated():
    ledger = Ledger()
    assert ledger.page(3, 3, "newest", 0, "repeats") == []
    for number in range(7):
        accept(ledger, number)

    assert numbers(ledger.page(3, 3, "newest", 0, "repeats")) == [0]
    assert numbers(ledger.page(50, 3, "newest", 0, "repeats")) == [0]
    assert numbers(ledger.page(50, 3, "oldest", 0, "repeats")) == [6]


def test_older_messages_stand_before_all_others():
    ledger = Ledger()
    ledger.put_before(3, newest=-10.0, oldest=-30.0)
    accept(ledger, 1)

    assert [message.accepted_at for message in ledger] == [-30.0, -20.0, -10.0, 0.0]
    assert ledger.page(1, 2, "newest", 0)[0].to == "+34600000001"
    assert len(ledger.numbers()) == 4
    with pytest.raises(ValueError, match="empty ledger"):
        ledger.put_before(1, newest=-10.0, oldest=-30.0)


def test_pages_show_what_is_old_enough_and_may_be_seen():
    ledger = Ledger()
    for number, now in ((1, 1.0), (910, 2.0), (2, 2.0), (3, 3.0)):
        accept(ledger, number, now=now)

    assert numbers(ledger.page(1, 10, "newest", 2.0)) == [2, 1]
    assert numbers(ledger.page(1, 10, "oldest", 3.0)) == [1, 2, 3]
    assert ledger.accepted == 4


def test_what_was_accepted_is_counted():
    ledger = Ledger()
    accept(ledger, 1, client_id="a")
    accept(ledger, 1, client_id="a")
    accept(ledger, 2, text="ж" * 71)

    assert ledger.client_ids() == Counter(a=2)
    assert ledger.contents()[("Tests", "+34600000001", "hello")] == 2
    assert ledger.numbers() == Counter({"+34600000001": 2, "+34600000002": 1})
    assert ledger.parts == 4
    assert ledger.has_client_id("a")
    assert not ledger.has_client_id("b")
    assert numbers(ledger) == [1, 1, 2]
    assert numbers(ledger.messages(-1)) == [2]
