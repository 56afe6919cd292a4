# SPDX-License-Identifier: Apache-2.0
"""The guard of the wire tests finds what it is there to find."""

from __future__ import annotations

import logging

import pytest
from support import send_operator
from support.secrets_guard import SecretsGuard

TOKEN, TEXT, NUMBER = "token-of-the-tests", "Dear Ann", "+34600123456"
log = logging.getLogger("some.library")


@pytest.fixture
def guard():
    guard = SecretsGuard([TOKEN])
    guard.protect_message(NUMBER, TEXT)
    guard.protect_message("+34600123457", "abc")
    return guard


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (f"Bearer {TOKEN}", "a token"),
        (f"cannot send '{TEXT}'", "a message text"),
        (f"to {NUMBER}", "a whole phone number"),
        ("to=34600123456&x", "a whole phone number"),
        ("+34•••••456 abc", None),
    ],
)
def test_a_secret_in_a_log_or_an_error_is_a_leak(guard, said, kind):
    with guard.listening():
        log.debug("said: %s", said)
    guard.hear_error(ValueError(said))

    leaks = guard.leaks()

    assert len(leaks) == (2 if kind else 0)
    assert all(leak.startswith(f"{kind} in: ") for leak in leaks)


def test_a_traceback_in_a_log_is_heard_and_so_is_a_logger_that_does_not_propagate(guard, monkeypatch):
    monkeypatch.setattr(log, "propagate", False)
    with guard.listening():
        try:
            raise ValueError(NUMBER)
        except ValueError:
            log.exception("failed")

    assert len(guard.leaks()) == 1


def test_an_event_of_structlog_is_heard(guard):
    structlog = pytest.importorskip("structlog")
    events = structlog.get_logger("some.task")
    with guard.listening():
        events.warning("sent to %s", NUMBER)
        try:
            raise ValueError(TOKEN)
        except ValueError:
            events.exception("failed")
    events.warning(TEXT)

    assert len(guard.leaks()) == 2


def test_an_error_is_heard_with_its_attributes_and_causes(guard):
    error = RuntimeError("outer")
    error.detail = TEXT
    error.__cause__ = ValueError(TOKEN)

    guard.hear_error(error)

    assert len(guard.leaks()) == 2


def test_what_a_traceback_hides_is_not_heard(guard):
    try:
        try:
            raise ValueError(TOKEN)
        except ValueError:
            raise RuntimeError("outer") from None
    except RuntimeError as error:
        guard.hear_error(error)

    assert guard.leaks() == []


def test_listening_ends(guard):
    level = logging.getLogger().level
    with guard.listening():
        assert logging.getLogger().isEnabledFor(logging.DEBUG)
    log.critical(TOKEN)

    assert logging.getLogger().level == level
    assert guard.leaks() == []


@pytest.mark.parametrize(
    ("said", "leaks"),
    [
        ("sent to +34611222001", True),
        ("sent to 0034 611222001", True),
        ("to=611222001&x", True),
        ("sent to +34611222•••", True),
        (f"Bearer {TOKEN}", True),
        (send_operator.PRIVATE_WORDS, True),
        ("sent to +34•••••001", False),
        ("2026-11-27T21:09:34.611222Z [info     ]", False),
        ("took 0.61122234 s", False),
        ("ti_id=01a21ed7-60e6-7f85-a6e1-61122200a2d2", False),
    ],
)
def test_a_timestamp_with_the_digits_of_the_send_tests_is_no_leak(said, leaks):
    assert bool(send_operator.leaks(f"one line\n{said}", TOKEN)) is leaks
