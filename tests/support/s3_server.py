# SPDX-License-Identifier: Apache-2.0

"""An S3 on loopback, made of moto: `python -m support.s3_server PORT SECONDS`. It ends when its standard input does.

moto looks whether a key is there and then writes it. S3 does both as one, so one request at a time gets through here.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import WSGIRequestHandler, run_simple

if TYPE_CHECKING:
    from collections.abc import Callable


class OneAtATime:
    """The application, with a lock around each request and a delay before it.

    :param application: moto's
    :param latency: seconds
    """

    def __init__(self, application: Any, latency: float) -> None:
        self._application = application
        self._latency = latency
        self._lock = threading.Lock()

    def __call__(self, environment: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        time.sleep(self._latency)
        with self._lock:
            return self._application(environment, start_response)


class Quiet(WSGIRequestHandler):
    """Logs nothing, and keeps connections open as S3 does."""

    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until standard input ends."""
    port, latency = int(sys.argv[1]), float(sys.argv[2])
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    application = OneAtATime(create_backend_app("s3"), latency)
    run_simple("127.0.0.1", port, application, threaded=True, request_handler=Quiet)


if __name__ == "__main__":
    main()
