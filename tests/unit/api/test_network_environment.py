# SPDX-License-Identifier: Apache-2.0
"""What the environment says of the way to the API, in tables: which proxy, exempt or not, and whose certificates."""

from __future__ import annotations

import base64
import os
import shutil
import ssl

import certifi
import pytest
from support.certificates import hashed_folder, write_certificate

from airflow_provider_instasent.api.errors import ConfigurationError
from airflow_provider_instasent.api.network_environment import CERTIFICATE_VARIABLES, read_network

API = "https://api.instasent.com/transactional/v1"
PROXY = "http://proxy.example:3128"


@pytest.fixture
def proxy_of(monkeypatch):
    """Makes the environment, and tells which proxy it names for a base URL."""

    def read(base_url, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        proxy = read_network(base_url, None).proxy
        return proxy and proxy.url

    return read


@pytest.mark.parametrize(
    ("base_url", "environment", "expected"),
    [
        (API, {}, None),
        (API, {"HTTPS_PROXY": PROXY}, PROXY),
        (API, {"https_proxy": PROXY}, PROXY),
        (API, {"Https_Proxy": PROXY}, PROXY),
        (API, {"ALL_PROXY": PROXY}, PROXY),
        (API, {"all_proxy": PROXY}, PROXY),
        (API, {"HTTP_PROXY": PROXY}, None),
        (API, {"https_proxy": PROXY, "HTTPS_PROXY": "http://upper.example"}, PROXY),
        (API, {"HTTPS_PROXY": PROXY, "all_proxy": "http://all.example"}, PROXY),
        (API, {"HTTPS_PROXY": PROXY, "https_proxy": ""}, None),
        (API, {"HTTPS_PROXY": "  ", "ALL_PROXY": PROXY}, PROXY),
        (API, {"HTTPS_PROXY": "", "ALL_PROXY": ""}, None),
        (API, {"FTP_PROXY": PROXY, "SOCKS_PROXY": PROXY, "PROXY": PROXY}, None),
        ("http://api.internal", {"HTTP_PROXY": PROXY}, PROXY),
        ("http://api.internal", {"HTTPS_PROXY": PROXY}, None),
        ("http://api.internal", {"ALL_PROXY": PROXY}, PROXY),
        # As a CGI program, where a client's header `Proxy:` turns up as HTTP_PROXY.
        ("http://api.internal", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None),
        ("http://api.internal", {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, PROXY),
        (API, {"HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"}, PROXY),
        # This machine.
        ("http://localhost:8700", {"ALL_PROXY": PROXY}, None),
        ("http://127.0.0.1:8700", {"HTTP_PROXY": PROXY}, None),
        ("https://127.8.8.8", {"HTTPS_PROXY": PROXY}, None),
        ("http://[::1]:8700", {"ALL_PROXY": PROXY}, None),
        ("https://localhost.example", {"HTTPS_PROXY": PROXY}, PROXY),
        # What is not used is not judged.
        (API, {"HTTPS_PROXY": PROXY, "ALL_PROXY": "socks5://socks.example"}, PROXY),
        (API, {"HTTPS_PROXY": "socks5://socks.example", "NO_PROXY": "*"}, None),
        ("http://localhost:8700", {"ALL_PROXY": "nonsense://"}, None),
    ],
)
def test_which_variable_names_the_proxy(proxy_of, base_url, environment, expected):
    assert proxy_of(base_url, **environment) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example", "http://proxy.example"),
        ("//proxy.example:3128", "http://proxy.example:3128"),
        ("http://proxy.example:3128/", "http://proxy.example:3128"),
        ("HTTP://Proxy.Example:3128", "http://proxy.example:3128"),
        ("https://proxy.example:443", "https://proxy.example:443"),
        (" http://proxy.example:3128\n", "http://proxy.example:3128"),
        ("http://10.0.0.7:3128", "http://10.0.0.7:3128"),
        ("http://[2001:DB8::7]:3128", "http://[2001:db8::7]:3128"),
        ("[2001:db8::7]:3128", "http://[2001:db8::7]:3128"),
        ("http://my_proxy.corp:3128", "http://my_proxy.corp:3128"),
        ("http://bücher.example:3128", "http://xn--bcher-kva.example:3128"),
        ("http://proxy.example:", "http://proxy.example"),
        ("http://user:secret@proxy.example:3128", "http://proxy.example:3128"),
    ],
)
def test_how_a_proxy_may_be_written(proxy_of, value, expected):
    assert proxy_of(API, HTTPS_PROXY=value) == expected


@pytest.mark.parametrize(
    ("value", "said"),
    [
        *(
            (f"{scheme}://user:secret@socks.example:1080", "SOCKS")
            for scheme in ("socks5", "socks5h", "socks4", "SOCKS")
        ),
        ("ftp://user:secret@proxy.example", "unknown kind"),
        ("pac+http://secret.example/proxy.pac", "unknown kind"),
        ("http://secret.example/proxy.pac", "not the URL"),
        ("http://user:se#cret@proxy.example:3128", "not the URL"),
        ("http://user:12#secret@proxy.example:3128", "not the URL"),
        ("http://user:12/secret@proxy.example:3128", "not the URL"),
        ("http://user:12?secret@proxy.example:3128", "not the URL"),
        ("http://secret.example:port", "not the URL"),
        ("http://secret.example:99999", "not the URL"),
        ("http://secret.example:0", "not the URL"),
        ("http://sec ret.example", "not the URL"),
        ("http://user:sec\tret@proxy.example", "not the URL"),
        ("http://[secret", "not the URL"),
        ("http://[secret]:3128", "not the URL"),
        ("http://secret|other", "not the URL"),
        ("http://secret..example", "not the URL"),
        ("http://" + "secret" * 20, "not the URL"),
        ("http://", "not the URL"),
        ("http://user:secret@", "not the URL"),
        (":3128", "not the URL"),
        ("http://sec\udcffret.example", "not the URL"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_and_not_repeated(proxy_of, value, said):
    with pytest.raises(ConfigurationError, match=said) as caught:
        proxy_of(API, https_proxy=value, HTTPS_PROXY=PROXY)

    assert str(caught.value).startswith("https_proxy in the environment")
    assert "nothing was sent" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "Https_proxy"])
def test_a_refused_variable_is_named_as_it_is_written(proxy_of, name):
    with pytest.raises(ConfigurationError, match=f"^{name} "):
        proxy_of(API, **{name: "socks5://socks.example"})


@pytest.mark.parametrize(
    ("userinfo", "expected"),
    [
        ("user:word", b"user:word"),
        ("user", b"user:"),
        ("user:", b"user:"),
        (":word", b":word"),
        ("DOMAIN%5Cuser:p%40%3A%2F%25", b"DOMAIN\\user:p@:/%"),
        ("user:p@ss", b"user:p@ss"),
        ("user:päss", "user:päss".encode()),
        ("user:p%C3%A4ss", "user:päss".encode()),
        ("user:p+q", b"user:p+q"),
    ],
)
def test_user_name_and_password_of_a_proxy(monkeypatch, userinfo, expected):
    monkeypatch.setenv("HTTPS_PROXY", f"http://{userinfo}@proxy.example:3128")

    network = read_network(API, None)

    scheme, _, encoded = network.proxy.headers["Proxy-Authorization"].partition(" ")
    assert (scheme, base64.b64decode(encoded)) == ("Basic", expected)
    assert network.proxy.url == PROXY
    assert encoded not in repr(network)
    assert "word" not in repr(network)


@pytest.mark.parametrize("value", [PROXY, "http://@proxy.example:3128", "http://:@proxy.example:3128"])
def test_a_proxy_without_a_user_is_told_none(monkeypatch, value):
    monkeypatch.setenv("HTTPS_PROXY", value)

    assert read_network(API, None).proxy.headers == {}


NAME, V4, V6 = "https://api.instasent.com", "https://10.1.2.3", "https://[2001:db8::5]"


@pytest.mark.parametrize(
    ("base_url", "entries", "exempt"),
    [
        (NAME, "*", True),
        (NAME, "localhost,*", True),
        (NAME, "api.instasent.com", True),
        (NAME, "API.Instasent.COM", True),
        ("https://API.Instasent.com", "api.instasent.com", True),
        (NAME, "instasent.com", True),
        (NAME, ".instasent.com", True),
        (NAME, "*.instasent.com", True),
        (NAME, ".api.instasent.com", True),
        (NAME, "com", True),
        (NAME, "stasent.com", False),
        (NAME, "instasent", False),
        (NAME, "www.api.instasent.com", False),
        (NAME, "api.instasent.com.", True),
        ("https://api.instasent.com.", "api.instasent.com", True),
        (NAME, "localhost, 127.0.0.1 ,  api.instasent.com", True),
        (NAME, "localhost api.instasent.com", True),
        (NAME, ",,, ,", False),
        (NAME, "", False),
        (NAME, ".", False),
        (NAME, "*.", False),
        (NAME, "api.instasent.com:443", True),
        (NAME, "instasent.com:443", True),
        (NAME, "*:443", True),
        (NAME, "*:80", False),
        (NAME, "api.instasent.com:8443", False),
        ("https://api.instasent.com:8443", "api.instasent.com:8443", True),
        ("https://api.instasent.com:8443", "api.instasent.com:443", False),
        ("https://api.instasent.com:8443", "api.instasent.com", True),
        (NAME, "api.instasent.com:port", False),
        (NAME, "https://api.instasent.com", True),
        (NAME, "https://api.instasent.com/", True),
        (NAME, "all://instasent.com", True),
        (NAME, "http://api.instasent.com", False),
        (NAME, "10.0.0.0/8", False),
        (NAME, "api.instasent.com/path", False),
        (NAME, "[api.instasent.com", False),
        (NAME, "https://", False),
        (V4, "10.1.2.3", True),
        (V4, "10.1.2.3:443", True),
        (V4, "10.1.2.3:80", False),
        (V4, "10.0.0.0/8", True),
        (V4, "10.1.2.3/8", True),
        (V4, "10.1.2.3/32", True),
        (V4, "10.0.0.0/255.0.0.0", True),
        (V4, "10.2.0.0/16", False),
        (V4, "10.1.2.3/33", False),
        (V4, "1.2.3", False),
        (V4, "3", False),
        (V4, "10.1.2.30", False),
        (V4, "*", True),
        (V4, "::/0", False),
        (V6, "2001:db8::5", True),
        (V6, "2001:DB8:0:0::0005", True),
        (V6, "[2001:db8::5]", True),
        (V6, "[2001:db8::5]:443", True),
        (V6, "2001:db8::/32", True),
        (V6, "[2001:db8::]/32", True),
        (V6, "[2001:db8::/32]", True),
        (V6, "*", True),
        ("https://[::ffff:10.1.2.3]", "10.0.0.0/8", True),
    ],
)
def test_which_hosts_no_proxy_exempts(proxy_of, base_url, entries, exempt):
    found = proxy_of(base_url, HTTPS_PROXY=PROXY, NO_PROXY=entries)

    assert found == (None if exempt else PROXY)


def test_no_proxy_in_small_letters_comes_first(proxy_of):
    assert proxy_of(NAME, HTTPS_PROXY=PROXY, NO_PROXY=NAME[8:], no_proxy="other.example") == PROXY


@pytest.mark.parametrize("entries", ["", "[2001:db8::6]", "[2001:db8::5]:80", "2001:db9::/32", "0.0.0.0/0"])
def test_a_bare_ipv6_address_is_not_asked_of_a_proxy(proxy_of, entries):
    """httpx leaves out its brackets, which no proxy understands."""
    with pytest.raises(ConfigurationError, match=r"HTTPS_PROXY .* bare IPv6 address"):
        proxy_of(V6, HTTPS_PROXY=PROXY, NO_PROXY=entries)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Places that a variable may name."""
    root = tmp_path_factory.mktemp("places")
    ours, key = write_certificate(root, "ours")
    text = root / "text.pem"
    text.write_text("-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n")
    (root / "empty.pem").touch()
    (root / "folder").mkdir()
    shutil.copy(ours, root / "folder")
    certificate = ssl.PEM_cert_to_DER_cert(ours.read_text())
    (root / "binary.crt").write_bytes(certificate)
    found = {"ours": ours, "key": key, "text": text, "hashed": hashed_folder(root / "hashed", ours)}
    names = {"empty": "empty.pem", "folder": "folder", "binary": "binary.crt", "missing": "missing.pem"}
    return {name: str(path) for name, path in found.items()} | {name: str(root / path) for name, path in names.items()}


def trusted(network):
    return network.certificates.file or network.certificates.folder


@pytest.mark.parametrize(
    ("ca_bundle", "environment", "expected"),
    [
        (None, {}, None),
        ("ours", {}, "ours"),
        ("hashed", {}, "hashed"),
        ("ours", dict.fromkeys(CERTIFICATE_VARIABLES, "missing"), "ours"),
        *((None, {name: "ours"}, "ours") for name in CERTIFICATE_VARIABLES[:3]),
        *((None, {name: "hashed"}, "hashed") for name in CERTIFICATE_VARIABLES),
        (None, {"REQUESTS_CA_BUNDLE": "ours", "CURL_CA_BUNDLE": "missing", "SSL_CERT_FILE": "missing"}, "ours"),
        (None, {"CURL_CA_BUNDLE": "ours", "SSL_CERT_FILE": "missing"}, "ours"),
        (None, {"SSL_CERT_FILE": "ours", "SSL_CERT_DIR": "missing"}, "ours"),
        (None, {"REQUESTS_CA_BUNDLE": "", "SSL_CERT_DIR": "hashed"}, "hashed"),
    ],
)
def test_whose_certificates_are_trusted(places, monkeypatch, ca_bundle, environment, expected):
    for name, place in environment.items():
        monkeypatch.setenv(name, places.get(place, place))

    network = read_network(API, ca_bundle and places[ca_bundle])

    assert trusted(network) == (places[expected] if expected else certifi.where())
    context = network.tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("place", ["missing", "empty", "text", "key", "binary", "folder", "/dev/null", "~/ours.pem"])
@pytest.mark.parametrize("source", ["`ca_bundle`", *CERTIFICATE_VARIABLES])
def test_certificates_that_are_none_are_refused_by_the_name_of_their_source(places, monkeypatch, source, place):
    path = places.get(place, place)
    if source in CERTIFICATE_VARIABLES:
        monkeypatch.setenv(source, path)

    with pytest.raises(ConfigurationError) as caught:
        read_network(API, path if source == "`ca_bundle`" else None)

    assert str(caught.value).startswith(source)
    assert "nothing was sent" in str(caught.value)
    assert path not in str(caught.value)


def test_a_path_that_can_be_none_is_refused():
    with pytest.raises(ConfigurationError, match=r"^`ca_bundle` "):
        read_network(API, "nul\0l.pem")


def test_a_file_that_only_revokes_is_without_certificates(places, tmp_path):
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.now(tz=UTC)
    revocations = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ours")]))
        .last_update(now)
        .next_update(now + timedelta(hours=1))
        .sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    )
    path = tmp_path / "revoked.pem"
    path.write_bytes(revocations.public_bytes(serialization.Encoding.PEM))

    with pytest.raises(ConfigurationError, match="without certificates"):
        read_network(API, str(path))


def test_several_folders(places, monkeypatch):
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join([places["missing"], places["folder"], places["hashed"]]))

    assert trusted(read_network(API, None)).endswith(places["hashed"])


def test_where_no_tls_is_spoken_the_environment_names_certificates_in_vain(places, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", places["missing"])

    network = read_network("http://localhost:8700", None)

    assert network.tls_context().cert_store_stats()["x509"] == 0
    monkeypatch.setenv("HTTP_PROXY", "https://proxy.example")
    with pytest.raises(ConfigurationError, match="REQUESTS_CA_BUNDLE"):
        read_network("http://api.internal", None)


def test_a_log_of_keys_that_cannot_be_written_is_not_taken_for_a_lack_of_certificates(places, monkeypatch):
    monkeypatch.setenv("SSLKEYLOGFILE", "/nowhere/to/be/found.log")

    with pytest.raises(ConfigurationError, match="SSLKEYLOGFILE"):
        read_network(API, places["ours"])
