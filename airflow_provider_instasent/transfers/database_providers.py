# SPDX-License-Identifier: Apache-2.0
"""Which package brings the hook of a database, by the type of its connection."""

from __future__ import annotations

_PREFIX = "apache-airflow-providers-"

_PROVIDERS = {
    "athena": "amazon",
    "databricks_sql": "databricks",
    "drill": "apache-drill",
    "druid": "apache-druid",
    "gcpbigquery": "google",
    "hiveserver2": "apache-hive",
    "impala": "apache-impala",
    "mssql": "microsoft-mssql",
    "pinot": "apache-pinot",
    "redshift": "amazon",
    **{
        name: name
        for name in (
            "databricks",
            "elasticsearch",
            "exasol",
            "jdbc",
            "mysql",
            "odbc",
            "oracle",
            "postgres",
            "presto",
            "snowflake",
            "sqlite",
            "teradata",
            "trino",
            "vertica",
            "ydb",
        )
    },
}


def provider_of(connection_type: str | None) -> str | None:
    """Return the package with the hook for a type of connection, or None where nobody here knows.

    :param connection_type: as the connection says
    """
    provider = _PROVIDERS.get((connection_type or "").strip().lower())
    return None if provider is None else _PREFIX + provider
