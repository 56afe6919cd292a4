# SPDX-License-Identifier: Apache-2.0
"""Every error of the plain-Python API, named by what the caller can do about it.

::

    InstasentError
    ├── ConfigurationError          a setting is missing or unsafe: change the connection
    ├── InvalidMessageError         a message cannot be sent as it is: change the named field (also a ValueError)
    ├── PayloadError                a payload does not match its JSON Schema (also a ValueError)
    └── ApiError                    one exchange with the API did not succeed
        ├── NotSentError            the request never left: repeating it is safe
        ├── UnconfirmedError        a send left and nothing tells whether it was accepted: look before repeating
        ├── UnavailableError        a read found no usable answer (5xx, timeout, unreadable): try again later
        ├── RefusedError            the API said no, by a status that proves it: nothing was accepted
        │   ├── InvalidRequestError     400, 422: the payload
        │   ├── AuthenticationError     401, 403: the token
        │   ├── NoFundsError            402, or another refusal that says so: the balance
        │   ├── NotFoundError           404: absent, or not visible to this token
        │   ├── TooLargeError           413: the request body
        │   └── RateLimitedError        429: the reset was waited for, and it did not help
        └── BulkStoppedError        a bulk call ended early: `outcomes` says what became of every message

Messages hold no token, no message text and no whole phone number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.api.message_outcome import MessageOutcome


MISHAPS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What Python, libraries and our own code may raise while an answer is read.

What ends a task is none of these and goes on its way, though it may derive from `Exception`: a signal handler raises it
wherever the task happens to be, and whoever took it for a mishap would go on sending.
"""


class InstasentError(Exception):
    """Base of all errors of this package's API client."""


class ConfigurationError(InstasentError):
    """A setting is missing, contradictory or unsafe; nothing was sent."""


class InvalidMessageError(InstasentError, ValueError):
    """A message cannot be sent as it is; nothing was sent.

    :param field: the name of the parameter that is wrong, as the user typed it
    :param reason: what is wrong with it and how to mend it, without the value
    :param position: the message's place in its batch, from 0; None for a single message
    """

    def __init__(self, field: str, reason: str, position: int | None = None) -> None:
        where = "" if position is None else f" (message {position})"
        super().__init__(f"`{field}`: {reason}{where}")
        self.field = field
        self.reason = reason
        self.position = position

    def at(self, position: int) -> InvalidMessageError:
        """Return the same error for the message at `position`."""
        return InvalidMessageError(self.field, self.reason, position)

    def __reduce__(self) -> tuple[type, tuple[str, str, int | None]]:
        return (type(self), (self.field, self.reason, self.position))


class PayloadError(InstasentError, ValueError):
    """A payload does not match its JSON Schema.

    :param schema: the schema's name
    :param path: where in the payload, as a JSON path; never the value
    :param rule: the rule that was broken
    """

    def __init__(self, schema: str, path: str, rule: str) -> None:
        super().__init__(f"the payload does not match the schema `{schema}` at `{path}`: {rule}")
        self.schema = schema
        self.path = path
        self.rule = rule

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return (type(self), (self.schema, self.path, self.rule))


class ApiError(InstasentError):
    """One exchange with the API did not succeed.

    :param message: what happened and what to do
    :param status: the HTTP status, or None where there was no answer
    :cvar payload_is_at_fault: whether the API turned down what the request holds, so that another try with the same
        messages would end alike, and parts of it may be taken
    """

    payload_is_at_fault: ClassVar[bool] = False

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NotSentError(ApiError):
    """The request never left this machine, so nothing was accepted; repeating it is safe."""


class UnconfirmedError(ApiError):
    """A send left this machine and nothing tells whether it was accepted; look before repeating it."""


class UnavailableError(ApiError):
    """A read found no usable answer: a 5xx, a redirect, a timeout, a cut connection or an unreadable body."""


class RefusedError(ApiError):
    """The API answered with a status that proves that nothing of this request was accepted."""


class InvalidRequestError(RefusedError):
    """400 or 422: the API found fault with the payload."""

    payload_is_at_fault = True


class AuthenticationError(RefusedError):
    """401 or 403: the token is wrong, revoked or lacks the scope."""


class NoFundsError(RefusedError):
    """402, or another refusal or item of a bulk answer that says so: the account has no funds."""


class NotFoundError(RefusedError):
    """404: the thing is absent, or not visible to this token, or the base path is wrong."""


class TooLargeError(RefusedError):
    """413: the request body is larger than the API takes."""

    payload_is_at_fault = True


class RateLimitedError(RefusedError):
    """429, still after waiting for the reset."""


class BulkStoppedError(ApiError):
    """A bulk call ended before all its messages were tried.

    :param message: what stopped it
    :param outcomes: one outcome a message, in input order; those not tried are `planned`
    :param status: the HTTP status that stopped it, if any
    """

    def __init__(self, message: str, outcomes: Sequence[MessageOutcome], *, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.outcomes = outcomes

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (str(self), self.outcomes), self.__dict__)
