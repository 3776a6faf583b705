"""Server processes that a benchmark starts by itself and ends: `ordre serve`, and the empty application beside it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from ordre.bench import processes
from ordre.bench.failures import BenchFailed
from ordre.settings import Settings, environment_of

_START_SECONDS = 60.0
_SHOWN = 600
"""Of the log of a server that did not start, in characters."""
_LISTENS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_WITHOUT_LIMITS = {
    "ORDRE_HOST": "127.0.0.1",
    "ORDRE_PORT": "0",
    "ORDRE_LOG_FORMAT": "json",
    "ORDRE_ACCOUNT_COST_PER_SECOND": "0",
    "ORDRE_CLIENT_REQUESTS_PER_SECOND": "0",
    "ORDRE_MAX_OPERATIONS": "10000000",
    "ORDRE_MAX_EVENTS": "10000000",
}
"""Settings of a server under load: a single account asks for more than a shop's share, and an order gets longer than any."""


class Server:
    """A process that listens on a free port of 127.0.0.1, and says so on standard error; it ends with the ``with``."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._arguments, self._environment, self._log = arguments, environment, log
        self.port = 0
        self.pid = 0

    def __enter__(self) -> Self:
        """Start it, and wait until it answers.

        Raises:
            BenchFailed: It ended, or does not answer in time.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this Python, and Ordre
                [sys.executable, "-m", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, **self._environment},
                start_new_session=True,  # Ctrl-C is for the benchmark, which then ends it
            )
        self.pid = self._process.pid
        try:
            self.port = self._awaited()
        except BaseException:
            processes.end(self._process)
            raise
        return self

    def _awaited(self) -> int:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            said = self._log.read_text(errors="replace")
            found = _LISTENS.search(said)
            if found:
                return int(found[1])
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BenchFailed(f"the server did not start: {said[-_SHOWN:].strip() or 'it said nothing'}")
            time.sleep(0.02)

    def forget_log(self) -> None:
        """Empty its log, which has a line for each request."""
        os.truncate(self._log, 0)

    def said(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-_SHOWN:].strip()

    def __exit__(self, *_: object) -> None:
        """End it."""
        processes.end(self._process)


def ordre(settings: Settings, log: Path) -> Server:
    """Return `ordre serve` on a database, not started yet; a client may ask it as much and as often as it can answer."""
    return Server(["ordre", "serve"], {**environment_of(settings), **_WITHOUT_LIMITS}, log)


def empty(log: Path) -> Server:
    """Return the empty application on the same HTTP server, not started yet."""
    return Server(["ordre.bench.empty"], {}, log)
