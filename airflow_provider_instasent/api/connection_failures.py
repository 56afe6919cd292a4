# SPDX-License-Identifier: Apache-2.0
"""How both clients say that a connection failed, without the URL."""

from __future__ import annotations

from airflow_provider_instasent.api.connection_fields import BASE_URL_OR_HOST

UNKNOWN_HOST = (
    f"the host name is not known: check `{BASE_URL_OR_HOST}` of the connection, and that this machine can resolve names"
)
NO_LISTENER = f"nothing listens there, or the network is down: check `{BASE_URL_OR_HOST}` and `port` of the connection"
NOT_OPENED = "the connection could not be opened in time (`connect_timeout`)"
NO_ANSWER = "no answer in time (`read_timeout`)"
NO_PROXY = (
    "the proxy did not connect: it cannot be reached, refuses the API's host, or wants another user name and password "
    "(HTTPS_PROXY, HTTP_PROXY or ALL_PROXY in the environment names it; NO_PROXY, the hosts to be reached without it)"
)
NO_TLS = (
    "TLS failure: the certificate or the protocol was not accepted (`ca_bundle`, or else REQUESTS_CA_BUNDLE, "
    "CURL_CA_BUNDLE, SSL_CERT_FILE or SSL_CERT_DIR in the environment, names whom to trust; where the server speaks "
    f"no TLS, as a sandbox does, `{BASE_URL_OR_HOST}` must begin with http://)"
)
CUT_SHORT = "the answer was cut short"
CUT = "the connection was cut"
OVERDUE = "the answer did not come to its end in time (`read_timeout`, four times)"


def unexpected(error: Exception) -> str:
    """Return how a failure of no known kind is told; what it says itself may hold an address.

    :param error: what an HTTP library raised
    """
    return f"{type(error).__name__} while the answer was awaited or read"
