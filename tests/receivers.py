"""Receivers of webhooks: real servers, which answer as they are told, and journal what came before they answer.

Run as a program it is a receiver of its own, which can be killed: `receivers.py PORT JOURNAL [milliseconds]`.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from throwaway import free_port

LOCAL = {"ORDRE_HOOK_NETWORKS": "127.0.0.0/8, ::1/128"}
"""The settings with which a server sends to this machine."""
QUICK = {**LOCAL, "ORDRE_HOOK_POLL_SECONDS": "0.05", "ORDRE_HOOK_RETRY_SECONDS": "0.001"}
"""The same, in a hurry."""
MOST_SECONDS = 60.0
"""For whatever is to come, on the slowest machine."""


@dataclass(frozen=True, slots=True)
class Received:
    """A request: its headers, with names in small letters, and its body."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> str:
        return self.headers["event"]

    @property
    def id(self) -> str:
        return self.headers["event-delivery"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answering = Callable[[Received], int | bytes]
"""What a request is answered with: a status, or all that is sent; b"" closes the connection without a word."""


class Receiver:
    """A receiver in a thread of this process."""

    def __init__(self, answering: Answering = lambda _: 200) -> None:
        self.answering = answering
        self.all: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received = Received({name.lower(): value for name, value in self.headers.items()}, body)
                receiver.all.append(received)
                answer = receiver.answering(received)
                if isinstance(answer, bytes):
                    self.wfile.write(answer)
                    self.close_connection = True
                    return
                self.send_response(answer)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def of(self, event: str) -> list[Received]:
        """What came of one event."""
        return [one for one in list(self.all) if one.event == event]

    def but_for_pings(self) -> list[Received]:
        return [one for one in list(self.all) if one.event != "ping"]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def receiving(answering: Answering = lambda _: 200) -> Iterator[Receiver]:
    made = Receiver(answering)
    yield made
    made.close()


def wait_for(condition: Callable[[], object], what: str = "it did not happen in time") -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + MOST_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


class Program:
    """A receiver that is a process of its own, on a port that stays the same, with a journal of what it was sent."""

    def __init__(self, journal: Path, milliseconds: int = 0) -> None:
        self.port, self.journal, self._milliseconds = free_port(), journal, milliseconds
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, __file__, str(self.port), str(self.journal), str(self._milliseconds)]
        self._process = subprocess.Popen(command)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def received(self) -> list[Any]:
        """The bodies that came, oldest first; a line that a kill cut off is left out, as it was not answered."""
        lines = self.journal.read_bytes().split(b"\n") if self.journal.exists() else []
        return [json.loads(line) for line in lines if line.endswith(b"}")]


def main(port: int, journal: Path, milliseconds: int) -> None:
    """Receive until killed."""
    lock, file = threading.Lock(), journal.open("ab", buffering=0)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with lock:
                file.write(body.replace(b"\n", b"") + b"\n")
            time.sleep(milliseconds / 1000)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        allow_reuse_address = True
        daemon_threads = True

    Server(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
