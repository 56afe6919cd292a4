# SPDX-License-Identifier: Apache-2.0
"""`@task.instasent_bulk`: a function whose messages are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_instasent.compat import (
    DecoratedOperator,
    context_merge,
    determine_kwargs,
    task_decorator_factory,
)
from airflow_provider_instasent.operators.bulk_sms import InstasentBulkSmsOperator
from airflow_provider_instasent.templating import Gives

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from airflow_provider_instasent.compat import Context, TaskDecorator
    from airflow_provider_instasent.planning.rows import Row


class _InstasentBulkDecoratedOperator(DecoratedOperator, InstasentBulkSmsOperator):
    """Sends what a function returns or yields.

    :param python_callable: returns or yields messages; with `text`, numbers or rows
    :param op_args: its positional arguments (templated)
    :param op_kwargs: its keyword arguments (templated)
    :param kwargs: of the bulk operator
    """

    custom_operator_name = "@task.instasent_bulk"
    template_fields: Sequence[str] = (
        *DecoratedOperator.template_fields,
        *(name for name in InstasentBulkSmsOperator.template_fields if name not in {"messages", "recipients"}),
    )
    template_gives: ClassVar[Mapping[str, Gives]] = {
        **InstasentBulkSmsOperator.template_gives,
        "op_args": Gives.ANYTHING,
        "op_kwargs": Gives.ANYTHING,
    }
    template_fields_renderers: ClassVar[dict[str, str]] = {**DecoratedOperator.template_fields_renderers}

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Collection[Any] | None = None,
        op_kwargs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(python_callable=python_callable, op_args=op_args, op_kwargs=op_kwargs, **kwargs)

    def check_inputs(self) -> None:
        """Check at DAG parsing that the messages come from the function alone.

        :raises ValueError: names the parameter that is wrong
        """
        if self.messages is not None or self.recipients is not None:
            raise ValueError("the messages come from the function: leave out `messages` and `recipients`")

    def execute(self, context: Context) -> Any:
        """Send what the function returns."""
        return InstasentBulkSmsOperator.execute(self, context)

    def make_rows(self, context: Context) -> Iterator[Row]:
        """Call the function and yield its messages or rows.

        :param context: the task's context
        """
        from airflow_provider_instasent.decorators.awaiting import awaited
        from airflow_provider_instasent.operators.inputs import file_format_of, rows_of

        context_merge(context, self.op_kwargs)
        arguments = determine_kwargs(self.python_callable, self.op_args, context)
        yield from awaited(
            self.python_callable(*self.op_args, **arguments),
            lambda made: rows_of(
                None if self.text is not None else made, self._made(made), self.to_column, file_format_of(self)
            ),
        )

    def _made(self, made: Any) -> Any:
        """Return what the function made.

        :raises ConfigurationError: where it made nothing
        """
        from airflow_provider_instasent.api.errors import ConfigurationError

        if made is None:
            raise ConfigurationError(
                f"the function `{self.python_callable.__name__}` returned None: return a list, or yield"
            )
        return made


def instasent_bulk_task(python_callable: Callable[..., Any] | None = None, **kwargs: Any) -> TaskDecorator:
    """Turn a function into a task that sends the messages it returns or yields.

    In each try the function must make the same messages; other ones are a change of plan (`on_plan_change`). It is
    not called again once the task is done. It may be `async def`, with or without `yield`.

    :param python_callable: the function
    :param kwargs: of :class:`~airflow_provider_instasent.operators.bulk_sms.InstasentBulkSmsOperator`; with `text`
        the function makes numbers or rows, without it whole messages
    """
    return task_decorator_factory(
        python_callable=python_callable, decorated_operator_class=_InstasentBulkDecoratedOperator, **kwargs
    )
