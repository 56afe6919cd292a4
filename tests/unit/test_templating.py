# SPDX-License-Identifier: Apache-2.0
"""What templates give, of text and of values, with native rendering and without."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import PurePosixPath
from typing import ClassVar

import pytest
from support import airflow_home

airflow_home.isolate()
# Or importing Airflow 2.11's models warns of its own future.
os.environ["AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY"] = "True"

from airflow_provider_instasent.compat import (  # noqa: E402 - Airflow's home comes first
    DAG,
    BaseNotifier,
    BaseOperator,
)
from airflow_provider_instasent.templating import Gives, TemplatedFields  # noqa: E402

LITERALS = ["+34600000010", "0034600000010", "1e5", "123456", "'quoted'", "[1, 2]", "{'a': 1}", "True", "0x10"]
LITERALS += ["1_000", "-1", "(1,)", "b'x'", "...", "  12 ", '"""x"""', "1 + 2j", "None"]


class Lazy(Sequence):
    """As Airflow's sequence of mapped results."""

    def __len__(self):
        return 2

    def __getitem__(self, place):
        return ["a", "b"][place]


class Holder:
    template_fields = ("held",)

    def __init__(self, held):
        self.held = held


class Operator(TemplatedFields, BaseOperator):
    template_fields = ("text", "listed", "value")
    template_gives: ClassVar = {"listed": Gives.LIST, "value": Gives.ANYTHING}
    template_ext = (".txt",)

    def __init__(self, *, text=None, listed=None, value=None, **kwargs):
        super().__init__(**kwargs)
        self.text, self.listed, self.value = text, listed, value


class TextOperator(Operator):
    none_is_text = True


@pytest.fixture(params=[False, True], ids=["text", "native"])
def native(request):
    return request.param


@pytest.fixture
def rendered(native, tmp_path):
    """Render one field of an operator."""

    def rendered(field, content, operator=Operator, **context):
        settings = {"render_template_as_native_obj": native, "template_searchpath": str(tmp_path)}
        with DAG("d", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC), **settings) as dag:
            made = operator(task_id="t", **{field: content})
        made.render_template_fields({"dag": dag, **context})
        return getattr(made, field)

    return rendered


@pytest.mark.parametrize("field", ["text", "listed", "value"])
@pytest.mark.parametrize("literal", LITERALS)
def test_text_that_looks_like_a_literal_stays_text(rendered, field, literal):
    assert rendered(field, literal) == literal
    assert rendered(field, "{{ x }}", x=literal) == literal
    assert rendered(field, "{{ x[:1] }}{{ x[1:] }}", x=literal) == literal
    assert rendered(field, [literal, {"a": literal, 5: ("{{ x }}", {literal})}], x=literal) == [
        literal,
        {"a": literal, 5: (literal, {literal})},
    ]
    assert rendered(field, "{% macro m() %}{{ x }}{% endmacro %}{{ m() }}", x=literal) == literal
    assert rendered(field, "{% set y %}{{ x }}{% endset %}{{ y }}", x=literal) == literal
    assert rendered(field, "{% filter upper %}{{ x }}{% endfilter %}", x=literal) == literal.upper()


def test_numbers_of_the_author_stay_what_they_are(rendered):
    assert rendered("listed", [34600000010, 1.5, None, True]) == [34600000010, 1.5, None, True]


VALUES = [["a", "1e5"], {"a": ["+34600000010"]}, ("a",), Lazy(), []]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("template", ["{{ x }}", " {{ x }}\n\n", "{% set y = x %}\n{{ y }}\n", "{{ y or x }}"])
def test_a_collection_stays_one_where_a_field_takes_one(rendered, native, value, template):
    for field in ("listed", "value"):
        found = rendered(field, template, x=value, y=None)
        if native:
            assert found is value
        else:
            assert isinstance(found, str)
        assert (rendered(field, [template], x=value, y=None)[0] is value) == native
    assert isinstance(rendered("text", template, x=value, y=None), str)


@pytest.mark.parametrize(
    ("value", "listed"),
    [(5, "5"), (Decimal("1.50"), "1.50"), (PurePosixPath("/1e5"), "/1e5"), (datetime(2026, 1, 1, tzinfo=UTC), None)],
)
def test_what_one_expression_gives_is_text_as_it_is_without_native_rendering(rendered, native, value, listed):
    assert rendered("text", "{{ x }}", x=value) == str(value)
    assert rendered("listed", "{{ x }}", x=value) == (listed or str(value))
    assert rendered("value", "{{ x }}", x=value) == (value if native else str(value))


def test_what_stands_in_a_collection_of_the_author_is_text_or_another_collection(rendered):
    values = {"x": 1.5, "y": True, "z": None}
    assert rendered("listed", ["{{ x }}", "{{ y }}", "{{ z }}"], **values) == ["1.5", "True", "None"]
    assert rendered("listed", [{"a": "{{ x }}", "b": ("{{ z }}", 1.5)}], **values) == [{"a": "1.5", "b": ("None", 1.5)}]
    assert rendered("text", "{{ y }}", **values) == "True"


def test_a_list_among_others_stays_one(rendered, native):
    assert rendered("listed", ["{{ x }}", "c"], x=["a", "b"]) == ([["a", "b"], "c"] if native else ["['a', 'b']", "c"])


def test_floats_and_truth_are_left_to_whoever_reads_a_whole_field(rendered, native):
    assert rendered("listed", "{{ x }}", x=1.5) == (1.5 if native else "1.5")


def test_a_list_that_is_written_in_an_expression(rendered, native):
    assert rendered("listed", "{{ ['+34600000010', '1e5'] }}") == (
        ["+34600000010", "1e5"] if native else "['+34600000010', '1e5']"
    )
    assert rendered("listed", "['a', '{{ x }}']", x="b") == "['a', 'b']"


def test_what_cannot_be_compared_is_left_alone(rendered):
    class Frame:
        """As a DataFrame of pandas is."""

        def __eq__(self, other):
            raise ValueError("the truth value is ambiguous")

        __hash__ = None

        def __bool__(self):
            raise ValueError("the truth value is ambiguous")

    frame = Frame()
    assert rendered("value", frame) is frame
    assert rendered("listed", [frame])[0] is frame


@pytest.mark.parametrize("field", ["text", "listed", "value"])
def test_no_value(rendered, native, field):
    none = None if native else "None"
    assert rendered(field, "{{ x }}", x=None) == none
    assert rendered(field, " {{ x }} ", x=None) == (None if native else " None ")
    assert rendered(field, "x{{ x }}", x=None) == "xNone"
    assert rendered(field, "{{ x }}", TextOperator, x=None) == "None"
    assert rendered(field, ["", {"a": ""}]) == ["", {"a": ""}]


@pytest.mark.parametrize("field", ["text", "listed", "value"])
def test_an_unknown_name_is_an_error(rendered, field):
    from jinja2 import UndefinedError

    for template in ("{{ nowhere }}", "{{ x.nowhere }}", "a {{ nowhere }}"):
        with pytest.raises(UndefinedError):
            rendered(field, template, x={})


def test_files_and_what_has_fields_of_its_own(rendered, tmp_path):
    (tmp_path / "a.txt").write_text("{{ x }}")
    assert rendered("text", "a.txt", x="1e5") == "1e5"
    assert rendered("listed", ["a.txt"], x="+34600000010") == ["+34600000010"]
    assert rendered("value", {"a": Holder("{{ x }}")}, x="'quoted'")["a"].held == "'quoted'"


def test_what_is_data_is_never_rendered(rendered):
    try:
        from airflow.sdk import literal
    except ImportError:
        from airflow.utils.template import literal

    assert rendered("listed", [literal("{{ x }}")]) == ["{{ x }}"]


def test_a_notifier_keeps_no_template_that_gives_nothing(native):
    class Notifier(TemplatedFields, BaseNotifier):
        template_fields = ("text",)

        def __init__(self, text):
            super().__init__()
            self.text = text

        def notify(self, context):
            raise AssertionError("not called")

    with DAG("d", schedule=None, render_template_as_native_obj=native) as dag:
        pass
    for template, text in {"{{ x }}": "", "{{ y }}": "1e5", "plain": "plain", "{{ x }}{{ y }}": "1e5"}.items():
        notifier = Notifier(template)
        notifier.render_template_fields({"dag": dag, "x": "", "y": "1e5"})
        assert notifier.text == text


def test_an_operator_may_differ_from_its_dag(tmp_path):
    """Airflow 3.3 hands it the environment of its DAG nevertheless."""
    if "render_template_as_native_obj" not in BaseOperator.__init__.__wrapped__.__code__.co_varnames:
        pytest.skip("needs Airflow 3.3")
    for own in (True, False):
        with DAG("d", schedule=None, render_template_as_native_obj=not own) as dag:
            made = Operator(task_id="t", listed="{{ x }}", text="{{ y }}", render_template_as_native_obj=own)
        made.render_template_fields({"dag": dag, "x": ["1e5"], "y": 12}, dag.get_template_env())
        assert (made.listed, made.text) == (["1e5"] if own else "['1e5']", "12")


def test_mapping_an_operator_keeps_airflows_defaults():
    class Plain(TemplatedFields, BaseOperator):
        """Without a constructor."""

    class Own(Plain):
        def __init__(self, *, field=None, **kwargs):
            super().__init__(**kwargs)
            self.field = field

    with DAG("d", schedule=None):
        mapped = Own.partial(task_id="t").expand(field=[1, 2])
    assert mapped.inlets in ([], None) and "inlets" not in {  # noqa: PT018 - one statement about one default
        name for name, value in mapped.partial_kwargs.items() if value is None
    }
