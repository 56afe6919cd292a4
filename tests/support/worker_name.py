# SPDX-License-Identifier: Apache-2.0

"""What a Celery worker calls its host: two of them are on one machine, where Airflow would show the same name."""

from __future__ import annotations

import os
import socket

VARIABLE = "INSTASENT_TEST_WORKER"


def worker_name() -> str:
    """The name from the environment, for `[core] hostname_callable`."""
    return os.environ.get(VARIABLE) or socket.gethostname()
