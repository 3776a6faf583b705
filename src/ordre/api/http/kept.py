"""The body of a request as its event shows it: whole, but without ignored fields where these are large."""

from decimal import Decimal
from typing import Any

import msgspec

from ordre.api.http.shapes import fields_of
from ordre.api.wire.queries import NoBody

MOST_UNTAKEN = 16 * 1024
"""So many bytes of a body an event keeps beside the fields that are taken: white space, unknown fields, and read-only ones."""

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def kept_body(type_: type[msgspec.Struct], text: str) -> str:
    """Return a request's body as an event keeps it. ``type_`` is what was read."""
    if len(text) <= MOST_UNTAKEN:  # characters; what has as many bytes and no more is kept in any case
        return text
    try:
        value = _decode(text)
    except (msgspec.DecodeError, RecursionError):
        return ""  # where no body is read
    left = _encode(_taken(type_, value)).decode() if type_ is not NoBody else ""
    return text if len(text.encode()) - len(left.encode()) <= MOST_UNTAKEN else left


def _taken(type_: type[msgspec.Struct], value: Any) -> Any:
    """Return a value with those fields alone that the type has."""
    if not isinstance(value, dict):
        return value
    fields, found = fields_of(type_), {}
    for name, one in value.items():
        if name in fields:
            shape = fields[name].shape
            if shape.struct is not None:
                one = _taken(shape.struct, one)  # noqa: PLW2901 - it is the same field
            elif shape.entry is not None and shape.entry.struct is not None and isinstance(one, list):
                one = [_taken(shape.entry.struct, entry) for entry in one]  # noqa: PLW2901 - as above
            found[name] = one
    return found
