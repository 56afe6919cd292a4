# SPDX-License-Identifier: Apache-2.0
"""The results file: one JSON line a row, in input order, with what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.files import lines_of, replacing, shown_path
from airflow_provider_instasent.api.statuses import Verdict, judge
from airflow_provider_instasent.waiting.accepted_times import AcceptedTimes
from airflow_provider_instasent.waiting.delivery_watch import Watch, WatchRules
from airflow_provider_instasent.waiting.reading import UNREAD

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RESULT_FIELDS = ("position", "client_id", "id", "state", "status", "reason", "accepted_at")
"""What a line holds. `state` is where the message stands with us, `status` the last delivery status known,
`accepted_at` when it was accepted, in unix seconds on Instasent's clock."""

LINES_A_WRITE = 5_000

_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write_results(path: Any, records: Iterable[Mapping[str, Any]]) -> int:
    """Write a results file and return its number of lines.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`; replaced whole
    :param records: each with `RESULT_FIELDS`, in input order
    :raises OSError: where it cannot be written
    """
    lines = 0
    with replacing(path) as stream:
        buffer: list[str] = []
        for record in records:
            buffer.append(_encoded(record) + "\n")
            lines += 1
            if len(buffer) == LINES_A_WRITE:
                stream.write("".join(buffer).encode())
                buffer.clear()
        stream.write("".join(buffer).encode())
    return lines


def read_results(path: Any) -> Iterator[dict[str, Any]]:
    """Yield the records of a results file.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :raises OSError: where it cannot be read
    :raises ValueError: where it is no results file
    """
    for number, line in enumerate(_lines_of(path)):
        try:
            record = json.loads(line)
            record["id"], record["state"]
        except (KeyError, TypeError, ValueError):
            raise ValueError(
                f"`results_path`: line {number} of {shown_path(path)} is not one of a results file"
            ) from None
        yield record


def _lines_of(path: Any) -> Iterator[bytes]:
    try:
        yield from lines_of(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"`results_path`: there is no file at {shown_path(path)}") from None


def update_statuses(path: Any, statuses: Mapping[str, str]) -> None:
    """Put delivery statuses into a results file.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`; replaced whole
    :param statuses: by id; messages that are not in it stay as they are
    :raises OSError: where it cannot be read or written
    """
    write_results(
        path, ({**record, "status": statuses.get(record["id"], record.get("status"))} for record in read_results(path))
    )


def watch_of_results(
    path: Any, rules: WatchRules, memory: Mapping[str, Any] | None = None, missing_since: float | None = None
) -> Watch:
    """Return a watch over the accepted messages of a results file, with what the file knows to be final.

    :param path: a `pathlib.Path` or an `ObjectStoragePath`
    :param rules: what counts as success
    :param memory: as of :class:`~airflow_provider_instasent.waiting.delivery_watch.Watch`, beside what the file knows
    :param missing_since: as of :class:`~airflow_provider_instasent.waiting.delivery_watch.Watch`
    :raises OSError: where it cannot be read
    :raises ValueError: where it is no results file
    """
    ids: list[str] = []
    moments: list[float | None] = []
    without_id = 0
    settled: dict[str, list[str | None]] = {}
    for record in read_results(path):
        if record["state"] == "accepted" and not record["id"]:
            without_id += 1
        elif record["state"] == "accepted":
            ids.append(record["id"])
            moments.append(_moment(record.get("accepted_at")))
            if judge(record.get("status"), rules.success_statuses) is not Verdict.PENDING:
                settled[record["id"]] = [record["status"], None]
    known = dict(memory or {})
    known = {**known, "settled": {**settled, **known.get("settled", {})}, "without_id": without_id}
    return Watch(ids, rules, known, missing_since, AcceptedTimes.each(moments))


def _moment(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def keep_statuses(path: Any, watch: Watch) -> None:
    """Put the statuses that a watch has read into a results file.

    :raises OSError: where it cannot be read or written
    """
    update_statuses(path, {sms_id: status for sms_id, status, _ in watch.statuses() if status != UNREAD})
