# SPDX-License-Identifier: Apache-2.0

"""Debian's Chromium, driven by Playwright: a new profile for each window, and nothing of it outlives the test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
from playwright.sync_api import expect
from support import session_guard
from support.events import LONG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import ConsoleMessage, Page, Playwright

PROGRAM = "chromium"
WIDTH, HEIGHT = 1280, 800
FLAGS = (
    "--no-sandbox",  # root cannot start it otherwise
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these it asks for Google's hosts at each start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A click on a busy machine shall not find a page whose timers are slowed down.
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
)


class NoBrowserError(RuntimeError):
    """Chromium is not installed here; the message says how to install it."""


class Window:
    """A browser's only page, and what it complained of.

    :param page: the page.
    :ivar complaints: errors of the page's scripts and of its console, in order. A test that expects one takes it out.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)

    def photograph(self, file: Path, height: int = HEIGHT) -> None:
        """Save what can be seen now as a PNG of the window's size, without what the pointer points at.

        :param file: where to.
        :param height: which the window gets first, in pixels.
        """
        self.page.set_viewport_size({"width": WIDTH, "height": height})
        self.page.mouse.move(WIDTH - 1, 1)
        self.page.evaluate("document.activeElement?.blur()")
        self.page.locator("[role=tooltip]").first.wait_for(state="hidden")
        self.page.screenshot(path=file, animations="disabled", caret="hide", timeout=LONG * 1000)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")


@contextmanager
def new_window(playwright: Playwright, address: str, **options: Any) -> Iterator[Window]:
    """Start a browser, and end it with all its processes and its profile.

    :param playwright: Playwright, started.
    :param address: what paths are relative to.
    :param options: more of Playwright's options of a context.
    :raises NoBrowserError: where there is no Chromium.
    """
    program = chromium()
    profile = tempfile.mkdtemp(prefix="instasent-browser-")
    guard = subprocess.Popen(
        [sys.executable, session_guard.__file__, profile], stdin=subprocess.PIPE, start_new_session=True
    )
    assert guard.stdin is not None
    try:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=program,
            args=[*FLAGS],
            headless=True,
            viewport={"width": WIDTH, "height": HEIGHT},
            base_url=address,
            color_scheme="light",
            locale="en-GB",
            timezone_id="UTC",
            timeout=LONG * 1000,
            **options,
        )
        guard.stdin.write("".join(f"{session}\n" for session in _sessions_with(profile)).encode())
        guard.stdin.flush()
        context.set_default_timeout(LONG * 1000)
        expect.set_options(timeout=LONG * 1000)
        try:
            yield Window(context.pages[0])
        finally:
            context.close()
    finally:
        guard.stdin.close()
        guard.wait()


def chromium() -> str:
    """The path of Chromium.

    :raises NoBrowserError: where it is not installed.
    """
    if found := shutil.which(PROGRAM):
        return found
    raise NoBrowserError(f"These tests need Debian's Chromium, and there is no `{PROGRAM}`: apt-get install {PROGRAM}")


def _sessions_with(profile: str) -> set[int]:
    """The sessions of the processes that were started with this profile; Playwright gives a browser one of its own."""
    sessions = set()
    for process in psutil.Process().children(recursive=True):
        try:
            if f"--user-data-dir={profile}" in process.cmdline():
                sessions.add(os.getsid(process.pid))
        except (ProcessLookupError, psutil.Error):
            continue
    return sessions
