# SPDX-License-Identifier: Apache-2.0
"""A query's rows become messages."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_instasent.compat import AirflowException, AirflowNotFoundException, BaseHook
from airflow_provider_instasent.operators.bulk_sms import InstasentBulkSmsOperator
from airflow_provider_instasent.templating import Gives

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from airflow_provider_instasent.compat import Context
    from airflow_provider_instasent.planning.rows import Row


class SqlToInstasentOperator(InstasentBulkSmsOperator):
    """Send one SMS a row of a query, with the bulk operator's promise: none twice, none lost.

    A column is `row.<name>` in `text`. The query runs once a try and is read to its end before anything is sent,
    through a server-side cursor where the driver has one. A later try that gets other rows sends nothing and says
    what changed (`on_plan_change`), so let the query name the rows of one run, by the data interval for example.
    ORDER BY makes the positions in reports and results stable; without it the same messages are sent, each once, but
    positions may differ between tries.

    One query that only reads is what `sql` may be: each try runs it, a preview too. A statement that changes something,
    or several, are refused before anything is executed.

    :param sql: the query, or the path of a `.sql` file (templated)
    :param conn_id: the database, any that common-sql has a hook for (templated)
    :param parameters: of the query, in the driver's style (templated)
    :param to_column: the column with the number
    :param text: the row template
    :param kwargs: everything else as in
        :class:`~airflow_provider_instasent.operators.bulk_sms.InstasentBulkSmsOperator`
    """

    template_fields: Sequence[str] = (
        "sql",
        "conn_id",
        "parameters",
        *(name for name in InstasentBulkSmsOperator.template_fields if name not in {"messages", "recipients"}),
    )
    template_gives: ClassVar[Mapping[str, Gives]] = {
        **InstasentBulkSmsOperator.template_gives,
        "parameters": Gives.ANYTHING,
    }
    template_ext: Sequence[str] = (".sql",)
    template_fields_renderers: ClassVar[dict[str, str]] = {"sql": "sql", "parameters": "json"}

    def __init__(
        self,
        *,
        sql: str,
        conn_id: str,
        text: str,
        parameters: Mapping[str, Any] | Sequence[Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(text=text, **kwargs)
        self.sql = sql
        self.conn_id = conn_id
        self.parameters = parameters

    def check_inputs(self) -> None:
        """Check at DAG parsing that the rows come from the query alone.

        :raises ValueError: names the parameter that is wrong
        """
        if self.messages is not None or self.recipients is not None:
            raise ValueError("the rows come from `sql`: leave out `messages` and `recipients`")
        if not isinstance(self.text, str) or not self.text.strip():
            raise ValueError('`text` is the row template, such as "Hello {{ row.name }}"')

    def make_rows(self, context: Context) -> Iterator[Row]:  # noqa: ARG002 - the bulk operator's signature
        """Run the query and yield its rows as they come.

        :param context: the task's context
        """
        from airflow_provider_instasent.planning.row_source import rows_of_cursor
        from airflow_provider_instasent.transfers.cursors import streaming_cursor
        from airflow_provider_instasent.transfers.reading_only import check_reads_only, check_yields_rows

        hook = self._hook()
        check_reads_only(self.sql)
        with closing(hook.get_conn()) as connection, closing(streaming_cursor(connection)) as cursor:
            cursor.execute(self.sql, *([self.parameters] if self.parameters else []))
            check_yields_rows(cursor)
            yield from rows_of_cursor(cursor, self.to_column)

    def _hook(self) -> Any:
        from airflow_provider_instasent.api.errors import ConfigurationError
        from airflow_provider_instasent.transfers.database_providers import provider_of

        try:
            from airflow.providers.common.sql.hooks.sql import DbApiHook
        except ImportError:
            raise ConfigurationError("SQL needs common-sql: pip install 'airflow-provider-instasent[sql]'") from None
        try:
            hook = BaseHook.get_hook(self.conn_id)
        except AirflowNotFoundException:
            raise
        except (AirflowException, ImportError) as error:
            kind = BaseHook.get_connection(self.conn_id).conn_type
            package = provider_of(kind)
            fix = f": pip install {package}" if package else "; is the provider of that database installed?"
            raise ConfigurationError(
                f"`conn_id` names a connection of type `{kind}`, and there is no hook for it here ({error}){fix}"
            ) from error
        if not isinstance(hook, DbApiHook):
            raise ConfigurationError("`conn_id` names a connection whose hook is no common-sql database hook")
        return hook
