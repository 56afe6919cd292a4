# SPDX-License-Identifier: Apache-2.0

"""A throw-away Airflow home for the tests, so that none reads or writes the developer's own.

``isolate`` belongs at the top of a conftest: Airflow reads its settings once, when it is first imported.
``migrate`` and ``run_dag`` then work in that home, on each Airflow from 2.11 to 3.3 alike.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun

    from airflow_provider_instasent.compat import DAG

BUNDLE = "dags-folder"  # Airflow 3's name for the bundle that is [core] dags_folder


def environment(home: Path) -> dict[str, str]:
    """The variables that make ``home`` a complete Airflow of its own, for this process or another.

    :param home: an existing folder; gets the database, the configuration file, the logs and the DAGs
    :return: the variables to add to an environment without other ``AIRFLOW__`` settings
    """
    dags_folder = home / "dags"
    dags_folder.mkdir(exist_ok=True)
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # A DAG that a test changes would be stored half a minute later.
        "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        # Or importing Airflow 2.11's models warns of its own future.
        "AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY": "True",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


@functools.cache
def isolate() -> Path:
    """Point this process at a new Airflow home, once, and remove it at exit.

    Airflow is imported at once: the first import sets up logging anew, which would blind the test it happens in.

    :return: the home
    :raises RuntimeError: Airflow is already imported and would keep the settings it found
    """
    if "airflow" in sys.modules:
        msg = "airflow was imported before support.airflow_home.isolate(): call it at the top of the conftest"
        raise RuntimeError(msg)
    home = Path(tempfile.mkdtemp(prefix="airflow-home-"))
    owner = os.getpid()
    # A forked child leaves the home to the process that made it.
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(home, ignore_errors=True))
    for name in [name for name in os.environ if name.startswith(("AIRFLOW__", "AIRFLOW_CONN_"))]:
        del os.environ[name]
    os.environ |= environment(home)
    import_module("airflow")
    if airflow_version() == (3, 0):
        _quieten_structlog()
    return home


def _quieten_structlog() -> None:
    """Set what dag.test() of Airflow 3.0 leaves as it comes: debug lines with all values, tracebacks in boxes."""
    structlog = import_module("structlog")
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(
        processors=[*structlog.get_config()["processors"][:-1], plain],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


def airflow_version() -> tuple[int, ...]:
    """The installed Airflow's major and minor version, found without importing it."""
    return tuple(map(int, version("apache-airflow").split(".")[:2]))


def has_task_state_store() -> bool:
    """Whether this Airflow keeps a journal by itself; below 3.3 it needs a path."""
    return airflow_version() >= (3, 3)


@functools.cache
def migrate() -> Path:
    """Create the metadata database of the isolated home, once a session (7 to 9 s).

    :return: the SQLite file; a test that needs an Airflow of its own starts from a copy of it
    :raises RuntimeError: Airflow could not migrate; carries what it printed
    """
    home = isolate()
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        msg = f"airflow db migrate failed with exit code {done.returncode}:\n{done.stdout}"
        raise RuntimeError(msg)
    return home / "airflow.db"


def run_dag(dag: DAG, **options: Any) -> DagRun:
    """Run a DAG to its end in this process: retries, deferrals and callbacks included.

    Each retry waits for its ``retry_delay`` in real time, and ``dag.test()`` looks once a second.

    :param dag: from a file or made inside a test
    :param options: passed to ``dag.test()``, such as ``run_conf``
    :return: the finished run; its ``state`` says how it ended
    """
    migrate()
    _mend_dag_test()
    if (3, 1) <= airflow_version() < (3, 3):
        _forget_dags()
    _register(dag)
    return dag.test(**options)


def returned(run: DagRun, task_id: str, map_index: int = -1) -> Any:
    """What a task of a finished run returned.

    :param run: from ``run_dag``
    :param task_id: the task
    :param map_index: which mapped instance; -1 where the task is not mapped
    """
    return run.get_task_instance(task_id, map_index=map_index).xcom_pull(task_ids=task_id, map_indexes=map_index)


@functools.cache
def _mend_dag_test() -> None:
    """Have ``dag.test()`` make one execution API for all tasks, and tell callbacks of exceptions as workers do.

    Before 3.3, Airflow 3 makes one a task, for seconds each, and leaves the exception out.
    """
    if not (3, 0) <= airflow_version() < (3, 3):
        return
    supervisor = import_module("airflow.sdk.execution_time.supervisor")
    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)
    runner = import_module("airflow.sdk.execution_time.task_runner")
    finalize = runner.finalize

    def telling(ti: Any, state: Any, context: Any, log: Any, error: BaseException | None = None) -> None:
        if error is not None:
            context["exception"] = error
        finalize(ti, state, context, log, error)

    runner.finalize = telling
    if airflow_version() == (3, 0):
        instance = runner.RuntimeTaskInstance
        instance.get_first_reschedule_date = _as_a_moment(instance.get_first_reschedule_date)


def _as_a_moment(asked: Callable[..., Any]) -> Callable[..., Any]:
    """Make a moment of what ``dag.test()`` of Airflow 3.0 tells as text, with which its own sensors cannot reckon."""

    def ask(*arguments: Any) -> Any:
        told = asked(*arguments)
        return datetime.fromisoformat(told) if isinstance(told, str) else told

    return ask


def _forget_dags() -> None:
    """Have the shared execution API read DAGs anew: one changes between the runs of a test."""
    app = import_module("airflow.sdk.execution_time.supervisor").in_process_api_server().app
    bags = import_module("airflow.api_fastapi.common.dagbag")
    app.state.dag_bag = bags.create_dag_bag()
    app.dependency_overrides.pop(bags.dag_bag_from_app, None)


def _register(dag: DAG) -> None:
    """Airflow 3 only runs DAGs that its database holds, even in ``dag.test()``."""
    try:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
    except ImportError:
        return
    DagBundlesManager().sync_bundles_to_db()
    bags = import_module("airflow.dag_processing.dagbag" if airflow_version() >= (3, 2) else "airflow.models.dagbag")
    options = {"bundle_name": BUNDLE} if airflow_version() >= (3, 2) else {}
    bag = bags.DagBag(dag_folder=os.environ["AIRFLOW__CORE__DAGS_FOLDER"], **options)
    bag.bag_dag(dag)
    if airflow_version() >= (3, 1):
        bags.sync_bag_to_db(bag, BUNDLE, None)
    else:
        dag.relative_fileloc = dag.fileloc  # which only files set that the bag reads itself
        bag.sync_to_db(BUNDLE, None)
