# SPDX-License-Identifier: Apache-2.0
"""A suppression list is taken in whole, or nothing is sent."""

from __future__ import annotations

from array import array

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from support.planning import OnlyInputs

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.journal.errors import PlanError
from airflow_provider_instasent.operators.inputs import suppressed_rows
from airflow_provider_instasent.planning.spool import Spool
from airflow_provider_instasent.planning.suppression import suppress_numbers

NUMBERS = ["+34600000001", "+34600000002", "+34600000003"]


def suppressed(suppress, region="ES"):
    with Spool() as spool:
        rows = suppressed_rows(OnlyInputs(suppress=suppress), expected=False)
        is_suppressed = suppress_numbers(spool, rows, "to", region)
        return [number for number in NUMBERS if is_suppressed(number)]


@pytest.fixture
def written(tmp_path):
    def written(content, name="optouts.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return written


@pytest.mark.parametrize(
    "content",
    [
        "+34600000001\n+34600000002\n+34600000003\n",
        "600000001\n600000002\n600000003",
        "phone\n600000001\n600000002\n600000003\n\n\n",
        "since;to\n2026-01-01;600 000 001\n2026-01-02;'600000002\n2026-01-03;0034600000003\n;\n",
        "to\n600000001\n600000002\n600000003\n".encode("utf-16"),
        'to,reason\n600000001,"said\nstop"\n600000002,\n600000003,"a ""stop"""\n',
    ],
)
def test_all_of_a_file_are_suppressed(written, content):
    assert suppressed(written(content)) == NUMBERS


@pytest.mark.parametrize(
    "content",
    [
        'to,reason\n600000001,"said stop\n600000002,x\n600000003,y\n',
        'to,reason\n600000001,"said stop\n600000002,x"\n600000003,y\n',
        'to,reason\n600000001,"said stop”\n600000002,"x"\n600000003,y\n',
        'to,reason\n600000001,x\n600000002,said "stop"\n600000003,y\n',
        "to,reason\n600000001,x\n600000002\n600000003,y\n",
        "to,reason\n600000001,x\n600000002,said stop, twice\n600000003,y\n",
        "to\n600000001\n6OO OOO OO2\n600000003\n",
        "6OO OOO OO1\n600000002\n600000003\n",
        "to\n600000001\n\n600000002.00\n600000003\n",
        "to\n600000001\n600000002/3\n",
        "to,x\n600000001,1\n,\n600000003,3\n",
        "600000001,x\n",
        "600000001;600000002;600000003\n",
        "phone,reason\n",
        "to\n600000001\n6\xf1\n".encode("latin-1"),
    ],
)
def test_a_file_that_is_not_wholly_clear_is_refused(written, content):
    with pytest.raises((PlanError, ConfigurationError), match="`suppress`") as caught:
        suppressed(written(content))
    assert "60000000" not in str(caught.value)


def test_an_error_says_the_line(written):
    with pytest.raises(PlanError, match=r"row 1 \(line 4\) is no number \(has letters in it"):
        suppressed(written("to\n600000001\n\n6OO OOO OO2\n"))
    with pytest.raises(PlanError, match=r"row 1 \(line 3\) has 1 cells where the first line names 2"):
        suppressed(written("to,x\n600000001,1\n600000002\n"))
    with pytest.raises(PlanError, match=r"row 0 \(line 2\) has no column `to`; the columns are: a, b: nothing"):
        suppressed(written('\n{"a": 1, "b": 2}\n', "a.jsonl"))


def test_a_list_or_a_data_frame_serves_too():
    assert suppressed(NUMBERS) == NUMBERS
    assert suppressed(pd.DataFrame({"to": NUMBERS, "x": 1})) == NUMBERS
    assert suppressed(pd.DataFrame({"phone": NUMBERS})) == NUMBERS
    assert suppressed(pd.DataFrame({"phone": [600000001, 600000002, 600000003]})) == NUMBERS
    assert suppressed(None) == []
    assert suppressed([]) == []


@pytest.mark.parametrize(
    "suppress",
    [
        pd.DataFrame({"600000001": ["600000002"]}),
        pd.DataFrame({"600000001": []}),
        pd.Series(["600000002"], name="600000001"),
        pd.Series([612345678], dtype="float32"),
        pl.Series("to", [612345678.0], dtype=pl.Float32),
        array("f", [612345678.0]),
        pd.DataFrame({"to": pd.array(np.array([612345678], dtype="float32"), dtype=pd.ArrowDtype(pa.float32()))}),
        pd.DataFrame({"to": pd.Categorical(pd.Series([612345678], dtype="float32"))}),
        pa.table({"to": pa.array(np.array([612345678], dtype="float32")).dictionary_encode()}),
    ],
    ids=str,
)
def test_one_whose_type_or_name_is_in_the_way_is_refused(suppress):
    with pytest.raises(ConfigurationError, match="`suppress` has"):
        suppressed(suppress)


@pytest.mark.parametrize(
    "suppress",
    [
        [*NUMBERS, None],
        [*NUMBERS, float("nan")],
        [*NUMBERS, 3.46e10],
        pd.DataFrame({"phone": NUMBERS, "x": 1}),
        pd.DataFrame({"to": [600000001, None, 600000003]}),
    ],
)
def test_one_that_holds_no_number_is_refused(suppress):
    with pytest.raises(PlanError, match="`suppress`: row"):
        suppressed(suppress)
