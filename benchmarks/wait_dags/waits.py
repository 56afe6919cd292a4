# SPDX-License-Identifier: Apache-2.0

"""Campaigns and single sends that wait in the triggerer; how many, and where their files are, is in the environment."""

from __future__ import annotations

import os

from airflow.sdk import DAG

from airflow_provider_instasent.operators.sms import InstasentBulkSmsOperator, InstasentSendSmsOperator
from benchmarks.campaign import TEXT, number_of
from benchmarks.code_under_test import check_code

FOLDER = os.environ["INSTASENT_WAITS_FOLDER"]
CAMPAIGNS, SINGLES = int(os.environ["INSTASENT_WAITS_CAMPAIGNS"]), int(os.environ["INSTASENT_WAITS_SINGLES"])
FIRST_SINGLE = 5_000_000
WAITING = {"wait_for_delivery": True, "deferrable": True, "poll_interval": 30.0, "timeout": 3_600.0}

check_code()
with DAG("waits", schedule=None):
    InstasentBulkSmsOperator.partial(
        task_id="campaign",
        text=TEXT,
        results_path=FOLDER + "/results-{{ ti.map_index }}.jsonl",
        priority_weight=10,
        **WAITING,
    ).expand(recipients=[f"{FOLDER}/recipients-{index}.csv" for index in range(CAMPAIGNS)])
    InstasentSendSmsOperator.partial(task_id="single", text="Hello", **WAITING).expand(
        to=[number_of(FIRST_SINGLE + index) for index in range(SINGLES)]
    )
