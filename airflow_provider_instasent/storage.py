# SPDX-License-Identifier: Apache-2.0

"""From a path that a user gave to one on a storage whose driver is installed, before anything is read or sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.files import shown_path
from airflow_provider_instasent.compat import storage_path

if TYPE_CHECKING:
    import os

_AMAZON = "apache-airflow-providers-amazon[s3fs]"
_GOOGLE = "apache-airflow-providers-google"
_AZURE = "apache-airflow-providers-microsoft-azure"

DRIVERS = {
    "s3": _AMAZON,
    "s3a": _AMAZON,
    "s3n": _AMAZON,
    "gs": _GOOGLE,
    "gcs": _GOOGLE,
    "abfs": _AZURE,
    "abfss": _AZURE,
    "adl": _AZURE,
}
"""What to install for the paths of a scheme."""


def path_of(name: str, given: str | os.PathLike[str]) -> Any:
    """Return a path, local or on an object storage.

    :param name: of the parameter, for errors
    :param given: a path or a URL such as `s3://bucket/folder`
    :raises ConfigurationError: where nothing here can read such a URL; says what to install
    """
    try:
        path = storage_path(given)
        _ = path.fs  # found now, not with the first read or write
    except (ImportError, ValueError) as error:
        scheme = str(given).partition("://")[0].lower()
        package = DRIVERS.get(scheme)
        fix = f"pip install '{package}'" if package else "is the provider of its scheme installed?"
        raise ConfigurationError(
            f"`{name}`: {shown_path(given)} is on a storage that this Airflow does not know or has no driver for "
            f"({type(error).__name__}): {fix}"
        ) from error
    return path
