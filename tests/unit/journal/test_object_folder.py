# SPDX-License-Identifier: Apache-2.0
"""An object storage through fsspec, with its remembered listings and without directories."""

from __future__ import annotations

import pytest
from fsspec import AbstractFileSystem
from support.object_stores import Store

from airflow_provider_instasent.journal.object_folder import ObjectFolder


@pytest.fixture
def store():
    return Store()


def test_an_empty_prefix_has_no_names(store):
    assert ObjectFolder(store, "bucket/j").names() == []


@pytest.mark.parametrize("error", [FileNotFoundError, NotADirectoryError])
def test_an_empty_prefix_has_no_names_by_whatever_error(store, monkeypatch, error):
    def ls(*_: object, **__: object) -> None:
        raise error("bucket/j")

    monkeypatch.setattr(store, "ls", ls)
    assert ObjectFolder(store, "bucket/j").names() == []


@pytest.mark.parametrize("error", [PermissionError, ConnectionResetError, IsADirectoryError])
def test_what_cannot_be_listed_is_not_empty(store, monkeypatch, error):
    def ls(*_: object, **__: object) -> None:
        raise error("bucket/j")

    monkeypatch.setattr(store, "ls", ls)
    with pytest.raises(error):
        ObjectFolder(store, "bucket/j").names()


def test_what_another_process_wrote_since_is_listed(store):
    folder = ObjectFolder(store, "bucket/j")
    folder.create("a", b"1")
    assert folder.names() == ["a"]
    listed = dict(store.listed)
    store.put("bucket/j/b", b"2")
    store.listed = listed  # what this process remembers
    assert folder.names() == ["a", "b"]


def test_a_name_that_is_taken_is_not_written_over(store):
    folder = ObjectFolder(store, "bucket/j")
    folder.create("a", b"first")
    with pytest.raises(FileExistsError):
        folder.create("a", b"second")
    assert folder.read("a") == b"first"


@pytest.mark.parametrize("told", [{"Condition": "If-None-Match"}, {}], ids=["as Amazon does", "as others do"])
def test_a_name_that_is_taken_on_s3_is_that_however_the_server_puts_it(store, monkeypatch, told):
    with pytest.raises(FileExistsError):
        refused(store, monkeypatch, 412, {"Code": "PreconditionFailed", **told}).create("a", b"second")


@pytest.mark.parametrize(
    ("status", "code"), [(403, "AccessDenied"), (409, "ConditionalRequestConflict"), (503, "SlowDown")]
)
def test_another_refusal_of_s3_says_nothing_of_the_name(store, monkeypatch, status, code):
    with pytest.raises(OSError, match="as the server said") as raised:
        refused(store, monkeypatch, status, {"Code": code}).create("a", b"second")
    assert not isinstance(raised.value, FileExistsError)


def refused(store, monkeypatch, status, told):
    """A folder whose file system raises what s3fs makes of an answer of S3."""
    errors, exceptions = pytest.importorskip("s3fs.errors"), pytest.importorskip("botocore.exceptions")
    answer = {"Error": {"Message": "as the server said", **told}, "ResponseMetadata": {"HTTPStatusCode": status}}

    def pipe_file(*_: object, **__: object) -> None:
        raise errors.translate_boto_error(exceptions.ClientError(answer, "PutObject"))

    monkeypatch.setattr(store, "pipe_file", pipe_file)
    return ObjectFolder(store, "bucket/j")


def test_the_last_line_is_the_only_one(store):
    folder = ObjectFolder(store, "bucket/j")
    for line in (b"first\n", b"second\n"):
        folder.write_last_line("a", line)
    assert folder.read("a") == b"second\n"


def test_a_directory_is_made_where_a_file_system_needs_one(store, monkeypatch):
    made: list[str] = []
    commit = store.commit

    def needs_directory(path: str, value: bytes) -> None:
        if not made:
            raise FileNotFoundError(path)
        commit(path, value)

    monkeypatch.setattr(store, "commit", needs_directory)
    monkeypatch.setattr(store, "makedirs", lambda path, **_: made.append(path))
    store.put("bucket/something", b"")
    folder = ObjectFolder(store, "bucket/j/")
    folder.create("a", b"1")
    folder.create("b", b"2")
    assert made == ["bucket/j"]
    assert folder.names() == ["a", "b"]


def test_a_bucket_is_not_made(store, monkeypatch):
    def nowhere(path: str, _: bytes) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr(store, "commit", nowhere)
    monkeypatch.setattr(store, "makedirs", lambda *_, **__: pytest.fail("it was made"))
    with pytest.raises(FileNotFoundError):
        ObjectFolder(store, "mistyped/j").create("a", b"1")


class Plain(AbstractFileSystem):
    """A file system that leaves creation to fsspec's base class, such as that of SFTP."""

    cachable = False


def test_a_file_system_that_leaves_creation_to_fsspec_cannot_create():
    with pytest.raises(NotImplementedError, match="looks whether the file is there, and then writes"):
        ObjectFolder(Plain(), "/j").create("a", b"1")
