# SPDX-License-Identifier: Apache-2.0

"""Errors of the hook's sends that a retry would turn into a second SMS, so Airflow must not retry.

::

    AirflowFailException
    └── InstasentSendError              `outcomes`: one a message
        ├── InstasentUnconfirmedError       some messages may or may not have been accepted
        └── InstasentPartlySentError        some messages were accepted, then something stopped the rest
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.compat import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.api.message_outcome import MessageOutcome


class InstasentSendError(AirflowFailException):
    """A send ended so that trying again could text somebody twice; the task fails without a retry.

    :param message: what happened and what to do
    :param outcomes: what is known of each message, in input order
    """

    def __init__(self, message: str, outcomes: Sequence[MessageOutcome]) -> None:
        super().__init__(message)
        self.message = message
        self.outcomes = tuple(outcomes)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message, self.outcomes))


class InstasentUnconfirmedError(InstasentSendError):
    """Nothing tells whether some messages were accepted: look for them before sending them again."""


class InstasentPartlySentError(InstasentSendError):
    """Some messages were accepted before something stopped the rest: send only the planned ones again."""
