"""A wire type, ready to be walked beside a value: its fields, its entries, and what a value must be, in words."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property, reduce
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from ordre.api.wire.common import EXPECTED, KNOWN_WORDS, OTHERWISE, Number, decoder, no_such_day

LONGEST = 40
"""So many characters of a wrong value are repeated in a message."""

_NAMES: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    Number: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    msgspec.Struct: "an object",
}
_MEANT: dict[type, tuple[Any, ...]] = {
    str: (str, Literal),
    bool: (bool,),
    int: (int, Number),
    Decimal: (Number,),
    list: (list,),
    dict: (dict, msgspec.Struct),
}
"""Type of a decoded value -> the kinds that it may be meant as."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One kind of value that a type admits: a type, a generic type's origin, ``Struct`` for all objects; and its limits."""

    kind: Any
    values: tuple[object, ...] = ()
    expected: str = ""
    """In words what it must be, where the type itself says so."""
    otherwise: Callable[[object], object] | None = None
    """What makes it out of a value of another shape, or None, where the type takes one."""
    least: int | None = None
    most: int | None = None
    shortest: int = 0
    longest: int | None = None
    pattern: str = ""
    known: tuple[str, ...] = ()

    def within(self, meta: msgspec.Meta) -> "Choice":
        """Return the same with the limits of an annotation."""
        return Choice(
            kind=self.kind,
            values=self.values,
            expected=self.expected or (meta.extra or {}).get(EXPECTED, ""),
            otherwise=self.otherwise or (meta.extra or {}).get(OTHERWISE),
            least=_either(self.least, meta.ge),
            most=_either(self.most, meta.le),
            shortest=self.shortest or meta.min_length or 0,
            longest=_either(self.longest, meta.max_length),
            pattern=self.pattern or meta.pattern or "",
            known=self.known or tuple((meta.extra_json_schema or {}).get(KNOWN_WORDS, ())),
        )

    def made_of(self, value: object) -> object:
        """Convert a value in another accepted format; return None where it is in none."""
        return None if self.otherwise is None else self.otherwise(value)

    @property
    def words(self) -> str:
        """The kind in words, for messages on what a value must be."""
        if self.kind is Literal:
            return f"one of {_listed(self.values)}"
        return self.expected or _NAMES.get(self.kind, "any value")


class Shape:
    """A type of the wire. ``struct`` is the object and ``entry`` the shape of a list's entries, where it is one of them."""

    def __init__(self, type_: Any) -> None:
        self._type = type_
        parts = tuple(_parts(type_))
        self.struct: type[msgspec.Struct] | None = next(
            (part for part in parts if isinstance(part, type) and issubclass(part, msgspec.Struct)), None
        )
        self.entry: Shape | None = next((Shape(get_args(part)[0]) for part in parts if get_origin(part) is list), None)
        self.whole = int in parts

    def refused(self, text: Any) -> msgspec.ValidationError | None:
        """Return why JSON is not of the type, or None where it is."""
        return _refused(self._decoder, text)

    def fit(self, texts: Any) -> bool:
        """Whether every entry of a list in JSON is of the type."""
        return _refused(self._list_decoder, texts) is None

    def admits_text(self, text: str) -> bool:
        """Whether a parameter of the type may have this value."""
        try:
            msgspec.convert(text, self._type, strict=False)
        except msgspec.ValidationError:
            return False
        return True

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        return decoder(self._type)

    @cached_property
    def _list_decoder(self) -> msgspec.json.Decoder[Any]:
        return decoder(list[self._type])  # type: ignore[name-defined]

    @property
    def known_words(self) -> tuple[str, ...]:
        """The words that are known of a field whose list is not published, and which may hold another."""
        return next((choice.known for choice in self.choices if choice.known), ())

    @cached_property
    def choices(self) -> tuple[Choice, ...]:
        """The kinds of value that the type admits, besides null."""
        return tuple(_choices(self._type))

    def made_of(self, value: object) -> object:
        """Convert a value in another accepted format, such as a number as text, to the type; return None where it is in none."""
        return next((made for choice in self.choices if (made := choice.made_of(value)) is not None), None)

    def reason(self, value: Any) -> str:
        """Return the reason why a decoded value is not of the type."""
        choices = self.choices
        meant = next((choice for choice in choices if choice.kind in _MEANT.get(type(value), ())), None)
        return _broken(meant, value) if meant else _other_kind(choices, value)

    def reason_of_text(self, text: str) -> str:
        """Return the same of a parameter, whose value is text whatever its type."""
        kinds = {choice.kind for choice in self.choices}
        if int in kinds and text.removeprefix("-").isdecimal() and len(text) <= LONGEST:
            return self.reason(int(text))
        if kinds & {str, Literal}:
            return self.reason(text)
        return f"Must be {_joined(choice.words for choice in self.choices)}, is {shown(text)}"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an object."""

    required: bool
    shape: Shape


@cache
def fields_of(struct: type[msgspec.Struct]) -> dict[str, Field]:
    """Return the fields of an object by name, in the order of its type."""
    return {one.encode_name: Field(one.required, Shape(one.type)) for one in msgspec.structs.fields(struct)}


def shown(value: Any) -> str:
    """Return a value as a message repeats it: short, and on one line."""
    match value:
        case str():
            return repr(value if len(value) <= LONGEST else f"{value[:LONGEST]}...")
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case list():
            return "a list"
        case dict():
            return "an object"
        case Decimal() if not value.is_finite():
            return "far out of range"
        case _:
            text = str(value)
            return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _refused(by: msgspec.json.Decoder[Any], text: Any) -> msgspec.ValidationError | None:
    try:
        by.decode(text)
    except msgspec.ValidationError as error:
        return error
    return None


def _broken(choice: Choice, value: Any) -> str:
    """Return the reason why a value of the right kind is outside of its limits."""
    if choice.kind is Literal:
        return f"{shown(value)} is not one of {_listed(choice.values)}"
    if isinstance(value, str | list) and len(value) < choice.shortest:
        return "Must not be empty"
    if isinstance(value, str) and choice.longest is not None and len(value) > choice.longest:
        return f"Must be at most {choice.longest:,} characters long, is {len(value):,}"
    if isinstance(value, list) and choice.longest is not None and len(value) > choice.longest:
        return f"Must be at most {choice.longest:,} values, are {len(value):,}"
    if isinstance(value, int) and not (choice.least is None and choice.most is None):
        return f"Must be {_range(choice.least, choice.most)}, is {shown(value)}"
    if isinstance(value, str) and choice.words.startswith("a date") and (no_day := no_such_day(value)):
        return no_day
    return f"Must be {choice.words}, is {shown(value)}"


def _other_kind(choices: tuple[Choice, ...], value: Any) -> str:
    is_ = f"the text {shown(value)}" if isinstance(value, str) else shown(value)
    return f"Must be {_joined(choice.words for choice in choices)}, is {is_}"


def _range(least: int | None, most: int | None) -> str:
    if most is None:
        return f"{least} or more"
    return f"at most {most}" if least is None else f"{least} to {most}"


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)


def _joined(words: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(words))


def _parts(type_: Any) -> Iterator[Any]:
    """Yield what a type is a union of, without what is annotated to it."""
    if get_origin(type_) is Annotated:
        yield from _parts(get_args(type_)[0])
    elif get_origin(type_) in (Union, UnionType):
        for one in get_args(type_):
            yield from _parts(one)
    else:
        yield type_


def _choices(type_: Any) -> Iterator[Choice]:
    origin = get_origin(type_)
    if origin is Annotated:
        inner, *notes = get_args(type_)
        for choice in _choices(inner):
            yield reduce(Choice.within, (note for note in notes if isinstance(note, msgspec.Meta)), choice)
    elif origin in (Union, UnionType):
        for one in get_args(type_):
            yield from _choices(one)
    elif isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        yield Choice(kind=msgspec.Struct)
    elif type_ not in (None, NoneType, msgspec.UnsetType):
        yield Choice(kind=origin or type_, values=get_args(type_) if origin is Literal else ())


def _either(one: int | None, other: float | None) -> int | None:
    """Return the first of two limits that is set; ours are whole numbers."""
    return one if one is not None or other is None else int(other)
