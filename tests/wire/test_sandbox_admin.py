# SPDX-License-Identifier: Apache-2.0
"""The admin routes, the inbox page, the server's life and the command line."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from support.events import LONG, wait_until
from support.sandbox import call, message

from airflow_provider_instasent.sandbox.__main__ import main
from airflow_provider_instasent.sandbox.server import SandboxServer

pytestmark = pytest.mark.without_base_path


def admin(sandbox, method, path, payload=None):
    return call(sandbox, method, f"/_admin/{path}", payload, token=None)


def test_the_ledger_tells_what_was_accepted_and_how_often(sandbox):
    for client_id in ("a", "a", "b"):
        call(sandbox, "POST", "/sms", message(clientId=client_id))
    sandbox.advance(1)

    ledger = admin(sandbox, "GET", "ledger?page=2&per_page=2").json

    assert (ledger["accepted"], ledger["parts"], ledger["client_ids"], ledger["contents"]) == (3, 3, 2, 1)
    assert ledger["repeated_client_ids"] == {"a": 2}
    assert ledger["repeated_contents"] == [["Tests", "+34600000001", "hello", 3]]
    shown = ledger["messages"]
    assert [(one["clientId"], one["status"], one["parts"], one["from"]) for one in shown] == [
        ("b", "delivered", 1, "Tests")
    ]
    assert "messages" not in admin(sandbox, "GET", "ledger?summary=1").json
    assert admin(sandbox, "GET", "ledger/client-ids").json == {"a": 2, "b": 1}
    assert admin(sandbox, "GET", "ledger/contents").json == [["Tests", "+34600000001", "hello", 3]]


def test_older_messages_are_put_before_all_others(sandbox):
    assert admin(sandbox, "POST", "ledger", {"count": 250, "oldest": 90_000}).json == {"accepted": 250}
    call(sandbox, "POST", "/sms", message())

    assert admin(sandbox, "GET", "ledger?summary=1").json["accepted"] == 251
    newest = call(sandbox, "GET", "/sms?per_page=2").json["entities"]
    assert [entity["text"] for entity in newest] == ["hello", "an older SMS"]
    refused = admin(sandbox, "POST", "ledger", {"count": 1})
    assert (refused.status, "empty ledger" in refused.json["message"]) == (400, True)


def test_lookups_are_counted(sandbox):
    for _ in range(2):
        call(sandbox, "POST", "/lookup", {"to": "+34600000001"})

    assert admin(sandbox, "GET", "ledger?summary=1").json["lookups"] == 2
    assert admin(sandbox, "GET", "ledger/lookups").json == {"+34600000001": 2}


def test_the_requests_are_told_without_the_token(sandbox):
    call(sandbox, "POST", "/sms", message())
    call(sandbox, "GET", "/transactional/v1/sms?page=2")

    answer = admin(sandbox, "GET", "requests")

    assert answer.json["counts"] == {"send 201": 1, "list 200": 1}
    first, second = answer.json["requests"]
    assert (first["method"], first["path"], first["items"], first["token"]) == ("POST", "/sms", 1, "right")
    assert (second["path"], second["query"]) == ("/transactional/v1/sms", {"page": "2"})
    assert sandbox.token.encode() not in answer.body
    assert [one["endpoint"] for one in admin(sandbox, "GET", "requests?endpoint=list").json["requests"]] == ["list"]
    assert "requests" not in admin(sandbox, "GET", "requests?summary=1").json


def test_faults_are_armed_listed_and_disarmed(sandbox):
    armed = admin(sandbox, "POST", "faults", {"name": "no_funds", "endpoint": "send", "times": 2}).json
    assert [(one["name"], one["left"]) for one in armed["faults"]] == [("no_funds", 2)]
    assert call(sandbox, "POST", "/sms", message()).status == 402
    assert admin(sandbox, "GET", "faults").json["faults"][0]["left"] == 1

    assert admin(sandbox, "DELETE", "faults").json == {"faults": []}
    assert call(sandbox, "POST", "/sms", message()).status == 201
    probable = admin(sandbox, "POST", "faults", {"name": "no_funds", "probability": 0.5}).json
    assert probable["faults"][0]["left"] is None


@pytest.mark.parametrize(
    ("method", "path", "payload", "complaint"),
    [
        ("POST", "faults", {"name": "explode"}, "unknown fault 'explode'"),
        ("POST", "faults", {}, "name"),
        ("POST", "faults", {"name": "empty", "often": 3}, "often"),
        ("PATCH", "settings", {"envelop": "bare"}, "unknown sandbox setting envelop"),
        ("PATCH", "settings", ["bare"], "JSON object"),
        ("PATCH", "settings", b"{", "Expecting"),
        ("GET", "ledger?page=x", None, "invalid literal"),
        ("POST", "clock", {"advance": -1}, "only moves forward"),
    ],
)
def test_a_bad_admin_call_says_what_is_wrong(sandbox, method, path, payload, complaint):
    answer = admin(sandbox, method, path, payload)

    assert answer.status == 400
    assert complaint in answer.json["message"]


def test_settings_and_clock_change_at_run_time_until_a_reset(sandbox):
    changed = admin(sandbox, "PATCH", "settings", {"envelope": "bare", "sent_after": 4000, "final_after": 5000}).json
    assert (changed["envelope"], changed["final_after"]) == ("bare", 5000)
    entity = call(sandbox, "POST", "/sms", message()).json
    assert call(sandbox, "GET", f"/sms/{entity['id']}").json["status"] == "enqueued"
    admin(sandbox, "POST", "clock", {"advance": 6000})
    assert call(sandbox, "GET", f"/sms/{entity['id']}").json["status"] == "delivered"

    assert admin(sandbox, "POST", "reset").json["envelope"] == "wrapped"

    assert call(sandbox, "GET", f"/sms/{entity['id']}").status == 404
    assert admin(sandbox, "GET", "ledger?summary=1").json["accepted"] == 0
    assert admin(sandbox, "GET", "requests").json["total"] == 1
    assert admin(sandbox, "GET", "settings").json["final_after"] == 0.05


def test_the_inbox_shows_the_newest_first_and_escapes(sandbox):
    assert "Nothing yet" in call(sandbox, "GET", "/", token=None).body.decode()
    call(sandbox, "POST", "/sms", message(text="<b>first</b>", clientId="<i>"))
    call(sandbox, "POST", "/sms", message("+34600000901", text="second"))
    sandbox.advance(1)

    answer = call(sandbox, "GET", "/", token=None)
    page = answer.body.decode()

    assert answer.headers["content-type"].startswith("text/html")
    assert page.index("second") < page.index("&lt;b&gt;first&lt;/b&gt;")
    assert "<b>" not in page
    assert "&lt;i&gt;" in page
    assert 'class="status failed">failed<' in page
    assert 'class="status delivered">delivered<' in page
    assert not re.search(r'(src|href)="(?!data:,)', page)


def test_a_server_stops_cleanly_with_requests_held_and_connections_open():
    threads = set(threading.enumerate())
    with SandboxServer(tokens=["another"], keep_alive=30) as server, ThreadPoolExecutor(1) as pool:
        server.fault("timeout_after", "send", seconds=3600)
        held = pool.submit(call, server, "POST", "/sms", message())
        wait_until(lambda: server.ledger.accepted, "the message")
        assert call(server, "GET", "/sms", token="another").status == 200
        idle = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])))
        server.stop()

        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            held.result(LONG)
        with idle:
            assert idle.recv(1) == b""
    assert set(threading.enumerate()) <= threads
    with pytest.raises(ConnectionRefusedError):
        call(server, "GET", "/sms")


def test_a_port_in_use_and_an_empty_token_are_refused(sandbox):
    port = int(sandbox.url.rpartition(":")[2])

    with pytest.raises(OSError, match="in use"):
        SandboxServer(port=port).start()
    with pytest.raises(ValueError, match="token that is not empty"):
        SandboxServer(token="")


def test_the_command_serves_until_it_is_stopped(sandbox):
    command = [sys.executable, "-m", "airflow_provider_instasent.sandbox", "--port", "0", "--token", "secret"]
    options = ["--envelope", "bare", "--no-echo-client-id", "--balance", "3", "--bulk-rejection-status", "422"]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONWARNINGS": "error"}
    )
    with process:
        try:
            lines = [process.stdout.readline() for _ in range(2)]
            url = re.search(r"http://127\.0\.0\.1:(\d+)", lines[0])
            assert f"Inbox: {url[0]}/ " in lines[1]
            other = SandboxServer(token="secret", port=int(url[1]))
            assert call(other, "GET", "/organization/account").json == {"available": 3.0, "currency": "EUR"}
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(LONG) == 0


def test_the_command_says_which_extra_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "airflow_provider_instasent.sandbox.server")

    assert main(["--port", "0"]) == 1
    assert 'the extra "sandbox"' in capsys.readouterr().err


def test_the_command_says_why_it_cannot_start(sandbox, capsys):
    port = sandbox.url.rpartition(":")[2]

    assert main(["--port", port]) == 1
    assert f"cannot start on 127.0.0.1:{port}" in capsys.readouterr().err
    assert main(["--port", "0", "--page-cap", "0"]) == 1
    assert "page_cap" in capsys.readouterr().err
