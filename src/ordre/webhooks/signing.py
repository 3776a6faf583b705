"""Signatures of deliveries: the original's, those of Standard Webhooks, and signature version 4 of AWS."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1, sha256
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import msgspec
from msgspec import Struct

_STANDARD = "whsec_"
"""Begins a secret whose key is the base64 behind it, as Standard Webhooks have it. Any other is its own key."""
_AWS4 = "AWS4-HMAC-SHA256"


class SharedSecret(Struct, frozen=True, kw_only=True, tag_field="type", tag="HMAC-SHA1"):
    """A secret under which what is sent is signed."""

    value: str


class Authorization(Struct, frozen=True, kw_only=True, tag_field="type", tag="Authorization"):
    """The value of the header ``Authorization``."""

    value: str


class Aws4(Struct, frozen=True, kw_only=True, tag_field="type", tag=_AWS4):
    """The key of an account of AWS, by which a request is signed for a service in a region."""

    aws_access_key_id: str
    aws_secret_access_key: str
    region: str
    service: str


Secret = SharedSecret | Authorization | Aws4
read_secret = msgspec.json.Decoder(Secret).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A request that is to be signed: a POST of a body to a URL, at an instant in seconds since 1970."""

    url: str
    body: bytes
    id: str
    at: int


def signatures(secret: Secret | None, request: Signed) -> dict[str, str]:
    """Return the headers by which a receiver knows that a request is from here, and new."""
    headers = {"webhook-id": request.id, "webhook-timestamp": str(request.at)}
    match secret:
        case None:
            return headers
        case SharedSecret(value=value):
            original = hmac.new(value.encode(), request.body, sha1).hexdigest()
            return {**headers, "event-signature": original, "webhook-signature": f"v1,{standard_signature(value, request)}"}
        case Authorization(value=value):
            return {**headers, "authorization": value}
        case Aws4():
            return {**headers, **aws4_headers(secret, "POST", request.url, request.body, request.at)}


def standard_signature(value: str, request: Signed) -> str:
    """Return the signature of Standard Webhooks, version 1: the HMAC with SHA-256, in base64, of id, instant and body."""
    content = f"{request.id}.{request.at}.".encode() + request.body
    return base64.b64encode(hmac.new(standard_key(value), content, sha256).digest()).decode()


def standard_key(value: str) -> bytes:
    """Return the key of a secret for Standard Webhooks."""
    if value.startswith(_STANDARD):
        try:
            return base64.b64decode(value.removeprefix(_STANDARD), validate=True)
        except (binascii.Error, ValueError):
            pass
    return value.encode()


def aws4_headers(
    secret: Aws4, method: str, url: str, body: bytes, at: int, more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the headers of signature version 4 for a request; ``more`` are headers, in small letters, that it signs, too."""
    moment = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(url)
    signed = dict(sorted({"host": parts.netloc, "x-amz-date": moment, **(more or {})}.items()))
    names = ";".join(signed)
    asked = "\n".join(
        (
            method,
            quote(unquote(parts.path or "/"), safe="/-_.~"),
            _query(parts.query),
            *(f"{name}:{' '.join(value.split())}" for name, value in signed.items()),
            "",
            names,
            sha256(body).hexdigest(),
        )
    )
    scope = f"{moment[:8]}/{secret.region}/{secret.service}/aws4_request"
    text = f"{_AWS4}\n{moment}\n{scope}\n{sha256(asked.encode()).hexdigest()}"
    key = f"AWS4{secret.aws_secret_access_key}".encode()
    for part in (moment[:8], secret.region, secret.service, "aws4_request"):
        key = hmac.new(key, part.encode(), sha256).digest()
    signature = hmac.new(key, text.encode(), sha256).hexdigest()
    credential = f"{secret.aws_access_key_id}/{scope}"
    return {
        "x-amz-date": moment,
        "authorization": f"{_AWS4} Credential={credential}, SignedHeaders={names}, Signature={signature}",
    }


def _query(text: str) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    return "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs))
