"""Every fault of a body, found by walking it beside its type; values in other accepted formats are converted on the way.

What may be written in another way: whole numbers with a point (``39800.0``), and what the type itself says under ``OTHERWISE``.

Only a body that the decoder refuses is walked. What is right and what is wrong is asked of the decoder, part by part, on slices
of the body as it came; the words are ours. A part that fits is passed over whole, so the walk takes about as long as decoding
the body once for each level that a fault lies deep, and it ends where enough faults are found.
"""

from collections.abc import Generator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, cast

import msgspec
from msgspec import Raw

from ordre.api.http.errors import MOST_FAULTS
from ordre.api.http.shapes import Shape, fields_of, shown
from ordre.api.wire.common import FieldError, encode
from ordre.domain.refusals import InvalidValue, MissingField, Refusal

CHUNK = 256
"""So many entries of a list are tried at once."""
_INTEGER_DIGITS = 20

Walk: TypeAlias = Generator[Refusal, None, Raw | None]
"""Yields faults; returns the part as it is to be read, or None where something is wrong with it."""

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_list = msgspec.json.Decoder(list[Raw]).decode


def _number(text: str) -> Decimal:
    """Return any number of JSON; what no decimal can hold as infinite."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


_plain = msgspec.json.Decoder(float_hook=_number).decode


def read(shape: Shape, body: bytes) -> tuple[list[Refusal], Raw | None]:
    """Return the faults of a body; where it has none, the body to read, with values in other accepted formats converted.

    Raises:
        msgspec.DecodeError: It is not JSON.
    """
    walk = _walked(shape, Raw(body.strip()), "")
    found: list[Refusal] = []
    while len(found) < MOST_FAULTS:
        try:
            found.append(next(walk))
        except StopIteration as end:
            return found, end.value
    return found, None


def faults_of_parameters(struct: type[msgspec.Struct], values: Mapping[str, Any]) -> list[Refusal]:
    """Return the faults of a query's parameters, of which each is text or a list of texts."""
    return [
        InvalidValue(path=name, reason=reason)
        for name, field in fields_of(struct).items()
        if name in values and (reason := _reason_of_parameter(field.shape, values[name]))
    ]


def _reason_of_parameter(shape: Shape, value: Any) -> str:
    if shape.entry is not None:
        if any(choice.longest is not None and len(value) > choice.longest for choice in shape.choices):
            return shape.reason(value)
        return next((reason for one in value if (reason := _reason_of_parameter(shape.entry, one))), "")
    return shape.reason_of_text(value) if isinstance(value, str) and not shape.admits_text(value) else ""


def _walked(shape: Shape, text: Raw, path: str) -> Walk:
    error = shape.refused(text)
    if error is None:
        return text
    start = bytes(memoryview(text)[:1])
    if start == b"{" and shape.struct is not None:
        return (yield from _object_walked(shape, shape.struct, text, path))
    if start == b"[" and shape.entry is not None:
        return (yield from _list_walked(shape, shape.entry, text, path))
    value = _plain(text)
    made = _made(shape, value)
    if made is not None:
        text, value = Raw(encode(made)), made
        error = shape.refused(text)
        if error is None:
            return text
    yield _fault(shape, error, value, path)
    return None


def _object_walked(shape: Shape, struct: type[msgspec.Struct], text: Raw, path: str) -> Walk:
    sent, fields = _object(text), fields_of(struct)
    right, inside = dict(sent), f"{path}." if path else ""
    for name, part in sent.items():
        if name in fields:
            fitting = yield from _walked(fields[name].shape, part, f"{inside}{name}")
            if fitting is None:
                del right[name]
            else:
                right[name] = fitting
    for name, field in fields.items():
        if field.required and name not in sent:
            yield MissingField(path=f"{inside}{name}")
    if any(field.required and name not in right for name, field in fields.items()):
        return None
    return (yield from _joined(shape, right, path, whole=len(right) == len(sent)))


def _list_walked(shape: Shape, entry: Shape, text: Raw, path: str) -> Walk:
    entries: list[Raw | None] = [*_list(text)]
    for start in range(0, len(entries), CHUNK):
        chunk = entries[start : start + CHUNK]
        if not entry.fit(encode(chunk)):
            for place, one in enumerate(chunk, start):
                entries[place] = yield from _walked(entry, cast(Raw, one), f"{path}[{place}]")
    return None if None in entries else (yield from _joined(shape, entries, path, whole=True))


def _joined(shape: Shape, parts: Any, path: str, *, whole: bool) -> Walk:
    """Run the checks of a whole object, once each of its fields is right."""
    text = Raw(encode(parts))
    error = shape.refused(text)
    if error is not None:
        yield _fault(shape, error, parts, path)
    return text if whole and error is None else None


def _fault(shape: Shape, error: msgspec.ValidationError, value: Any, path: str) -> InvalidValue:
    match error.__cause__:
        case FieldError(field=field, reason=reason):
            return InvalidValue(path=f"{path}.{field}" if path else field, reason=reason)
        case ValueError() as cause:
            return InvalidValue(path=path, reason=f"{cause}, is {shown(value)}")
        case _:
            return InvalidValue(path=path, reason=shape.reason(value))


def _made(shape: Shape, value: Any) -> object:
    """Convert a value in another accepted format, such as ``39800.0`` or a number as text, to its type; return None otherwise."""
    number = _whole(value) if isinstance(value, Decimal) else None
    if number is not None and shape.whole:
        return number
    return shape.made_of(value if number is None else number)


def _whole(value: Decimal) -> int | None:
    """Return a number that is whole, unless it is far too large."""
    if not value.is_finite() or value.adjusted() > _INTEGER_DIGITS or value != value.to_integral_value():
        return None
    return int(value)
