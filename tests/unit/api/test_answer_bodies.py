# SPDX-License-Identifier: Apache-2.0
"""A body within a bound, as it comes and unpacked."""

from __future__ import annotations

import gzip
import zlib

import pytest

from airflow_provider_instasent.api import answer_bodies
from airflow_provider_instasent.api.answer_bodies import LARGEST_BODY, Body, BodyError

WORDS = b'{"entities": []}' * 1000


def read(encoding, packed, size=1000):
    body = Body(encoding)
    for start in range(0, len(packed), size):
        body.take(packed[start : start + size])
    return body.whole()


@pytest.mark.parametrize("size", [1, 7, 10**9])
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("", bytes),
        ("identity", bytes),
        ("gzip", gzip.compress),
        (" X-GZip ", gzip.compress),
        ("deflate", zlib.compress),
    ],
)
def test_a_body_comes_whole(encoding, pack, size):
    assert read(encoding, pack(WORDS), size) == WORDS
    assert read(encoding, b"") == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "nonsense"])
def test_a_packing_that_nobody_asked_for(encoding):
    with pytest.raises(BodyError, match="nobody asked for"):
        Body(encoding)


@pytest.mark.parametrize(
    "damaged",
    [gzip.compress(WORDS)[:-1], b"no gzip", gzip.compress(WORDS)[:20]],
    ids=["without its last byte", "no gzip", "its beginning"],
)
def test_what_is_damaged_or_cut_short(damaged):
    with pytest.raises(BodyError, match="cut short"):
        read("gzip", damaged)


def test_a_body_ends_at_its_bound(monkeypatch):
    monkeypatch.setattr(answer_bodies, "LARGEST_BODY", 1024 * 1024)

    assert len(read("", b" " * 1024 * 1024)) == 1024 * 1024
    with pytest.raises(BodyError, match="larger than 1 MiB"):
        read("", b" " * (1024 * 1024 + 1))


def test_a_bomb_is_unpacked_no_further_than_the_bound():
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join([*(packer.compress(bytes(1024 * 1024)) for _ in range(256)), packer.flush()])
    body = Body("gzip")

    parts = [bomb[start : start + 65_536] for start in range(0, len(bomb), 65_536)]
    with pytest.raises(BodyError, match="larger than 16 MiB"):
        list(map(body.take, parts))

    assert body._size == LARGEST_BODY + 1
    assert sum(map(len, body._parts)) <= LARGEST_BODY


def test_a_packed_body_that_unpacks_to_nothing_has_a_bound_too(monkeypatch):
    monkeypatch.setattr(answer_bodies, "LARGEST_BODY", 1024 * 1024)
    body = Body("gzip")
    body.take(zlib.compressobj(wbits=31).flush(zlib.Z_FULL_FLUSH))

    blocks_of_no_bytes = b"\0\0\0\xff\xff" * 1000
    with pytest.raises(BodyError, match="larger"):
        list(map(body.take, [blocks_of_no_bytes] * 300))
