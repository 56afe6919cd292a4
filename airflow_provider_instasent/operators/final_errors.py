# SPDX-License-Identifier: Apache-2.0
"""Which errors end a task without retry: those that another try cannot mend or that it could make worse."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_provider_instasent.api.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    InstasentError,
    InvalidMessageError,
    InvalidRequestError,
    NoFundsError,
    NotFoundError,
    PayloadError,
    RefusedError,
    TooLargeError,
    UnconfirmedError,
)
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.compat import AirflowFailException, AirflowSensorTimeout
from airflow_provider_instasent.journal.errors import (
    JournalCorruptError,
    JournalError,
    JournalForeignError,
    JournalMissingError,
    JournalStoreError,
    JournalWriteError,
    PlanError,
    RejectedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FINAL = (
    AuthenticationError,
    ConfigurationError,
    InvalidMessageError,
    InvalidRequestError,
    JournalCorruptError,
    JournalForeignError,
    JournalMissingError,
    JournalStoreError,
    NoFundsError,
    NotFoundError,
    PayloadError,
    PlanError,
    RejectedError,
    TooLargeError,
    UnconfirmedError,
)


_NOTHING_LEFT = (JournalStoreError, JournalWriteError)
"""Journal errors after which we know that this try sent nothing, and what earlier ones did."""


def is_final(error: InstasentError) -> bool:
    """Tell whether another try cannot mend an error or could make it worse."""
    # The base class itself is what the API answers with where no status of its own is known, 405 for one.
    return isinstance(error, FINAL) or type(error) is RefusedError


def state_after(error: InstasentError, *, in_doubt: bool) -> MessageState:
    """Return where a single message stands after its send ended with this error.

    :param error: what ended it
    :param in_doubt: whether this try or an earlier one may have sent it
    """
    unread = isinstance(error, JournalError) and not isinstance(error, _NOTHING_LEFT)
    if in_doubt or unread or isinstance(error, UnconfirmedError):
        return MessageState.UNCONFIRMED
    rejected = isinstance(error, ApiError) and error.payload_is_at_fault
    return MessageState.REJECTED if rejected else MessageState.PLANNED


@contextmanager
def failures_without_retry() -> Iterator[None]:
    """Turn errors that a retry cannot mend into Airflow's failure without retry.

    :raises AirflowFailException: in place of such an error; clearing the task later tries again
    """
    try:
        yield
    except InstasentError as error:
        if not is_final(error):
            raise
        raise AirflowFailException(f"{type(error).__name__}: {error}") from error


@contextmanager
def wait_failures(*, may_retry: bool) -> Iterator[None]:
    """Decide whether a task may be retried whose messages were accepted and whose wait for delivery failed.

    :param may_retry: whether a journal tells the next try not to send
    :raises AirflowSensorTimeout: where the triggerer did not answer in time: no retry
    :raises AirflowFailException: where a retry might send again
    """
    from airflow_provider_instasent.api.server_words import brief
    from airflow_provider_instasent.compat import is_deferral_timeout

    try:
        yield
    except (AirflowFailException, AirflowSensorTimeout):
        raise
    except Exception as error:
        if is_deferral_timeout(error):
            raise AirflowSensorTimeout(
                "Timed out, and the triggerer did not answer: is one running? What was sent may have arrived; clear "
                "this task to ask again."
            ) from error
        if may_retry:
            raise
        raise AirflowFailException(
            f"{type(error).__name__}: {brief(error)} The message was accepted, its id is in XCom. The task is not "
            "retried, because no journal (`journal_path`, or Airflow 3.3's task state store) would keep a retry from "
            "sending it again; clearing the task looks for it in the list before it sends."
        ) from error
