# SPDX-License-Identifier: Apache-2.0

"""What a row template may do with dates, times and sets: whatever reads the same in every try, and nothing else."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import time
import zoneinfo
from types import SimpleNamespace

import pendulum
import pytest
from support.events import LONG

from airflow_provider_instasent.api.errors import InvalidMessageError
from airflow_provider_instasent.planning.row_template import RowTemplate
from airflow_provider_instasent.planning.template_sandbox import STEADY

UTC, MADRID = dt.UTC, zoneinfo.ZoneInfo("Europe/Madrid")
CONTEXT = {
    "params": {"day": "2026-11-23", "zone": "Europe/Madrid"},
    "run_id": "manual__1",
    "data_interval_start": pendulum.datetime(2026, 11, 22, 23, 5),
    "data_interval_end": pendulum.datetime(2026, 11, 23, 23, 5),
}
ROW = {
    "at": dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "naive": dt.datetime(2026, 1, 2, 3, 4, 5),  # noqa: DTZ001 - a database without zones gives such
    "day": dt.date(2026, 1, 2),
    "time": dt.time(3, 4),
    "pendulum": pendulum.datetime(2026, 1, 2, 3, tz="Europe/Madrid"),
    "pendulum_naive": pendulum.naive(2026, 1, 2, 3),
    "pendulum_day": pendulum.date(2026, 1, 2),
    "pendulum_time": pendulum.time(3, 4),
    "span": dt.timedelta(hours=36),
    "name": "now",
}


class Stamp(dt.datetime):
    """What pandas calls Timestamp: a datetime with a method that nobody has told us of."""

    def since_when(self) -> str:
        return "how long ago that is"


class Moment:
    """A library's own moment, no datetime, with a clock as class method."""

    year = 2026

    @classmethod
    def right_now(cls) -> str:
        return "the present"


def render(source: str, **row: object) -> str:
    return RowTemplate(source, CONTEXT).render({**ROW, **row})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ data_interval_start.strftime('%d/%m %H:%M') }}", "22/11 23:05"),
        ("{{ data_interval_start }}", "2026-11-22 23:05:00+00:00"),
        ("{{ data_interval_start.in_timezone('Europe/Madrid').format('dddd D, HH:mm') }}", "Monday 23, 00:05"),
        ("{{ data_interval_start.in_timezone(params.zone).to_date_string() }}", "2026-11-23"),
        ("{{ data_interval_start.astimezone(row.pendulum.tzinfo).hour }}", "0"),
        ("{{ data_interval_start.add(days=1).subtract(hours=2).to_datetime_string() }}", "2026-11-23 21:05:00"),
        ("{{ data_interval_end.start_of('month').isoformat() }}", "2026-11-01T00:00:00+00:00"),
        ("{{ data_interval_end.diff(data_interval_start).in_hours() }}", "24"),
        ("{{ data_interval_end.diff_for_humans(data_interval_start) }}", "1 day after"),
        ("{{ (data_interval_end - data_interval_start).total_hours() | int }}", "24"),
        ("{{ (data_interval_end + row.span).date() }}", "2026-11-25"),
        ("{{ data_interval_end.date() > row.day }}{{ row.at < data_interval_end }}", "TrueTrue"),
        ("{{ data_interval_end.is_birthday(data_interval_start) }}", "False"),
        ("{{ data_interval_end.int_timestamp - data_interval_start.timestamp() | int }}", "86400"),
        ("{{ data_interval_end.timezone.name }} {{ row.pendulum.timezone_name }}", "UTC Europe/Madrid"),
        ("{{ row.at.replace(hour=9).isoformat() }}", "2026-01-02T09:04:05+00:00"),
        ("{{ row.at.astimezone(row.pendulum.tzinfo).strftime('%H') }}", "04"),
        ("{{ row.at.weekday() }} {{ row.day.isocalendar().week }} {{ row.time.hour }}", "4 1 3"),
        ("{{ row.naive.strftime('%d.%m.%y, 100%%s') }}", "02.01.26, 100%s"),
        ("{{ row.pendulum_naive.in_timezone('UTC').hour }}", "3"),
        ("{{ '{:%d/%m} {}'.format(row.day, row.name) }} {{ '%s' | format(row.day) }}", "02/01 now 2026-01-02"),
        ("{{ [row.at, row.naive] | map(attribute='year') | join(' ') }}", "2026 2026"),
        ("{{ row.span.total_seconds() | int }} {{ row.span.days }}", "129600 1"),
        ("{% for one in [row.day] %}{{ one.month }}{{ loop.index }}{% endfor %}", "11"),
        ("{% macro short(day) %}{{ day.day }}.{{ day.month }}.{% endmacro %}{{ short(row.day) }}", "2.1."),
        ("{{ row.moment.year }} {{ row.name.upper() }}", "2026 NOW"),
    ],
)
def test_dates_and_times_are_formatted_shifted_and_compared(source, text):
    assert render(source, moment=Moment()) == text


@pytest.mark.parametrize(
    "source",
    [
        # the interval's clock, by each way to an attribute
        "{{ data_interval_start.now() }}",
        "{{ data_interval_start.now('UTC') }}",
        "{{ data_interval_end['now']() }}",
        "{{ data_interval_start | attr('now') }}",
        "{% set clock = data_interval_start.now %}{{ clock() }}",
        "{{ ([data_interval_start] | map(attribute='now') | first)() }}",
        "{{ '{0.now}'.format(data_interval_start) }}",
        "{{ '{at.today}'.format_map({'at': row.at}) }}",
        "{{ '{0[day].today}'.format({'day': row.day}) }}",
        "{% if data_interval_start.now is defined %}late{% endif %}",
        "{% if data_interval_start.now is callable %}late{% endif %}",
        "{{ data_interval_start.now | default('never') }}",
        "{{ [row.at] | groupby('utcnow') | length }}",
        "{{ [row.at] | sum(attribute='now') }}",
        "{% with at = row.at %}{{ at.now().year }}{% endwith %}",
        "{% macro told(day) %}{{ day.today() }}{% endmacro %}{{ told(row.day) }}",
        "{{ row.at[row.name]() }}",
        # what compares with the present
        "{{ data_interval_start.diff_for_humans() }}",
        "{{ data_interval_start.diff_for_humans(None) }}",
        "{{ data_interval_start.diff_for_humans(absolute=True) }}",
        "{{ data_interval_start.diff_for_humans(other=None, locale='en') }}",
        "{{ data_interval_start.diff().in_days() }}",
        "{{ data_interval_start.diff(abs=False) }}",
        "{{ data_interval_start.average() }}",
        "{{ data_interval_start.is_past() }}",
        "{{ data_interval_start.is_future() }}",
        "{{ data_interval_start.is_birthday() }}",
        "{{ data_interval_start.is_anniversary(dt=None) }}",
        "{{ data_interval_start.age }}",
        "{{ row.pendulum_day.age }}",
        "{{ row.pendulum_day.diff() }}",
        "{{ row.pendulum_day.is_birthday() }}",
        "{{ row.pendulum_time.diff() }}",
        "{{ row.pendulum_time.diff_for_humans() }}",
        # the rest of each family
        "{{ data_interval_start.today() }}",
        "{{ data_interval_start.utcnow() }}",
        "{{ data_interval_start.date().today() }}",
        "{{ data_interval_start.tzinfo.datetime(2026, 1, 1).now() }}",
        "{{ (data_interval_end - data_interval_start).start.now() }}",
        "{{ row.at.now() }}",
        "{{ row.at.utcnow() }}",
        "{{ row.at.today() }}",
        "{{ row.at.date().today() }}",
        "{{ row.at.min.now() }}",
        "{{ row.day.today() }}",
        "{{ row.pendulum.now() }}",
        "{{ row.at.fromtimestamp(0) }}",
        "{{ row.stamp.since_when() }}",
        "{{ row.stamp.now() }}",
        # functions, classes and modules among a row's values
        "{{ row.moment.right_now() }}",
        "{{ row.clock() }}",
        "{{ row.deep.clock.now() }}",
        "{{ row.deep['clocks'][0]() }}",
        "{{ row.module.time() }}",
    ],
)
def test_a_template_has_no_clock(source):
    row = {
        "stamp": Stamp(2026, 1, 2),
        "moment": Moment(),
        "clock": time.time,
        "deep": {"clock": dt.datetime, "clocks": [dt.date.today]},
        "module": time,
    }
    with pytest.raises(InvalidMessageError, match=r"a row template has no clock.*: .*(column|put the value)") as caught:
        render(source, **row)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "source",
    [
        "{{ row.at.astimezone() }}",
        "{{ row.at.astimezone(None) }}",
        "{{ row.at.astimezone(tz=None) }}",
        "{{ row.naive.astimezone(row.pendulum.tzinfo) }}",
        "{{ row.naive.timestamp() }}",
        "{{ row.pendulum_naive.timestamp() }}",
        "{{ row.naive.strftime('%s') }}",
        "{{ row.at.strftime('at %-s') }}",
        "{{ row.at.strftime('%%%s') }}",
        "{{ '{:%s}'.format(row.at) }}",
        "{{ '{:{}}'.format(row.at, '%Es') }}",
        "{{ '{at:%s}'.format_map({'at': row.naive}) }}",
        "{{ data_interval_start.in_timezone('local') }}",
        "{{ data_interval_start.in_timezone(None) }}",
        "{{ data_interval_start.in_timezone(row.pendulum_naive.timezone) }}",
        "{{ data_interval_start.in_tz(tz='localtime') }}",
        "{{ data_interval_start.in_tz(row.zone) }}",
        "{{ data_interval_start.set(tz='local').isoformat() }}",
        "{{ data_interval_start.replace(tzinfo='local').isoformat() }}",
        "{{ data_interval_start.in_timezone('posixrules') }}",
        "{% set there = data_interval_start.in_timezone %}{{ there('local') }}",
    ],
)
def test_a_template_has_no_local_time_zone(source):
    with pytest.raises(InvalidMessageError, match=r"no clock and no local time zone.*Europe/Madrid"):
        render(source, zone="local")


def test_is_local_is_no_question_for_a_template():
    with pytest.raises(InvalidMessageError, match=r"no clock.*`is_local`"):
        render("{{ data_interval_start.is_local() }}")


def test_the_error_names_what_the_template_asks_for_and_nothing_of_the_row():
    with pytest.raises(InvalidMessageError, match=r"\(`utcnow`\)$"):
        render("{{ row.at.utcnow() }}")
    with pytest.raises(InvalidMessageError, match="no clock") as caught:
        render("{{ row.at[row.name] }}", name="resolution")
    assert "resolution" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in ROW if name not in {"name", "span"}])
def test_what_can_be_asked_for_without_more_is_the_same_at_another_time_and_elsewhere(name, monkeypatch):
    """Each attribute, and each method called with nothing, with two settings of pendulum's clock and the time zone."""
    refused, seen = 0, []
    for year, zone in ((2001, "Asia/Tokyo"), (2051, "America/New_York")):
        present = pendulum.datetime(year, 5, 6, 7, 8)
        monkeypatch.setattr(pendulum, "now", lambda *_, present=present: present)
        monkeypatch.setattr(pendulum.DateTime, "now", lambda *_, present=present: present)
        monkeypatch.setattr(pendulum.Date, "today", lambda *_, present=present: present.date())
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        texts = {}
        for attribute in (one for one in dir(ROW[name]) if not one.startswith("_")):
            for source in (f"{{{{ row.{name}.{attribute} }}}}", f"{{{{ row.{name}.{attribute}() }}}}"):
                try:
                    texts[source] = render(source)
                except InvalidMessageError as error:
                    refused += "no clock" in str(error)
        seen.append(texts)
    monkeypatch.undo()
    time.tzset()
    assert refused > 5
    assert len(seen[0]) > 5
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    "value", [ROW["at"], ROW["day"], ROW["time"], UTC, MADRID], ids=lambda value: type(value).__name__
)
def test_no_class_method_is_among_what_is_let_through(value):
    let_through = [name for name in dir(value) if name in STEADY]
    assert let_through
    assert not [name for name in let_through if isinstance(getattr(getattr(value, name), "__self__", None), type)]


SETS = """
from airflow_provider_instasent.planning.row_template import RowTemplate
row = {
    "tags": {f"tag-{number}" for number in range(40)},
    "deep": {"sets": [frozenset({"b", "a", "c"}), ({"x", "y", "z"},)]},
    "mixed": {1, "one", 2.5, True},
    "some": {"a": 1, "b": 2, "c": 3, "d": 4},
}
print(RowTemplate(SOURCE, {}).render(row))
"""


@pytest.mark.parametrize(
    "source",
    [
        "{{ row.tags | join }}",
        "{{ row['tags'] | list | join }}",
        "{% for tag in row.tags %}{{ tag }}{% endfor %}",
        "{{ row.tags | first }} {{ row.tags | last }} {{ row.tags | map('upper') | join }}",
        "{{ row.deep.sets | map('first') | map('join') | join }}",
        "{% for one in row.deep['sets'][1] %}{{ one | join }}{% endfor %}",
        "{{ row.mixed | join }}",
        "{{ (row.some.keys() - ['a']) | join }}{{ (row.some.keys() - ['b']) | join }}",
        "{{ row.some.keys().__class__ is defined }}{{ (row.some.items() - [('a', 1)]) | map('join') | join }}",
    ],
)
def test_a_set_has_one_order_in_every_process(source):
    texts = set()
    for seed in ("1", "2", "3"):
        done = subprocess.run(
            [sys.executable, "-c", SETS.replace("SOURCE", repr(source))],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=LONG,
        )
        texts.add(done.stdout)
    assert len(texts) == 1


def test_membership_of_a_set_and_shapes_of_values_are_what_they_were():
    pair = SimpleNamespace(first=[1, {"k": (2, 3)}])
    source = "{{ 'a' in row.tags }} {{ row.tags | length }} {{ row.pair.first[1].k[1] }} {{ row.rows[0].x[1][0] }}"
    assert render(source, tags={"a", "b"}, pair=pair, rows=[{"x": [1, {2}]}]) == "True 2 3 2"


@pytest.mark.parametrize(
    "source",
    [
        "{{ row.thing }}",
        "{{ [row.thing] }}",
        "{{ row.tags | map('upper') }}",
        "{{ row.tags | map('upper') | string }}",
        "{{ 'a' ~ (row.tags | select) }}",
        "{{ row.thing | upper }}",
    ],
)
def test_what_prints_as_an_address_in_memory_is_no_text(source):
    with pytest.raises(InvalidMessageError, match="which is no text"):
        render(source, thing=object(), tags=["a"])


def test_a_text_that_speaks_of_addresses_is_text():
    assert render("{{ row.note }}", note="look at 0x1f, <b>") == "look at 0x1f, <b>"
