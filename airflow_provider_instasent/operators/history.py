# SPDX-License-Identifier: Apache-2.0
"""The history operator."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_instasent.api.missing_values import is_printed_missing
from airflow_provider_instasent.compat import BaseOperator
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.operators.final_errors import failures_without_retry
from airflow_provider_instasent.parameters import check_parameters, naming_the_task
from airflow_provider_instasent.storage import path_of
from airflow_provider_instasent.templating import TemplatedFields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_provider_instasent.campaign.sms_history import History, HistoryWindow
    from airflow_provider_instasent.compat import Context

_REPORT_EVERY = 100
"""Pages between two log lines."""


class InstasentSmsHistoryOperator(TemplatedFields, BaseOperator):
    """Write the account's SMS to a file, each once, although new ones arrive while the list is read.

    The list is read from its newest end back to the window's edge, newest or oldest first alike (its order is
    unknown), and written oldest SMS first, as the API sends them. An SMS that turns up twice while pages shift is
    written once, as it was last read. Memory stays flat: pages wait in a temporary file, so the worker's disk needs
    room for the window.

    The window is `[since, until)` by `createdAt`, which is the server's clock and whose name is inferred; an SMS that
    does not tell counts as inside, and so does one without a zone that is inside in any zone. Reading is free and may
    be repeated: a later run replaces the file.

    :param results_path: a file, local or on any object storage, that ends in .jsonl, .ndjson or .parquet (templated)
    :param since: the first moment inside, such as "{{ data_interval_start }}"; None for no bound (templated)
    :param until: the first moment after, such as "{{ data_interval_end }}"; None for no bound (templated)
    :param until_id: the newest SMS that is known already, such as an earlier run's `newest_id`: it and what is older
        is left out (templated)
    :param max_pages: the most pages to read; None for no bound
    :param per_page: how many SMS to ask for at a time; the API may give fewer (its largest page is unknown)
    :param instasent_conn_id: the connection (templated)
    :returns: `{"rows", "counts": {status: rows}, "complete", "ended_by", "pages", "undated", "zoneless", "newest_id",
        "since", "until", "results_path"}`. `complete` says whether the window was read to its edge; `ended_by` is
        `since`, `until_id` or `end_of_list`, or `max_pages` where that bound cut it
    :raises ValueError: names the parameter that is wrong
    """

    template_fields: Sequence[str] = ("results_path", "since", "until", "until_id", "instasent_conn_id")
    ui_color = "#d6ecff"

    def __init__(
        self,
        *,
        results_path: str,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        until_id: str | None = None,
        max_pages: int | None = None,
        per_page: int = 100,
        instasent_conn_id: str = InstasentHook.default_conn_name,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.results_path = results_path
        self.since = since
        self.until = until
        self.until_id = until_id
        self.max_pages = max_pages
        self.per_page = per_page
        self.instasent_conn_id = instasent_conn_id
        with naming_the_task(self.task_id):
            check_parameters(self)

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 - Airflow's signature
        """Read the list, write the window and say how far it was read."""
        from airflow_provider_instasent.campaign.export_formats import ending_of
        from airflow_provider_instasent.campaign.sms_history import History

        with failures_without_retry():
            ending_of(self.results_path)
            path = path_of("results_path", self.results_path)
            window = self._window()
            with InstasentHook(self.instasent_conn_id) as hook, History(window) as history:
                client = hook.get_conn()
                ended_by = history.read(lambda page: client.list_sms(page, self.per_page), self._report)
                result = self._result(history, path, window, ended_by)
        if not result["complete"]:
            self.log.warning(
                "The window was not read to its edge: `max_pages` (%s) cut it. Older SMS are missing, and newer "
                "ones too where the API lists the oldest first. Run it again with a higher bound; a run that goes on "
                "from this `newest_id` leaves them out.",
                self.max_pages,
            )
        if (result["undated"] or result["zoneless"]) and (window.since is not None or window.until is not None):
            self.log.warning(
                "Some SMS may lie outside the window: `createdAt` of %d written cannot be read, and of %d has no zone. "
                "They count as inside where they may be.",
                result["undated"],
                result["zoneless"],
            )
        self.log.info("%d SMS written, %s (%s pages, ended by %s).", *_told(result))
        return result

    def _result(self, history: History, path: Any, window: HistoryWindow, ended_by: str) -> dict[str, Any]:
        return {
            "rows": history.write(path),
            "counts": history.counts(),
            "complete": ended_by != "max_pages",
            "ended_by": ended_by,
            "pages": history.pages,
            "undated": history.undated(),
            "zoneless": history.zoneless(),
            "newest_id": history.newest_id(),
            "since": _iso(window.since),
            "until": _iso(window.until),
            "results_path": str(self.results_path),
        }

    def _window(self) -> HistoryWindow:
        from airflow_provider_instasent.campaign.sms_history import HistoryWindow

        since, until = _moment("since", self.since), _moment("until", self.until)
        if since is not None and until is not None and since >= until:
            raise _wrong("`since` must be before `until`")
        return HistoryWindow(since, until, _text(self.until_id), self.max_pages)

    def _report(self, pages: int) -> None:
        if pages % _REPORT_EVERY == 0:
            self.log.info("%d pages read.", pages)


def _moment(name: str, value: Any) -> float | None:
    """Return a moment in unix seconds; one without a zone is in UTC."""
    if isinstance(value, str):
        text = _text(value)
        if text is None:
            return None
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise _wrong(f"`{name}` must be a date and time such as 2026-01-31T00:00:00+00:00") from None
    if value is None:
        return None
    if not isinstance(value, datetime):
        if not isinstance(value, date):
            raise _wrong(f"`{name}` must be a date and time, not {type(value).__name__}")
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    moment: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
    return moment.timestamp()


def _text(value: Any) -> str | None:
    """Return a templated text; a template of nothing renders to nothing or to `None`."""
    text = "" if value is None else str(value).strip()
    return None if not text or is_printed_missing(text) else text


def _iso(moment: float | None) -> str | None:
    return None if moment is None else datetime.fromtimestamp(moment, UTC).isoformat()


def _told(result: dict[str, Any]) -> tuple[Any, ...]:
    by_status = ", ".join(f"{status} {count}" for status, count in result["counts"].items())
    return result["rows"], by_status or "none", result["pages"], result["ended_by"]


def _wrong(reason: str) -> Exception:
    from airflow_provider_instasent.api.errors import ConfigurationError

    return ConfigurationError(reason)
