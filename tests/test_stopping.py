"""How a server ends: whoever connects meanwhile is answered or refused, and no process stays behind."""

import asyncio
import ctypes
import os
import signal
import socket
import struct
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from commands import run
from ordre.api.handlers.health import Lifecycle
from ordre.stopping import Stopping
from service import Service, children, items
from throwaway import Cluster

pytestmark = pytest.mark.slow
SECONDS = 60
ATTACH_FILTER, LOCK_FILTER = 26, 44
"""SO_ATTACH_FILTER and SO_LOCK_FILTER of Linux. After the latter the kernel refuses filters, as some do to all but root."""
CLIENTS = 16
GET = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"


@contextmanager
def running(service: Service, log: int = subprocess.DEVNULL) -> Iterator[list[int]]:
    """The server, and the processes that it consists of, of which none is left at the end, whatever happens."""
    processes: list[int] = []
    try:
        service.start(log=log)
        assert service.process is not None
        processes += [service.process.pid, *children(service.process.pid)]
        yield processes
    finally:
        if service.process is not None:
            for process in processes or [service.process.pid]:
                if is_there(process):
                    os.kill(process, signal.SIGKILL)
            service.process.communicate(timeout=SECONDS)


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def asked_once(port: int) -> str:
    """What becomes of a request on a connection of its own."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(GET + b"Connection: close\r\n\r\n")
            received = b""
            while part := connection.recv(65_536):
                received += part
    except OSError as error:
        return "refused" if isinstance(error, ConnectionRefusedError) else type(error).__name__
    return "answered" if received.startswith(b"HTTP/1.1 200 ") and received.endswith(b"}\n") else f"ended after {received!r}"


@contextmanager
def storm(port: int) -> Iterator[Counter[str]]:
    """Clients that connect again and again, until each was refused once."""
    found: Counter[str] = Counter()

    def connect() -> None:
        while found["refused"] < CLIENTS:
            found[asked_once(port)] += 1

    threads = [threading.Thread(target=connect) for _ in range(CLIENTS)]
    for one in threads:
        one.start()
    try:
        yield found
    finally:
        found["refused"] += 0 if found["answered"] else CLIENTS
        for one in threads:
            one.join()


@pytest.mark.skipif(not Path("/proc/sys/net").exists(), reason="elsewhere than on Linux an instant is left: see stopping.py")
@pytest.mark.parametrize(
    ("workers", "told", "drain"), [(1, "the first", "0.5"), (2, "the first", "0"), (2, "all", "0"), (2, "all", "0.5")]
)
def test_who_connects_while_a_server_stops_is_answered_or_refused(tmp_path: Path, workers: int, told: str, drain: str) -> None:
    environment = {**os.environ, "ORDRE_DRAIN_SECONDS": drain}
    service = Service(f"sqlite:///{tmp_path}/o.sqlite", "--workers", str(workers), environment=environment)
    with running(service) as processes, storm(service.port) as found:
        wait_until(lambda: found["answered"] > 100)
        for one in processes if told == "all" else processes[:1]:
            os.kill(one, signal.SIGTERM)
        assert service.process is not None
        assert service.process.wait(timeout=SECONDS) == 0
    reset = set() if filters_are_allowed() else {"ConnectionResetError", "ended after b''"}  # the instant: see stopping.py
    assert {"answered", "refused"} <= set(found) <= {"answered", "refused"} | reset, found


def filters_are_allowed() -> bool:
    """Whether the kernel takes filters of sockets from whoever runs the tests: some leave them to root."""
    everything = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 2**32 - 1))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        try:
            listening.setsockopt(socket.SOL_SOCKET, ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(everything)))
        except PermissionError:
            return False
    return True


def test_who_keeps_a_connection_is_not_reset_when_a_server_stops(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}/o.sqlite")
    with running(service):
        kept = [socket.create_connection(("127.0.0.1", service.port), timeout=10) for _ in range(30)]
        for one in kept[:20]:
            one.sendall(GET + b"\r\n")
            assert one.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert service.process is not None
        service.process.terminate()
        time.sleep(0.4)
        for one in kept:
            one.sendall(GET + b"\r\n")
        answers = [one.recv(65_536) for one in kept]
        assert set(answers[:20]) == {b""}, "the connection has ended: a client sends the request again"
        assert all(one.startswith(b"HTTP/1.1 200 ") and b"connection: close" in one for one in answers[20:]), (
            "it was not used yet"
        )
        for one in kept:
            one.close()
        assert service.process.wait(timeout=10) == 0


def test_a_request_that_is_under_way_is_finished(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}/o.sqlite", "--workers", "2")
    with running(service), service.shop() as shop:
        token, parts = shop.token, iter((b'{"currency":"NOK",', b'"items":%b}' % str(items(5)).replace("'", '"').encode()))

        def slowly() -> Iterator[bytes]:
            yield next(parts)
            assert service.process is not None
            service.process.terminate()
            time.sleep(1)
            yield next(parts)

        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"{service.url}/v1/accounts/{shop.account_id}/shopping/orders"
        answer = httpx.post(url, content=slowly(), headers=headers, timeout=SECONDS)
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")


@pytest.mark.parametrize("drain", ["0", "30"])
def test_server_processes_end_with_the_one_that_started_them(tmp_path: Path, drain: str) -> None:
    environment = {**os.environ, "ORDRE_DRAIN_SECONDS": drain}
    service = Service(f"sqlite:///{tmp_path}/o.sqlite", "--workers", "2", environment=environment)
    with running(service) as processes:
        os.kill(processes[0], signal.SIGKILL)
        wait_until(lambda: not any(map(is_there, processes)))
        again = Service(service.database)
        again.port, again.url = service.port, service.url
        with running(again):
            assert httpx.get(f"{service.url}/health").status_code == 200


def test_a_process_that_waits_for_its_database_ends_too(own_cluster: Cluster) -> None:
    database = own_cluster.database()
    run("migrate", database=database)
    service = Service(database, "--workers", "2")
    with running(service, log=subprocess.PIPE) as processes:
        own_cluster.kill()
        assert service.process is not None
        assert service.process.stderr is not None
        os.kill(processes[1], signal.SIGKILL)
        while '"waiting"' not in service.process.stderr.readline():
            pass
        processes.extend(children(processes[0]))
        os.kill(processes[0], signal.SIGKILL)
        wait_until(lambda: not any(map(is_there, processes)))


def test_a_kernel_that_allows_no_filter_does_not_keep_a_process_from_ending() -> None:
    told = list[int]()

    async def run(listening: socket.socket) -> None:
        stopping = Stopping(Lifecycle(), 0, [listening], alone=True, ending=lambda: None)
        stopping.listen()
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(10):
            while not told:  # noqa: ASYNC110 - who tells is a handler of signals
                await asyncio.sleep(0.01)

    before = signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setsockopt(socket.SOL_SOCKET, LOCK_FILTER, 1)
            asyncio.run(run(listening))
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupted)
    assert told == [signal.SIGTERM]
