"""The requests on a connection, parsed by httptools. Every byte is counted; ambiguous requests are refused."""

import re
from http import HTTPStatus
from typing import Protocol

import httptools
import msgspec

from ordre.api.http.errors import Failure

HEAD_BYTES = 32 * 1024
"""Of a head; the trailers of a body in chunks count as part of it."""
_AROUND = 8
"""So many bytes may be around each byte of a body: around a chunk of one byte are five."""
_HOST = re.compile(rb"[^\x00-\x20/?#@\\<>\"\x7f-\xff]{0,255}")
_DIGITS = re.compile(rb"[0-9]{1,18}")
LARGE = Failure(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "head_too_large", f"The head of a request is limited to {HEAD_BYTES:,} bytes"
)
_PADDED = Failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "The chunks of the body carry too much beside their content")


def _malformed(message: str) -> Failure:
    return Failure(HTTPStatus.BAD_REQUEST, "malformed_request", message)


_NO_HTTP = _malformed("This is not an HTTP/1.1 or HTTP/1.0 request")
_HOSTS = _malformed("An HTTP/1.1 request needs exactly one Host header")
_CODED = _malformed("Send the body with Content-Length or in chunks")


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The head of a request. ``headers`` have names in small letters, ``length`` is that of the body, where it is said.

    A struct of msgspec, as what is made for each request: a frozen dataclass of so many fields takes 10 times as long to make.
    """

    method: str
    version: str
    path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]]
    length: int
    keep: bool
    expects_continue: bool


class Reader(Protocol):
    """Receives the requests as they are parsed."""

    def on_head(self, head: Head) -> None:
        """A head is whole; its body follows."""

    def on_part(self, part: bytes) -> None:
        """A part of the body."""

    def on_end(self) -> None:
        """The request is whole."""


class Parser:
    """Parses what it is fed. ``in_head`` tells whether a head has begun and is not whole."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._parser = httptools.HttpRequestParser(self)
        self._fault: Failure | None = None
        self._raw = self._body = 0
        self.in_head = False
        self._begin()

    def _begin(self) -> None:
        self._url, self._headers = b"", list[tuple[bytes, bytes]]()
        self._counted = self._hosts = self._length = 0
        self._coded = self._expects_continue = self._upgrades = False

    def feed(self, data: bytes) -> None:
        """Parse some bytes.

        Raises:
            Failure: They are no request that is taken; nothing may be fed any more.
        """
        self._raw += len(data)
        self._feed(data)
        if self.in_head and self._raw > HEAD_BYTES:
            raise LARGE
        if self._raw > 2 * HEAD_BYTES + (1 + _AROUND) * self._body:
            raise _PADDED

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._ignore_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            raise (self._fault or _NO_HTTP) from error

    def _ignore_upgrade(self, rest: bytes) -> None:
        """Go on with HTTP/1.1, as a server may (RFC 9110, 7.8). The parser would lose the body, so it is told anew."""
        left_out = (b"upgrade", b"connection", b"http2-settings")
        closes = any(name == b"connection" and b"close" in value.lower() for name, value in self._headers)
        lines = [b"%b %b HTTP/1.1" % (self._parser.get_method(), self._url)]
        lines += [b"%b: %b" % (name, value) for name, value in self._headers if name not in left_out]
        lines += [b"connection: close"] * closes
        self._parser = httptools.HttpRequestParser(self)
        self._feed(b"\r\n".join([*lines, b"", rest]))

    def _refuse(self, failure: Failure) -> None:
        """End the parsing: httptools raises an error of its own for what a callback raises."""
        self._fault = failure
        raise failure

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._begin()
        self.in_head = True

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; a trailer is counted and dropped."""
        self._count(len(name) + len(value) + 4)
        if not self.in_head:
            return
        name = name.lower()
        if name == b"host":
            self._hosts += 1
            if not _HOST.fullmatch(value):
                self._refuse(_HOSTS)
        elif name == b"content-length":
            if not _DIGITS.fullmatch(value):
                self._refuse(_CODED)
            self._length = int(value)
        elif name == b"transfer-encoding":
            if self._coded or value.lower() != b"chunked":
                self._refuse(_CODED)
            self._coded = True
        elif name == b"expect":
            self._expects_continue = value.lower() == b"100-continue"
        self._headers.append((name, value))

    def _count(self, size: int) -> None:
        self._counted += size
        if self._counted > HEAD_BYTES:
            self._refuse(LARGE)

    def on_headers_complete(self) -> None:
        """Hand on a head, unless it asks for another protocol: then it comes again without that."""
        method, version = self._parser.get_method(), self._parser.get_http_version()
        if version not in ("1.1", "1.0") or method == b"CONNECT":
            self._refuse(_NO_HTTP)
        if self._hosts > 1 or (version == "1.1" and not self._hosts):
            self._refuse(_HOSTS)
        if self._coded and (self._length or version == "1.0"):
            self._refuse(_CODED)
        self._upgrades = self._parser.should_upgrade()
        if self._upgrades:
            return
        self.in_head = False
        address = httptools.parse_url(self._url)
        head = Head(
            method=method.decode(),
            version=version,
            path=address.path or b"/",
            query=address.query or b"",
            headers=self._headers,
            length=self._length,
            keep=version == "1.1" and self._parser.should_keep_alive(),
            expects_continue=self._expects_continue and version == "1.1",
        )
        self._reader.on_head(head)

    def on_body(self, part: bytes) -> None:
        """Hand on a part of the body."""
        self._body += len(part)
        self._reader.on_part(part)

    def on_message_complete(self) -> None:
        """Hand on the end."""
        if not self._upgrades:
            self._raw = self._body = 0
            self._reader.on_end()
