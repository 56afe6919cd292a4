# SPDX-License-Identifier: Apache-2.0
"""What the environment says of the way to the API: the proxy, and who vouches for a certificate.

It is read here, once a client, and both clients get the result. Left to themselves, their libraries read the same
variables by different rules, so that a message could be sent, and billed, whose status then cannot be read.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit
from urllib.request import getproxies_environment

import certifi

from airflow_provider_instasent.api.base_urls import is_loopback
from airflow_provider_instasent.api.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

CERTIFICATE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What may name the certificates to trust where the connection does not; the first that is set counts, alone."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

_HOST_NAME = re.compile(r"[a-z0-9._-]+")

_IN_BRACKETS = re.compile(r"\[(.*)\](/\d+)?$")

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.[0-9]+")
"""The name by which OpenSSL finds a certificate in a folder."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, as both clients take it.

    :ivar url: its scheme, host and, where it was given, port
    :ivar headers: what is said to the proxy alone: the `Proxy-Authorization`, where it wants one
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificates to trust: those of a file, or those of a folder.

    :ivar source: who names them, for errors
    :ivar file: path of a PEM file
    :ivar folder: path of a folder that `c_rehash` prepared; in `SSL_CERT_DIR`, of several
    """

    source: str
    file: str | None = None
    folder: str | None = None

    def context(self) -> ssl.SSLContext:
        """Return a TLS context that trusts them.

        :raises ConfigurationError: where there are none; names the source
        """
        try:
            if self.folder is not None:
                found = any(_HASHED_NAME.fullmatch(path.name) for path in _files_in(self.folder))
            else:
                with Path(self.file or "").open("rb"):
                    found = True
        except (OSError, ValueError):
            raise self._refusal("names nothing that can be read on this machine") from None
        try:
            context = ssl.create_default_context(cafile=self.file, capath=self.folder)
        except ssl.SSLError:
            found = False
        except OSError:  # the certificates were read: only this is opened besides
            raise ConfigurationError(
                "SSLKEYLOGFILE in the environment names a file that cannot be written; nothing was sent"
            ) from None
        if not found or (self.file is not None and not context.cert_store_stats()["x509"]):
            raise self._refusal("names a place without certificates")
        return context

    def _refusal(self, what: str) -> ConfigurationError:
        return ConfigurationError(
            f"{self.source} {what}, so nothing was sent; give the path of a PEM file, or of a folder of certificates "
            "that `c_rehash` prepared"
        )


@dataclass(frozen=True, slots=True)
class Network:
    """The way to the API.

    :ivar proxy: None to go there directly
    :ivar certificates: whom to trust, the API and a proxy alike
    :ivar speaks_tls: whether TLS is spoken at all, with either
    """

    proxy: Proxy | None
    certificates: Certificates
    speaks_tls: bool

    def tls_context(self) -> ssl.SSLContext:
        """Return the TLS context of the way, which takes about 20 ms; where no TLS is spoken, one that trusts nobody.

        :raises ConfigurationError: as :meth:`Certificates.context`
        """
        return self.certificates.context() if self.speaks_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def read_network(base_url: str, ca_bundle: str | None) -> Network:
    """Read the environment for a base URL; nothing is asked of the network.

    :param base_url: checked by :func:`~airflow_provider_instasent.api.base_urls.check_base_url`
    :param ca_bundle: what the connection says, which comes before the environment
    :raises ConfigurationError: where something named there cannot be used; names the variable, not its value
    """
    parts = urlsplit(base_url)
    proxy = _proxy_for(parts)
    speaks_tls = parts.scheme == "https" or (proxy is not None and proxy.url.startswith("https:"))
    certificates = _certificates(ca_bundle)
    if ca_bundle or (speaks_tls and certificates is not None):
        (certificates or _certifi()).context()
    return Network(proxy, certificates or _certifi(), speaks_tls)


def _certificates(ca_bundle: str | None) -> Certificates | None:
    """Return what is named explicitly; an empty variable names nothing."""
    if ca_bundle:
        return _at("`ca_bundle`", ca_bundle)
    for variable in CERTIFICATE_VARIABLES:
        if value := os.environ.get(variable):
            source = f"{variable} in the environment"
            return Certificates(source, folder=value) if variable == "SSL_CERT_DIR" else _at(source, value)
    return None


def _at(source: str, path: str) -> Certificates:
    is_folder = "\0" not in path and Path(path).is_dir()
    return Certificates(source, folder=path) if is_folder else Certificates(source, file=path)


def _certifi() -> Certificates:
    return Certificates("the package `certifi`", file=certifi.where())


def _files_in(folders: str) -> list[Path]:
    """Return what is in the folders of a list, as far as they exist.

    :raises OSError: where none does
    """
    existing = [Path(folder) for folder in folders.split(os.pathsep) if folder and Path(folder).is_dir()]
    return [path for folder in existing or [Path(folders)] for path in folder.iterdir()]


def _proxy_for(parts: SplitResult) -> Proxy | None:
    """Return the proxy that the environment names for a base URL, unless it exempts its host."""
    host, proxies = parts.hostname or "", getproxies_environment()
    kind = next((kind for kind in (parts.scheme, "all") if proxies.get(kind, "").strip()), None)
    # What is sent to this machine needs no TLS, so it must not leave it, and a proxy's loopback is another one.
    if kind is None or is_loopback(host) or _is_exempt(parts, proxies.get("no", "")):
        return None
    variable = next(
        name for name, value in os.environ.items() if name.lower() == f"{kind}_proxy" and value == proxies[kind]
    )
    if ":" in host:
        raise ConfigurationError(
            f"{variable} in the environment names a proxy, which cannot be asked for a bare IPv6 address: put the "
            "address into NO_PROXY, or name the host. Nothing was sent"
        )
    return _parsed(variable, proxies[kind].strip())


def _is_exempt(parts: SplitResult, entries: str) -> bool:
    """Tell whether `NO_PROXY` exempts the host of a base URL."""
    host, port = (parts.hostname or "").rstrip("."), parts.port or _DEFAULT_PORTS[parts.scheme]
    return any(_matches(entry, parts.scheme, host, port) for entry in re.split(r"[\s,]+", entries.lower()) if entry)


def _matches(entry: str, scheme: str, host: str, port: int) -> bool:
    of_scheme, separator, place = entry.rpartition("://")
    if separator:
        place = place.partition("/")[0]
    try:
        name, of_port, network = _entry(place)
    except ValueError:
        return False
    if (separator and of_scheme not in {scheme, "all"}) or of_port not in {None, port}:
        return False
    if name == "*":
        return True
    if (address := _address(host)) is not None:
        return network is not None and address in network
    domain = name.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _entry(place: str) -> tuple[str, int | None, _Network | None]:
    """Return the name, the port and, where it is one, the network or single address that an entry means.

    :raises ValueError: where it means nothing
    """
    with suppress(ValueError):
        return place, None, ipaddress.ip_network(_IN_BRACKETS.sub(r"\1\2", place), strict=False)
    parts = urlsplit(f"//{place}")
    if parts.path or not parts.hostname:
        raise ValueError("neither a network nor a host")
    with suppress(ValueError):
        return parts.hostname, parts.port, ipaddress.ip_network(parts.hostname)
    return parts.hostname, parts.port, None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _parsed(variable: str, value: str) -> Proxy:
    """Return the proxy of a URL, or of `host:port`."""

    def refusal(what: str) -> ConfigurationError:
        return ConfigurationError(
            f"{variable} in the environment {what}, so nothing was sent; give one such as http://proxy.example:3128 "
            "(an `@`, `:`, `/`, `?`, `#` or `%` in its user name or password as %40, %3A and so on), or put the API's "
            "host into NO_PROXY"
        )

    try:
        parts = urlsplit(value if "://" in value else f"http://{value.removeprefix('//')}")
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        raise refusal("is not the URL of a proxy") from None
    if parts.scheme.startswith("socks"):
        raise refusal("names a SOCKS proxy, where only an HTTP proxy can be used")
    if parts.scheme not in _DEFAULT_PORTS:
        raise refusal("names a proxy of an unknown kind, where only an HTTP proxy can be used")
    whole = value.isprintable() and " " not in value and port != 0
    if not whole or parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise refusal("is not the URL of a proxy")
    url = f"{parts.scheme}://{host}" + (f":{port}" if port else "")
    if not parts.username and not parts.password:
        return Proxy(url, {})
    # Encoded here: the libraries differ in what they do with characters outside ASCII, and with an absent password.
    secret = unquote_to_bytes(parts.username or "") + b":" + unquote_to_bytes(parts.password or "")
    return Proxy(url, {"Proxy-Authorization": f"Basic {b64encode(secret).decode()}"})


def _host(host: str) -> str:
    """Return the host of a proxy as it stands in a URL.

    :raises ValueError: where it is none
    """
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host)}]"
    name = host.encode("idna").decode().lower()
    if not _HOST_NAME.fullmatch(name):
        raise ValueError("no host name")
    return name
