# SPDX-License-Identifier: Apache-2.0

"""The Python snippets of the README and the docs run as they stand, on every Airflow; their DAGs have tasks."""

from __future__ import annotations

import re
from itertools import count
from pathlib import Path

import pytest

from airflow_provider_instasent.compat import DAG

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPETS = [
    pytest.param(match[1], id=f"{path.name}-{number}")
    for path in (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))
    for number, match in enumerate(BLOCK.finditer(path.read_text(encoding="utf-8")))
]


def test_there_are_snippets():
    assert len(SNIPPETS) >= 5


@pytest.mark.parametrize("source", SNIPPETS)
def test_a_snippet_runs_and_its_dag_has_tasks(source):
    space = {}
    # A snippet says `with DAG(…):` without a name; it needs one here to be found.
    names = count()
    named = re.sub(
        r"^(with DAG\(.*\)):$", lambda found: f"{found[1]} as dag_{next(names)}:", source, flags=re.MULTILINE
    )
    # On Airflow 2 the names are elsewhere, as the README says.
    exec(named.replace("from airflow.sdk import", "from airflow_provider_instasent.compat import"), space)  # noqa: S102
    made = [value for value in space.values() if isinstance(value, DAG)]
    assert len(made) == source.count("with DAG(")
    assert all(dag.tasks for dag in made)
