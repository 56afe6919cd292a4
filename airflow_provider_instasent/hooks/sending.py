# SPDX-License-Identifier: Apache-2.0

"""Sends without a journal: checked before anything leaves, and never raising what a retry would send twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowTaskTimeout

from airflow_provider_instasent.api.bulk_flows import send_bulk
from airflow_provider_instasent.api.errors import BulkStoppedError, InvalidMessageError, UnconfirmedError
from airflow_provider_instasent.api.message import MESSAGE_FIELDS, Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.numbers import mask_in
from airflow_provider_instasent.hooks.errors import InstasentPartlySentError, InstasentUnconfirmedError

if TYPE_CHECKING:
    from airflow_provider_instasent.api.client import InstasentClient

_NAMED_POSITIONS = 10
_OUT_OF_TIME = "the task ran out of time (`execution_timeout`) during the call"


def checked(messages: Iterable[Any], create: Callable[..., Sms]) -> list[Sms]:
    """Return the messages as they would be sent, all of them checked.

    :param messages: mappings of `to`, `text` and, where wanted, `sender`, `allow_unicode`, `client_id`; or `Sms`
    :param create: makes a message of those fields and its position
    :raises InvalidMessageError: names the field and the position of the first one that is wrong
    """
    if isinstance(messages, str | bytes | Mapping):
        raise InvalidMessageError("messages", f"must be a list of messages, not {type(messages).__name__}")
    made: list[Sms] = []
    positions: dict[str, int] = {}
    for position, given in enumerate(messages):
        message = given if isinstance(given, Sms) else create(**_fields(given, position), position=position)
        if message.client_id is not None:
            first = positions.setdefault(message.client_id, position)
            if first != position:
                raise InvalidMessageError("client_id", f"is that of message {first} too; it must be unique", position)
        made.append(message)
    return made


def _fields(given: Any, position: int) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidMessageError("messages", f"must hold mappings, not {type(given).__name__}", position)
    known = f"a message has: {', '.join(MESSAGE_FIELDS)}"
    for name in ("to", "text"):
        if given.get(name) is None:
            raise InvalidMessageError(name, f"is missing; {known}", position)
    unknown = [mask_in(str(name)) for name in given if name not in MESSAGE_FIELDS]
    if unknown:
        raise InvalidMessageError("messages", f"has unknown fields: {', '.join(unknown)}; {known}", position)
    return dict(given)


def send_one(client: InstasentClient, message: Sms) -> dict[str, Any]:
    """Send one message and return the accepted entity.

    :raises InstasentUnconfirmedError: where it may or may not have been accepted
    :raises ApiError: where it was not
    """

    def unconfirmed(reason: str, cause: BaseException) -> NoReturn:
        _raise_unconfirmed(_all_unconfirmed([message], reason), cause)

    return _once(partial(client.send_sms, message), unconfirmed)


def look_up(client: InstasentClient, to: str) -> dict[str, Any]:
    """Look up one number, which is billed, and return the accepted entity.

    :param to: the number in E.164
    :raises InstasentUnconfirmedError: where it may or may not have been accepted
    :raises ApiError: where it was not
    """
    return _once(partial(client.lookup, to), _raise_unconfirmed_lookup)


def _once(call: Callable[..., dict[str, Any]], unconfirmed: Callable[[str, BaseException], NoReturn]) -> dict[str, Any]:
    """Make a call that is a send, and raise where nothing tells whether it was accepted.

    :param call: takes `before_send`
    :param unconfirmed: raises, given why and because of what
    """
    attempts: list[None] = []
    try:
        return call(before_send=lambda: attempts.append(None))
    except UnconfirmedError as error:
        unconfirmed(str(error), error)
    except AirflowTaskTimeout as error:
        if not attempts:
            raise
        unconfirmed(_OUT_OF_TIME, error)


def _raise_unconfirmed_lookup(reason: str, cause: BaseException) -> NoReturn:
    raise InstasentUnconfirmedError(
        f"1 lookup may or may not have been accepted, and billed: {reason}. The task is not retried, because that "
        "could be billed twice: look for it with `iter_lookups()`, by number and time, before you ask again",
        [MessageOutcome(0, MessageState.UNCONFIRMED, reason=reason)],
    ) from cause


def send_many(client: InstasentClient, messages: Sequence[Sms]) -> list[MessageOutcome]:
    """Send any number of messages and return one outcome a message, accepted or rejected, in input order.

    :raises InstasentUnconfirmedError: where some may or may not have been accepted
    :raises InstasentPartlySentError: where some were accepted before something stopped the rest
    :raises BulkStoppedError: where something stopped it before any was accepted
    """
    attempts: list[None] = []
    flow = send_bulk(messages, client.settings.retry_policy)
    try:
        outcomes = client.perform(flow, before_send=lambda: attempts.append(None))
    except BulkStoppedError as error:
        if _some(error.outcomes, MessageState.UNCONFIRMED):
            _raise_unconfirmed(error.outcomes, error)
        if _some(error.outcomes, MessageState.ACCEPTED):
            raise InstasentPartlySentError(
                f"{error}. The task is not retried, because that would text those accepted twice: "
                "send only the messages that are `planned` in this error's `outcomes` again",
                error.outcomes,
            ) from error
        raise
    except AirflowTaskTimeout as error:
        if not attempts:
            raise
        _raise_unconfirmed(_all_unconfirmed(messages, _OUT_OF_TIME), error)
    if _some(outcomes, MessageState.UNCONFIRMED):
        _raise_unconfirmed(outcomes, None)
    return outcomes


def _some(outcomes: Sequence[MessageOutcome], state: MessageState) -> bool:
    return any(outcome.state is state for outcome in outcomes)


def _all_unconfirmed(messages: Sequence[Sms], reason: str) -> list[MessageOutcome]:
    return [
        MessageOutcome(position, MessageState.UNCONFIRMED, client_id=message.client_id, reason=reason)
        for position, message in enumerate(messages)
    ]


def _raise_unconfirmed(outcomes: Sequence[MessageOutcome], cause: BaseException | None) -> NoReturn:
    unconfirmed = [outcome for outcome in outcomes if outcome.state is MessageState.UNCONFIRMED]
    named = ", ".join(str(outcome.position) for outcome in unconfirmed[:_NAMED_POSITIONS])
    more = ", …" if len(unconfirmed) > _NAMED_POSITIONS else ""
    states = [outcome.state for outcome in outcomes]
    counts = ", ".join(f"{states.count(state)} {state}" for state in MessageState if state in states)
    raise InstasentUnconfirmedError(
        f"{len(unconfirmed)} of {len(outcomes)} messages may or may not have been accepted (position {named}{more}): "
        f"{unconfirmed[0].reason}. In all: {counts}. The task is not retried, because that could text somebody "
        "twice: look for them with `iter_sms()`, by clientId or by number, text and time, before you send them again",
        outcomes,
    ) from cause
