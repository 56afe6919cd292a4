# SPDX-License-Identifier: Apache-2.0
"""Triggers wait at one reader for each account: base URL and token tell it, not the connection's name."""

from __future__ import annotations

import asyncio
import time

import pytest
from support.fake_client import FakeAsyncClient, id_of, read_of
from support.instasent_connection import connection

from airflow_provider_instasent.waiting.conclusion import Ending
from airflow_provider_instasent.waiting.delivery_watch import Watch

URL = "http://localhost:1"


@pytest.fixture
def opened(monkeypatch):
    """The clients that hooks open, none of which reaches a socket, and the settings each was opened with."""
    from airflow_provider_instasent.hooks.instasent import InstasentHook

    clients: list[FakeAsyncClient] = []

    async def aget_conn(hook, **settings):
        assert settings["retry_policy"].max_attempts == 1
        looks: list[str] = []

        def answer(request):
            looks.append(id_of(request))
            return read_of(id_of(request), "delivered" if len(looks) > 6 else "sent")

        clients.append(FakeAsyncClient(answer))
        return clients[-1]

    monkeypatch.setattr(InstasentHook, "aget_conn", aget_conn)
    return clients


def wait(conn_id, *ids, lines=None):
    from airflow_provider_instasent.triggers.reading import wait_at_reader

    return wait_at_reader(
        conn_id,
        Watch(ids),
        deadline=time.time() + 3_600,
        poll_interval=0.02,
        polls_per_minute=60_000,
        write=(lines if lines is not None else []).append,
    )


@pytest.mark.parametrize(
    ("url", "token", "clients"), [(URL, "token-1", 1), (URL, "token-2", 2), ("http://localhost:2", "token-1", 2)]
)
async def test_connections_to_one_account_share_a_reader_whatever_their_names(url, token, clients, opened, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ONE", connection(URL, password="token-1"))
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", connection(url, password=token))
    ends = await asyncio.wait_for(asyncio.gather(wait("one", "a"), wait("other", "b")), 30)
    assert [one.ending for one in ends] == [Ending.SUCCESS] * 2
    assert len(opened) == clients
    assert [one.closed for one in opened] == [1] * clients


async def test_a_large_batch_is_prepared_beside_the_event_loop_and_progress_is_written(opened, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_ONE", connection(URL, password="token-1"))
    threads = []
    to_thread = asyncio.to_thread

    async def seen(*call):
        threads.append(call)
        return await to_thread(*call)

    monkeypatch.setattr(asyncio, "to_thread", seen)
    lines: list[str] = []
    small = await asyncio.wait_for(wait("one", "a", lines=lines), 30)
    assert small.ending is Ending.SUCCESS
    begin = len(threads)
    large = asyncio.create_task(wait("one", *(f"m{place}" for place in range(1_001))))
    await asyncio.sleep(0.2)
    large.cancel()
    with pytest.raises(asyncio.CancelledError):
        await large
    assert len(threads) == begin + 1
    assert lines
    assert "it looks again in" in lines[0]
