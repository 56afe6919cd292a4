# SPDX-License-Identifier: Apache-2.0

"""The guard of the example DAGs, which Airflow 3.3 lists on production systems too."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_provider_instasent.compat import AirflowFailException
from airflow_provider_instasent.hooks.instasent import InstasentHook

if TYPE_CHECKING:
    from airflow_provider_instasent.compat import Context


def sandbox_only(context: Context) -> None:
    """Fail a task, before it does anything, whose connection leads to another machine.

    Give it to a DAG as `default_args={"pre_execute": sandbox_only}`. A connection that sets `allow_http` says that a
    sandbox on another machine is meant, and is let through; a task without a connection is none of its business.

    :param context: the task's context
    :raises AirflowFailException: where the host is not loopback and `allow_http` is not set; nothing was sent
    """
    connection_id = getattr(context["task"], "instasent_conn_id", None)
    if connection_id is None:
        return
    from airflow_provider_instasent.api.base_urls import is_loopback

    settings = InstasentHook(connection_id).settings
    host = urlsplit(settings.base_url).hostname or ""
    if not is_loopback(host) and not settings.client_options.get("allow_http"):
        raise AirflowFailException(
            f"This is an example for the sandbox, and the connection `{connection_id}` leads to {host}, where SMS cost "
            "money and reach people. Nothing was sent. Point the connection to a sandbox on this machine "
            "(instasent-sandbox), or copy the DAG without this guard."
        )
