# SPDX-License-Identifier: Apache-2.0
"""Who may know whom: every import of every module, those inside functions and for type checkers included."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "airflow_provider_instasent"

ROOMS = {
    "__init__": set(),
    "compat": set(),
    "parameters": {"api"},
    "templating": set(),
    "provider_info": {"__init__", "hooks"},
    "api": {"__init__"},
    "waiting": {"api"},
    # To come: reports that Instasent pushes, and the same messages over SMPP. `campaign` does not know `smpp`: it sends
    # by a client, of whatever protocol, that is handed to it.
    "inbox": {"api"},
    "smpp": {"inbox", "api"},
    "plugins": {"inbox", "hooks", "api", "compat"},
    "journal": {"api"},
    "planning": {"journal", "api"},
    "campaign": {"planning", "journal", "waiting", "api"},
    "hooks": {"api", "compat"},
    "storage": {"api", "compat"},
    "triggers": {"hooks", "waiting", "inbox", "parameters", "storage", "api", "compat"},
    "sensors": {"triggers", "hooks", "waiting", "inbox", "parameters", "storage", "templating", "api", "compat"},
    "operators": {
        "triggers",
        "hooks",
        "campaign",
        "planning",
        "journal",
        "waiting",
        "parameters",
        "storage",
        "templating",
        "api",
        "compat",
    },
    "transfers": {
        "operators",
        "triggers",
        "hooks",
        "campaign",
        "planning",
        "journal",
        "waiting",
        "parameters",
        "templating",
        "api",
        "compat",
    },
    "decorators": {
        "operators",
        "triggers",
        "hooks",
        "campaign",
        "planning",
        "journal",
        "waiting",
        "parameters",
        "templating",
        "api",
        "compat",
    },
    "notifications": {"hooks", "parameters", "templating", "api", "compat"},
    # It reads the schemas as data. Knowing no code of ours is what makes it an independent oracle.
    "sandbox": set(),
}
"""Which rooms of the package each room may import from, besides itself."""

HOMES = {
    "requests": ("api/client.py",),
    "urllib3": ("api/client.py", "api/watched_connections.py"),
    "httpx": ("api/async_client.py",),
    "certifi": ("api/network_environment.py",),
    "jsonschema": ("api/schema.py",),
    "phonenumbers": ("api/numbers.py",),
    "jinja2": (
        "templating.py",
        "planning/row_template.py",
        "planning/row_values.py",
        "planning/template_sandbox.py",
    ),
    "regex": ("notifications/",),
    "sqlparse": ("transfers/",),
    "pyarrow": ("planning/row_source.py", "campaign/export_formats.py"),
    "starlette": ("sandbox/", "inbox/"),
    "uvicorn": ("sandbox/", "inbox/"),
    "sqlalchemy": ("inbox/",),
    "asgiref": ("compat.py",),
    "wtforms": ("hooks/connection_extra.py",),
    "flask_appbuilder": ("hooks/connection_extra.py",),
    "flask_babel": ("hooks/connection_extra.py",),
    "airflow": (
        "hooks/",
        "triggers/",
        "sensors/",
        "operators/",
        "transfers/",
        "decorators/",
        "notifications/",
        "plugins/",
        "compat.py",
    ),
}
"""Where each library may be imported; no other library may be at all."""

SAME_IN_ALL_AIRFLOWS = ("airflow.providers.common.sql", "airflow.triggers.base")
"""What may be imported of Airflow outside `compat.py`: modules that have been there since Airflow 2.11."""

DYNAMIC = {"api/__init__.py", "compat.py", "transfers/cursors.py"}
"""Modules that import by a name of a table: our own modules, Airflow's, the database driver that is loaded already."""

PUBLIC = {
    "compat": {"DAG", "AirflowSkipException", "Asset", "BaseHook", "ObjectStoragePath", "task"},
    "api": {"InstasentClient", "AsyncInstasentClient", "Sms", "DeliveryStatus"},
    "hooks.instasent": {"InstasentHook"},
    "hooks.sandbox_only": {"sandbox_only"},
    "operators.sms": {"InstasentSendSmsOperator", "InstasentBulkSmsOperator", "InstasentSmsHistoryOperator"},
    "operators.lookup": {"InstasentLookupOperator"},
    "operators.account": {"InstasentAccountOperator"},
    "sensors.sms": {"InstasentDeliverySensor"},
    "sensors.account": {"InstasentBalanceSensor"},
    "triggers.sms": {"InstasentDeliveryTrigger"},
    "transfers.sql_to_sms": {"SqlToInstasentOperator"},
    "notifications.sms": {"InstasentNotifier", "send_instasent_notification"},
}
"""What an example DAG may import of the package."""


@dataclass(frozen=True)
class Import:
    """One imported name: `module` alone, or `name` out of `module`."""

    module: str
    name: str | None
    line: int

    @property
    def library(self):
        return self.module.partition(".")[0]

    @property
    def room(self):
        """The room of the package it comes from."""
        if self.module == PACKAGE:
            own = (ROOT / PACKAGE / str(self.name)).is_dir() or (ROOT / PACKAGE / f"{self.name}.py").is_file()
            return self.name if own else "__init__"
        return self.module.split(".")[1]


def imports_of(source, package):
    """Every import in a module, wherever it stands.

    :param source: the module's text
    :param package: the package that holds the module, for relative imports
    """
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, None, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            module = ".".join([*parents, *filter(None, [node.module])])
            found += [Import(module, alias.name, node.lineno) for alias in node.names]
    return found


MODULES = {
    path.relative_to(ROOT / PACKAGE).as_posix(): imports_of(
        path.read_text(encoding="utf-8"), ".".join(path.relative_to(ROOT).parent.parts)
    )
    for path in sorted((ROOT / PACKAGE).rglob("*.py"))
    if "example_dags" not in path.parts
}
EXAMPLES = sorted((ROOT / "example_dags").rglob("*.py"))


def room_of(file):
    return file.partition("/")[0].removesuffix(".py")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a.b, c", [("a.b", None), ("c", None)]),
        ("from a import b as c, d", [("a", "b"), ("a", "d")]),
        ("def f():\n    from a.b import c", [("a.b", "c")]),
        ("class A:\n    async def f(self):\n        import a", [("a", None)]),
        ("if TYPE_CHECKING:\n    from a import b", [("a", "b")]),
        ("try:\n    import a\nexcept ImportError:\n    import b", [("a", None), ("b", None)]),
        ("from . import b", [("top.room", "b")]),
        ("from .b import c", [("top.room.b", "c")]),
        ("from ..other.b import c", [("top.other.b", "c")]),
    ],
)
def test_no_import_escapes_the_walk(source, expected):
    assert [(one.module, one.name) for one in imports_of(source, "top.room")] == expected


def test_a_name_out_of_the_package_is_known_by_its_room():
    assert [one.room for one in imports_of(f"from {PACKAGE} import api, compat, __version__", PACKAGE)] == [
        "api",
        "compat",
        "__init__",
    ]
    assert [one.room for one in imports_of("from ..api.bulk import x", f"{PACKAGE}.sandbox")] == ["api"]


def test_the_rooms_make_no_circle():
    below: dict[str, set[str]] = {}
    while len(below) < len(ROOMS):
        found = {room for room, known in ROOMS.items() if room not in below and known <= set(below)}
        assert found, f"a circle among {set(ROOMS) - set(below)}"
        below |= {room: ROOMS[room] for room in found}


@pytest.mark.parametrize("room", ["api", "waiting", "journal", "planning", "campaign", "inbox", "smpp", "sandbox"])
def test_a_plain_room_knows_neither_airflow_nor_a_room_that_does(room):
    surfaces = {place.rstrip("/").removesuffix(".py") for place in HOMES["airflow"]}

    assert room not in surfaces
    assert not ROOMS[room] & surfaces


def test_all_modules_were_found():
    assert {
        "api",
        "waiting",
        "journal",
        "planning",
        "campaign",
        "hooks",
        "operators",
        "sensors",
        "triggers",
        "sandbox",
    } <= set(map(room_of, MODULES))
    assert set(map(room_of, MODULES)) <= set(ROOMS)
    assert sum(map(len, MODULES.values())) > 300


@pytest.mark.parametrize("file", MODULES)
def test_a_room_knows_only_the_rooms_below_it(file):
    known = ROOMS[room_of(file)] | {room_of(file)}

    strangers = [one for one in MODULES[file] if one.library == PACKAGE and one.room not in known]

    assert not strangers


@pytest.mark.parametrize("file", MODULES)
def test_a_library_is_imported_where_it_is_at_home(file):
    libraries = [one for one in MODULES[file] if one.library not in {*sys.stdlib_module_names, PACKAGE}]

    assert not [one for one in libraries if not file.startswith(HOMES.get(one.library, ()))]


@pytest.mark.parametrize("file", [file for file in MODULES if file != "compat.py"])
def test_only_compat_chooses_between_airflow_versions(file):
    airflow = [one for one in MODULES[file] if one.library == "airflow"]

    assert not [one for one in airflow if not one.module.startswith(SAME_IN_ALL_AIRFLOWS)]


@pytest.mark.parametrize("file", sorted(set(MODULES) - DYNAMIC))
def test_nothing_is_imported_by_a_name_made_up_at_run_time(file):
    names = {one.name or one.module for one in MODULES[file]}
    calls = {
        node.func.id
        for node in ast.walk(ast.parse((ROOT / PACKAGE / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert not names & {"importlib", "import_module", "importlib.util", "runpy", "pkgutil"}
    assert "__import__" not in calls


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.name)
def test_an_example_uses_public_names_only(file):
    own = [one for one in imports_of(file.read_text(encoding="utf-8"), "example_dags") if one.library == PACKAGE]

    assert not [one for one in own if one.name not in PUBLIC.get(one.module.removeprefix(f"{PACKAGE}."), ())]
