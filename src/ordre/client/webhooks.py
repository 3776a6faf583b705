"""Checks that what a receiver of webhooks was sent is from Ordre, and new.

from ordre.client import webhooks

delivery = webhooks.verified(body, headers, secret)
if delivery.id not in seen:
    ...
"""

import hmac
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ordre.webhooks.signing import Signed, standard_signature

OLD_SECONDS = 300.0
"""How old a delivery may be, and how far the clocks of sender and receiver may differ."""
_VERSION = "v1,"


class NotSignedError(Exception):
    """A delivery that is not signed with the secret, or not lately. Answer 400 or 500, and do nothing with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A delivery: its ``id``, the same each time that it is sent; the ``event``; when it was sent, in seconds since 1970.

    ``content`` is the body, as JSON has it.
    """

    id: str
    event: str
    at: int
    content: dict[str, Any]


def verified(
    body: bytes,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    old_seconds: float = OLD_SECONDS,
    now: float | None = None,
) -> Verified:
    """Return a delivery whose body, id and time are signed with a secret, or with one of several while they are changed.

    Args:
        body: The body, byte by byte as it came.
        headers: The headers, whatever the case of their names.
        secret: The ``value`` of the subscription's secret of the type ``HMAC-SHA1``.
        old_seconds: How old it may be.
        now: The time, in seconds since 1970; left out, that of this machine.

    Raises:
        NotSignedError: It is not signed with any of them, or is too old, or from the future, or no JSON.
    """
    named = {name.lower(): value for name, value in headers.items()}
    id_, at, found = (named.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not id_ or not at.isdecimal() or not found:
        raise NotSignedError("it has no webhook-id, webhook-timestamp and webhook-signature")
    request = Signed(url="", body=body, id=id_, at=int(at))
    wanted = [standard_signature(one, request) for one in ([secret] if isinstance(secret, str) else secret)]
    signed = [one.removeprefix(_VERSION) for one in found.split() if one.startswith(_VERSION)]
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in signed):
        raise NotSignedError("it is not signed with the secret")
    if abs((time.time() if now is None else now) - request.at) > old_seconds:
        raise NotSignedError(f"it was sent more than {old_seconds:.0f} seconds ago, or the clocks differ by as much")
    try:
        content = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise NotSignedError("its body is no JSON object") from error
    return Verified(id=id_, event=named.get("event", ""), at=request.at, content=content)
