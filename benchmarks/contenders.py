# SPDX-License-Identifier: Apache-2.0
"""Four ways to send the same messages; each runs in a process of its own, see :func:`main`."""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from benchmarks.sandbox import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 100
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
TOO_MANY_REQUESTS = 429
SDK_FOLDER = Path(".make/instasent-sdk")


def main(name: str, url: str, messages: int) -> dict[str, Any]:
    """Send so many messages and return the seconds it took, of the clock and of the CPU."""
    ways: dict[str, Callable[[str, int], tuple[float, float]]] = {
        "operator": operator, "sdk": sdk, "sequential": sequential, "parallel": parallel,
    }  # fmt: skip
    seconds, cpu = ways[name](url, messages)
    return {"seconds": seconds, "cpu": cpu}


def operator(url: str, messages: int) -> tuple[float, float]:
    """Send as this provider's bulk operator does: plan, journal, pace, results file."""
    from benchmarks import campaign

    with TemporaryDirectory() as folder:
        recipients = campaign.write_recipients(Path(folder) / "recipients.csv", messages)
        with Timed() as spent:
            outcome = campaign.send(url, recipients, campaign.StateStore(), Path(folder) / "results.jsonl")
    if outcome.error is not None or outcome.summary["accepted"] != messages:
        raise RuntimeError(f"the campaign failed: {outcome.error}")
    return spent.result


def sdk(url: str, messages: int) -> tuple[float, float]:
    """Send as users of the vendor's Python SDK do: one call a message.

    Its base URL is a class attribute, so a subclass names the sandbox. Its paths end in a slash, which the
    sandbox does not serve, so that slash is cut off.
    """
    sys.path.insert(0, str(SDK_FOLDER.resolve()))
    from instasent import Client  # type: ignore[import-untyped]

    class LocalClient(Client):  # type: ignore[misc]
        rootEndpoint = secureChannel = f"{url}/"  # noqa: N815 - its names

        def execute_request(self, url: str = "", http_method: str = "", data: Any = "") -> Any:
            return super().execute_request(url.rstrip("/"), http_method, data)

    client = LocalClient(TOKEN)
    with Timed() as spent:
        for message in _messages(messages):
            while client.send_sms(message["from"], message["to"], message["text"])["response_code"] != 201:
                time.sleep(0.1)
    return spent.result


def sequential(url: str, messages: int) -> tuple[float, float]:
    """Post prepared requests one after the other on one connection."""
    bodies = _bodies(messages)
    with Timed() as spent:
        _post_all(url, iter(bodies))
    return spent.result


def parallel(url: str, messages: int) -> tuple[float, float]:
    """Post prepared requests, eight in flight, each on a connection of its own: nothing can be faster."""
    bodies = _Shared(iter(_bodies(messages)))
    threads = [threading.Thread(target=_post_all, args=(url, bodies)) for _ in range(8)]
    with Timed() as spent:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return spent.result


class Timed:
    """Measure a block: seconds of the clock, and of the CPU over all threads."""

    result: tuple[float, float]

    def __enter__(self) -> Self:
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        clock, cpu = self._began
        self.result = time.perf_counter() - clock, time.process_time() - cpu


class _Shared:
    """An iterator for several threads."""

    def __init__(self, items: Iterator[bytes]) -> None:
        self._items = items
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._lock:
            return next(self._items)


def _post_all(url: str, bodies: Iterator[bytes] | _Shared) -> None:
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)) as connection:
        for body in bodies:
            while (reset := _post(connection, body)) is not None:
                time.sleep(max(0.0, reset - time.time()))


def _post(connection: http.client.HTTPConnection, body: bytes) -> float | None:
    """Post one request; return when it may be repeated, None where it was accepted."""
    connection.request("POST", "/sms/bulk", body, HEADERS)
    response = connection.getresponse()
    response.read()
    if response.status == TOO_MANY_REQUESTS:
        return float(response.headers["X-RateLimit-Reset"])
    if response.status != http.client.CREATED:
        raise RuntimeError(f"HTTP {response.status}")
    return None


def _bodies(messages: int) -> list[bytes]:
    source = _messages(messages)
    return [json.dumps(chunk).encode() for chunk in iter(lambda: list(islice(source, CHUNK)), [])]


def _messages(count: int) -> Iterator[dict[str, str]]:
    from benchmarks.campaign import number_of

    for index in range(count):
        text = f"Hello person {index}, your order {index} is ready."
        yield {"from": "Bench", "to": number_of(index), "text": text}
