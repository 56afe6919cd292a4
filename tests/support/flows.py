# SPDX-License-Identifier: Apache-2.0
"""Flows without a client: what they ask for is answered by a list or a function, waits are noted."""

from __future__ import annotations

import json

from airflow_provider_instasent.api.exchange import Answer, Failure, Pause, Send
from airflow_provider_instasent.api.message import Sms
from airflow_provider_instasent.api.retry import RetryPolicy

POLICY = RetryPolicy(max_attempts=3, max_rate_limited=3, first_wait=1.0, longest_wait=4.0)
NEVER_LEFT, LEFT = Failure(left=False, reason="refused"), Failure(left=True, reason="cut")


def answer(status, body=None, **headers):
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): str(value) for name, value in headers.items()}, raw)


def sms(index, text="hello"):
    return Sms(to=f"+346{index:08d}", text=text, sender="Tests", client_id=f"id-{index}")


class Driver:
    """Performs a flow: `respond` answers each request, waits are noted."""

    def __init__(self, respond):
        self._respond = respond if callable(respond) else iter(respond).__next__
        self._takes_request = callable(respond)
        self.requests = []
        self.waits = []

    def run(self, flow):
        outcome = None
        while True:
            try:
                step = flow.send(outcome)
            except StopIteration as stop:
                return stop.value
            outcome = None
            if isinstance(step, Pause):
                self.waits.append(step.seconds)
            else:
                assert isinstance(step, Send)
                self.requests.append(step.request)
                outcome = self._respond(step.request) if self._takes_request else self._respond()
