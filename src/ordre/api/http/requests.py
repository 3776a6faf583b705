"""Reading a request: its body within the limits, as JSON or as a form; its query, of which nothing is ignored."""

import re
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, unquote

import msgspec
from starlette.requests import ClientDisconnect, Request

from ordre.api.http.deadline import Deadline
from ordre.api.http.errors import MOST_FAULTS, Failure
from ordre.api.http.faults import faults_of_parameters, read
from ordre.api.http.shapes import Shape
from ordre.api.wire.common import decoder
from ordre.api.wire.queries import LISTS, METADATA, MOST_METADATA_FILTERS
from ordre.domain.refusals import InvalidValue, Refusal, Refused, UnknownParameter

T = TypeVar("T", bound=msgspec.Struct)
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""A string of JSON; one that is not closed takes the rest. It gives nothing back (``*+``), so that it is read in one pass."""
_AS_ONE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_IN_IDS = re.compile("%(2[5Ff])")
KEY_LENGTH = 255
STRANGER_BYTES = 64 * 1024
"""The largest body of a request without a token. One for a token has a few hundred bytes."""


def header_of(request: Request, name: bytes) -> str | None:
    """Return the first header of this name, which is in small letters.

    A walk of the few that there are: starlette's mapping of them takes 3 % of a request.
    """
    for sent, value in request.scope["headers"]:
        if sent == name:
            return str(value, "latin-1")
    return None


def token_of(request: Request) -> str:
    """Return the token that a request comes with; none is empty."""
    scheme, _, token = (header_of(request, b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def body_of(request: Request, most_bytes: int, deadline: Deadline) -> bytes:
    """Return the request's body.

    Raises:
        Failure: It is larger than allowed, or does not come in time.
    """
    try:
        with deadline:
            return await _body_of(request, most_bytes)
    except TimeoutError as error:
        message = f"The body did not arrive within {deadline.seconds:g} seconds"
        raise Failure(HTTPStatus.REQUEST_TIMEOUT, "too_slow", message, {"connection": "close"}) from error


async def _body_of(request: Request, most_bytes: int) -> bytes:
    declared = header_of(request, b"content-length") or "0"
    if declared.isdecimal() and int(declared) > most_bytes:
        raise _too_large(most_bytes)
    chunks, size = [], 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > most_bytes:
            raise _too_large(most_bytes)
        chunks.append(chunk)
    return b"".join(chunks)


def path_of(request: Request) -> str:
    """Return the request's path, decoded but for a slash or a percent sign in an id: two paths are never the same text."""
    path: str = request.scope["path"]
    return unquote(_IN_IDS.sub(r"%25\1", path))


def text_of(body: bytes) -> str:
    """Return the body as text; refuse what is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Failure(HTTPStatus.BAD_REQUEST, "malformed_json", "The body is not UTF-8") from error


def check_type(request: Request, *, form: bool) -> bool:
    """Refuse a media type that the operation does not read; return whether it is a form."""
    media = (header_of(request, b"content-type") or "").partition(";")[0].strip().lower()
    if form and media == "application/x-www-form-urlencoded":
        return True
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        raise Failure(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Send the body as application/json")
    return False


def form_of(body: bytes) -> bytes:
    """Return a form as JSON text; of a field that is given twice, the last."""
    return msgspec.json.encode(dict(parse_qsl(text_of(body))))


class Bodies(Generic[T]):
    """Decodes bodies of one type."""

    def __init__(self, type_: type[T], depth: int) -> None:
        self._decoder = decoder(type_)
        self._shape = Shape(type_)
        self._depth = depth

    def decode(self, body: bytes) -> T:
        """Return the body as its type; a whole number may be written with a point (``39800.0``), a line's number as text.

        Raises:
            Failure: It is not JSON, or nested too deep.
            Refused: It is not of its type; every fault is named.
        """
        if not body:
            raise Failure(HTTPStatus.BAD_REQUEST, "malformed_json", "A JSON body is needed")
        self._check_depth(body)
        try:
            return self._decoded(body)
        except msgspec.DecodeError as error:
            raise Failure(HTTPStatus.BAD_REQUEST, "malformed_json", f"The body is not JSON: {error}") from error
        except RecursionError as error:
            raise _too_deep(self._depth) from error

    def _decoded(self, body: bytes) -> T:
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError as error:
            faults, mended = read(self._shape, body)
            if mended is None:
                raise Refused(*faults) from error
            return self._decoder.decode(mended)

    def _check_depth(self, body: bytes) -> None:
        """Remove strings, then pairs of brackets from the inside, one level at a time. Unpaired ones are left to the decoder."""
        if body.count(b"{") + body.count(b"[") <= self._depth:
            return
        left = _STRING.sub(b"", body).translate(_AS_ONE, _NO_BRACKETS)
        for _ in range(self._depth):
            left = left.replace(b"[]", b"")
        if b"[]" in left:
            raise _too_deep(self._depth)


def check_names(request: Request) -> None:
    """Refuse a path or query with a NUL character: no id has one, and no database takes one."""
    if "%00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise Refused(InvalidValue(reason="The path and the query must not contain a NUL character"))


class Queries(Generic[T]):
    """Decodes query strings of one type."""

    def __init__(self, type_: type[T]) -> None:
        self._type = type_
        names = [field.encode_name for field in msgspec.structs.fields(type_)]
        self._takes_metadata = "metadata" in names
        self._known = {name: None for name in names if name != "metadata"}

    def decode(self, request: Request) -> T:
        """Return the query as its type.

        Raises:
            Refused: A parameter is unknown, is given twice, or has a value that it cannot have; every such parameter is named.
        """
        if not request.scope["query_string"]:
            return self._type()
        values = self._values(request)
        try:
            return msgspec.convert(values, self._type, strict=False)
        except msgspec.ValidationError as error:
            raise Refused(*faults_of_parameters(self._type, values)) from error

    def _values(self, request: Request) -> dict[str, Any]:
        values: dict[str, Any] = {}
        faults: list[Refusal] = []
        for name, value in request.query_params.multi_items():
            if self._takes_metadata and name.startswith(METADATA):
                into, key = values.setdefault("metadata", {}), name.removeprefix(METADATA)
            elif name in self._known:
                into, key = values, name
            else:
                faults.append(UnknownParameter(path=name, parameter=name, allowed=self._allowed()))
                continue
            if name in LISTS:
                values.setdefault(name, []).extend(value.split(","))
            elif key in into:
                faults.append(InvalidValue(path=name, reason="May be given only once"))
            else:
                into[key] = value
        if (filters := len(values.get("metadata", ()))) > MOST_METADATA_FILTERS:
            reason = f"Must be at most {MOST_METADATA_FILTERS} filters, are {filters}"
            faults.append(InvalidValue(path=f"{METADATA}<key>", reason=reason))
        if faults:
            raise Refused(*faults[:MOST_FAULTS])
        return values

    def _allowed(self) -> tuple[str, ...]:
        return (*self._known, f"{METADATA}<key>") if self._takes_metadata else tuple(self._known)


def idempotency_key(request: Request) -> str | None:
    """Return the request's Idempotency-Key."""
    key = header_of(request, b"idempotency-key")
    if key is not None and not (0 < len(key) <= KEY_LENGTH and key.isascii() and key.isprintable()):
        reason = f"Must be 1 to {KEY_LENGTH} printable ASCII characters"
        raise Refused(InvalidValue(path="Idempotency-Key", reason=reason))
    return key


def version_named(request: Request) -> int | None:
    """Return the version that If-Match names; None where there is none, or any will do."""
    header = header_of(request, b"if-match")
    if header is None or header.strip() == "*":
        return None
    match = re.fullmatch(r'(?:W/)?"([0-9]{1,15})"', header.strip())
    if match is None:
        raise Refused(InvalidValue(path="If-Match", reason='Must be one version in quotes, such as "3", or *'))
    return int(match[1])


def _too_large(most_bytes: int) -> Failure:
    return Failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"A request body is limited to {most_bytes:,} bytes")


def _too_deep(depth: int) -> Failure:
    return Failure(HTTPStatus.BAD_REQUEST, "too_deep", f"The JSON is nested deeper than {depth} levels")
