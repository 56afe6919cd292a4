# SPDX-License-Identifier: Apache-2.0
"""The `errors` of a bulk answer, of whatever shape: what each says, and the outcome of a message that was turned down.

Their shape is unknown: lists and objects are taken, keyed by a message or by a field. Which message an error names is
for :class:`~airflow_provider_instasent.api.message_finder.MessageFinder` to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.client_id_taken import says_client_id_taken
from airflow_provider_instasent.api.indexes import POSITION_KEYS, as_index
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.server_words import brief

if TYPE_CHECKING:
    from airflow_provider_instasent.api.message import Sms


def one_by_one(errors: Any) -> list[tuple[str | None, Any]]:
    """Return the errors of an answer as `(key, error)`; the key is None where they come without.

    :param errors: the answer's `errors`: a list, an object, a string or nothing
    """
    if isinstance(errors, list):
        return [(None, error) for error in errors]
    if isinstance(errors, Mapping):
        return [(str(key), error) for key, error in errors.items()]
    return [] if not errors else [(None, errors)]


def rejection(position: int, message: Sms, said: Any, hide: Collection[str] = ()) -> MessageOutcome:
    """Return the outcome of a message the API turned down, with its reason made fit for a log.

    :param position: the message's place in the request
    :param message: the message
    :param said: the API's error, of whatever shape
    :param hide: texts beside the message's own that must not be repeated
    """
    said = _without_names(said, message)
    words = _words(said)
    reason = brief(words, hide=(message.text, *hide)) if words else ""
    return MessageOutcome(
        position,
        MessageState.REJECTED,
        client_id=message.client_id,
        reason=reason or "rejected by the API without a reason",
        client_id_taken=says_client_id_taken(said),
    )


def unpaid(rejected: MessageOutcome) -> MessageOutcome:
    """Return the outcome of a message that was turned down for want of funds: not accepted, and to be sent later.

    :param rejected: what it would be for any other reason
    """
    return replace(rejected, state=MessageState.PLANNED, client_id_taken=False)


def _without_names(said: Any, message: Sms) -> Any:
    """Leave out of an error what only says which message it is about."""
    if not isinstance(said, Mapping):
        return said
    own = {message.client_id, message.to, message.text, message.sender}
    return {
        key: value
        for key, value in said.items()
        if not (key in POSITION_KEYS and as_index(value) is not None) and not (isinstance(value, str) and value in own)
    }


def _words(said: Any) -> Any:
    """Return what an error says, out of its envelope."""
    if isinstance(said, list) and len(said) == 1:
        return _words(said[0])
    if not isinstance(said, Mapping):
        return said
    return said.get("errors") or said.get("message") or said.get("error") or said
