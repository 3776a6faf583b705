"""Fields that a client sent and Ordre ignores: refused where the client asks for that, named in a header on test accounts.

Fields that the API does not know are ignored otherwise. Neither costs a request anything that asks for neither.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from typing import Any
from urllib.parse import quote

import msgspec

from ordre.api.http.errors import MOST_FAULTS
from ordre.api.http.shapes import fields_of, shown
from ordre.api.wire.queries import NoBody
from ordre.api.wire.readonly import read_only
from ordre.domain.refusals import InvalidValue, Refusal, Refused, UnknownField

IGNORED = "x-ordre-ignored"
APPLIED = "preference-applied"
STRICT = "handling=strict"
TOLD = "ordre.told"
"""Where it stands in the scope what the answer is to tell."""
MOST_CHARACTERS = 1_000
"""So long the header is at most; what it leaves out is said by `...` at its end."""
_TEST_ACCOUNT = "T"
_QUOTED = "[]._-~:@/$()"
_PREFERENCE = re.compile(r'(?:[^,"]+|"[^"\\]*+(?:\\.[^"\\]*+)*+"?)+', re.DOTALL)
_HANDLING = re.compile(r'\s*+handling\s*+=\s*+(?:"(\w*+)"|(\w*+))\s*+(?:;.*+)?', re.IGNORECASE | re.DOTALL)
"""Both are read in one pass whatever a header holds: what a part has taken it does not give back (``*+``)."""


def prefers_strict(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the headers of a request prefer ``handling=strict`` (RFC 7240); the first that names a handling counts."""
    for name, value in headers:
        if name == b"prefer":
            for preference in _PREFERENCE.findall(value.decode("latin-1")):
                if handling := _HANDLING.fullmatch(preference):
                    return (handling[1] or handling[2] or "").lower() == "strict"
    return False


@dataclass(slots=True)
class Told:
    """What the answer to a write says about ignored fields."""

    strict: bool
    ignored: list[str] = field(default_factory=list)

    def refuse(self, type_: type[msgspec.Struct], body: bytes, faults: tuple[Refusal, ...]) -> None:
        """Collect the ignored fields of a body; where the client asked for that, refuse them together with its other faults.

        Raises:
            Refused: It has faults; with ``strict`` whatever is not taken is one.
        """
        found = _unseen(type_, body, words=self.strict)
        if self.strict:
            faults = (*faults, *found)[:MOST_FAULTS]
        else:
            self.ignored += [one.path for one in found]
        if faults:
            raise Refused(*faults)

    def headers(self) -> dict[str, str]:
        """Return the headers that say so."""
        applied = {APPLIED: STRICT} if self.strict else {}
        return {**applied, IGNORED: ignored_header(self.ignored)} if self.ignored else applied


def told(account_id: str, headers: Iterable[tuple[bytes, bytes]]) -> Told | None:
    """Return a place for ignored fields where the client asked to know of them, or the account is a test account."""
    strict = prefers_strict(headers)
    return Told(strict) if strict or account_id.startswith(_TEST_ACCOUNT) else None


def _unseen(type_: type[msgspec.Struct], body: bytes, *, words: bool) -> list[Refusal]:
    """Return the ignored fields of a body, up to a limit; with ``words`` also each word that is not in a known list."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        value = None
    if type_ is NoBody and not isinstance(value, dict):
        return [UnknownField(path="(body)")]
    return list(islice(_walked(type_, value, "", words=words), MOST_FAULTS + 1))


def ignored_header(paths: Iterable[str]) -> str:
    """Return the paths as one line of printable ASCII, others percent-encoded; it ends in ``...`` where not all of them fit."""
    line = ""
    for place, path in enumerate(paths):
        quoted = quote(path[: MOST_CHARACTERS + 1], safe=_QUOTED)
        longer = f"{line}, {quoted}" if line else quoted
        if place == MOST_FAULTS or len(longer) > MOST_CHARACTERS:
            return f"{line}, ..." if line else "..."
        line = longer
    return line


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to look for in an object: the names that are known, the objects inside, and lists of words."""

    known: frozenset[str]
    objects: tuple[tuple[str, type[msgspec.Struct]], ...]
    lists: tuple[tuple[str, type[msgspec.Struct]], ...]
    words: tuple[tuple[str, tuple[str, ...]], ...]


@cache
def _plan(type_: type[msgspec.Struct]) -> _Plan:
    shapes = [(name, field.shape) for name, field in fields_of(type_).items()]
    return _Plan(
        known=read_only(type_).union(name for name, _ in shapes),
        objects=tuple((name, shape.struct) for name, shape in shapes if shape.struct),
        lists=tuple((name, shape.entry.struct) for name, shape in shapes if shape.entry and shape.entry.struct),
        words=tuple((name, words) for name, shape in shapes if (words := shape.known_words)),
    )


def _walked(type_: type[msgspec.Struct], value: Any, path: str, *, words: bool) -> Iterator[Refusal]:
    if not isinstance(value, dict):
        return
    plan, inside = _plan(type_), f"{path}." if path else ""
    for name in value:
        if name not in plan.known:
            yield UnknownField(path=f"{inside}{name}")
    if words:
        yield from _unknown_words(plan, value, inside)
    for name, struct in plan.objects:
        if name in value:
            yield from _walked(struct, value[name], f"{inside}{name}", words=words)
    for name, struct in plan.lists:
        if isinstance(entries := value.get(name), list):
            for place, entry in enumerate(entries):
                yield from _walked(struct, entry, f"{inside}{name}[{place}]", words=words)


def _unknown_words(plan: _Plan, value: dict[str, Any], inside: str) -> Iterator[Refusal]:
    for name, known in plan.words:
        if isinstance(word := value.get(name), str) and word not in known:
            yield InvalidValue(path=f"{inside}{name}", reason=f"{shown(word)} is not one of {', '.join(known)}")
