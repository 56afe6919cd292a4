# SPDX-License-Identifier: Apache-2.0
"""What each request that cannot leave has in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.clients import TINY_WAITS, sms

from airflow_provider_instasent.api import errors, flows

if TYPE_CHECKING:
    from support.clients import Caller


def assert_never_sent(client: Caller, says: str) -> None:
    """A send and a read cannot leave, are tried as often as the policy has it, and say why."""
    for flow, is_send in ((flows.send_sms(sms(), TINY_WAITS), True), (flows.get_account(TINY_WAITS), False)):
        waits: list[float] = []
        error = client.fails(errors.NotSentError, client.perform, flow, sleep=waits.append)
        assert ("nothing was sent" in str(error)) == is_send
        assert says in str(error)
        assert len(waits) == TINY_WAITS.max_attempts - 1
    stopped = client.fails(errors.BulkStoppedError, client.bulk, [sms()])
    assert type(stopped.__cause__) is errors.NotSentError
