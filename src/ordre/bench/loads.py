"""Sends loads from generators, which are processes of their own, and measures what they and everything else took meanwhile."""

import multiprocessing
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Self

from ordre.bench import processes
from ordre.bench.failures import BenchFailed
from ordre.bench.generator import Counted, Load, divided, generate
from ordre.bench.measured import Measured
from ordre.bench.requests import Script
from ordre.bootstrap import without_ctrl_c

_LEAD_SECONDS = 0.1
"""Before a load begins: for clients to connect."""
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where a load is sent: a port of this machine, and the processes behind it whose CPU time is measured."""

    port: int
    server: int
    database: int | None = None


class Generators:
    """So many processes that send loads; they end with the ``with``."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._started: list[tuple[BaseProcess, Connection[Load, Counted]]] = []

    def __enter__(self) -> Self:
        """Start them."""
        context = multiprocessing.get_context("spawn")
        for _ in range(self._number):
            ours, theirs = context.Pipe()
            process = context.Process(target=generate, args=(theirs,), daemon=True)
            with without_ctrl_c():
                process.start()
            theirs.close()
            self._started.append((process, ours))
        return self

    def __exit__(self, *ended: object) -> None:
        """End them."""
        for process, told in self._started:
            told.close()
            process.terminate()
        for process, _ in self._started:
            process.join(_STOP_SECONDS)

    def finish(self, served: Served, scripts: Sequence[Script]) -> int:
        """Send scripts to their end; return the number of requests.

        Raises:
            BenchFailed: One was not answered as it should be.
        """
        start = time.monotonic() + _LEAD_SECONDS
        self._send(served.port, scripts, start, start, None)
        return sum(one.sent.total() for one in self._counted())

    def measure(self, served: Served, scripts: Sequence[Script], warm: float, seconds: float) -> Measured:
        """Send scripts for so many seconds, after others in which nothing counts.

        Raises:
            BenchFailed: A request was not answered as it should be.
        """
        start = time.monotonic() + _LEAD_SECONDS
        self._send(served.port, scripts, start, start + warm, start + warm + seconds)
        time.sleep(max(start + warm - time.monotonic(), 0))
        before = processes.taken(served.server, served.database)
        time.sleep(max(start + warm + seconds - time.monotonic(), 0))
        after = processes.taken(served.server, served.database)
        counted = self._counted()
        share = seconds / (after.at - before.at)  # looking takes a moment, too
        times: dict[str, array[float]] = {}
        for one in counted:
            for call, found in one.times.items():
                times.setdefault(call, array("d")).extend(found)
        return Measured(
            seconds=seconds,
            times=times,
            sent=sum((one.sent for one in counted), Counter[str]()),
            server_cpu=processes.between(before.server, after.server, share),
            database_cpu=processes.between(before.database, after.database, share),
            machine_cpu=processes.between(before.machine, after.machine, share),
            generator_cpu=sum(one.cpu for one in counted),
        )

    def _send(self, port: int, scripts: Sequence[Script], start: float, warm: float, end: float | None) -> None:
        parts = divided(scripts, len(self._started))
        parts += [()] * (len(self._started) - len(parts))
        for (_, told), part in zip(self._started, parts, strict=True):
            told.send(Load(port=port, scripts=part, start=start, warm=warm, end=end))

    def _counted(self) -> list[Counted]:
        try:
            found: list[Counted] = [told.recv() for _, told in self._started]
        except (EOFError, OSError) as error:
            raise BenchFailed("a generator of load ended") from error
        fault = next((one.fault for one in found if one.fault), None)
        if fault is not None:
            raise BenchFailed(fault)
        return found
