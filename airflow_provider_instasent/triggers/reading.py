# SPDX-License-Identifier: Apache-2.0
"""How a trigger waits: at the one reader that all triggers of an account share."""

from __future__ import annotations

import asyncio
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from airflow_provider_instasent.api import async_client  # noqa: F401 - the hook makes the client
from airflow_provider_instasent.api.retry import ONE_ATTEMPT
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.waiting.shared_readers import shared_reader
from airflow_provider_instasent.waiting.subscription import Subscription
from airflow_provider_instasent.waiting.wait_progress import WaitProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_instasent.waiting.conclusion import Conclusion
    from airflow_provider_instasent.waiting.delivery_watch import Watch

_QUICK = 1_000
"""Messages up to which what a wait needs is made on the event loop itself."""


async def wait_at_reader(
    instasent_conn_id: str,
    watch: Watch,
    *,
    deadline: float,
    poll_interval: float,
    polls_per_minute: int | None,
    write: Callable[[str], object],
) -> Conclusion:
    """Wait until a watch is over, together with all others of the same account on this event loop.

    :param instasent_conn_id: the connection
    :param watch: what is waited for; its first sweep is at `watch.next_sweep`
    :param deadline: unix seconds; when it is over already, there is one sweep all the same
    :param poll_interval: seconds between two sweeps; longer while nothing changes
    :param polls_per_minute: the most reads a minute while this wait lasts; None for the connection's
    :param write: writes a line into the log
    :raises ConfigurationError: names the field of the connection that is wrong
    """
    hook = InstasentHook(instasent_conn_id)
    settings = await hook.aget_settings()
    account = sha256(f"{settings.base_url}\0{settings.token}".encode()).digest()
    make = partial(
        Subscription, watch, deadline=deadline, poll_interval=poll_interval, polls_per_minute=polls_per_minute
    )
    subscription = make() if len(watch) <= _QUICK else await asyncio.to_thread(make)
    open_client = partial(hook.aget_conn, retry_policy=ONE_ATTEMPT)
    async with shared_reader(account, watch.resource, open_client, settings.max_polls_per_minute) as reader:
        return await reader.wait(subscription, WaitProgress(write))
