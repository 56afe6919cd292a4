# SPDX-License-Identifier: Apache-2.0
"""One message sent by a task of several tries, each new on the same journal, dying wherever a test wants it."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from support.campaign import SECRET, Values

from airflow_provider_instasent.api.client import InstasentClient
from airflow_provider_instasent.api.counters import NO_COUNTERS, Counters
from airflow_provider_instasent.api.errors import InstasentError
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.message_outcome import MessageState
from airflow_provider_instasent.api.retry import RetryPolicy
from airflow_provider_instasent.campaign.campaign_settings import SendSettings
from airflow_provider_instasent.campaign.single_result import SingleResult
from airflow_provider_instasent.campaign.single_send import SingleSend
from airflow_provider_instasent.journal.folder_store import PathSegments
from airflow_provider_instasent.journal.journal import Journal
from airflow_provider_instasent.journal.key_value_store import KeyValueSegments
from airflow_provider_instasent.journal.replay import Replay
from airflow_provider_instasent.journal.roster import Listed, Roster
from airflow_provider_instasent.journal.worker_clock import WorkerClock, elapsed
from airflow_provider_instasent.planning.choices import OnUnconfirmed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from airflow_provider_instasent.sandbox.server import SandboxServer

JOURNALS = ("values", "path", "none")
POLICIES = ("fail", "resend", "skip")
with_each_policy = pytest.mark.parametrize("policy", POLICIES)
with_each_journal = pytest.mark.parametrize("journal", JOURNALS)
with_a_journal = pytest.mark.parametrize("journal", JOURNALS[:2])
QUICK = RetryPolicy(max_attempts=2, max_rate_limited=3, first_wait=0.002, longest_wait=0.005, longest_reset_wait=0.005)
READ_TIMEOUT = 0.1
"""Seconds; on the sandbox's silence alone, see :mod:`support.silence`."""


class Crash(BaseException):
    """The task's process dies here."""


@dataclass(frozen=True)
class Hooks:
    """What happens at the named points of one try; each may raise.

    :param before_intent: before the journal writes the intent
    :param before_socket: after the intent, before the request leaves
    :param after_acceptance: after the API's answer, before it is recorded
    :param after_record: once the outcome is in the journal
    :param before_look: before a page of the list is read
    """

    before_intent: Callable[[], object] = lambda: None
    before_socket: Callable[[], object] = lambda: None
    after_acceptance: Callable[[], object] = lambda: None
    after_record: Callable[[], object] = lambda: None
    before_look: Callable[[], object] = lambda: None


def crash() -> None:
    raise Crash


class HookedClient(InstasentClient):
    """A client that calls hooks around its requests."""

    def __init__(self, hooks: Hooks, token: str, **settings: Any) -> None:
        super().__init__(token, **settings)
        self._hooks = hooks

    def send_sms(self, message: Sms, *, before_send: Callable[[], None] | None = None) -> dict[str, Any]:
        def before() -> None:
            self._hooks.before_socket()
            if before_send is not None:
                before_send()

        entity = super().send_sms(message, before_send=before)
        self._hooks.after_acceptance()
        return entity

    def list_sms(self, page: int = 1, per_page: int = 50) -> Any:
        self._hooks.before_look()
        return super().list_sms(page, per_page)


class HookedJournal(Journal):
    """A journal that calls hooks around its records."""

    hooks = Hooks()

    def intend(self, *arguments: Any) -> Any:
        self.hooks.before_intent()
        return super().intend(*arguments)

    def settle(self, *arguments: Any) -> Any:
        written = super().settle(*arguments)
        written.result()
        self.hooks.after_record()
        return written


@dataclass
class SendTask:
    """A send task of one DAG run, as the operator runs it.

    :param sandbox: the API
    :param journal: `values`, `path` or `none`
    :param folder: where a path journal lives
    :ivar tries: how many tries there were
    """

    sandbox: SandboxServer
    journal: str
    folder: Path
    policy: str = "fail"
    grace: float = 0.02
    message: Sms = field(default_factory=lambda: Sms("+34600000001", "a text to keep private", "Acme"))
    campaign_id: str = "dag/run/task/-1"
    values: Values = field(default_factory=Values)
    base_url: str = ""
    tries: int = 0
    began: float = field(default_factory=time.time)
    clock: Callable[[], float] = time.time
    elapsed: Callable[[], float] = elapsed
    counters: Counters = NO_COUNTERS

    def attempt(self, hooks: Hooks | None = None) -> SingleResult:
        """Run one try; raise what ends it."""
        hooks = hooks or Hooks()
        self.tries += 1
        policy = OnUnconfirmed.of(self.policy)
        settings = SendSettings(self.campaign_id, policy, self.grace, started_at=self.elapsed(), run_secret=SECRET)
        if self.journal == "none" and self.tries > 1:
            settings = replace(settings, look_since=self.began)
        with ExitStack() as stack:
            client = stack.enter_context(
                HookedClient(
                    hooks,
                    self.sandbox.token,
                    base_url=self.base_url or self.sandbox.url,
                    read_timeout=READ_TIMEOUT,
                    retry_policy=QUICK,
                    counters=self.counters,
                )
            )
            journal = self._open(hooks)
            if journal is not None:
                stack.enter_context(journal)
            self.send = SingleSend(self.message, client, journal, settings, clock=self.clock)
            return self.send.send()

    def run(self, *hooks: Hooks, most: int = 4) -> SingleResult | InstasentError:
        """Run tries as Airflow would: until one succeeds, one must not be retried, or there are no more.

        :param hooks: of the first tries, one each
        :returns: the result, or the error that ended the task
        """
        from airflow_provider_instasent.operators.final_errors import is_final

        ended: SingleResult | InstasentError | None = None
        for number in range(most):
            try:
                return self.attempt(hooks[number] if number < len(hooks) else None)
            except Crash:
                continue
            except InstasentError as error:
                ended = error
                if is_final(error):
                    break
        assert ended is not None
        return ended

    def listed(self) -> list[Listed]:
        """What the journal says of each message; nothing where there is none."""
        if self.journal == "none":
            return []
        roster = Roster()
        with Journal(self._segments()) as journal, closing(roster):
            Replay(roster, "a single send").take(journal.replay())
            return list(roster)

    def state(self) -> MessageState | None:
        """Where the journal says the message stands; None where it says nothing."""
        states = [message.state for message in self.listed()]
        assert len(states) <= 1
        return states[0] if states else None

    def _open(self, hooks: Hooks) -> Journal | None:
        if self.journal == "none":
            return None
        journal = HookedJournal(self._segments(), clock=WorkerClock(lambda: self.clock(), lambda: self.elapsed()))  # noqa: PLW0108 - a test may change the clock
        journal.hooks = hooks
        return journal

    def _segments(self) -> KeyValueSegments | PathSegments:
        if self.journal == "values":
            return KeyValueSegments(self.values, self.campaign_id)
        return PathSegments(self.folder, self.campaign_id)

    def accepted(self) -> int:
        """How many SMS the API accepted."""
        return len(self.sandbox.ledger)

    def sends(self) -> int:
        """How many sends were on the wire."""
        return len(self.sandbox.requests.records("send"))


@pytest.fixture(params=[True, False], ids=["echoed", "not echoed"])
def new_task(request, sandbox, tmp_path):
    """Make tasks against an API that echoes clientIds, and against one that does not."""
    sandbox.configure(echo_client_id=request.param)
    return lambda journal, policy="fail", **options: SendTask(sandbox, journal, tmp_path, policy, **options)


@pytest.fixture
def nothing_private_is_logged(caplog, sandbox) -> Iterator[None]:
    caplog.set_level("DEBUG")
    yield
    for private in (sandbox.token, "a text to keep private", "600000001"):
        assert private not in caplog.text


def assert_accepted(task, ended, count=1):
    assert isinstance(ended, SingleResult)
    assert (ended.outcome.position, ended.outcome.state) == (0, MessageState.ACCEPTED)
    assert task.accepted() == count
    assert task.state() in {MessageState.ACCEPTED, None}
