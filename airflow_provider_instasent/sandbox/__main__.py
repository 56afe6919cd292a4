# SPDX-License-Identifier: Apache-2.0
"""``python -m airflow_provider_instasent.sandbox``, or ``instasent-sandbox``: serve until Ctrl+C."""

from __future__ import annotations

import argparse
import signal
import sys
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from .settings import HINTS, TOKEN, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

_MISSING = (
    "The sandbox needs starlette and uvicorn, which are not installed. "
    'Install the extra "sandbox":  pip install "airflow-provider-instasent[sandbox]"'
)


def parser() -> argparse.ArgumentParser:
    """The command line: where to listen, which tokens to take, and every setting."""
    command = argparse.ArgumentParser(
        prog="instasent-sandbox",
        description="A local Instasent: the SMS API, faults on demand, an inbox page. Nothing is sent.",
    )
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    command.add_argument("--port", type=int, default=8700, help="0 for a free one (default: %(default)s)")
    command.add_argument("--token", action="append", help=f"repeat for more than one (default: {TOKEN})")
    settings = command.add_argument_group("settings", f"explained in {Settings.__module__}")
    for name, hint in HINTS.items():
        _add_setting(settings, name, hint, getattr(Settings(), name))
    return command


def _add_setting(group: argparse._ArgumentGroup, name: str, hint: Any, default: object) -> None:
    options: dict[str, Any] = {"default": default, "help": f"(default: {default})"}
    if hint is bool:
        options["action"] = argparse.BooleanOptionalAction
    elif get_origin(hint) is Literal:
        options["choices"] = get_args(hint)
        options["type"] = type(get_args(hint)[0])
    else:
        options["type"] = hint if hint in (int, str) else float
    group.add_argument(f"--{name.replace('_', '-')}", **options)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted.

    :param arguments: the command line, without the program's name; None for this process's own
    :return: the exit status
    """
    given = vars(parser().parse_args(arguments))
    host, port, tokens = given.pop("host"), given.pop("port"), given.pop("token") or [TOKEN]
    try:
        from .server import SandboxServer  # noqa: PLC0415  # needs the extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn"):
            raise
        print(_MISSING, file=sys.stderr)  # noqa: T201  # a command line
        return 1
    try:
        server = SandboxServer(tokens[0], port, host=host, tokens=tokens[1:], **given)
        with server:
            _wait(server.url)
    except (ValueError, OSError) as error:
        print(f"The sandbox cannot start on {host}:{port}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _wait(url: str) -> None:
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    print(  # noqa: T201  # a command line
        f"Instasent sandbox on {url} (Legacy) and {url}/transactional/v1 (Transactional)\n"
        f"Inbox: {url}/   Admin: {url}/_admin/ledger   Stop with Ctrl+C",
        flush=True,
    )
    stopped.wait()


if __name__ == "__main__":
    sys.exit(main())
