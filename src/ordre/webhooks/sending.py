"""Sending: one POST, to an address that may be reached, for a while at most, and no further than where the URL leads."""

import asyncio
import ssl
import time
from collections.abc import Mapping, Sequence
from functools import cache
from urllib.parse import urlsplit

import httpcore

from ordre import __version__
from ordre.application.hooks import Attempt
from ordre.webhooks.addresses import AddressRefused, Guarded, Network, Resolve, resolve
from ordre.webhooks.signing import Secret, Signed, signatures

AT_ONCE = 32
"""Requests to one receiver."""
ANSWER_BYTES = 64 * 1024
"""So much of an answer is read, and nothing of it kept."""
_ANSWER_SECONDS = 5.0
"""For an answer whose status is known."""
_KEPT_SECONDS = 4.0
"""A connection that is not used is closed before most receivers close it."""
_AGENT = f"Dintero-Hook/{b'ordre'.hex()} (Ordre {__version__})"


class Sender:
    """Sends to one receiver, over connections that are kept for a while. ``seconds`` is the time for each request."""

    def __init__(
        self,
        url: str,
        secret: Secret | None,
        *,
        insecure: bool,
        seconds: float,
        networks: Sequence[Network],
        resolve: Resolve = resolve,
    ) -> None:
        self._url, self._secret, self._seconds = httpcore.URL(url), secret, seconds
        self._text, self._host = url, urlsplit(url).netloc
        self._context = _trusting() if insecure else _trusted()
        self._network = Guarded(networks, resolve)
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    async def send(self, id_: str, event: str, body: bytes) -> Attempt:
        """Send a body; return what it was answered with."""
        at, start = time.time_ns() // 1_000_000, time.monotonic()
        headers = {
            "host": self._host,
            "user-agent": _AGENT,
            "content-type": "application/json",
            "content-length": str(len(body)),
            "accept": "*/*",
            "event": event,
            "event-delivery": id_,
            **signatures(self._secret, Signed(url=self._text, body=body, id=id_, at=at // 1000)),
        }
        status, fault = await self._sent(headers, body)
        return Attempt(at=at, milliseconds=round((time.monotonic() - start) * 1000), status=status, error=fault)

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            await self._idle.pop().aclose()

    async def _connection(self) -> httpcore.AsyncHTTPConnection:
        """Return a connection that is free, or a new one."""
        while self._idle:
            found = self._idle.pop()
            if found.is_available() and not found.has_expired():
                return found
            await found.aclose()
        return httpcore.AsyncHTTPConnection(
            self._url.origin, self._context, keepalive_expiry=_KEPT_SECONDS, network_backend=self._network
        )

    async def _sent(self, headers: Mapping[str, str], body: bytes) -> tuple[int | None, str | None]:
        """Return the status of the answer, or in words why there is none."""
        status: int | None = None
        fault: str | None = None
        connection = await self._connection()
        try:
            async with asyncio.timeout(self._seconds) as limit:
                request = httpcore.Request("POST", self._url, headers=list(headers.items()), content=body)
                answer = await connection.handle_async_request(request)
                status = answer.status
                limit.reschedule(min(limit.when() or 0.0, asyncio.get_running_loop().time() + _ANSWER_SECONDS))
                await _read(answer)
        except TimeoutError:
            fault = f"no answer came within {self._seconds:g} s"
        except AddressRefused as error:
            fault = str(error)
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            fault = _unconnected(error)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, httpcore.UnsupportedProtocol):
            fault = "the connection broke off, or what came is no HTTP"
        finally:
            if connection.is_idle():
                self._idle.append(connection)
            else:
                await connection.aclose()
        return status, None if status is not None else fault


async def _read(answer: httpcore.Response) -> None:
    """Read an answer, so that its connection can be used again; one that is too long is broken off."""
    read = 0
    async for part in answer.aiter_stream():
        read += len(part)
        if read >= ANSWER_BYTES:
            return
    await answer.aclose()


def _unconnected(error: Exception) -> str:
    """Return why a connection could not be made. What the other side says of itself is not repeated."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return "no encrypted connection could be made"
        cause = cause.__cause__ or cause.__context__
    return "no connection could be made"


@cache
def _trusted() -> ssl.SSLContext:
    """Return the context that asks for a certificate which the system trusts, or ``SSL_CERT_FILE``: reading them takes long."""
    return ssl.create_default_context()


@cache
def _trusting() -> ssl.SSLContext:
    """Return the context that takes any certificate."""
    found = ssl.create_default_context()
    found.check_hostname = False
    found.verify_mode = ssl.CERT_NONE
    return found
