# SPDX-License-Identifier: Apache-2.0
"""From a conclusion to an event and back."""

from __future__ import annotations

import json

import pytest

from airflow_provider_instasent.compat import AirflowException, AirflowFailException, AirflowSensorTimeout
from airflow_provider_instasent.triggers.events import conclusion_of, event_of, result_of_event
from airflow_provider_instasent.waiting.conclusion import Conclusion, Ending
from airflow_provider_instasent.waiting.wait_result import WatchResult

RESULT = WatchResult(2, 1, 0, 1, {"delivered": 1, "sent": 1}, {"a": {"status": "delivered", "code": None}})


def event(ending, *, final=True):
    return json.loads(json.dumps(event_of(Conclusion(ending, RESULT, "what happened", final))))


@pytest.mark.parametrize("ending", Ending)
def test_an_event_survives_json(ending):
    assert conclusion_of(event(ending)) == Conclusion(ending, RESULT, "what happened")


def test_success_is_the_result():
    assert result_of_event(event(Ending.SUCCESS)) == RESULT


@pytest.mark.parametrize(
    ("ending", "final", "error"),
    [
        (Ending.UNDELIVERABLE, True, AirflowFailException),
        (Ending.TIMEOUT, True, AirflowSensorTimeout),
        (Ending.TIMEOUT, False, AirflowException),
        (Ending.ERROR, True, AirflowFailException),
        (Ending.ERROR, False, AirflowException),
    ],
)
def test_all_else_is_the_error_that_tells_airflow_whether_to_retry(ending, final, error):
    with pytest.raises(error, match="what happened") as raised:
        result_of_event(event(ending, final=final))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "payload", [None, "done", {}, {**event(Ending.SUCCESS), "outcome": "great"}, {"outcome": "success"}]
)
def test_what_is_no_event_of_ours_fails_loudly(payload):
    with pytest.raises(AirflowException, match="another version of this provider"):
        conclusion_of(payload)
