# SPDX-License-Identifier: Apache-2.0

"""What Airflow is told about this provider; loaded at each start, hence light and without Airflow."""

from __future__ import annotations

from typing import Any

from airflow_provider_instasent import __version__
from airflow_provider_instasent.hooks import connection_extra

_INTEGRATION = "Instasent"
_PACKAGE = "airflow_provider_instasent"


def get_provider_info() -> dict[str, Any]:
    """Return the provider info by Airflow's schema; `package-name` must equal the distribution's name."""
    return {
        "package-name": "airflow-provider-instasent",
        "name": _INTEGRATION,
        "description": "Send SMS with Instasent: no message twice, none lost, and know what became of each.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://docs.instasent.com/",
                "tags": ["service"],
            }
        ],
        "operators": [_modules("operators.sms", "operators.lookup", "operators.account")],
        "sensors": [_modules("sensors.sms", "sensors.account")],
        "hooks": [_modules("hooks.instasent")],
        "triggers": [_modules("triggers.sms", "triggers.lookup", "triggers.account")],
        "transfers": [
            {
                "source-integration-name": "Common SQL",
                "target-integration-name": _INTEGRATION,
                "python-module": f"{_PACKAGE}.transfers.sql_to_sms",
            }
        ],
        "notifications": [f"{_PACKAGE}.notifications.sms.InstasentNotifier"],
        "task-decorators": [
            {"name": "instasent_bulk", "class-name": f"{_PACKAGE}.decorators.sms.instasent_bulk_task"},
        ],
        "connection-types": [
            {
                "hook-class-name": f"{_PACKAGE}.hooks.instasent.InstasentHook",
                "hook-name": connection_extra.HOOK_NAME,
                "connection-type": connection_extra.CONNECTION_TYPE,
                "conn-fields": connection_extra.conn_fields(),
                "ui-field-behaviour": {
                    "hidden-fields": list(connection_extra.HIDDEN_FIELDS),
                    "relabeling": connection_extra.RELABELING,
                    "placeholders": connection_extra.PLACEHOLDERS,
                },
            }
        ],
    }


def _modules(*names: str) -> dict[str, Any]:
    return {"integration-name": _INTEGRATION, "python-modules": [f"{_PACKAGE}.{name}" for name in names]}
