"""Many connections at once that mean no good, drawn by chance: half of a request, byte by byte, answered early, never reading."""

import random
import socket
import struct
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from service import Service

HOST = b"Host: x\r\n"
_POST = b"POST /v1/accounts/T12345678/shopping/orders HTTP/1.1\r\n" + HOST
_LARGE = b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\n" + HOST + b"\r\n"
_GET = b"GET /health/live HTTP/1.1\r\n" + HOST + b"\r\n"
_HALF = (
    _POST + b"Content-Length: 10\r\n\r\na",
    _POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    _GET[:-2] + b"X-A: ",
    b"GE",
    b"",
)
_SMALL_BUFFER = 4096
MOST_NEVER_READING = 30
"""Of one flood: these are at work for the server, so that it does not end them for others."""
LEAVING = 0.15
"""Of all floods, those that end no connection."""
Sockets = Sequence[socket.socket]


def half_open(made: Sockets, drawn: random.Random, until: float) -> None:
    """Send a part of a request, and no more."""
    for one in made:
        one.sendall(drawn.choice(_HALF))
    time.sleep(max(until - time.monotonic(), 0))


def slow(made: Sockets, drawn: random.Random, until: float) -> None:
    """Send a head or a body byte by byte, and never all of it."""
    begun = drawn.choice((b"", _GET[:-2] + b"X-A: ", _POST + b"Content-Length: 1000000\r\n\r\n"))
    for one in made:
        one.sendall(begun)
    while time.monotonic() < until:
        for one in made:
            with suppress(OSError):
                one.sendall(b"a")
        time.sleep(drawn.uniform(0, 0.1))


def answered_early(made: Sockets, drawn: random.Random, until: float) -> None:
    """Go on to send a body long after it was refused."""
    for one in made:
        one.sendall(_POST + b"Content-Length: %d\r\n\r\n" % drawn.choice((10**6, 10**8, 10**12)))
    while time.monotonic() < until:
        for one in made:
            with suppress(OSError):
                one.send(b"x" * drawn.randint(1, 65_536))
        time.sleep(0.01)


def never_reading(made: Sockets, drawn: random.Random, until: float) -> None:
    """Ask for much, and take nothing of it."""
    for one in made[:MOST_NEVER_READING]:
        one.sendall(_LARGE * drawn.randint(1, 20))
    time.sleep(max(until - time.monotonic(), 0))


def idle(made: Sockets, drawn: random.Random, until: float) -> None:
    """Send whole requests, and then none."""
    for one in made:
        one.sendall(_GET * drawn.randint(1, 3))
    time.sleep(max(until - time.monotonic(), 0))


def no_request(made: Sockets, drawn: random.Random, until: float) -> None:
    """Send anything, again and again."""
    while time.monotonic() < until:
        for one in made:
            with suppress(OSError):
                one.send(drawn.randbytes(drawn.randint(1, 500)))
        time.sleep(drawn.uniform(0, 0.1))


KINDS: tuple[Callable[[Sockets, random.Random, float], None], ...] = (
    half_open,
    slow,
    answered_early,
    never_reading,
    idle,
    no_request,
)


def flood(service: Service, seed: str, most: int, until: float, left: ExitStack) -> str:
    """Open up to ``most`` connections at once, do one thing with them all; return what was done.

    Some end them then, some leave them to the server: their ends are in ``left``.
    """
    drawn = random.Random(seed)
    kind = drawn.choice(KINDS)
    with ExitStack() as opened:
        made = []
        for _ in range(drawn.randint(1, most)):
            one = opened.enter_context(socket.socket())
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
            one.settimeout(1)
            if drawn.random() < 0.3:  # closing it resets it
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with suppress(OSError):
                one.connect(("127.0.0.1", service.port))
                made.append(one)
        with suppress(OSError):  # the server ended one
            kind(made, drawn, until)
        if drawn.random() < LEAVING:
            left.push(opened.pop_all())
    return kind.__name__
