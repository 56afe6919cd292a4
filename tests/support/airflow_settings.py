# SPDX-License-Identifier: Apache-2.0

"""The settings of an Airflow deployment made for tests: fresh, fast, and deaf to the caller's own Airflow."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHECKOUT = Path(__file__).resolve().parents[2]
PLUGINS_FOLDER = Path(__file__).resolve().parent / "airflow_plugins"
SECRET = "a secret for one test deployment on loopback, shared by its programs"
FERNET_KEY = "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk="

# Read by Airflow by its name: how many seconds a writer waits for another one.
SQLITE_PATIENCE = {"timeout": 60}

INTERVALS = {
    "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    # A task whose supervisor died is noticed by its missing heartbeats; on a busy machine those of the living are late.
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "2",
    "AIRFLOW__WORKERS__EXECUTION_API_RETRY_WAIT_MIN": "0.2",
    # On a busy machine a call given up too early would look like a dead supervisor.
    "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    # A killed triggerer's triggers go to the next one after this time.
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "5",
    # New files are found quickly, known ones are parsed again only when they change.
    "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "2",
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
    "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
    "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "1200",
}


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def deployment_environment(
    home: Path, dags_folder: Path, port: int, parallelism: int, extra: Mapping[str, str]
) -> dict[str, str]:
    """The complete environment of a deployment's programs.

    :param home: its AIRFLOW_HOME.
    :param dags_folder: the caller's DAG files.
    :param port: of the API server, which also serves the execution API.
    :param parallelism: number of LocalExecutor workers, i.e. tasks at one time.
    :param extra: the caller's own variables; they win.
    """
    return {
        **base_environment(home),
        **INTERVALS,
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS_FOLDER),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(parallelism),
        "AIRFLOW__CORE__MAX_ACTIVE_RUNS_PER_DAG": "1000",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "1000",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        **extra,
    }


def base_environment(home: Path) -> dict[str, str]:
    """The caller's environment without its Airflow, with ours: enough to migrate a database."""
    inherited = {key: value for key, value in os.environ.items() if not key.lstrip("_").startswith("AIRFLOW_")}
    paths = [str(CHECKOUT), str(CHECKOUT / "tests"), inherited.get("PYTHONPATH", "")]
    if inherited.pop("PYTHONDONTWRITEBYTECODE", None):
        # Without any bytecode each of the programs needs seconds more to import Airflow.
        inherited.setdefault("PYTHONPYCACHEPREFIX", str(_cache_folder() / "bytecode"))
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": FERNET_KEY,
        "AIRFLOW__API__SECRET_KEY": SECRET,
        "AIRFLOW__API_AUTH__JWT_SECRET": SECRET,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{database_file(home)}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS": "support.airflow_settings.SQLITE_PATIENCE",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def database_file(home: Path) -> Path:
    """Where a deployment keeps its metadata database."""
    return home / "airflow.db"


def prepare_home(home: Path) -> None:
    """Fill an AIRFLOW_HOME: a migrated database and an empty configuration file.

    :param home: an existing folder. Without the empty file the programs would race to write a default one.
    """
    (home / "airflow.cfg").touch()
    shutil.copyfile(_migrated_template(), database_file(home))


def _cache_folder() -> Path:
    folder = Path(tempfile.gettempdir()) / f"instasent-airflow-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else; remove it or set TMPDIR.")
    return folder


def _migrated_template() -> Path:
    # `airflow db migrate` takes seconds and always ends in the same database: once a version is enough.
    template = _cache_folder() / f"airflow-{version('apache-airflow-core')}.db"
    if not template.exists():
        with tempfile.TemporaryDirectory(dir=template.parent) as folder:
            home = Path(folder)
            (home / "airflow.cfg").touch()
            command = [sys.executable, "-m", "airflow", "db", "migrate"]
            done = subprocess.run(command, env=base_environment(home), capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(f"airflow db migrate failed:\n{done.stdout}\n{done.stderr}")
            database_file(home).replace(template)
    return template
