# SPDX-License-Identifier: Apache-2.0

"""What is done to a campaign: who is killed where, which fault strikes, and how the sandbox behaves; by seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

MESSAGES = 2_000
CHUNKS = MESSAGES // 100
RUN, JOURNAL, CLIENT, CONNECTION = (
    f"airflow_provider_instasent.{module}"
    for module in (
        "campaign.campaign_try:CampaignTry",
        "journal.journal:Journal",
        "api.client:InstasentClient",
        "api.watched_connections:_WatchedConnection",
    )
)
# A point is a list of equivalent places: which one is chosen by the seed.
POINTS: dict[str, list[tuple[str, str]]] = {
    "before the intent": [(f"{JOURNAL}.intend_places", "before")],
    "intent → socket": [(f"{CLIENT}._exchange", "before")],
    "socket → answer": [
        ("airflow_provider_instasent.api.watched_connections:_WatchedConnection.getresponse", "before")
    ],
    "answer → record": [(f"{CLIENT}._exchange", "after"), (f"{JOURNAL}.settle", "before")],
    "final write": [(f"{RUN}.finish", "before"), (f"{RUN}.finish", "after")],
}
SUPERSEDED = "superseded try"
WAIT = "wait restarted"
RANDOM = "random"
KILLS = ("task", "supervisor")
TRIGGERER = "triggerer"
S3 = "s3"
PLACES = ("store", "path", S3)
POLICIES = ("fail", "resend")
BULK_FAULTS: list[dict[str, Any]] = [
    {"name": "cut_before"},
    {"name": "cut_after"},
    {"name": "cut_after", "reset": True},
    {"name": "timeout_before", "seconds": 12.0},
    {"name": "timeout_after", "seconds": 12.0},
    {"name": "error_before", "status": 502},
    {"name": "error_after"},
    {"name": "status_after", "status": 422},
    {"name": "html_before"},
    {"name": "html"},
    {"name": "truncated"},
    {"name": "truncated_json"},
    {"name": "empty"},
    {"name": "item_missing"},
    {"name": "shuffled"},
    {"name": "without_id"},
    {"name": "rate_limited", "seconds": 1.0},
    {"name": "no_funds"},
    {"name": "unauthorized"},
    {"name": "forbidden"},
    {"name": "not_found"},
    {"name": "too_large"},
    {"name": "redirect"},
    {"name": "redirect_after"},
    {"name": "same_id"},
    {"name": "fields", "fields": {"status": ["odd"], "reason": "\ud800"}},
    {"name": "raw_fields", "fields": {"status": "\ud800"}},
    {"name": "raw", "body": "HTTP/1.1 201 Created\r\n\r\nnonsense"},
    {"name": "drip_head", "seconds": 12.0},
    {"name": "drip_body", "seconds": 12.0},
    {"name": "endless_head"},
    {"name": "huge", "size": 17_000_000},
    {"name": "huge_gzip", "size": 17_000_000},
    {"name": "gzip"},
]
# Seconds: the DAGs' grace is 2. With `fail` the list may lag for longer, with `resend` it must not.
LAGS = {"fail": (0.0, 0.5, 4.0), "resend": (0.0, 0.3, 0.8)}
LONGEST_MOMENT = 2.5
"""Seconds after the start of `execute` within which a campaign of 2,000 messages is usually over."""


@dataclass(frozen=True)
class Scenario:
    """One campaign and what happens to it.

    :param name: unique; part of the run id
    :param point: the row of the table it counts for
    :param kill: `task`, `supervisor`, `triggerer` or `nobody`
    :param policy: `on_unconfirmed`
    :param journal: one of `PLACES`; under `s3` the results file is there too
    :param waits: whether it waits for delivery, deferred
    :param crash_points: as `AirflowDeployment.trigger` takes them
    :param faults: as `SandboxServer.fault` takes them
    :param settings: of the sandbox
    """

    name: str
    point: str
    kill: str
    policy: str
    journal: str
    crash_points: tuple[dict[str, Any], ...] = ()
    faults: tuple[dict[str, Any], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    waits: bool = False

    @property
    def fault(self) -> str:
        """The names of its faults."""
        return "+".join(fault["name"] for fault in self.faults) or "none"


def dice_of(seed: str) -> random.Random:
    """Repeatable chance."""
    return random.Random(seed)


def at_points(points: list[str], each: int, seed: int) -> list[Scenario]:
    """Kills at named points, without faults.

    :param points: which
    :param each: how many a point and kind of kill
    :param seed: chooses the call, the sandbox's behaviour and the journal
    """
    made = []
    for place, point in enumerate(points):
        for turn, kill in enumerate(KILLS):
            for number in range(each):
                name = f"point-{list(POINTS).index(point)}-{kill}-{number}"
                policy = POLICIES[(place + turn + number) % 2]
                made.append(_at_point(name, point, kill, policy, dice_of(f"{seed}/{name}")))
    return made


def _at_point(name: str, point: str, kill: str, policy: str, dice: random.Random) -> Scenario:
    target, when = dice.choice(POINTS[point])
    call = 1 if point == "final write" else dice.randint(1, CHUNKS - 2)
    crash = {"target": target, "when": when, "call": call, "kill": kill}
    return Scenario(name, point, kill, policy, _journal(dice), (crash,), (), _behaviour(policy, dice))


def superseded(count: int, seed: int) -> list[Scenario]:
    """A killed supervisor, and a task process slow enough to be alive when the next try starts.

    :param count: how many
    :param seed: chooses the rest
    """
    made = []
    for number in range(count):
        name = f"superseded-{number}"
        dice = dice_of(f"{seed}/{name}")
        policy = POLICIES[number % 2]
        crash = {"target": f"{JOURNAL}.intend_places", "when": "after", "call": dice.randint(1, 4), "kill": KILLS[1]}
        pace = {"rate_limit": 4, "rate_window": 5.0}
        journal = "path" if number % 4 < 2 else "store"
        settings = {**_behaviour(policy, dice), **pace}
        made.append(Scenario(name, SUPERSEDED, KILLS[1], policy, journal, (crash,), (), settings))
    return made


def waiting(count: int, seed: int) -> list[Scenario]:
    """The triggerer is killed while a campaign waits for its deliveries.

    :param count: how many
    :param seed: chooses the sandbox's behaviour
    """
    made = []
    for number in range(count):
        name = f"wait-{number}"
        policy = POLICIES[number % 2]
        settings = {**_behaviour(policy, dice_of(f"{seed}/{name}")), "sent_after": 1.0, "final_after": 12.0}
        made.append(Scenario(name, WAIT, TRIGGERER, policy, "store", (), (), settings, waits=True))
    return made


def at_random(count: int, seed: int) -> list[Scenario]:
    """Kills at random moments or places, and each fault in turn with a random probability.

    :param count: how many
    :param seed: chooses everything
    """
    faults = dice_of(str(seed)).sample(BULK_FAULTS, len(BULK_FAULTS))
    return [
        # Two in a row have the same fault, one with each policy.
        _at_random(number, faults[number // 2 % len(faults)], dice_of(f"{seed}/random/{number}"))
        for number in range(count)
    ]


def _at_random(number: int, fault: dict[str, Any], dice: random.Random) -> Scenario:
    policy = POLICIES[number % 2]
    kill = dice.choices(["nobody", *KILLS], [1, 5, 3])[0]
    crashes = [] if kill == "nobody" else [_random_kill(kill, 1, dice)]
    if crashes and dice.random() < 0.4:
        crashes.append(_random_kill("task", 2, dice))
    faults: list[dict[str, Any]] = []
    if dice.random() < 0.8:
        faults.append(
            {**fault, "endpoint": "bulk", "probability": dice.uniform(0.05, 0.3), "seed": dice.getrandbits(32)}
        )
    if dice.random() < 0.3:  # then it cannot always look, either
        faults.append({"name": "poll_fails", "probability": 0.3, "seed": dice.getrandbits(32)})
    settings = _behaviour(policy, dice)
    return Scenario(f"random-{number}", RANDOM, kill, policy, _journal(dice), tuple(crashes), tuple(faults), settings)


def _random_kill(kill: str, try_number: int, dice: random.Random) -> dict[str, Any]:
    if dice.random() < 0.5:
        return {"delay": dice.uniform(0.05, LONGEST_MOMENT), "kill": kill, "try_number": try_number}
    target, when = dice.choice([place for places in POINTS.values() for place in places])
    call = 1 if "finish" in target else dice.randint(1, CHUNKS)
    return {"target": target, "when": when, "call": call, "kill": kill, "try_number": try_number}


def _journal(dice: random.Random) -> str:
    return dice.choices(["store", "path"], [3, 1])[0]


def _behaviour(policy: str, dice: random.Random) -> dict[str, Any]:
    """What is unknown about the real API, and how quick it is."""
    return {
        "latency": dice.choice([0.0, 0.05, 0.15]),
        "echo_client_id": dice.random() < 0.75,
        "repeated_client_id": dice.choice(["accept", "refuse"]),
        "list_order": dice.choice(["newest", "oldest"]),
        "list_lag": dice.choice(LAGS[policy]),
        "page_cap": dice.choice([50, 100]),
        "clock_skew": dice.choice([0.0, 0.0, 40.0, -40.0]),
    }
