# SPDX-License-Identifier: Apache-2.0

"""One alert: the messages it is sent as, and what the log says of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.client_ids import MessageKeys, secret_of_run
from airflow_provider_instasent.api.encoding import composed
from airflow_provider_instasent.api.errors import BulkStoppedError, InvalidMessageError, UnconfirmedError
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.missing_values import is_printed_missing
from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.api.server_words import brief
from airflow_provider_instasent.notifications.identity import identity_of
from airflow_provider_instasent.notifications.shortening import shorten
from airflow_provider_instasent.notifications.text import default_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_instasent.hooks.connection import ConnectionSettings

CONNECT_TIMEOUT = 3.0
READ_TIMEOUT = 10.0
"""Seconds; a callback must not hold up a worker or the DAG processor."""


def client_settings() -> dict[str, Any]:
    """Return what a client sends alerts with, in place of the connection's settings."""
    return {
        # A rate limit is up to a minute's wait, which no callback may take.
        "retry_policy": RetryPolicy(max_attempts=2, max_rate_limited=1, first_wait=0.5),
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
    }


class Alert:
    """The messages of an alert, one a recipient; whom it cannot be sent to is logged, and the others still get it.

    :param context: of the callback
    :param settings: the connection's
    :param to: the numbers
    :param text: what it says, rendered; None or blank for the default
    :param template: the text as it was given: what an alert is known by, so that a clock in it changes nothing
    :param sender: who it comes from, or None for the connection's
    :param max_parts: the most parts it may take
    :param log: where to say what became of it
    :raises InvalidMessageError: where nobody can be sent it
    """

    def __init__(
        self,
        context: Mapping[str, Any],
        settings: ConnectionSettings,
        *,
        to: Sequence[Any],
        text: str | None,
        template: str | None,
        sender: str | None,
        max_parts: int,
        log: Any,
    ) -> None:
        self._log = log
        given = "" if text is None else str(text).strip()
        said = text if given and not is_printed_missing(given) else default_text(context)
        self._text = shorten(composed(str(said)), max_parts, allow_unicode=settings.allow_unicode)
        self._identity = identity_of(context)
        self._token = settings.token
        self._known_by = template if template is not None and text else self._text
        self.messages: list[Sms] = []
        self._add_all(to, settings.sender if sender is None else sender, settings)

    def accepted(self, sms_id: str) -> None:
        """Log that its only message was accepted."""
        self._log.info("Alert sent: %s", sms_id)

    def settle(self, outcomes: Sequence[MessageOutcome]) -> None:
        """Log what became of its messages.

        :param outcomes: one a message, in their order
        """
        ids = [outcome.id for outcome in outcomes if outcome.state is MessageState.ACCEPTED]
        if len(ids) == len(outcomes):
            self._log.info("Alert sent: %s", ", ".join(map(str, ids)))
            return
        self._log.error(
            "The alert was accepted for %d of %d recipients: %s", len(ids), len(outcomes), _faults(outcomes)
        )

    def _add_all(self, to: Sequence[Any], sender: str | None, settings: ConnectionSettings) -> None:
        if len(to) == 1 and str(to[0]).lstrip().startswith("["):
            raise InvalidMessageError(
                "to",
                "is a list rendered into a string, which is Airflow's way with templates: give a list of templates; "
                "or, on a DAG with `render_template_as_native_obj=True`, one template that is one expression",
            )
        errors: dict[int, InvalidMessageError] = {}
        for place, number in enumerate(to):
            try:
                self._add(number, sender, settings)
            except InvalidMessageError as error:
                errors[place] = error
        if errors and not self.messages:
            raise next(iter(errors.values()))
        for place, fault in errors.items():
            self._log.error("The alert was not sent to recipient %d: %s", place, fault)

    def _add(self, number: Any, sender: str | None, settings: ConnectionSettings) -> None:
        message = Sms.create(
            to=number,
            text=self._text,
            sender=sender,
            allow_unicode=settings.allow_unicode,
            default_region=settings.default_region,
        )
        if message.to not in {other.to for other in self.messages}:
            self.messages.append(replace(message, client_id=self._client_id(message)))

    def _client_id(self, message: Sms) -> str | None:
        if self._identity is None:
            return None
        keys = MessageKeys(secret_of_run(self._token, self._identity))
        return keys.client_id(keys.key(message.sender, message.to, self._known_by))


def complaint(error: Exception, text: str | None) -> str:
    """Return one line that says what became of an alert that ended with an error.

    :param error: the error
    :param text: the alert's own text, which must not be repeated
    """
    what = "The alert was not sent"
    if isinstance(error, UnconfirmedError):
        what = "The alert may or may not have been sent, and is not sent again"
    elif isinstance(error, BulkStoppedError):
        sent = sum(outcome.state is not MessageState.PLANNED for outcome in error.outcomes)
        what = f"The alert was not sent to {len(error.outcomes) - sent} of {len(error.outcomes)} recipients"
    return f"{what}: {type(error).__name__}: {brief(str(error), [text] if text else [])}"


def _faults(outcomes: Sequence[MessageOutcome]) -> str:
    places: defaultdict[str, list[int]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.state is not MessageState.ACCEPTED:
            places[f"{outcome.state}: {outcome.reason}"].append(outcome.position)
    return "; ".join(f"{', '.join(map(str, where))} {what}" for what, where in places.items())
