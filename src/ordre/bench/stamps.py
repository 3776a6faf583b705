"""Stamps: a model order, from which rows of copies are made by putting texts where its marks stand. That takes microseconds.

Chains and hashes are computed anew for each copy. Rows are made as the text format of PostgreSQL's ``copy``.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from ordre.api.wire.common import instant
from ordre.bench import models
from ordre.bench.filling import by_table
from ordre.bench.models import Model
from ordre.db import links
from ordre.db.packing import in_row
from ordre.db.terms import MARK, compact
from ordre.domain.chain import START, Link, digest_of_body, linked

NULL = "\\N"
BYTES = "\\x"
"""Begins bytes, as PostgreSQL writes them; no text of an order begins so."""
FEED = "feed"
_FACTS, _BODIES, _RECORDED = "facts", "order_bodies", "recorded_terms"
_HASHED = ("data", "document", "event")
_HASH, _FIRST_INSTANT = "@hash@", "at 0"
_SALT_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who placed a copy: what stands for the marks of people."""

    customer: str
    first: str
    last: str
    mail: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """What stands for the marks of a model in one copy. ``at`` is when it was placed, in milliseconds."""

    id: str
    order: str
    number: str
    payment: str
    at: int
    person: Person


def _nothing(_: Mapping[str, str]) -> tuple[str, ...]:
    return ()


class _Pattern:
    """A text with places, each of which has a name."""

    def __init__(self, text: str, marks: Mapping[str, str], found: "re.Pattern[str]") -> None:
        parts = found.split(text)
        self._format = "%s".join(part.replace("%", "%%") for part in parts[::2])
        names = [marks[mark] for mark in parts[1::2]]
        self._chosen: Callable[[Mapping[str, str]], str | tuple[str, ...]] = itemgetter(*names) if names else _nothing
        self.is_escaped = "\\" in text

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text with these values in its places."""
        return self._format % self._chosen(values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _FactStamp:
    """A fact of a model. ``before`` and ``after`` are its row around what is hashed, escaped as in a row."""

    version: int
    type: str
    at: str
    actor: str
    before: _Pattern
    hashed: tuple[_Pattern, ...]


class Stamp:
    """A model, ready to be copied. ``account_id`` is whose orders they are."""

    def __init__(self, model: Model, account_id: str, new_id: Callable[[int], str]) -> None:
        self._account_id, self._new_id = account_id, new_id
        self._offsets = tuple(at - models.START for at in model.instants)
        self._ids = len(model.ids)
        marks = _marks(model)
        found = re.compile("(" + "|".join(re.escape(one) for one in sorted(marks, key=len, reverse=True)) + ")")
        tables = {name: (columns, rows) for name, columns, rows in by_table(model.rows)}
        _, last = model.rows.facts[-1]
        self.columns = {name: tuple(columns) for name, (columns, _) in tables.items()}
        self._facts = [self._fact_stamp((*subject, *fact, None, None), marks, found) for subject, fact in model.rows.facts]
        self._tables = {
            name: _Pattern(
                "".join(_line(row) for row in rows).replace(last.hash, _HASH), {**marks, _HASH: "hash"}, _with(found, _HASH)
            )
            for name, (_, rows) in tables.items()
            if name not in (_FACTS, _BODIES)
        }
        (body,) = model.rows.bodies.values()
        self._body = tuple(_Pattern(text, marks, found) for text in body)

    def _fact_stamp(self, row: Sequence[object], marks: Mapping[str, str], found: "re.Pattern[str]") -> _FactStamp:
        named = dict(zip(self.columns[_FACTS], row, strict=True))
        places = [self.columns[_FACTS].index(name) for name in _HASHED]
        return _FactStamp(
            version=int(str(named["version"])),
            type=str(named["type"]),
            at=marks[str(named["at"])],
            actor=str(named["actor"]),
            before=_Pattern(_line(row[: places[0]]).rstrip("\n"), marks, found),
            hashed=tuple(_Pattern(str(named[name]), marks, found) for name in _HASHED),
        )

    def copied(self, copy: Copy, into: Mapping[str, list[str]]) -> None:
        """Add the rows of a copy to those of each table. Entries of the feed have no position yet, and their digest, no hash."""
        values = self._values(copy)
        salts = os.urandom(_SALT_BYTES * len(self._facts)).hex()
        hash_, facts, entries = START, into[_FACTS], into[FEED]
        for place, fact in enumerate(self._facts):
            salt = salts[place * 2 * _SALT_BYTES : (place + 1) * 2 * _SALT_BYTES]
            texts = [pattern.filled(values) for pattern in fact.hashed]
            digest = digest_of_body(salt, texts[0], texts[1], texts[2])
            of, at = (self._account_id, copy.id), int(values[fact.at])
            link = Link(
                account_id=of[0], order=of[1], version=fact.version, type=fact.type, at=at, actor=fact.actor, digest=digest
            )
            hash_ = linked(hash_, link)
            entries.append("\t".join(map(str, links.entry(*of, fact.version, fact.type, at, fact.actor, hash_)[1:])) + "\n")
            data, event, packed, size = in_row(texts[0], texts[2])
            row = (data, texts[1], event, salt, digest, hash_, packed, size)
            facts.append("\t".join((fact.before.filled(values), *map(_value, row))) + "\n")
        values["hash"] = hash_
        for name, pattern in self._tables.items():
            rows = pattern.filled(values)
            into[name].append(_in_order(rows) if name == _RECORDED else rows)
        fields, items, terms = (pattern.filled(values) for pattern in self._body)
        fields, items, packed, size = in_row(fields, items)
        into[_BODIES].append(_line((self._account_id, copy.id, fields, items, _sorted(terms), packed, size)))

    @property
    def facts(self) -> int:
        """The number of facts of each copy."""
        return len(self._facts)

    def _values(self, copy: Copy) -> dict[str, str]:
        person = copy.person
        values = {
            "id": copy.id,
            "compact": compact(copy.id).hex(),
            "order": copy.order,
            "number": copy.number,
            "payment": copy.payment,
            "customer": person.customer,
            "first": person.first,
            "first_word": person.first.casefold(),
            "last": person.last,
            "last_word": person.last.casefold(),
            "mail": person.mail,
            "phone": person.phone,
            "phone_reversed": person.phone[::-1],
        }
        for place, offset in enumerate(self._offsets):
            at = copy.at + offset
            values[f"at {place}"], values[f"instant {place}"] = str(at), instant(at)
        for place in range(self._ids):
            values[f"id {place}"] = self._new_id(copy.at + place)
        return values


def _marks(model: Model) -> dict[str, str]:
    """Return every mark of a model, with the name of what stands for it."""
    found = {
        models.ID: "id",
        compact(models.ID).hex(): "compact",
        models.ORDER: "order",
        models.NUMBER: "number",
        models.PAYMENT: "payment",
        models.CUSTOMER: "customer",
        models.FIRST: "first",
        models.FIRST.casefold(): "first_word",
        models.LAST: "last",
        models.LAST.casefold(): "last_word",
        models.MAIL: "mail",
        models.PHONE: "phone",
        models.PHONE[::-1]: "phone_reversed",
    }
    for place, at in enumerate(model.instants):
        found[str(at)], found[instant(at)] = f"at {place}", f"instant {place}"
    return found | {id_: f"id {place}" for place, id_ in enumerate(model.ids)}


def _in_order(rows: str) -> str:
    """Return rows whose last value is a text of terms with these in order, as they are stored."""
    parted = [row.rpartition("\t") for row in rows.split("\n")[:-1]]
    return "".join(f"{rest}\t{_sorted(text)}\n" for rest, _, text in parted)


def _sorted(terms: str) -> str:
    return f"{MARK}{MARK.join(sorted(terms.strip(MARK).split(MARK)))}{MARK}"


def _with(found: "re.Pattern[str]", mark: str) -> "re.Pattern[str]":
    return re.compile(found.pattern[:-1] + "|" + re.escape(mark) + ")")


def _line(row: Sequence[object]) -> str:
    return "\t".join(map(_value, row)) + "\n"


def _value(value: object) -> str:
    if value is None:
        return NULL
    text = BYTES + value.hex() if isinstance(value, bytes) else str(value)
    return text.replace("\\", "\\\\")


def parsed(line: str) -> list[str | bytes | None]:
    """Return the values of a row that was made as text."""
    return [_parsed(value) if "\\" in value else value for value in line.split("\t")]


def _parsed(value: str) -> str | bytes | None:
    if value == NULL:
        return None
    text = value.replace("\\\\", "\\")
    return bytes.fromhex(text[len(BYTES) :]) if text.startswith(BYTES) else text
