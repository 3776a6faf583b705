"""A plugin for pytest: the fixture ``ordre`` is a running server in memory, for the tests of whoever calls it.

    def test_checkout(ordre):
        my_shop.configure(base_url=ordre.api_url, client_id=ordre.client_id, client_secret=ordre.client_secret)
        my_shop.check_out(...)
        ordre.move_clock("2026-02-01T00:00:00Z")

The server starts once a session, with its clock at 2026-01-01T00:00:00Z, and forgets everything at the end.
"""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

START = "2026-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOrdre:
    """A server, and a client that may do everything on its one account."""

    url: str
    account_id: str
    client_id: str
    client_secret: str

    @property
    def api_url(self) -> str:
        """What stands before ``/shopping`` and ``/auth``."""
        return f"{self.url}/v1/accounts/{self.account_id}"

    def token(self) -> str:
        """Return a new token."""
        body = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}
        token: str = self._send("POST", f"{self.api_url}/auth/token", body)["access_token"]
        return token

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
def running(clock: str = START) -> Iterator[RunningOrdre]:
    """Start a server in memory with its clock at an instant; end it, and all it knows, at the end."""
    command = [sys.executable, "-m", "ordre", "serve", "--ephemeral", "--clock", clock, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603 - our own
        try:
            if process.stdout is None:
                raise AssertionError("its output is read")
            yield RunningOrdre(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def ordre() -> Iterator[RunningOrdre]:
    """A running Ordre that keeps everything in memory."""
    with running() as started:
        yield started
