# SPDX-License-Identifier: Apache-2.0
"""What all places of a journal have in common: records come back as they were written, and a loss is noticed."""

from __future__ import annotations

import base64
import json
import zlib
from contextlib import suppress
from types import SimpleNamespace

import pytest
from support.journal_places import KINDS, Place

from airflow_provider_instasent.journal import segment_format
from airflow_provider_instasent.journal.errors import JournalCorruptError, JournalForeignError
from airflow_provider_instasent.journal.key_value_store import KeyValueSegments

SEGMENTS = 12


@pytest.fixture(params=KINDS)
def place(request, tmp_path):
    return Place(request.param, tmp_path)


@pytest.fixture
def full(place):
    """A place with many segments, all by one try."""
    store = place.open()
    list(store.read())
    for number in range(SEGMENTS):
        store.append([json.dumps({"n": ["number", number]})])
        if place.kind == "values":
            store._end_key()  # as where it is full
    store.close()
    assert len(place.segments()) == SEGMENTS
    return place


def test_an_empty_place_has_no_records(place):
    assert place.records() == []
    assert place.records() == []


def test_records_come_back_in_order_over_several_tries(place):
    expected = []
    for attempt in range(4):
        writes = [
            [json.dumps({"n": [f"{attempt}.{write}.{n}", "ñ \u2028 \x85 \n"]}) for n in range(2)] for write in range(3)
        ]
        place.write(*writes)
        expected += [record for records in writes for record in records]
    assert place.records() == expected


# --- a journal knows its own length ---


@pytest.mark.parametrize("number", range(1, SEGMENTS + 1))
def test_each_single_segment_that_is_lost_is_missed(full, number):
    full.lose(full.segments()[number - 1])
    with pytest.raises(
        JournalCorruptError, match=rf"damaged: (segment|key instasent.journal.) ?{number} is missing"
    ) as caught:
        full.records()
    assert "Nothing was sent by this try. Restore what is lost" in str(caught.value)


@pytest.mark.parametrize("count", [2, 8, SEGMENTS])
def test_the_last_segments_that_are_lost_are_missed(full, count):
    full.lose(*full.segments()[-count:])
    with pytest.raises(JournalCorruptError, match=rf"{SEGMENTS - count + 1} is missing"):
        full.records()


def test_the_first_segments_that_are_lost_are_missed(full):
    full.lose(*full.segments()[:8])
    with pytest.raises(JournalCorruptError, match=r"1 is missing"):
        full.records()


def test_a_head_that_is_lost_is_missed(full):
    full.lose(*full.heads())
    with pytest.raises(JournalCorruptError, match="which tells how far it goes, is missing"):
        full.records()


@pytest.mark.parametrize("number", [1, 2, SEGMENTS - 1])
def test_a_head_and_a_segment_that_are_lost_are_missed(full, number):
    full.lose(*full.heads(), full.segments()[number - 1])
    with pytest.raises(JournalCorruptError, match=rf"{number} is missing"):
        full.records()


def test_segments_that_changed_places_are_damage(full):
    content, names = full.content(), full.segments()
    full.put({names[2]: content[names[3]], names[3]: content[names[2]]})
    with pytest.raises(JournalCorruptError, match="segment 3 is not what was written"):
        full.records()


def test_a_loss_behind_several_tries_is_missed_whatever_is_lost(place):
    for attempt in range(3):
        place.write([f"{attempt}.0"], [f"{attempt}.1"])
    content = place.content()
    assert len(place.records()) == 6
    assert place.content() == content  # a try that writes nothing leaves nothing
    for name, value in content.items():
        place.lose(name)
        with pytest.raises(JournalCorruptError, match="is missing"):
            place.records()
        place.put({name: value})
    assert len(place.records()) == 6


def test_segments_of_another_journal_do_not_follow(place, tmp_path):
    """Two journals of one campaign, such as one restored from a backup beside a newer one."""
    other = Place(place.kind, tmp_path / "other")
    for number in range(2):
        place.write([f"a{number}"])
        other.write([f"b{number}"])
    place.put({place.segments()[0]: other.content()[other.segments()[0]]})
    with pytest.raises(JournalCorruptError, match=r"segment 1 is another one|key 2 does not follow key 1"):
        place.records()


@pytest.mark.parametrize("content", [b"", b"\xff\n", b"{}\n", b"[]\n", b'"head"\n', b"no json\n", b"17\n"])
def test_a_head_that_is_something_else_is_damage(place, content):
    place.write(["1"])
    kept: object = content
    if place.kind == "values":
        try:
            kept = json.dumps(json.loads(content))
        except ValueError:
            kept = json.dumps(content.decode(errors="replace"))
    place.put({place.heads()[0]: kept})
    with pytest.raises(JournalCorruptError, match="which tells how far it goes, is not what was written"):
        place.records()


# --- formats, campaigns ---


@pytest.mark.parametrize("what", ["segment", "head"])
def test_what_another_campaign_wrote_is_foreign(place, what):
    place.write(["secret"])
    content, names = place.content(), {"segment": place.segments()[0], "head": place.heads()[0]}
    ours, theirs = (segment_format.digest_of(campaign) for campaign in ("dag/run/task/-1", "another"))
    folder = names[what].replace(f"dag_run_task_-1-{ours}", f"another-{theirs}")
    if place.kind != "values":  # each campaign has a folder of its own
        assert place.records("another") == []
        store = place.open("another")
        list(store.read())
        store.append(["1"])
        store.close()
    elif what == "segment":
        place.lose(names["head"])
    place.put({folder: content[names[what]]})
    with pytest.raises(JournalForeignError, match="belongs to another campaign: nothing was sent") as caught:
        place.records("another")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("version", "words"), [(1, "an earlier version"), (3, "a later version")])
@pytest.mark.parametrize("what", ["all", "segment", "head"])
def test_a_journal_of_another_version_is_foreign_and_says_what_to_do(place, monkeypatch, version, words, what):
    monkeypatch.setattr(segment_format, "FORMAT", version)
    monkeypatch.setattr("airflow_provider_instasent.journal.key_value_store.FORMAT", version)
    monkeypatch.setattr("airflow_provider_instasent.journal.folder_heads.FORMAT", version)
    place.write(["1"])
    if what == "segment":
        place.lose(*place.heads())  # what format 1 had none of
    elif what == "head":
        place.lose(*place.segments())
    monkeypatch.undo()
    with pytest.raises(JournalForeignError, match=rf"by {words} .*Finish this campaign with that version"):
        place.records()


FORMAT_1 = (
    f'{{"journal": 1, "campaign": "{segment_format.digest_of("dag/run/task/-1")}", "segment": 1}}\n'
    '{"n":["plan",{}]}\n'
    '{"end": "0123456789abcdef"}\n'
)


def test_what_the_former_version_wrote_is_recognised(place):
    if place.kind == "values":
        packed = base64.b64encode(zlib.compress(FORMAT_1.encode())).decode()
        place.put({f"{KeyValueSegments.PREFIX}1": json.dumps(packed)})
    else:
        place.write(["1"])
        place.put({place.segments()[0]: FORMAT_1.encode()})
        place.lose(*place.heads())
    with pytest.raises(
        JournalForeignError, match=r"an earlier version .*format 1, this version reads 2.*: nothing was sent"
    ):
        place.records()


# --- a try that dies between two writes ---


@pytest.mark.parametrize("survived", range(12))
def test_a_try_that_dies_at_any_write_leaves_what_can_be_read_continued_and_missed(place, survived):
    place.write(["0"])
    appended = _append_until_death(place, survived)
    read = place.records()
    assert read[: len(appended) + 1] == ["0", *appended]
    assert len(read) <= len(appended) + 2  # the one that was being written may be there
    if place.kind != "objects":  # there the head is written while the next request is under way
        _expect_each_to_be_missed(place, place.segments()[: len(appended) + 1])
    place.write(["last"])
    assert place.records() == [*read, "last"]
    _expect_each_to_be_missed(place, place.segments())


def _expect_each_to_be_missed(place, names):
    content = place.content()
    for name in names:
        place.lose(name)
        with pytest.raises(JournalCorruptError, match="is missing"):
            place.records()
        place.put({name: content[name]})


class Killed(BaseException):
    """The process dies here."""


def _append_until_death(place, survived: int) -> list[str]:
    """Append until the place has taken so many writes of any kind; return what was appended whole."""
    left = [survived]

    def mortal(write):
        def call(*arguments, **keywords):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return write(*arguments, **keywords)

        return call

    store = place.open()
    list(store.read())
    if place.kind == "values":
        store._store = SimpleNamespace(get=place.values.get, set=mortal(place.values.set))
    else:
        folder = store._folder
        folder.create, folder.write_last_line = mortal(folder.create), mortal(folder.write_last_line)
    appended: list[str] = []
    with suppress(Killed):
        for number in range(1, 9):
            store.append([str(number)])
            if place.kind == "values":
                store._end_key()
            appended.append(str(number))
        store.close()
    return appended
