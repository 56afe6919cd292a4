# SPDX-License-Identifier: Apache-2.0
"""How a path is shown: as its author wrote it, without what signs somebody in."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_instasent.api.files import shown_path


@pytest.mark.parametrize(
    "path",
    [
        "/data/people_20261127.csv",
        "people.csv",
        "s3://bucket/folder/people.csv",
        "s3://my_connection@bucket/people.csv",
        "file:///data/people.csv",
        "/odd/what?.csv",
        "/odd/a@b:c.csv",
    ],
)
def test_a_path_without_secrets_is_shown_as_it_is(path):
    assert shown_path(path) == path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("s3://AKIA4711:pass4711@bucket/people.csv", "s3://bucket/people.csv"),
        ("abfs://user:pa@ss4711@account/people.csv", "abfs://account/people.csv"),
        ("https://token4711@host/people.csv", "https://host/people.csv"),
        ("HTTPS://token4711@host/people.csv", "HTTPS://host/people.csv"),
        ("https://host/people.csv?sig=pass4711&se=1", "https://host/people.csv"),
        ("abfs://c@account/people.csv?sv=pass4711", "abfs://c@account/people.csv"),
        ("s3://bucket/people.csv#pass4711", "s3://bucket/people.csv"),
        ("/data/+34600000123.csv", "/data/+34•••••123.csv"),
        ("/data/two\nlines.csv", "/data/two lines.csv"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_what_signs_somebody_in_is_left_out(path, shown):
    assert shown_path(path) == shown


def test_a_path_object_is_shown_too():
    assert shown_path(Path("/data/people.csv")) == "/data/people.csv"
