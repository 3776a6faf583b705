"""The generator of load: clients in a process of its own, which send prepared bytes and read answers with httptools.

It costs a part of the machine that it measures, so what it took is measured, too.
"""

import asyncio
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from typing import cast

import httptools

from ordre.bench.requests import Script
from ordre.bootstrap import end_at_ctrl_c

_CONNECT_SECONDS = 10.0
_MOST_SECONDS = 60.0
"""After the end, for the answers that are under way."""
_SHOWN = 400
"""Of an answer that is not as it should be, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What clients send to a port, one script each: from ``start`` until ``end``, and what is answered from ``warm`` on counts.

    Instants are of the monotonic clock, which all processes of a machine share. Without an end they stop when their scripts do.
    """

    port: int
    scripts: tuple[Script, ...]
    start: float
    warm: float
    end: float | None


@dataclass(slots=True)
class Counted:
    """What was answered while it counted: how long each request of a call took, in seconds; and the generator's CPU seconds.

    ``sent`` is how many of each call were answered, also before and after; ``fault`` says what went wrong.
    """

    times: dict[str, "array[float]"] = field(default_factory=dict)
    cpu: float = 0.0
    sent: Counter[str] = field(default_factory=Counter)
    fault: str = ""


class _Client(asyncio.Protocol):
    """One client: it sends a request, waits for its answer, and sends the next one."""

    def __init__(self, script: Script, load: Load, counted: Counted) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests, self._load, self._counted = script.requests(), load, counted
        self._parser = httptools.HttpResponseParser(self)
        self._call, self._sent_at = "", 0.0
        self._refused = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def begin(self) -> None:
        """Send the next request, if there is time for one."""
        following = next(self._requests, None)
        now = time.monotonic()
        if following is None or (self._load.end is not None and now >= self._load.end) or self._counted.fault:
            self.finish()
            return
        self._call, sent = following
        self._sent_at = now
        self._transport.write(sent)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        """Keep the beginning of an answer that is not as it should be."""
        if self._parser.get_status_code() >= 300 and len(self._refused) < _SHOWN:  # noqa: PLR2004 - success ends there
            self._refused += body

    def on_message_complete(self) -> None:
        """Count an answer, and go on."""
        now, counted, status = time.monotonic(), self._counted, self._parser.get_status_code()
        if status >= 300:  # noqa: PLR2004 - as above
            said = self._refused[:_SHOWN].decode(errors="replace").strip()
            counted.fault = counted.fault or f"a request ({self._call}) was answered {status}: {said}"
        counted.sent[self._call] += 1
        if now >= self._load.warm and (self._load.end is None or now < self._load.end):
            counted.times.setdefault(self._call, array("d")).append(now - self._sent_at)
        self.begin()

    def finish(self) -> None:
        """Close the connection."""
        self._transport.close()
        if not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._counted.fault = self._counted.fault or f"the server closed a connection ({exc or 'without a word'})"
            self.done.set_result(None)


async def _run(load: Load) -> Counted:
    loop, counted = asyncio.get_running_loop(), Counted()
    async with asyncio.timeout(_CONNECT_SECONDS):
        clients = [await _connected(load, script, counted) for script in load.scripts]
    await asyncio.sleep(load.start - time.monotonic())
    cpu = [0.0, 0.0]
    if load.end is not None:
        offset = loop.time() - time.monotonic()
        for place, at in enumerate((load.warm, load.end)):
            loop.call_at(at + offset, partial(_note, cpu, place))
    for client in clients:
        client.begin()
    most = None if load.end is None else load.end - time.monotonic() + _MOST_SECONDS
    async with asyncio.timeout(most):
        await asyncio.gather(*(client.done for client in clients))
        if load.end is not None:
            await asyncio.sleep(load.end - time.monotonic() + 0.01)
    counted.cpu = cpu[1] - cpu[0]
    return counted


def _note(cpu: list[float], place: int) -> None:
    cpu[place] = time.process_time()


async def _connected(load: Load, script: Script, counted: Counted) -> _Client:
    _, client = await asyncio.get_running_loop().create_connection(lambda: _Client(script, load, counted), "127.0.0.1", load.port)
    return client


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - it is not there on every system
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def answered(load: Load) -> Counted:
    """Send a load; return what was counted, or what went wrong."""
    try:
        with asyncio.Runner(loop_factory=_new_loop) as loop:
            return loop.run(_run(load))
    except (OSError, httptools.HttpParserError) as error:
        return Counted(fault=f"{type(error).__name__}: {error}")


def generate(told: "Connection[Counted, Load]") -> None:
    """Send each load that comes, and say what was counted, until nobody is there any more: what the process runs."""
    end_at_ctrl_c()
    while True:
        try:
            load = told.recv()
        except EOFError:
            return
        told.send(answered(load))


def divided(scripts: Sequence[Script], processes: int) -> list[tuple[Script, ...]]:
    """Divide clients among processes."""
    return [tuple(scripts[place::processes]) for place in range(processes) if scripts[place::processes]]
