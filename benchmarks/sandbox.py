# SPDX-License-Identifier: Apache-2.0
"""The sandbox as a process of its own, so that its work is not measured as ours."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

import httpx

if TYPE_CHECKING:
    from types import TracebackType

TOKEN = "token-of-the-benchmarks"
PAGE = 10_000


class SandboxProcess:
    """A local Instasent in another process, on a free port.

    :param settings: fields of :class:`airflow_provider_instasent.sandbox.settings.Settings`
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = {"rate_limit": 1_000_000, "final_after": 0.05, "sent_after": 0.02, **settings}

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "airflow_provider_instasent.sandbox", "--port", "0", "--token", TOKEN]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self._process.stdout.readline() if self._process.stdout else ""
        self.url = next(word for word in line.split() if word.startswith("http://"))
        self._admin = httpx.Client(base_url=f"{self.url}/_admin", timeout=120, trust_env=False)
        self.configure(**self._settings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admin.close()
        self._process.terminate()
        self._process.communicate(timeout=30)

    def configure(self, **settings: Any) -> None:
        """Change settings from now on."""
        self._admin.patch("/settings", json=settings).raise_for_status()

    def fresh(self, **settings: Any) -> None:
        """Forget everything and begin with these settings beside the first ones."""
        self._admin.post("/reset").raise_for_status()
        self.configure(**{**self._settings, **settings})

    def accepted(self) -> dict[str, int]:
        """How many messages were accepted in all, and how many different ones."""
        found = self._admin.get("/ledger", params={"summary": 1}).json()
        return {"accepted": found["accepted"], "different": found["contents"]}

    def ids(self) -> list[str]:
        """The ids of all accepted messages."""
        return [message["id"] for message in self.messages()]

    def messages(self) -> list[dict[str, Any]]:
        """All accepted messages, in the order of acceptance."""
        found: list[dict[str, Any]] = []
        page = 1
        while messages := self._admin.get("/ledger", params={"page": page, "per_page": PAGE}).json()["messages"]:
            found += messages
            page += 1
        return found

    def requests(self, endpoint: str) -> list[dict[str, Any]]:
        """The requests to an endpoint, at most 200,000."""
        found: list[dict[str, Any]] = []
        page = 1
        parameters: dict[str, Any] = {"endpoint": endpoint, "per_page": PAGE}
        while records := self._admin.get("/requests", params={**parameters, "page": page}).json()["requests"]:
            found += records
            page += 1
        return found

    def request_count(self, endpoint: str) -> int:
        """How many requests to an endpoint were made."""
        return int(self._admin.get("/requests", params={"endpoint": endpoint, "summary": 1}).json()["found"])
