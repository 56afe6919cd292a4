# SPDX-License-Identifier: Apache-2.0
"""The example DAGs, wherever this installation has them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import airflow_provider_instasent

PACKAGED = Path(airflow_provider_instasent.__file__).parent / "example_dags"
FOLDER = PACKAGED if PACKAGED.is_dir() else Path(__file__).parents[2] / "example_dags"
"""In the wheel the examples are inside the package; an editable install has them beside it."""


def load(name: str) -> Any:
    """An example's module, read anew.

    :param name: of the file, without its ending
    """
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
