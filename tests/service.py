"""A real server process, and what a client does with it over real HTTP. Every answer is checked against the OpenAPI document."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import httpx

from contract import check
from forked import Forked, run_forked
from ordre.application import accounts
from ordre.application.store import Store
from ordre.auth.secrets import digest_of, new_secret
from ordre.bootstrap import make_store
from ordre.domain.hooks import EVENTS
from ordre.settings import Settings
from throwaway import free_port

ORDRE = str(Path(sys.executable).parent / "ordre")
T = TypeVar("T")
START_SECONDS = 30.0
_numbers = count(10_000_000)
_TRUSTED = ssl.create_default_context()
"""Made once: reading the certificates that nobody asks for here takes longer than most tests."""


class Service:
    """`ordre serve` on a database, on a free port."""

    def __init__(self, database: str, *flags: str, environment: dict[str, str] | None = None) -> None:
        self.database = database
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.flags = flags
        self.environment = environment
        self.program: list[str] = []
        """How to start it, where it is not forked off."""
        self.before = ""
        """Python that runs first in a process that is forked off."""
        self.directory: Directory | None = None
        """Kept where very many shops are made: to open a store takes longer than to make one."""
        self.migrated = False
        """Whether the database is already as the server is to find it."""
        self.process: subprocess.Popen[str] | Forked | None = None

    def start(self, log: int = subprocess.DEVNULL) -> None:
        if self.database.startswith("postgres") and not self.migrated:
            migrated = run_forked(["migrate", "--database", self.database], os.environ)
            assert migrated.returncode == 0, migrated.stderr
        command = ["serve", "--database", self.database, "--port", str(self.port), *self.flags]
        environment = {"ORDRE_UNSAFE_STORAGE": "allow", **(self.environment or os.environ)}  # nobody pulls the plug of the tests'
        if self.program:
            self.process = subprocess.Popen([*self.program, *command], stderr=log, text=True, env=environment)
        else:
            self.process = Forked(command, environment, log, self.before)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if httpx.get(f"{self.url}/health", timeout=1, verify=_TRUSTED).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    @contextmanager
    def _directory(self) -> "Iterator[Directory]":
        """The one that is kept, or one for this time."""
        if self.directory is not None:
            yield self.directory
            return
        made = Directory(self.database)
        yield made
        made.close()

    @contextmanager
    def shop(self, *scopes: str, account_id: str | None = None) -> "Iterator[Shop]":
        account = account_id or f"T{next(_numbers)}"
        with self._directory() as directory:
            client_id, secret = directory.new_client(account, scopes or ("admin:shopping", "admin:hooks"))
        with httpx.Client(base_url=self.url, timeout=30, verify=_TRUSTED, event_hooks={"response": [check]}) as http:
            yield Shop(http, account, client_id, secret)


def hasty(database: str, **settings: str) -> Service:
    """A server that bounds connections as another does, but waits for a fifth of the time only."""
    made = Service(database, environment={**os.environ, **settings})
    names = ("HEAD_SECONDS", "STOP_SECONDS", "DROP_SILENCE", "DROP_SECONDS", "WRITE_SECONDS", "WRITE_BYTES")
    shorter = "".join(f"connection.{name} /= 5\n" for name in names) + "connection.IDLE_SECONDS = 5\n"
    made.before = f"from ordre.api.http import connection\n{shorter}"
    return made


@contextmanager
def serving(database: str, **settings: str) -> Iterator[Service]:
    """A server on this database with these variables in its environment, until the end."""
    made = Service(database, environment={**os.environ, **settings})
    made.start()
    yield made
    made.stop()


def children(pid: int) -> list[int]:
    """The server processes of a server: what it started, but for the one that Python keeps books with."""
    done = subprocess.run(["ps", "-ww", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(one.split()[0]) for one in done.stdout.splitlines() if "spawn_main" in one]


def memory_of(service: Service) -> int:
    """The resident bytes of the server and its children."""
    assert service.process is not None
    found = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        if str(service.process.pid) in (lines["Pid"].strip(), lines["PPid"].strip()):
            found += int(lines.get("VmRSS", "0 kB").split()[0]) * 1024
    return found


class Directory:
    """Makes accounts and clients, in a store that stays open, in a thread of its own: a test that drives a browser has a loop."""

    def __init__(self, database: str) -> None:
        self._thread, self._runner = ThreadPoolExecutor(1), asyncio.Runner()
        self._store: Store = make_store(Settings(database=database))
        self._run(self._store.open())

    def new_client(self, account_id: str, scopes: tuple[str, ...]) -> tuple[str, str]:
        """Make a client, and its account where that is not there; return its id and its secret."""
        return self._run(self._new_client(account_id, scopes))

    async def _new_client(self, account_id: str, scopes: tuple[str, ...]) -> tuple[str, str]:
        if await self._store.account(account_id) is None:
            await accounts.create_account(self._store, account_id, "Shop", 1_700_000_000_000)
        secret = new_secret()
        client = await accounts.create_client(self._store, account_id, "Client", scopes, digest_of(secret), 1_700_000_000_000)
        return client.client_id, secret

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._thread.submit(self._runner.run, work).result()

    def close(self) -> None:
        self._run(self._store.close())
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()


class Shop:
    """A client of one account. Paths are those below `/shopping`."""

    def __init__(self, http: httpx.Client, account_id: str, client_id: str, secret: str, token: str | None = None) -> None:
        self.http, self.account_id, self.client_id, self.secret = http, account_id, client_id, secret
        self._token = token

    @property
    def token(self) -> str:
        if self._token is None:
            self._token = self.new_token()
        return self._token

    def sign_in(self) -> None:
        """Get the token now, where several threads would get one each, or where it is the point."""
        assert self.token

    def new_token(self) -> str:
        body = {"grant_type": "client_credentials", "audience": f"{self.http.base_url}/v1/accounts/{self.account_id}"}
        path = f"/v1/accounts/{self.account_id}/auth/token"
        answer = self.http.post(path, json=body, auth=(self.client_id, self.secret))
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        if body is not None:
            more["json"] = body
        return self.http.request(method, f"/v1/accounts/{self.account_id}/shopping{path}", headers=headers, **more)

    def hooks(self, method: str, path: str = "", body: Any = None, *, status: int = 200, **more: Any) -> Any:
        """Send to subscriptions; ``path`` is below them. Return the answer, or None where it is empty."""
        headers = {"Authorization": f"Bearer {self.token}"}
        url = f"/v1/accounts/{self.account_id}/hooks/subscriptions{path}"
        answer = self.http.request(method, url, headers=headers, **({} if body is None else {"json": body}), **more)
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None

    def subscribe(self, url: str, *events: str, secret: Any = None, **more: Any) -> Any:
        """Let a receiver be told of these events, or of all."""
        config = {"url": url, **({} if secret is None else {"secret": secret})}
        return self.hooks("POST", body={"config": config, "events": list(events or EVENTS), **more})

    def get(self, path: str, **more: Any) -> Any:
        return done(self.send("GET", path, **more))

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return done(self.send("POST", path, body, **more))

    def put(self, path: str, body: Any = None, **more: Any) -> Any:
        return done(self.send("PUT", path, body, **more))

    def delete(self, path: str, **more: Any) -> Any:
        return done(self.send("DELETE", path, **more))

    def refused(self, method: str, path: str, body: Any = None, *, status: int = 400, **more: Any) -> list[dict[str, Any]]:
        """Send what is to be refused; return the faults."""
        answer = self.send(method, path, body, **more)
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        faults: list[dict[str, Any]] = answer.json()["error"]["errors"]
        return faults

    def order(self, *amounts: int, **fields: Any) -> Any:
        """Make an order with a line for each amount."""
        return self.post("/orders", {"currency": "NOK", "items": items(*amounts), **fields})

    def paid(self, *amounts: int, **fields: Any) -> Any:
        """Make an order of which everything is authorized and captured."""
        made = self.order(*amounts, **fields)
        body = operation(*enumerate(amounts, 1))
        self.post(f"/orders/{made['id']}/authorizations", body)
        self.post(f"/orders/{made['id']}/captures", body)
        return made


def done(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
    return answer.json()


def item(line_id: int, gross: int, **more: Any) -> dict[str, Any]:
    return {"id": f"A{line_id}", "line_id": line_id, "gross_amount": gross, "tax_lines": [], **more}


def items(*amounts: int) -> list[dict[str, Any]]:
    return [item(line_id, amount) for line_id, amount in enumerate(amounts, 1)]


def operation(*amounts: tuple[int, int], **more: Any) -> dict[str, Any]:
    return {"items": [{"line_id": line_id, "amount": amount} for line_id, amount in amounts], **more}


def faults_of(errors: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["code"], one.get("path", "")) for one in errors]
