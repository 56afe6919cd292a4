# SPDX-License-Identifier: Apache-2.0

"""Compare what the sandbox accepted with what was planned and with what the task reported."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chaos.scenarios import Scenario

    from airflow_provider_instasent.sandbox.ledger import Message


@dataclass
class Verdict:
    """What became of one run.

    :param scenario: what was done to it
    :param run_id: its run
    :param state: how it ended
    :param planned: messages planned
    :param accepted: messages of the plan that the sandbox accepted, each counted once
    :param twice: acceptances beyond the first of a message
    :param missing: messages neither accepted nor reported as unconfirmed
    :param unconfirmed: messages reported as unconfirmed
    :param retries: tries that Airflow started by itself after the first
    :param cleared: how often the task was cleared after a refusal that ends a campaign without retry
    :param killed: crash points that fired
    :param seconds: from trigger to end
    :param broken: what the promise was broken by; empty where it held
    """

    scenario: Scenario
    run_id: str
    state: str
    planned: int = 0
    accepted: int = 0
    twice: int = 0
    missing: int = 0
    unconfirmed: int = 0
    retries: int = 0
    cleared: int = 0
    killed: int = 0
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


def compare(
    verdict: Verdict,
    numbers: Sequence[str],
    ledger: Sequence[Message],
    summary: Mapping[str, Any] | None,
    lines: Sequence[Mapping[str, Any]],
) -> Verdict:
    """Fill in a verdict.

    :param verdict: scenario, run and state
    :param numbers: the number of each row, by position
    :param ledger: what the sandbox accepted of this run
    :param summary: what the task pushed, or None
    :param lines: of the results file
    """
    broken = verdict.broken
    verdict.planned = len(numbers)
    times = Counter(message.to for message in ledger)
    ids = {message.id: message.to for message in ledger}
    verdict.accepted = len(times.keys() & set(numbers))
    verdict.twice = sum(count - 1 for count in times.values())
    states = {line["position"]: line["state"] for line in lines}
    unconfirmed = {position for position, state in states.items() if state == "unconfirmed"}
    verdict.unconfirmed = len(unconfirmed)
    lost = [n for n, number in enumerate(numbers) if number not in times and n not in unconfirmed]
    verdict.missing = len(lost)
    wrong = [line["position"] for line in lines if line["id"] and ids.get(line["id"]) != numbers[line["position"]]]
    counts = Counter(states.values())
    _expect(broken, not verdict.twice, f"{verdict.twice} accepted twice")
    _expect(broken, not lost, f"{len(lost)} missing, the first at position {lost[:1]}")
    _expect(broken, times.keys() <= set(numbers), "numbers that are not in the plan were texted")
    _expect(broken, not wrong, f"{len(wrong)} results name an SMS that is not theirs")
    _expect(broken, len(lines) == len(numbers), f"{len(lines)} results for {len(numbers)} rows")
    told = (summary or {}).get("accepted"), (summary or {}).get("unconfirmed")
    _expect(
        broken, told == (counts["accepted"], counts["unconfirmed"]), f"the summary {told} is not the results {counts}"
    )
    if verdict.scenario.waits and verdict.state == "success":
        final = Counter(line["status"] for line in lines if line["state"] == "accepted")
        _expect(broken, set(final) == {"delivered"}, f"the wait ended with {final}")
    if verdict.scenario.policy == "fail":
        _expect(broken, counts["accepted"] + verdict.unconfirmed == len(numbers), f"not all accounted for: {counts}")
        _expect(broken, (verdict.state == "success") == (not unconfirmed), f"{verdict.state} with {counts}")
    else:
        _expect(broken, verdict.accepted == len(numbers), f"{verdict.accepted} of {len(numbers)} accepted in the end")
        _expect(broken, verdict.state == "success", f"ended as {verdict.state}")
    return verdict


def _expect(broken: list[str], holds: bool, otherwise: str) -> None:
    if not holds:
        broken.append(otherwise)
