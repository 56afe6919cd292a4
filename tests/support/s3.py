# SPDX-License-Identifier: Apache-2.0

"""An S3 of the tests' own, on loopback, gone when they end; and the connection by which Airflow finds it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.airflow_settings import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTION, BUCKET = "instasent_s3", "journals"
URL = f"s3://{CONNECTION}@{BUCKET}"
START_TIMEOUT_SECONDS = 60.0
KEYS = {"aws_access_key_id": "key-of-the-tests", "aws_secret_access_key": "secret-of-the-tests"}
REGION = "us-east-1"


class S3Server:
    """A running server with one bucket.

    :param port: of 127.0.0.1
    """

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"

    @property
    def airflow_connection(self) -> str:
        """The value of the `AIRFLOW_CONN_…` variable."""
        extra = {"endpoint_url": self.endpoint, "region_name": REGION}
        login, password = KEYS.values()
        return json.dumps({"conn_type": "aws", "login": login, "password": password, "extra": extra})

    def client(self) -> Any:
        """A client that knows nothing of Airflow or fsspec."""
        import boto3

        return boto3.client("s3", endpoint_url=self.endpoint, region_name=REGION, **KEYS)

    def keys(self, prefix: str = "") -> list[str]:
        """The names of the objects below a prefix."""
        return list(self.sizes(prefix))

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """The bytes in each object below a prefix."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return {found["Key"]: found["Size"] for page in pages for found in page.get("Contents", [])}

    def read(self, key: str) -> bytes:
        """The content of an object; empty where there is none."""
        client = self.client()
        try:
            content: bytes = client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return b""
        return content


@contextmanager
def s3_server(latency: float = 0.0) -> Iterator[S3Server]:
    """Start a server; it is gone afterwards, with its objects.

    :param latency: seconds that each request takes longer
    """
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "support.s3_server", str(port), str(latency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    assert process.stdin is not None
    try:
        server = S3Server(port)
        _wait_until_it_answers(server, process)
        yield server
    finally:
        process.stdin.close()
        process.wait(START_TIMEOUT_SECONDS)
        if process.stderr is not None:
            process.stderr.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        os.environ[f"AIRFLOW_CONN_{CONNECTION.upper()}"] = server.airflow_connection
        yield server
        del os.environ[f"AIRFLOW_CONN_{CONNECTION.upper()}"]


def _wait_until_it_answers(server: S3Server, process: subprocess.Popen[str]) -> None:
    import botocore.exceptions

    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while True:
        try:
            server.client().create_bucket(Bucket=BUCKET)
        except botocore.exceptions.BotoCoreError:
            if process.poll() is not None or time.monotonic() > deadline:
                said = process.stderr.read() if process.stderr is not None and process.poll() is not None else ""
                raise RuntimeError(f"The S3 server did not start:\n{said}") from None
            time.sleep(0.05)
        else:
            return
