# SPDX-License-Identifier: Apache-2.0
"""No token, message text or whole phone number in our logs, warnings and errors: checked after each wire test."""

from __future__ import annotations

import logging
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

try:
    import structlog
except ImportError:  # Airflow 2
    structlog = None

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST_TEXT = 4
"""Characters of a text that counts as a secret; shorter ones are found in any sentence."""

_formatter = logging.Formatter("%(name)s %(levelname)s %(message)s")


class SecretsGuard:
    """What was said during a test, and what must not be in it.

    :param tokens: the tokens the test may use
    """

    def __init__(self, tokens: Iterable[str] = ()) -> None:
        self._said: list[str] = []
        self._secrets: dict[str, str] = {}
        for token in tokens:
            self.protect_token(token)

    def protect_token(self, token: str) -> None:
        self._secrets[token.strip()] = "a token"

    def protect_message(self, to: str, text: str) -> None:
        self._secrets["".join(filter(str.isdigit, to))] = "a whole phone number"
        if len(text) >= SHORTEST_TEXT:
            self._secrets[text] = "a message text"

    def hear(self, said: str) -> None:
        self._said.append(said)

    def hear_error(self, error: BaseException) -> None:
        """Note an exception, all that it would show, and those behind it that a traceback would show."""
        shown: BaseException | None = error
        while shown is not None:
            self._said.append(f"{type(shown).__name__}: {shown} {shown!r} {vars(shown)!r}")
            shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Note every log record of any logger and level, with its traceback, and every event of structlog."""
        root, handle = logging.getLogger(), logging.Logger.handle
        level = root.level

        def noting(logger: logging.Logger, record: logging.LogRecord) -> None:
            self.hear(_formatter.format(record))
            handle(logger, record)

        logging.Logger.handle = noting  # type: ignore[method-assign]
        root.setLevel(logging.DEBUG)
        try:
            with self._listening_to_structlog():
                yield
        finally:
            root.setLevel(level)
            logging.Logger.handle = handle  # type: ignore[method-assign]

    @contextmanager
    def _listening_to_structlog(self) -> Iterator[None]:
        """Airflow 3's `self.log` does not pass through the standard library's loggers."""
        if structlog is None:
            yield
            return

        def noting(_logger: object, _name: str, event: dict[str, Any]) -> dict[str, Any]:
            self.hear(repr(event))
            if error := event.get("exc_info"):
                error = error if isinstance(error, BaseException) else sys.exc_info()[1]
                self.hear("".join(traceback.format_exception(error)))
            return event

        # Loggers made before share this list.
        processors = structlog.get_config()["processors"]
        processors.insert(0, noting)
        try:
            yield
        finally:
            processors.remove(noting)

    def leaks(self) -> list[str]:
        """What was said that should not have been, by kind."""
        return [
            f"{kind} in: {said}"
            for said in self._said
            for secret, kind in self._secrets.items()
            if secret and secret in said
        ]


WARNINGS: list[str] = []
"""The warnings of the test that runs."""


def note_warning(message: object) -> None:
    """For the hook `pytest_warning_recorded` of a conftest: only there are warnings seen without hiding them."""
    WARNINGS.append(str(message))


@pytest.fixture
def secrets_guard(sandbox) -> Iterator[SecretsGuard]:
    """Fails the test when a token, a text or a number that the sandbox saw was logged, warned of or raised."""
    guard = SecretsGuard(sandbox.sandbox.tokens)
    WARNINGS.clear()
    with guard.listening():
        yield guard
    for message in sandbox.ledger:
        guard.protect_message(message.to, message.text)
    for warning in WARNINGS:
        guard.hear(warning)
    assert not guard.leaks()
