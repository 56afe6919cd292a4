# SPDX-License-Identifier: Apache-2.0
"""Sequences by which the promise was once broken, as short as they were found."""

from __future__ import annotations

import pytest
from model.campaign import DAY, Campaign
from model.habits import Attempt, End, Habits, Turn

ACCEPTED, LOST, DIES_THEN = Turn(500, "after"), Turn(500), Turn("dies", "after")


def later(campaign):
    campaign.world.clock.now += DAY
    campaign.begin_run()


def loses(first, count=1):
    return lambda campaign: campaign.lose(first, count)


def has_money_for(count):
    def have(campaign):
        campaign.api.funds = count

    return have


SEQUENCES = {
    "a doubtful message vanishes when its row changes": (
        {"people": 3},
        [Attempt(sends=(LOST,)), Attempt(version=1, goes_on=True)],
    ),
    "an accepted message vanishes when its row changes": (
        {"people": 4},
        [Attempt(sends=(Turn(201, "after"), LOST)), Attempt(version=1, goes_on=True)],
    ),
    "a newest-first list whose times are off its order": (
        {"people": 14, "habits": Habits(page_cap=2, jitter=(1, -1), older=8)},
        [Attempt(sends=(ACCEPTED,), policy="resend")],
    ),
    "a lone surrogate in what the API says": (
        {"habits": Habits(words="surrogate", refused=(0,))},
        [Attempt()],
    ),
    "two versions after a crash between the listing and the note of the plan": (
        {"people": 4},
        [
            Attempt(end=End(write=2)),
            Attempt(sends=(Turn(201, "after"), LOST), version=1, goes_on=True),
            Attempt(goes_on=True),
        ],
    ),
    "another run of the campaign has sent the same": (
        {},
        [Attempt(), later, Attempt(sends=(LOST,))],
    ),
    "a refusal that lists what it accepted": (
        {"people": 3},
        [Attempt(sends=(Turn("lists", "half"),)), Attempt()],
    ),
    "a used clientId of a message that was only refused": (
        {"people": 3, "habits": Habits(unique_ids=True, keeps_refused_ids=True, refused=(0,))},
        [Attempt(), Campaign.heal, Attempt(asks_again=True)],
    ),
    "an index that counts from 1 in a refusal": (
        {"people": 3, "habits": Habits(errors="index1", refuses_whole=True, refused=(0,))},
        [Attempt()],
    ),
    "an index that counts from 1 beside entities without names": (
        {"people": 3, "habits": Habits(errors="index1", entities="bare", refused=(0,))},
        [Attempt()],
    ),
    "a worker's clock is ahead of the next one's: resend": (
        {"habits": Habits(echoes=False)},
        [Attempt(sends=(DIES_THEN,), skew=150.0), Attempt(policy="resend")],
    ),
    "a worker's clock is ahead of the next one's: fail": (
        {"people": 3, "habits": Habits(newest_first=False, page_cap=2, older=16)},
        [Attempt(sends=(DIES_THEN,), skew=3600.0), Attempt()],
    ),
    "money runs out inside a call": (
        {"people": 3},
        [has_money_for(1), Attempt()],
    ),
    "the only key but one is lost": (
        {"people": 6},
        [Attempt(end=End(write=8)), loses(0), Attempt()],
    ),
    "the last files are lost": (
        {"people": 6, "place": "path"},
        [Attempt(end=End(write=7)), loses(3, 3), Attempt()],
    ),
    "a file in the middle is lost": (
        {"people": 6, "place": "path"},
        [Attempt(end=End(write=7)), loses(2, 1), Attempt()],
    ),
    **{
        f"a {status} after acceptance": ({}, [Attempt(sends=(Turn(status, "after"),)), Attempt()])
        for status in (302, 408, 409, 421, 425, 499)
    },
    "entities without names, all with one id": (
        {"people": 3, "habits": Habits(entities="same id")},
        [Attempt()],
    ),
    "entities without names, in another order": (
        {"people": 3, "habits": Habits(entities="reversed")},
        [Attempt()],
    ),
    "a field that does not exist is no clientId that was used": (
        {"habits": Habits(words="no field", refused=(0,))},
        [Attempt(end=End(write=3, durable=True)), Attempt(policy="resend")],
    ),
    "times in milliseconds and an older SMS that is alike": (
        {"habits": Habits(echoes=False, created_at="milliseconds", twins="old")},
        [Attempt(sends=(LOST,))],
    ),
    "times that cannot be read": (
        {"habits": Habits(echoes=False, created_at="none")},
        [Attempt(sends=(ACCEPTED,), policy="resend")],
    ),
    "times without a zone, of a place in the west": (
        {"habits": Habits(echoes=False, created_at="west")},
        [Attempt(sends=(ACCEPTED,), policy="resend")],
    ),
    "rows come back whose numbers have got others since": (
        {"people": 2},
        [
            Attempt(sends=(LOST,)),
            Attempt(version=1, goes_on=True, policy="resend", end=End(write=8)),
            Attempt(goes_on=True, policy="resend"),
        ],
    ),
    "two versions in doubt come back together": (
        {"people": 1},
        [
            Attempt(sends=(LOST,)),
            Attempt(sends=(LOST, LOST, LOST, LOST), version=1, goes_on=True, policy="resend"),
            Attempt(goes_on=True, policy="fail", version=1),
            lambda campaign: campaign.rows.append((campaign.rows[0][0], campaign.rows[0][1] + " (version 1)")),
            Attempt(goes_on=True, policy="resend"),
        ],
    ),
    "another task went on with the same rows, and then they changed": (
        {"people": 4},
        [
            Attempt(end=End(write=5, how="stops")),
            lambda campaign: campaign.begin_owner(),
            Attempt(sends=(Turn(201, "after"), Turn(401)), goes_on=True),
            Attempt(version=1, goes_on=True),
        ],
    ),
    "one of two rows that are alike was accepted": (
        {"copies": "wanted", "habits": Habits(echoes=False)},
        [Attempt(sends=(Turn(500, "half"),), policy="resend")],
    ),
}


@pytest.mark.parametrize(("given", "steps"), SEQUENCES.values(), ids=SEQUENCES)
def test_the_promise_holds(world, given, steps):
    campaign = Campaign(world, **{"habits": Habits(), **given})
    try:
        for step in steps:
            if isinstance(step, Attempt):
                campaign.attempt(step)
            else:
                step(campaign)
        campaign.end_well()
    finally:
        campaign.remove()
