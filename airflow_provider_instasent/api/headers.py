# SPDX-License-Identifier: Apache-2.0
"""The headers of every request."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from airflow_provider_instasent import __version__

if TYPE_CHECKING:
    from airflow_provider_instasent.api.client_settings import ClientSettings


def request_headers(settings: ClientSettings, library: str) -> dict[str, str]:
    """Return the headers of every request.

    :param settings: with the token
    :param library: the HTTP library's name and version, for the User-Agent
    """
    agent = f"airflow-provider-instasent/{__version__} Python/{platform.python_version()} {library}"
    return {
        "Authorization": f"Bearer {settings.token}",
        "Accept": "application/json",
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": f"{agent} {settings.user_agent_suffix}".strip(),
    }
