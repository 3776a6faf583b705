"""A plugin for pytest: the fixture ``ordre`` is a running server in memory, for the tests of whoever calls it.

    def test_checkout(ordre):
        my_shop.configure(base_url=ordre.api_url, client_id=ordre.client_id, client_secret=ordre.client_secret)
        my_shop.check_out(...)
        ordre.move_clock("2026-02-01T00:00:00Z")

The server starts once a session and forgets everything at the end. Each test has an account of its own, on which nothing has
happened yet, and the clock begins at 2026-01-01T00:00:00Z. Where a test fails, its report shows what the server logged meanwhile.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

START = "2026-01-01T00:00:00Z"


_LOGGED: pytest.StashKey[tuple[Path, int]] = pytest.StashKey()
"""Of a test: the server's log, and how long it was before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOrdre:
    """A server, an account, and a client that may do everything on it."""

    url: str
    account_id: str
    client_id: str
    client_secret: str
    log: Path
    """What the server logs, one line of JSON an event."""

    @property
    def api_url(self) -> str:
        """The base URL of the account, before ``/shopping`` and ``/auth``."""
        return f"{self.url}/v1/accounts/{self.account_id}"

    def token(self) -> str:
        """Return a new token."""
        body = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}
        token: str = self._send("POST", f"{self.api_url}/auth/token", body)["access_token"]
        return token

    def new_account(self) -> "RunningOrdre":
        """Make another account on the same server, on which nothing has happened yet; return the server with that."""
        made = self._send("POST", f"{self.url}/accounts", {})
        return RunningOrdre(url=self.url, log=self.log, **made)

    def move_clock(self, to: str) -> None:
        """Set the time at which what follows happens: an RFC 3339 date-time. Tokens live by the machine's clock."""
        self._send("PUT", f"{self.url}/clock", {"now": to})

    def advance_clock(self, duration: str) -> None:
        """Move the time at which what follows happens ahead: an ISO 8601 duration such as ``P1D`` or ``PT90M``."""
        self._send("PUT", f"{self.url}/clock", {"advance": duration})

    @staticmethod
    def _send(method: str, url: str, body: dict[str, str]) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
            found: dict[str, str] = json.load(answer)
        return found


@contextmanager
def running(clock: str = START, **variables: str) -> Iterator[RunningOrdre]:
    """Start a server in memory with its clock at an instant; end it, and all it knows, at the end.

    ``variables`` are added to its environment.
    """
    command = [sys.executable, "-m", "ordre", "serve", "--ephemeral", "--clock", clock, "--port", "0", "--log-format", "json"]
    environment = {**os.environ, **variables}
    with (
        tempfile.TemporaryDirectory(prefix="ordre-") as folder,
        (Path(folder) / "log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment) as process,  # noqa: S603 - our own
    ):
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            if not line:
                raise AssertionError(f"Ordre did not start: {Path(log.name).read_text(encoding='utf-8')}")
            yield RunningOrdre(**json.loads(line), log=Path(log.name))
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def ordre_server() -> Iterator[RunningOrdre]:
    """A running Ordre that keeps everything in memory, for the whole session."""
    with running() as started:
        yield started


@pytest.fixture
def ordre(ordre_server: RunningOrdre, request: pytest.FixtureRequest) -> RunningOrdre:
    """The running Ordre with an account of this test's own, and its clock at the beginning."""
    request.node.stash[_LOGGED] = (ordre_server.log, ordre_server.log.stat().st_size)
    ordre_server.move_clock(START)
    return ordre_server.new_account()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the server logged during a test that failed."""
    report = yield
    if report.failed and _LOGGED in item.stash:
        log, start = item.stash[_LOGGED]
        report.sections.append(("Ordre's log", log.read_bytes()[start:].decode()))
    return report
