# SPDX-License-Identifier: Apache-2.0

"""The hook: from an Airflow connection to Instasent's API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_instasent.compat import BaseHook
from airflow_provider_instasent.hooks import connection_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_provider_instasent.api.async_client import AsyncInstasentClient
    from airflow_provider_instasent.api.client import InstasentClient
    from airflow_provider_instasent.api.message import Sms
    from airflow_provider_instasent.api.message_outcome import MessageOutcome
    from airflow_provider_instasent.hooks.connection import ConnectionSettings


class InstasentHook(BaseHook):
    """Send SMS and read what became of them with an Airflow connection of type `instasent`.

    The hook keeps no journal. A send whose outcome is unknown therefore raises
    :class:`~airflow_provider_instasent.hooks.errors.InstasentUnconfirmedError`, which ends the task without a retry:
    `@task(retries=2)` around a single send cannot text twice. What it cannot see is your own code: if that fails
    after a send and is retried, it sends again. Use the operators where that must not happen.

    :param instasent_conn_id: the connection; nothing is read from it before it is needed
    """

    conn_name_attr = "instasent_conn_id"
    default_conn_name = "instasent_default"
    conn_type = connection_extra.CONNECTION_TYPE
    hook_name = connection_extra.HOOK_NAME

    def __init__(self, instasent_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.instasent_conn_id = instasent_conn_id
        self._settings: ConnectionSettings | None = None
        self._client: InstasentClient | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the connection form's own fields, for Airflow before 3.2."""
        return connection_extra.widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return what the connection form does with the standard fields, for Airflow before 3.2."""
        return {
            "hidden_fields": list(connection_extra.HIDDEN_FIELDS),
            "relabeling": connection_extra.RELABELING,
            "placeholders": connection_extra.PLACEHOLDERS,
        }

    @property
    def settings(self) -> ConnectionSettings:
        """What the connection says; read once.

        :raises ConfigurationError: names the field that is wrong
        """
        if self._settings is None:
            connection = self.get_connection(self.instasent_conn_id)
            self._settings = self._read(connection, connection.extra_dejson)
        return self._settings

    async def aget_settings(self) -> ConnectionSettings:
        """Return :attr:`settings` without blocking the event loop; the property then needs no reading."""
        if self._settings is None:
            from airflow_provider_instasent.compat import connection_on_a_loop

            self._settings = self._read(*await connection_on_a_loop(type(self), self.instasent_conn_id))
        return self._settings

    def _read(self, connection: Any, extra: Any) -> ConnectionSettings:
        from airflow_provider_instasent.hooks.connection import read_connection

        settings = read_connection(
            password=connection.password,
            host=connection.host,
            schema=connection.schema,
            port=connection.port,
            extra=extra,
        )
        if settings.unknown_extras:
            self.log.warning(
                "The connection %s has unknown extras: %s. Known are: %s.",
                self.instasent_conn_id,
                ", ".join(settings.unknown_extras),
                ", ".join(field.name for field in connection_extra.EXTRA_FIELDS),
            )
        return settings

    @staticmethod
    def _client_settings(settings: ConnectionSettings) -> dict[str, Any]:
        from airflow_provider_instasent.compat import airflow_version
        from airflow_provider_instasent.hooks.metrics import AIRFLOW_COUNTERS

        return {
            **settings.client_settings(),
            "user_agent_suffix": f"Airflow/{airflow_version()}",
            "counters": AIRFLOW_COUNTERS,
        }

    def get_conn(self, **overrides: Any) -> InstasentClient:
        """Return a client for this connection.

        :param overrides: fields of :class:`~airflow_provider_instasent.api.client_settings.ClientSettings` in place of
            the connection's, such as `retry_policy`, `read_timeout` or `max_in_flight`
        :returns: with overrides, a new client that the caller closes; otherwise the hook's own, always the same one
            until :meth:`close`
        :raises ConfigurationError: names the field of the connection that is wrong
        """
        from airflow_provider_instasent.api.client import InstasentClient

        if overrides:
            return InstasentClient(**{**self._client_settings(self.settings), **overrides})
        if self._client is None:
            self._client = InstasentClient(**self._client_settings(self.settings))
        return self._client

    async def aget_conn(self, **overrides: Any) -> AsyncInstasentClient:
        """Return a new asynchronous client for this connection; the caller closes it.

        :param overrides: as in :meth:`get_conn`
        :raises ConfigurationError: names the field of the connection that is wrong
        """
        settings = await self.aget_settings()
        from airflow_provider_instasent.api.async_client import AsyncInstasentClient

        # Certificates that the environment names are read when a client is made, which is too long for an event loop.
        return await asyncio.to_thread(AsyncInstasentClient, **{**self._client_settings(settings), **overrides})

    def close(self) -> None:
        """Close the hook's own client; the next call opens another."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def message(
        self,
        *,
        to: Any,
        text: Any,
        sender: str | None = None,
        allow_unicode: bool | None = None,
        client_id: str | None = None,
        position: int | None = None,
    ) -> Sms:
        """Return a checked message, with the connection's defaults for what is not given.

        :param to: a number, in international format or that of the connection's `default_region`
        :param text: the text
        :param sender: the API's `from`; None for the connection's
        :param allow_unicode: ask for UCS-2 where the text needs it; None for the connection's
        :param client_id: at most 40 characters, unique per message
        :param position: the message's place in its batch, from 0, for the error
        :raises InvalidMessageError: names the field that is wrong and what to do
        """
        from airflow_provider_instasent.api.message import Sms

        settings = self.settings
        return Sms.create(
            to=to,
            text=text,
            sender=settings.sender if sender is None else sender,
            allow_unicode=settings.allow_unicode if allow_unicode is None else allow_unicode,
            client_id=client_id,
            default_region=settings.default_region,
            position=position,
        )

    def send_sms(
        self,
        to: Any,
        text: str,
        sender: str | None = None,
        *,
        allow_unicode: bool | None = None,
        client_id: str | None = None,
    ) -> dict[str, Any]:
        """Send one message; the parameters are those of :meth:`message`.

        :returns: the accepted SMS as the API describes it, with at least `id`
        :raises InvalidMessageError: names the field that is wrong; nothing was sent
        :raises InstasentUnconfirmedError: where it may or may not have been accepted; the task is not retried
        :raises ApiError: where it was not accepted
        """
        from airflow_provider_instasent.hooks import sending

        message = self.message(to=to, text=text, sender=sender, allow_unicode=allow_unicode, client_id=client_id)
        return sending.send_one(self.get_conn(), message)

    def send_bulk(self, messages: Iterable[Mapping[str, Any] | Sms]) -> list[MessageOutcome]:
        """Send any number of messages, 100 a call; all are checked before the first is sent.

        :param messages: mappings of `to`, `text` and, where wanted, `sender`, `allow_unicode`, `client_id`; or `Sms`
        :returns: one outcome a message, accepted (with its id) or rejected (with the reason), in input order
        :raises InvalidMessageError: names the field and the position that are wrong; nothing was sent
        :raises InstasentUnconfirmedError: where some may or may not have been accepted; the task is not retried
        :raises InstasentPartlySentError: where some were accepted before something stopped the rest; the same
        :raises BulkStoppedError: where something stopped it before any was accepted
        """
        from airflow_provider_instasent.hooks import sending

        ready = sending.checked(messages, self.message)
        return sending.send_many(self.get_conn(), ready)

    def get_sms(self, sms_id: str) -> dict[str, Any]:
        """Read one SMS by its id.

        :raises NotFoundError: where it is absent or not visible to this token
        """
        return self.get_conn().get_sms(sms_id)

    def iter_sms(self, per_page: int = 50) -> Iterator[dict[str, Any]]:
        """Iterate over the list of SMS, page by page as they are asked for, each SMS once.

        :param per_page: how many are asked for at a time; the API may give fewer (its largest page is unknown)
        """
        return self.get_conn().iter_sms(per_page)

    def lookup(self, to: Any) -> dict[str, Any]:
        """Look up one number. This is billed.

        :param to: a number, in international format or that of the connection's `default_region`
        :returns: the accepted lookup as the API describes it, with at least `id`; it may not be finished yet
        :raises InvalidMessageError: where it is no possible number; nothing was asked
        :raises InstasentUnconfirmedError: where it may or may not have been accepted; the task is not retried
        :raises ApiError: where it was not accepted
        """
        from airflow_provider_instasent.api.numbers import normalise
        from airflow_provider_instasent.hooks import sending

        return sending.look_up(self.get_conn(), normalise(to, self.settings.default_region).e164)

    def get_lookup(self, lookup_id: str) -> dict[str, Any]:
        """Read one lookup by its id.

        :raises NotFoundError: where it is absent or not visible to this token
        """
        return self.get_conn().get_lookup(lookup_id)

    def iter_lookups(self, per_page: int = 50) -> Iterator[dict[str, Any]]:
        """Iterate over the list of lookups, as :meth:`iter_sms` does over that of SMS."""
        return self.get_conn().iter_lookups(per_page)

    def get_price_profile(self, kind: str) -> list[dict[str, Any]]:
        """Read what SMS or lookups cost per country, as the API sends it (its shape is unknown).

        :param kind: `sms` or `lookup`
        :raises NotFoundError: names the setting of the connection that holds the path, which is a guess
        """
        from airflow_provider_instasent.api.price_profile_paths import path_of, setting_of

        path_of(kind)
        return self.get_conn().get_price_profile(kind, getattr(self.settings, setting_of(kind)))

    def get_account(self) -> dict[str, Any]:
        """Read the account.

        :returns: what the API says, as it is: `available`, a number or a string, and `currency` (confirmed). A balance
            that is missing or null is not 0
        """
        return self.get_conn().get_account()

    def test_connection(self) -> tuple[bool, str]:
        """Ask for the account, quickly and without retries, and check the connection's defaults; never raises.

        :returns: whether the connection works, and the balance or what is wrong and what to do
        """
        from airflow_provider_instasent.api.client import InstasentClient
        from airflow_provider_instasent.api.errors import InstasentError
        from airflow_provider_instasent.hooks.diagnosis import diagnose, hasty

        try:
            settings = self.settings
            with InstasentClient(**hasty(self._client_settings(settings))) as client:
                return diagnose(client, settings.sender, settings.default_region)
        except InstasentError as error:
            return False, str(error)
        except Exception as error:  # noqa: BLE001 - the test button shows what is returned, never a traceback
            return False, f"{type(error).__name__}: the connection `{self.instasent_conn_id}` could not be tested"
