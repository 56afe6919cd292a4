# SPDX-License-Identifier: Apache-2.0

"""`make constraints`: resolve the constraints files of the matrix anew."""

from __future__ import annotations

import argparse
import subprocess

from matrix.environments import CHECKOUT, EXTRAS, UV, MatrixEnvironment, matrix_environments


def resolve(environment: MatrixEnvironment) -> None:
    """Write the constraints file of one environment.

    :raises subprocess.CalledProcessError: there is no solution; uv has said why
    """
    extras = [part for name in EXTRAS for part in ("--extra", name)]
    newer = [f"--exclude-newer-package={name}={date}" for name, date in environment.newer.items()]
    sources = ["--resolution=lowest-direct"] if environment.lowest else ["-", "constraints/names.in"]
    subprocess.run(
        [
            *(UV, "pip", "compile", "--quiet", *sources, "pyproject.toml", *extras, *newer),
            *("--group", f"pyproject.toml:{environment.group}", "--upgrade", "--no-annotate"),
            *("--python-version", environment.python, "--exclude-newer", str(environment.until)),
            *("--output-file", environment.constraints.relative_to(CHECKOUT)),
            *("--custom-compile-command", f"make constraints    ({environment.name}, up to {environment.until})"),
        ],
        input=f"apache-airflow=={environment.airflow}",
        text=True,
        check=True,
        cwd=CHECKOUT,
    )
    print(environment.constraints.name)


def main() -> None:
    """Resolve the environments that the command line names."""
    parser = argparse.ArgumentParser(prog="make constraints", description=__doc__)
    parser.add_argument("-k", metavar="WORDS", default="", help="only those whose names hold this")
    chosen = parser.parse_args().k
    for environment in matrix_environments():
        if chosen in environment.name:
            resolve(environment)


if __name__ == "__main__":
    main()
