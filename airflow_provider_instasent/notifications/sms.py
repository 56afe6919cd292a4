# SPDX-License-Identifier: Apache-2.0

"""An SMS when a task or a DAG fails, retries, succeeds or is late."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_instasent.compat import BaseNotifier
from airflow_provider_instasent.hooks.instasent import InstasentHook
from airflow_provider_instasent.parameters import check_parameters
from airflow_provider_instasent.templating import Gives, TemplatedFields

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from airflow_provider_instasent.compat import Context
    from airflow_provider_instasent.hooks.connection import ConnectionSettings
    from airflow_provider_instasent.notifications.alert import Alert

_SLA_MISS = ("dag", "task_list", "blocking_task_list", "slas", "blocking_tis")


class InstasentNotifier(TemplatedFields, BaseNotifier):
    """Send an SMS from a callback: `on_failure_callback=InstasentNotifier(to="+34600000001")`.

    Works in task and DAG callbacks, in deadline alerts (from Airflow 3.1) and as a HITL operator's notifier. An alert
    that cannot be sent is one line in the log and never breaks the callbacks after it. It is tried again once at most,
    and only where nothing was sent: the API could not be reached. The same alert about the same try of a task carries
    the same clientId.

    :param to: a number or a list of numbers (templated)
    :param text: what it says; default: DAG, task, try and state, as far as the callback knows them (templated)
    :param sender: who it comes from; default: the connection's (templated)
    :param max_parts: longer texts are shortened with an ellipsis, not billed as more parts
    :param instasent_conn_id: the connection (templated)
    :param kwargs: of Airflow's own, such as `context` from 3.1 on
    :raises ValueError: names the parameter that is wrong
    """

    template_fields: Sequence[str] = ("to", "text", "sender", "instasent_conn_id")
    template_gives: ClassVar[Mapping[str, Gives]] = {"to": Gives.LIST}

    def __init__(
        self,
        *,
        to: str | Sequence[str],
        text: str | None = None,
        sender: str | None = None,
        instasent_conn_id: str = InstasentHook.default_conn_name,
        max_parts: int = 2,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not to:
            raise ValueError("`to` must be a number or a list of numbers")
        self.to = to
        self.text = text
        self.sender = sender
        self.instasent_conn_id = instasent_conn_id
        self.max_parts = max_parts
        self._template = text
        check_parameters(self)

    def __call__(self, *args: Any) -> None:
        """Send the alert; never raises.

        :param args: the context; or, for an SLA miss of Airflow 2, what it gives in its place
        """
        context: Any = args[0] if len(args) == 1 else dict(zip(_SLA_MISS, args, strict=False))
        self._copy().alert_now(context)

    def __await__(self) -> Generator[Any, None, None]:
        """Send the alert about `context` on an event loop; never raises."""
        return self._copy().alert_soon().__await__()

    def alert_now(self, context: Context) -> None:
        """Render and send, and log what goes wrong. This changes the notifier: calling it works on a copy.

        :param context: whatever the callback has of it
        """
        try:
            self.render_template_fields(context)
            self.notify(context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the callbacks after this one must run
            self._not_sent(error)

    async def alert_soon(self) -> None:
        """Do the same on an event loop, about `context`."""
        try:
            self.render_template_fields(self.context)
            await self.async_notify(self.context)
        except Exception as error:  # noqa: BLE001 - as above
            self._not_sent(error)

    def _copy(self) -> InstasentNotifier:
        """Return a notifier to render: rendering changes it for good, and one notifier may serve many callbacks."""
        return copy.copy(self)

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Render the templates, also where the context has no DAG, or one that cannot render."""
        dag = context.get("dag")
        if not hasattr(dag, "get_template_env"):
            context, dag = {**context, "dag": None}, None
        jinja_env = jinja_env or self.get_template_env(dag=dag)
        # Airflow has none to give of a task that it lost sight of, which is no reason to keep silent about it.
        jinja_env.globals.setdefault("exception", "")
        super().render_template_fields(context, jinja_env)

    def notify(self, context: Context) -> None:
        """Send the alert from a callback.

        :param context: whatever the callback has of it
        :raises InstasentError: where it was not sent, or nothing tells whether it was
        """
        from airflow_provider_instasent.notifications.alert import client_settings

        hook = InstasentHook(self.instasent_conn_id)
        alert = self._alert(context, hook.settings)
        with hook.get_conn(**client_settings()) as client:
            if len(alert.messages) == 1:
                alert.accepted(client.send_sms(alert.messages[0])["id"])
            else:
                alert.settle(client.send_bulk(alert.messages))

    async def async_notify(self, context: Context) -> None:
        """Send the alert from the triggerer, without blocking its event loop.

        :param context: whatever the callback has of it; of a deadline alert `dag_run` and `deadline` alone
        :raises InstasentError: as of :meth:`notify`
        """
        from airflow_provider_instasent.notifications.alert import client_settings

        hook = InstasentHook(self.instasent_conn_id)
        settings = await hook.aget_settings()
        # The first number loads libphonenumber, which would block the loop.
        alert = await asyncio.to_thread(self._alert, context, settings)
        async with await hook.aget_conn(**client_settings()) as client:
            if len(alert.messages) == 1:
                alert.accepted((await client.send_sms(alert.messages[0]))["id"])
            else:
                alert.settle(await client.send_bulk(alert.messages))

    def _alert(self, context: Any, settings: ConnectionSettings) -> Alert:
        from airflow_provider_instasent.notifications.alert import Alert

        return Alert(
            context,
            settings,
            to=[self.to] if isinstance(self.to, str) or not isinstance(self.to, Iterable) else list(self.to),
            text=self.text,
            template=self._template,
            sender=self.sender,
            max_parts=self.max_parts,
            log=self.log,
        )

    def _not_sent(self, error: Exception) -> None:
        from airflow_provider_instasent.notifications.alert import complaint

        self.log.error("%s", complaint(error, self.text))


send_instasent_notification = InstasentNotifier
