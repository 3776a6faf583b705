"""`ordre serve` from its start to its end: what it says, when it says it, and how it ends."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from commands import ending, line, run
from forked import run_forked
from service import ORDRE, Service, children
from throwaway import Cluster

pytestmark = pytest.mark.slow

SECONDS = 180
ONE_AND_TWO = pytest.mark.parametrize("workers", ["1", "2"])


@pytest.fixture
def stored(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/o.sqlite"


@contextmanager
def started(*flags: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """`ordre serve` with its output read, stopped at the end."""
    command, environment = [ORDRE, "serve", *flags], {**os.environ, **variables}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=SECONDS)


def refused(*flags: str, **variables: str) -> str:
    """Start a server that cannot start; return the one sentence that it says, of which a program gets a line of JSON."""
    command, environment = ["serve", *flags], {**os.environ, **variables}
    done = run_forked(command, environment)
    assert (done.returncode, done.stdout) == (1, "")
    said = json.loads(done.stderr)
    assert (said["level"], said["event"]) == ("error", "not_started")
    reason: str = said["reason"]
    done = run_forked(command, {**environment, "ORDRE_LOG_FORMAT": "text"})
    assert (done.returncode, done.stderr) == (1, f"ordre: {reason}\n")
    return reason


@ONE_AND_TWO
def test_a_port_that_is_taken_is_said_and_nothing_else_is(stored: str, workers: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        reason = refused("--port", str(port), "--workers", workers, "--database", stored)
    assert reason == (
        f"cannot listen on 127.0.0.1:{port}: another program uses this port; stop it, or choose another port with --port"
    )


def test_the_database_is_left_alone_where_the_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        refused("--port", str(other.getsockname()[1]), "--database", f"sqlite:///{tmp_path}/new.sqlite")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("nowhere.invalid", "no address is known by this name"),
        ("203.0.113.7", "this machine does not have this address"),
        ("a" * 300, "no address is known by this name"),
    ],
)
def test_a_host_that_is_none_of_ours_is_said(host: str, said: str) -> None:
    assert said in refused("--host", host, "--port", "0", "--ephemeral")


@ONE_AND_TWO
def test_what_is_claimed_is_true_at_once_and_names_the_real_port(stored: str, workers: str) -> None:
    with started("--port", "0", "--database", stored, "--workers", workers) as process:
        said = line(process.stderr)
        assert (said["event"], said["workers"]) == ("listening", int(workers))
        assert not said["url"].endswith(":0")
        assert httpx.get(f"{said['url']}/health/ready").status_code == 200


@pytest.mark.parametrize("flags", [[], ["--demo"]])
def test_a_server_in_memory_is_as_it_was_asked_to_be(flags: list[str]) -> None:
    named = ["--account", "T12345678", "--client-id", "web-shop", "--client-secret", "of the tests"]
    with started("--ephemeral", "--port", "0", "--clock", "2026-01-01T00:00:00Z", *named, *flags) as process:
        made = line(process.stdout)
        url = made.pop("url")
        assert made == {"account_id": "T12345678", "client_id": "web-shop", "client_secret": "of the tests"}
        account = f"{url}/v1/accounts/T12345678"
        token = httpx.post(f"{account}/auth/token", json={"grant_type": "client_credentials"}, auth=("web-shop", "of the tests"))
        headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
        orders = httpx.get(f"{account}/shopping/orders", headers=headers).json()["orders"]
        assert bool(orders) == bool(flags)
        assert all(order["created_at"] < "2026-01-01T00:00:01" for order in orders)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--ephemeral", "--account", "X"], "--account is 'X'; it must be T (test) or P (production) and eight digits"),
        (["--ephemeral", "--client-id", "a:b"], "--client-id must be 1 to 64 letters, digits, '-', '_' and '.'"),
        (["--ephemeral", "--account", ""], "--account is ''"),
        (["--ephemeral", "--client-id", ""], "--client-id must be 1 to 64"),
        (["--ephemeral", "--client-secret", ""], "--client-secret is empty"),
        (["--ephemeral", "--database", "sqlite:///q.sqlite"], "leave out --database, or --ephemeral"),
        (["--client-secret", ""], "--client-secret is empty"),
        (["--account", "T12345678"], "go with --ephemeral"),
        (["--demo"], "go with --ephemeral"),
    ],
)
def test_a_server_in_memory_refuses_what_it_cannot_be(flags: list[str], said: str) -> None:
    assert said in refused("--port", "0", *flags)


def test_a_secret_that_cannot_be_read_is_said_as_everything_is(stored: str, tmp_path: Path) -> None:
    said = refused("--port", "0", "--database", stored, ORDRE_SECRET_KEY_FILE=str(tmp_path / "none"))
    assert said.startswith("ORDRE_SECRET_KEY_FILE cannot be read: ")


@ONE_AND_TWO
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_every_line_of_the_log_is_json(stored: str, workers: str, how: signal.Signals) -> None:
    service = Service(stored, "--workers", workers, environment={**os.environ, "ORDRE_DATABSE": "x", "ORDRE_LOG_LEVEL": "info"})
    service.start(log=subprocess.PIPE)
    assert service.process is not None
    misspelt, listening = line(service.process.stderr), line(service.process.stderr)
    assert misspelt["reason"] == "ORDRE_DATABSE is not a setting; did you mean ORDRE_DATABASE?"
    assert (listening["event"], listening["url"]) == ("listening", service.url)
    with service.shop() as shop:
        shop.order(1)
        with socket.create_connection(("127.0.0.1", service.port)) as raw:
            raw.sendall(b"this is not HTTP\r\n\r\n")
            raw.recv(100)
    service.process.send_signal(how)
    _, log = service.process.communicate(timeout=SECONDS)
    assert service.process.returncode == 0
    lines = [json.loads(one) for one in log.splitlines()]
    assert all({"timestamp", "level", "event"} <= one.keys() for one in lines)
    assert lines[-1]["event"] == "stopped"
    assert ("refused", "malformed_request") in [(one["event"], one.get("code")) for one in lines]


def test_a_request_is_logged_with_who_what_and_how_it_went(stored: str) -> None:
    service = Service(stored, environment={**os.environ, "ORDRE_LOG_LEVEL": "info"})
    service.start(log=subprocess.PIPE)
    assert service.process is not None
    with service.shop() as shop:
        order = shop.order(100)
        shop.get("/customers/ada@example.com/orders?q=ada@example.com")
        shop.refused("POST", f"/orders/{order['id']}/captures", {"items": [{"line_id": 1, "amount": 1}]})
        shop.http.get("/nowhere/ada@example.com")
        shop.http.get("/health")
        who = {"account": shop.account_id, "client": shop.client_id}
    service.stop()
    _, log = service.process.communicate(timeout=SECONDS)
    assert "ada" not in log
    requests = [one for one in map(json.loads, log.splitlines()) if one["event"] == "request"]
    for one in requests:
        assert one.pop("ms") > 0
        assert len(one.pop("id")) == 16
        one.pop("timestamp")
    base, said = "/v1/accounts/{aid}/shopping", {"level": "info", "event": "request"}
    assert requests == [
        {
            **said,
            **who,
            "method": "POST",
            "path": "/v1/accounts/{aid}/auth/token",
            "operation": "aid_auths_oauth_token_post",
            "status": 200,
        },
        {**said, **who, "method": "POST", "path": f"{base}/orders", "operation": "aid_orders_post", "status": 200},
        {
            **said,
            **who,
            "method": "GET",
            "path": f"{base}/customers/{{customer_id}}/orders",
            "operation": "aid_customers_id_orders_get",
            "status": 200,
        },
        {
            **said,
            **who,
            "method": "POST",
            "path": f"{base}/orders/{{order_id}}/captures",
            "operation": "aid_orders_id_capture_post",
            "code": "exceeds_remaining",
            "status": 400,
        },
        {**said, "method": "GET", "code": "not_found", "status": 404},
    ]


def test_health_is_logged_for_whoever_looks_close() -> None:
    with started("--ephemeral", "--port", "0", "--log-level", "debug") as process:
        url = line(process.stderr)["url"]
        httpx.get(f"{url}/health/live")
        said = line(process.stderr)
        assert (said["level"], said["path"], said["status"]) == ("debug", "/health/live", 200)


def test_people_at_a_terminal_read_short_coloured_lines() -> None:
    ours, theirs = pty.openpty()
    command = [ORDRE, "serve", "--ephemeral", "--port", "0"]
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with ending(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, text=True, env=environment)) as process:
        os.close(theirs)
        url = line(process.stdout)["url"]
        httpx.get(f"{url}/v1/accounts/T00000001/shopping/orders")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=SECONDS) == 0
        said = ""
        while part := _read(ours):
            said += part
    os.close(ours)
    banner, request, *_, end = said.splitlines()
    assert f"serves {url} (documentation at {url}/docs)" in banner
    assert re.search(r"\x1b\[33m401 GET /v1/accounts/\{aid\}/shopping/orders unauthorized [0-9.]+ ms T00000001\x1b\[0m$", request)
    assert "Ordre has stopped" in end


def _read(terminal: int) -> str:
    try:
        return os.read(terminal, 4096).decode()
    except OSError:  # the other end is closed
        return ""


def test_a_failure_is_one_line_with_its_traceback_inside(tmp_path: Path) -> None:
    """A program gets the traceback in the line, so that no line of it stands alone."""
    script = (
        "import logging, threading, warnings\n"
        "from ordre import logs\n"
        "logs.configure('info', 'json')\n"
        "warnings.warn('what is old', DeprecationWarning, stacklevel=1)\n"
        "try:\n    1 / 0\nexcept ZeroDivisionError:\n    logging.getLogger('asyncpg').exception('two\\nlines')\n"
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\n"
        "raise KeyError('the end')\n"
    )
    python = str(ORDRE).removesuffix("ordre") + "python"
    done = subprocess.run([python, "-W", "default", "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 1
    warning, library, thread, end = map(json.loads, done.stderr.splitlines())
    assert (warning["logger"], warning["level"]) == ("py.warnings", "warning")
    assert "what is old" in warning["event"]
    assert (library["logger"], library["event"]) == ("asyncpg", "two\nlines")
    assert all("ZeroDivisionError" in one["exception"] for one in (library, thread))
    assert (end["event"], end["level"]) == ("crashed", "critical")
    assert "KeyError: 'the end'" in end["exception"]


def test_lines_that_wait_for_each_other_are_all_written_in_their_order() -> None:
    script = (
        "import asyncio\nfrom ordre import logs\n"
        "logs.configure('info', 'json')\n"
        "async def serve():\n"
        "    for number in range(3):\n        logs.write_soon('info', {'event': 'request', 'number': number})\n"
        "    logs.write_soon('debug', {'event': 'request', 'number': 'not wanted'})\n"
        "    logs.error('failure', number=3)\n"
        "    logs.write_soon('info', {'event': 'request', 'number': 4})\n"
        "    await asyncio.sleep(4 * logs.TOGETHER_SECONDS)\n"
        "    logs.error('seen', waiting=len(logs._waiting), number=5)\n"
        "    logs.write_soon('info', {'event': 'request', 'number': 6})\n"
        "asyncio.run(serve())\n"
    )
    python = str(ORDRE).removesuffix("ordre") + "python"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    lines = [json.loads(one) for one in done.stderr.splitlines()]
    assert [one["number"] for one in lines] == list(range(7))
    assert [one["waiting"] for one in lines if one["event"] == "seen"] == [0]


@ONE_AND_TWO
def test_a_server_that_is_told_to_stop_says_so_before_it_does(stored: str, workers: str) -> None:
    service = Service(stored, "--workers", workers, environment={**os.environ, "ORDRE_DRAIN_SECONDS": "3"})
    service.start()
    assert service.process is not None
    with service.shop() as shop, httpx.Client(base_url=service.url) as http:
        assert http.get("/health/ready").status_code == 200
        service.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + SECONDS
        while (answer := httpx.get(f"{service.url}/health/ready")).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert (answer.status_code, answer.json()["error"]["errors"][0]["code"]) == (503, "stopping")
        assert httpx.get(f"{service.url}/health/live").status_code == 200
        assert shop.order(5)["status"] == "open", "it serves as before"
    assert service.process.wait(timeout=SECONDS) == 0


def test_a_worker_that_dies_is_replaced_and_logged(stored: str) -> None:
    with started("--port", "0", "--database", stored, "--workers", "2") as process:
        url, victim = line(process.stderr)["url"], children(process.pid)[0]
        os.kill(victim, signal.SIGKILL)
        said = line(process.stderr)
        assert (said["event"], said["pid"], said["exit_code"]) == ("worker_died", victim, -signal.SIGKILL)
        assert victim not in children(process.pid)
        assert httpx.get(f"{url}/health").status_code == 200


def test_a_worker_that_comes_back_waits_for_a_database_that_is_away(own_cluster: Cluster) -> None:
    database = own_cluster.database()
    run("migrate", database=database)
    with started("--port", "0", "--database", database, "--workers", "2") as process:
        url, old = line(process.stderr)["url"], children(process.pid)
        own_cluster.kill()
        for victim in old:
            os.kill(victim, signal.SIGKILL)
        while (said := line(process.stderr))["event"] != "waiting":
            pass
        assert "cannot reach the database" in said["reason"]
        own_cluster.start()
        while True:
            try:
                assert httpx.get(f"{url}/health/ready", timeout=SECONDS).status_code == 200
                break
            except httpx.RemoteProtocolError:  # this connection was with a worker that died
                continue


@ONE_AND_TWO
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_log_that_nobody_reads_stops_nothing(stored: str, workers: str, unbuffered: str) -> None:
    with started("--port", "0", "--database", stored, "--workers", workers, PYTHONUNBUFFERED=unbuffered) as process:
        url = line(process.stderr)["url"]
        assert process.stderr is not None
        process.stderr.close()
        assert [httpx.get(f"{url}/nowhere").status_code for _ in range(5)] == [404] * 5
        process.terminate()
        assert process.wait(timeout=SECONDS) == 0
        assert not children(process.pid)
