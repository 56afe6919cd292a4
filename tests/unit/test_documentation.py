# SPDX-License-Identifier: Apache-2.0

"""What the documentation shows is true: snippets run, connections are read, tables name what the code has."""

from __future__ import annotations

import json
import re
import textwrap
from dataclasses import asdict
from pathlib import Path

import pytest

from airflow_provider_instasent.api import counters
from airflow_provider_instasent.hooks.connection import read_connection
from airflow_provider_instasent.hooks.connection_extra import EXTRA_FIELDS
from airflow_provider_instasent.sandbox.faults import AFTER, BEFORE
from airflow_provider_instasent.sandbox.settings import Settings
from airflow_provider_instasent.sandbox.statuses import FATES
from airflow_provider_instasent.waiting.results_file import RESULT_FIELDS

ROOT = Path(__file__).parents[2]
PAGES = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.glob("docs/*.md")} | {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOST_BYTES_OF_AN_IMAGE = 250_000
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def blocks(language):
    return [
        pytest.param(page, match[2], id=f"{page}:{text[: match.start()].count(chr(10)) + 1}")
        for page, text in sorted(PAGES.items())
        for match in BLOCK.finditer(text)
        if match[1] == language
    ]


def table(page, header):
    """The first cells of the table that starts with this header, stripped of backticks; `a` / `b` are two."""
    lines = PAGES[page].partition(f"| {header} |")[2].splitlines()[2:]
    cells = []
    for line in lines:
        if not line.startswith("|"):
            break
        cells += [cell.strip(" `…") for cell in line.split("|")[1].split(" / ")]
    return cells


def test_there_is_something_to_check():
    assert len(blocks("json")) >= 3
    assert all(table(page, header) for page, header in TABLES)


@pytest.mark.parametrize(("page", "source"), blocks("json"))
def test_a_connection_in_json_is_read_without_complaint(page, source):
    fields = json.loads(source)
    assert fields.pop("conn_type") == "instasent"
    known = {name: fields.pop(name, None) for name in ("password", "host", "schema", "port", "extra")}
    assert not fields
    settings = read_connection(**known)
    assert settings.token
    assert not settings.unknown_extras


@pytest.mark.parametrize(("page", "source"), blocks("console"))
def test_a_connection_in_a_shell_command_is_read_without_complaint(page, source):
    found = re.findall(r"AIRFLOW_CONN_\w+='(\{.*?\})'", source, re.DOTALL)
    # Those that are URIs are read by Airflow, in hooks/test_connection.py.
    assert len(found) == source.count("AIRFLOW_CONN_") - len(re.findall(r"AIRFLOW_CONN_\w+='instasent://", source))
    for connection in found:
        test_a_connection_in_json_is_read_without_complaint(page, connection)


TABLES = {
    ("docs/connection.md", "name"): [field.name for field in EXTRA_FIELDS],
    ("docs/sandbox.md", "digits"): [*FATES, "others"],
    ("docs/sandbox.md", "name | what happens"): [*BEFORE, *AFTER],
    ("docs/sandbox.md", "name | what it switches"): list(asdict(Settings())),
    ("docs/observability.md", "metric"): list(counters.NAMES),
}


@pytest.mark.parametrize("where", TABLES, ids=" ".join)
def test_a_table_names_everything_there_is_and_nothing_else(where):
    assert sorted(table(*where)) == sorted(TABLES[where])


def test_the_fields_of_the_results_file_are_named():
    assert all(f"`{field}`" in PAGES["docs/promise.md"] for field in RESULT_FIELDS)


@pytest.mark.parametrize("page", PAGES)
def test_links_inside_the_repository_lead_somewhere(page):
    links = LINK.findall(PAGES[page])
    assert not [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]


def test_each_image_is_shown_and_told_in_words():
    shown = [
        ((ROOT / page).parent / image, words)
        for page in PAGES
        for words, image in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", PAGES[page])
    ]
    assert {image for image, _ in shown} == {*ROOT.glob("docs/images/*")}
    assert all(len(words.split()) > 5 for _, words in shown)
    assert all(image.stat().st_size < MOST_BYTES_OF_AN_IMAGE for image, _ in shown)


@pytest.mark.parametrize(("page", "source"), blocks("python"))
def test_python_snippets_are_python(page, source):
    compile(textwrap.dedent(source), page, "exec")


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("README.md", "**Not verified against the live API.**"),
        ("docs/promise.md", "Nothing here was checked against the live API."),
        ("docs/sandbox.md", "**not compared with the live API**"),
    ],
)
def test_a_page_says_that_nothing_was_checked_against_the_live_api(page, said):
    assert said in PAGES[page]


TOKENS = re.compile(r"""(?:password"?\s*[:=]\s*|token=|--token )["']?([^"'\s,)}]+)""")
EXAMPLES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("example_dags", "scripts")
    for path in (ROOT / folder).glob("*.py")
}


def tokens_of(text):
    return [token for token in TOKENS.findall(text) if not token.startswith(("sandbox.", "`"))]


def test_there_are_tokens_to_check():
    assert len([token for page in PAGES for token in tokens_of(PAGES[page])]) >= 6


@pytest.mark.parametrize("page", [*PAGES, *EXAMPLES])
def test_a_token_that_is_shown_is_no_word_of_anything_else(page):
    """Airflow hides a token in all logs, also where it is only a word."""
    said = " ".join([*PAGES.values(), *EXAMPLES.values()])
    for token in tokens_of({**PAGES, **EXAMPLES}[page]):
        shown = len(re.findall(re.escape(token), said))
        as_token = sum(tokens_of(text).count(token) for text in [*PAGES.values(), *EXAMPLES.values()])
        assert len(token) >= 12, token
        assert shown == as_token, token


def test_the_sandbox_takes_the_token_that_the_pages_show():
    from airflow_provider_instasent.sandbox.settings import TOKEN

    assert f"--token {TOKEN}" in PAGES["README.md"]
    assert f"--token {TOKEN}" in PAGES["docs/sandbox.md"]
