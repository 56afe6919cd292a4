# SPDX-License-Identifier: Apache-2.0

"""An Airflow as it runs in production: PostgreSQL, an S3 server, its REST API, and Celery workers or LocalExecutor."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

import psutil
from support import s3, worker_name
from support.airflow_components import Components
from support.airflow_rest_api import AirflowRestApi
from support.airflow_settings import deployment_environment, free_port
from support.postgres import USER, PostgresServer, postgres_server
from support.redis_server import redis_server
from support.seaweedfs import PACKAGE as SEAWEEDFS
from support.seaweedfs import seaweedfs_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from support.airflow_rest_api import TaskTry

LOCAL, CELERY = "LocalExecutor", "CeleryExecutor"
WORKERS = ("worker-1", "worker-2")
TASK_TITLE = "airflow worker -- "
KEEP_HOME = "INSTASENT_TEST_KEEP_AIRFLOW_HOME"
WITHOUT_LOG_SERVER = "--skip-serve-logs"
"""The logs are in one folder, which the API server reads itself."""
VISIBILITY_TIMEOUT = "20"
"""Seconds after which the broker delivers a task once more, though its worker is at it: shorter than a campaign."""
SLOTS = 4
"""Tasks at one time of the LocalExecutor."""


@dataclass(frozen=True)
class Servers:
    """What Airflow stands on.

    :param redis: the URL of the broker.
    """

    postgres: PostgresServer
    s3: s3.S3Server
    redis: str

    @property
    def versions(self) -> str:
        """One sentence that names them."""
        import redis

        with redis.Redis.from_url(self.redis) as broker:
            of_redis = broker.info("server")["redis_version"]
        of_postgres = self.postgres.run("show server_version")[0][0].split()[0]
        celery, weed = version("apache-airflow-providers-celery"), version(SEAWEEDFS)
        return f"PostgreSQL {of_postgres}, Redis {of_redis}, SeaweedFS {weed}, the Celery provider {celery}."


@contextmanager
def servers() -> Iterator[Servers]:
    """Start PostgreSQL, S3 and Redis; they are gone afterwards, also when the test process is killed."""
    with redis_server() as redis, postgres_server() as postgres, seaweedfs_server() as objects:
        yield Servers(postgres, objects, redis)


class Deployment:
    """Start on entering, end without a trace on leaving.

    :param executor: `LOCAL` or `CELERY`; the latter with two workers of one slot each.
    :param dags_folder: the DAG files.
    :param on: the servers; the metadata database there is a new one.
    """

    def __init__(self, executor: str, dags_folder: Path, on: Servers) -> None:
        self.executor = executor
        self._dags_folder = dags_folder
        self._servers = on
        self._database = f"airflow_{uuid4().hex[:8]}"

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.home = Path(tempfile.mkdtemp(prefix="instasent-deployment-"))
            self._servers.postgres.run(f'create database "{self._database}"')
            port = free_port()
            environment = self._environment(port)
            self.components = Components(environment, self.home, [] if KEEP_HOME in os.environ else [self.home])
            stack.callback(self.components.end)
            (self.home / "airflow.cfg").touch()
            (self.home / "plugins").mkdir()
            self._migrate(environment)
            self.api = AirflowRestApi(f"http://127.0.0.1:{port}", self.components.check)
            stack.callback(self.api.close)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(None, None, None)

    def kill_worker_of(self, task: TaskTry) -> None:
        """SIGKILL the worker that runs a task, with the task; a Celery worker stays away until `start_workers`.

        :param task: its running try.
        """
        if self.executor == CELERY:
            self.components.kill(task.hostname)
            return
        process = self.task_process(task)
        assert process is not None
        supervisor = process.parent()
        assert supervisor is not None
        # In this order: the supervisor would tell Airflow at once how its task ended.
        for victim in (supervisor, process):
            os.kill(victim.pid, signal.SIGKILL)

    def start_workers(self) -> None:
        """Start the killed Celery workers again, as a service manager does."""
        for name in WORKERS if self.executor == CELERY else ():
            if not self.components.is_running(name):
                self.components.start_again(name)

    def restart(self, name: str) -> None:
        """SIGKILL a program with all it started, and start it again."""
        self.components.restart(name)

    def task_process(self, task: TaskTry) -> psutil.Process | None:
        """The living process of a try, None where there is none."""
        for name in WORKERS if self.executor == CELERY else ("scheduler",):
            for pid in self.components.pids(name) if self.components.is_running(name) else ():
                try:
                    if " ".join(psutil.Process(pid).cmdline()).strip() == f"{TASK_TITLE}{task.id}":
                        return psutil.Process(pid)
                except psutil.Error:
                    continue
        return None

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in the metadata database."""
        return PostgresServer(self._servers.postgres.port, self._database).run(query)

    def logs(self) -> Iterator[tuple[Path, str]]:
        """All that Airflow and its tasks wrote, by file."""
        for path in sorted(self.home.rglob("*.log")):
            yield path, path.read_text(errors="replace")

    def _environment(self, port: int) -> Mapping[str, str]:
        address = f"{USER}@127.0.0.1:{self._servers.postgres.port}/{self._database}"
        environment = deployment_environment(
            self.home,
            self._dags_folder,
            port,
            SLOTS,
            {
                "AIRFLOW__CORE__EXECUTOR": self.executor,
                "AIRFLOW__CORE__PLUGINS_FOLDER": str(self.home / "plugins"),
                "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
                "AIRFLOW__CORE__HOSTNAME_CALLABLE": "support.worker_name.worker_name",
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{address}",
                "AIRFLOW__CELERY__BROKER_URL": self._servers.redis,
                "AIRFLOW__CELERY__RESULT_BACKEND": f"db+postgresql://{address}",
                "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": VISIBILITY_TIMEOUT,
            },
        )
        # That one is for SQLite.
        del environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS"]
        return environment

    def _migrate(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"airflow db migrate failed:\n{done.stdout}\n{done.stderr}")

    def _start(self) -> None:
        self.components.start("api-server")
        self.components.start("scheduler", WITHOUT_LOG_SERVER)
        self.components.start("dag-processor")
        self.components.start("triggerer", WITHOUT_LOG_SERVER)
        for name in WORKERS if self.executor == CELERY else ():
            command = ("celery", "worker", "--celery-hostname", name, "--concurrency", "1", WITHOUT_LOG_SERVER)
            self.components.start_as(name, command, {worker_name.VARIABLE: name})
        self.api.wait_until_it_answers()
        aws = {**json.loads(self._servers.s3.airflow_connection), "connection_id": s3.CONNECTION}
        self.api.create("connections", {**aws, "extra": json.dumps(aws["extra"])})
