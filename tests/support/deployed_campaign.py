# SPDX-License-Identifier: Apache-2.0

"""A campaign in a deployment, from its recipients on S3 to the sandbox's ledger."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from support import s3
from support.airflow_rest_api import FINISHED, LONG_RUN
from support.events import wait_until
from support.metadata_size import sizes
from support.sandbox import deliverable

if TYPE_CHECKING:
    from support.airflow_rest_api import TaskTry
    from support.deployment import Deployment

    from airflow_provider_instasent.sandbox.server import SandboxServer

TASK = "send"


@dataclass(frozen=True)
class Counted:
    """What the ledger says of a campaign.

    :param twice: numbers that got more than one message.
    :param missing: numbers that got none.
    :param strangers: messages to nobody of the campaign, or of another text than was due.
    """

    accepted: int
    twice: int
    missing: int
    strangers: int


class DeployedCampaign:
    """One run of a DAG of `tests/deployment/dags`, against a sandbox of which it has the use alone.

    :param deployment: where it runs.
    :param instasent: the sandbox; it is reset.
    :param objects: the S3 server.
    :param dag_id: the DAG.
    :param slices: the number of messages of each mapped task; of the only one, where the DAG has no mapped task.
    """

    def __init__(
        self, deployment: Deployment, instasent: SandboxServer, objects: s3.S3Server, dag_id: str, *slices: int
    ) -> None:
        self._deployment = deployment
        self._instasent = instasent
        self._objects = objects
        self.dag_id = dag_id
        self.run_id = f"e2e-{uuid4().hex[:8]}"
        self.slices = slices
        self.messages = sum(slices)
        instasent.reset()

    def start(self) -> None:
        """Put the recipients on the S3 server, and trigger the run over the REST API."""
        given, first = [], 0
        for index, size in enumerate(self.slices):
            key = f"recipients/{self.run_id}/{index}.csv"
            self._objects.client().put_object(Bucket=s3.BUCKET, Key=key, Body=_csv(range(first, first + size)))
            given.append({"recipients": f"{s3.URL}/{key}", "results_path": f"{s3.URL}/{self._results_key(index)}"})
            first += size
        conf = given[0] if len(given) == 1 else {"slices": given}
        self._deployment.api.trigger(self.dag_id, self.run_id, conf)

    def wait_for_share(self, share: float) -> int:
        """Wait until so much was accepted.

        :param share: of all messages, from 0 to 1.
        :return: the messages that were accepted by then.
        """
        return int(self.wait_for(lambda: self._share_is(share), f"{share:.0%} of the messages"))

    def wait_for(self, ask: Any, what: str) -> Any:
        """Wait for something of this run; a run that ends before is an error.

        :param ask: called again and again.
        :param what: what is waited for.
        :return: the first true answer.
        """

        def asked() -> Any:
            if answer := ask():
                return answer
            self._deployment.components.check()
            state = self._deployment.api.run_state(self.dag_id, self.run_id)
            assert state not in FINISHED, f"the run ended as {state} before this came: {what}\n{self.diagnosis()}"
            return None

        return wait_until(asked, what, LONG_RUN, look=0.02)

    def running(self) -> list[TaskTry]:
        """The tries that send at this moment, as Airflow sees it."""
        return [task for task in self.tasks() if task.state == "running"]

    def tasks(self) -> list[TaskTry]:
        """The current tries of the tasks that send."""
        return [one for one in self._deployment.api.tasks(self.dag_id, self.run_id) if one.task_id == TASK]

    def tries(self) -> list[TaskTry]:
        """All tries of the tasks that send."""
        return [each for task in self.tasks() for each in self._deployment.api.tries(self.dag_id, self.run_id, task)]

    def wait_for_success(self) -> None:
        """Wait for the end of the run, which has to be a good one."""
        state = self._deployment.api.wait_for_run(self.dag_id, self.run_id)
        assert state == "success", self.diagnosis()

    def summaries(self) -> list[dict[str, Any]]:
        """What the tasks returned."""
        return [self._deployment.api.xcom(self.dag_id, self.run_id, task) for task in self.tasks()]

    def results(self) -> list[dict[str, Any]]:
        """The lines of all results files on the S3 server."""
        files = [self._objects.read(self._results_key(index)) for index in range(len(self.slices))]
        return [json.loads(line) for content in files for line in content.splitlines()]

    def counted(self) -> Counted:
        """Compare the ledger with the recipients."""
        due = {deliverable(index): self._text(index) for index in range(self.messages)}
        ledger = list(self._instasent.ledger)
        accepted = Counter(message.to for message in ledger)
        return Counted(
            accepted=len(ledger),
            twice=sum(count > 1 for count in accepted.values()),
            missing=sum(number not in accepted for number in due),
            strangers=sum(due.get(message.to) != message.text for message in ledger),
        )

    def leaks(self) -> list[str]:
        """Where the token, the key of S3, a number or a text is told in the clear: files of logs, and tables."""
        ends = [deliverable(index) for index in (*range(10), *range(self.messages - 10, self.messages))]
        secrets = [self._instasent.token, s3.KEYS["aws_secret_access_key"]]
        private = [*secrets, "for person", *(number.lstrip("+") for number in ends)]
        files = [path.name for path, text in self._deployment.logs() if any(word in text for word in private)]
        told = " or ".join(f"one::text like '%{word}%'" for word in private)
        query = self._deployment.rows
        return [*files, *(name for name in sizes(query) if query(f'select 1 from "{name}" one where {told} limit 1'))]

    def diagnosis(self) -> str:
        """The logs of all tries."""
        api = self._deployment.api
        logs = [(each, api.log(self.dag_id, self.run_id, each)) for each in self.tries()]
        return "\n".join(f"== {each}\n{log}" for each, log in logs)

    def _share_is(self, share: float) -> int:
        accepted = len(self._instasent.ledger)
        return accepted if accepted >= share * self.messages else 0

    def _results_key(self, index: int) -> str:
        return f"results/{self.run_id}/{index}.jsonl"

    def _text(self, index: int) -> str:
        return f"Run {self.run_id} for person {index}"


def _csv(indexes: range) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["to", "name"])
    writer.writerows((deliverable(index), f"person {index}") for index in indexes)
    return text.getvalue().encode()
