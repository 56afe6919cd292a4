# SPDX-License-Identifier: Apache-2.0

"""Sends without a journal: checked before anything leaves, and never raising what a retry would send twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_provider_instasent.api import flows, lookup_flows
from airflow_provider_instasent.api.bulk_flows import ChunkResult, send_bulk
from airflow_provider_instasent.api.counters import LOOKUPS, MESSAGES, Outcomes, count_outcomes
from airflow_provider_instasent.api.errors import BulkStoppedError, InvalidMessageError, RefusedError, UnconfirmedError
from airflow_provider_instasent.api.message import MESSAGE_FIELDS, Sms
from airflow_provider_instasent.api.message_outcome import MessageOutcome, MessageState
from airflow_provider_instasent.api.numbers import mask_in
from airflow_provider_instasent.api.refusals import proves_nothing_accepted
from airflow_provider_instasent.compat import AirflowTaskTimeout
from airflow_provider_instasent.hooks.errors import InstasentPartlySentError, InstasentUnconfirmedError

if TYPE_CHECKING:
    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.exchange import Flow, Outcome

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
        outcome = MessageOutcome(0, MessageState.UNCONFIRMED, client_id=message.client_id, reason=reason)
        _raise_unconfirmed([outcome], cause)

    return _once(client, flows.send_sms(message, client.settings.retry_policy), unconfirmed, MESSAGES)


def look_up(client: InstasentClient, to: str) -> dict[str, Any]:
    """Look up one number, which is billed, and return the accepted entity.

    :param to: the number in E.164
    :raises InstasentUnconfirmedError: where it may or may not have been accepted
    :raises ApiError: where it was not
    """
    return _once(client, lookup_flows.lookup(to, client.settings.retry_policy), _raise_unconfirmed_lookup, LOOKUPS)


class _Doubt:
    """Whether a request is out, or was answered so that something of it may have been accepted.

    :ivar there: whether it is
    """

    there = False

    def before_send(self) -> None:
        """Take in that a request is about to leave."""
        self.there = True

    def after_send(self, outcome: Outcome) -> None:
        """Take in what came of it."""
        self.there = not proves_nothing_accepted(outcome)


def _once(
    client: InstasentClient,
    flow: Flow[dict[str, Any]],
    unconfirmed: Callable[[str, BaseException], NoReturn],
    names: Outcomes,
) -> dict[str, Any]:
    """Perform a flow with one send, and raise where nothing tells whether it was accepted.

    :param unconfirmed: raises, given why and because of what
    :param names: under which its outcome is counted
    """
    doubt = _Doubt()
    counters = client.settings.counters
    counters.count(names.planned)
    try:
        entity = client.perform(flow, before_send=doubt.before_send, after_send=doubt.after_send)
        doubt.there = True  # what breaks off the counting must not have it sent again
        counters.count(names.accepted)
    except BaseException as error:  # whatever ends the call, a signal among it: another try would send again
        if not doubt.there:
            counters.count(names.rejected, int(isinstance(error, RefusedError) and error.payload_is_at_fault))
            raise
        counters.count(names.unconfirmed)
        unconfirmed(_reason(error), error)
    return entity


def _reason(error: BaseException) -> str:
    if isinstance(error, UnconfirmedError):
        return str(error)
    return _OUT_OF_TIME if isinstance(error, AirflowTaskTimeout) else f"{type(error).__name__} broke the call off"


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
    doubt = _Doubt()
    result = ChunkResult.of(messages)
    flow = send_bulk(messages, client.settings.retry_policy, result)
    counters = client.settings.counters
    counters.count(MESSAGES.planned, len(messages))
    try:
        client.perform(flow, before_send=doubt.before_send, after_send=doubt.after_send)
        count_outcomes(counters, MESSAGES, result.outcomes)
        _raise_if_unconfirmed(result.outcomes, None)
    except InstasentUnconfirmedError:
        raise
    except BaseException as error:  # as above
        outcomes = _with_doubts(result, _reason(error)) if doubt.there else result.outcomes
        count_outcomes(counters, MESSAGES, outcomes)
        _raise_if_unconfirmed(outcomes, error)
        if _some(outcomes, MessageState.ACCEPTED):
            what = str(error) if isinstance(error, BulkStoppedError) else _reason(error)
            raise InstasentPartlySentError(
                f"{what}. The task is not retried, because that would text those accepted twice: "
                "send only the messages that are `planned` in this error's `outcomes` again",
                outcomes,
            ) from error
        raise
    return result.outcomes


def _with_doubts(result: ChunkResult, reason: str) -> list[MessageOutcome]:
    """Return the outcomes of a call that was broken off while a request was out: what that held is unconfirmed."""
    trying = set(result.trying)
    return [
        replace(one, state=MessageState.UNCONFIRMED, reason=reason)
        if one.position in trying and one.state is MessageState.PLANNED
        else one
        for one in result.outcomes
    ]


def _some(outcomes: Sequence[MessageOutcome], state: MessageState) -> bool:
    return any(outcome.state is state for outcome in outcomes)


def _raise_if_unconfirmed(outcomes: Sequence[MessageOutcome], cause: BaseException | None) -> None:
    if _some(outcomes, MessageState.UNCONFIRMED):
        _raise_unconfirmed(outcomes, cause)


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
