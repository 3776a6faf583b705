"""What orders and drafts are found under: the values of the filters of lists, and the words that ``q`` searches for.

A word is what stands between spaces, without the punctuation around it, in lower case; in a text, so is what follows a mark
inside it: ``kari@example.com`` is found by ``example`` too. What is searched for is the beginning of a word. A phone number is
kept from its last digit on, so that it is found with or without the country's prefix. The words of a comment end in its id, so
that they go with it and leave those of another one that says the same.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import Any, TypeGuard

import msgspec
from msgspec import Raw

from ordre.api.wire.common import Wire
from ordre.application.lists import Beginning, Term, Terms, Word
from ordre.domain.draft import Draft, DraftStatus
from ordre.domain.order.facts import (
    Cancelled,
    Closed,
    CommentDeleted,
    Commented,
    Erased,
    Fact,
    LinesAdded,
    Opened,
    Placed,
    Recorded,
    Replaced,
    ServiceReported,
    SessionStarted,
    Updated,
)
from ordre.domain.order.order import Order
from ordre.domain.order.parts import About, Content, JsonFields

MOST_WORDS = 400
"""Of one order or draft: what identifies it first, then people, its comment, its metadata, then lines."""
MOST_METADATA = 50
"""Of the names in metadata that are filtered by, and of the words of its values."""
MOST_COMMENT_WORDS = 100
"""Of one comment, the first ones."""
MOST_SEARCHED = 8
MOST_CHARACTERS = 255
"""Of a value that is filtered by. Longer ones are kept, and not found."""
_WORD = 64
_LONGEST_NUMBER = 10**18
_LEAST_DIGITS = 5
_PHONE = re.compile(r"[\s(]*+\+?[\d\s()./\u2010-\u2015-]++")
_EDGES = re.compile(r"^\W++|(?<!\W)\W++$")
"""Marks at the end are looked for once from where they begin, not from each of them."""
_INSIDE = re.compile(r"(?<=[^\w])(?=\w)")
_WORDS = ("word", "payment", "comment")
_ENDS_WORD = "\x1f"
"""Between a word and whose it is; it is white space, so no word holds it."""


class _Company(Wire):
    bussiness_name: str | None = None


class _Person(Wire):
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone_number: str | None = None
    company: _Company | None = None


class _Named(Wire):
    id: str | None = None


class _Reservation(Wire):
    booking_id: str | None = None


class _Payment(Wire):
    payment_id: str | None = None


class _Comment(Wire, kw_only=True):
    id: str
    body: str = ""


class _Recorded(Wire):
    payment_details: _Payment | None = None


_text = msgspec.json.Decoder(str).decode
_person = msgspec.json.Decoder(_Person).decode
_named = msgspec.json.Decoder(list[_Named]).decode
_attachments = msgspec.json.Decoder(list[dict[str, _Reservation | str | None]]).decode
_metadata = msgspec.json.Decoder(dict[str, Raw]).decode
_any = msgspec.json.Decoder(float_hook=str).decode
_comment = msgspec.json.Decoder(_Comment).decode
_recorded = msgspec.json.Decoder(_Recorded).decode


def order_terms(order: Order, content: Content) -> frozenset[Term]:
    """Return the search terms of an order, but for those of what was recorded on it."""
    names = [order.id, order.order_id, order.order_number]
    return frozenset(_terms(names, order.order_number, order.currency, order.about, content.fields, content.items.values()))


def draft_terms(draft: Draft) -> frozenset[Term]:
    """Return the search terms of a draft. One that was completed keeps its stores alone: its orders are found by the rest."""
    sketch = draft.sketch
    stores = tuple(dict.fromkeys(item.store_id for item in sketch.items if item.store_id is not None))
    about = About(customer_id=sketch.about.customer_id, store_id=sketch.about.store_id, item_store_ids=stores)
    if draft.status is DraftStatus.COMPLETED:
        return frozenset(("store_id", store) for store in about.store_ids if _kept(store))
    names = [draft.id, sketch.order_id, sketch.order_number]
    items = (item.fields for item in sketch.items)
    target = draft.options.target
    amends = [("amends", target)] if target is not None else []
    return frozenset([*amends, *_terms(names, sketch.order_number, sketch.currency, about, sketch.fields, items)])


def fact_terms(fact: Fact, document: str) -> frozenset[Term]:
    """Return the search terms that a recorded fact adds to its order, of kinds of ``RECORDED_KINDS``."""
    match fact:
        case Recorded():
            return _operation_terms(document)
        case Commented():
            return _comment_terms(document)
        case SessionStarted() | ServiceReported() | CommentDeleted():
            return frozenset()
        case Placed() | Replaced() | LinesAdded() | Updated() | Opened() | Closed() | Cancelled() | Erased():
            return frozenset()


def _operation_terms(document: str) -> frozenset[Term]:
    """Return the terms of an operation: the id of the payment."""
    payment = _recorded(document).payment_details
    if payment is None or not _kept(payment.payment_id):
        return frozenset()
    words = (("payment", word) for word in _whole(payment.payment_id))
    return frozenset([("payment_id", payment.payment_id), *words])


def _comment_terms(document: str) -> frozenset[Term]:
    comment = _comment(document)
    words = islice(dict.fromkeys(_with_inner(_split(comment.body))), MOST_COMMENT_WORDS)
    return frozenset(("comment", f"{word}{_ENDS_WORD}{comment.id}") for word in words)


TERMS = Terms(version=2, of_order=order_terms, of_fact=fact_terms, of_draft=draft_terms)


def searched(text: str) -> tuple[Word, ...]:
    """Return the words of ``q``, each as the beginning of a word, or of a phone number from its end.

    Raises:
        ValueError: There are too many words.
    """
    words = _whole(text)
    if len(words) > MOST_SEARCHED:
        raise ValueError(f"Must be at most {MOST_SEARCHED} words")
    number = _phone(text)
    return tuple((Beginning(_WORDS, word), *_beginnings(number or _phone(word))) for word in words)


def _beginnings(number: str | None) -> Iterator[Beginning]:
    if number is not None:
        yield Beginning(("phone",), number)


def _terms(
    names: Iterable[str | None],
    order_number: str | None,
    currency: str,
    about: About,
    fields: JsonFields,
    items: Iterable[JsonFields],
) -> Iterator[Term]:
    """Yield the terms of what is shown: ``fields`` and ``items`` are texts of JSON by their names on the wire."""
    items = list(items)
    external = [one.id for one in _named(fields.get("external_ids", "[]"))]
    exact: list[tuple[str, str | None]] = [("currency", currency)]
    exact += [("customer_id", about.customer_id), ("order_number", order_number)]
    exact += [("store_id", store) for store in about.store_ids]
    exact += [("external_id", one) for one in (*external, *_of_items(items, "external_id"))]
    for kind, value in exact:
        if _kept(value):
            yield kind, value
    yield from _metadata_terms(fields.get("metadata", "{}"))
    people = [_person(fields[name]) for name in ("customer", "shipping_address", "billing_address") if name in fields]
    yield from (("phone", number) for one in people if (number := _phone(one.phone_number)) is not None)
    bookings = (one.booking_id for one in _reservations(fields))
    words = chain(
        _each(_whole, (*names, about.customer_id, *external, *bookings)),
        _each(_parts, _texts(people)),
        _parts(_text(fields["comment"])) if "comment" in fields else (),
        _metadata_words(fields["metadata"]) if "metadata" in fields else (),
        _each(_whole, _of_items(items, "id", "external_id")),
        _each(_parts, _of_items(items, "description", "description_alias")),
    )
    yield from (("word", word) for word in islice(dict.fromkeys(words), MOST_WORDS))


def _texts(people: Iterable[_Person]) -> Iterator[str | None]:
    for one in people:
        yield from (one.first_name, one.last_name, one.email, one.company.bussiness_name if one.company else None)


def _of_items(items: Iterable[JsonFields], *names: str) -> Iterator[str]:
    for item in items:
        yield from (_text(item[name]) for name in names if name in item)


def _each(words: Callable[[str | None], Iterable[str]], values: Iterable[str | None]) -> Iterator[str]:
    return chain.from_iterable(words(value) for value in values)


def _reservations(fields: JsonFields) -> Iterator[_Reservation]:
    for attachment in _attachments(fields.get("attachments", "[]")):
        yield from (one for one in attachment.values() if isinstance(one, _Reservation))


def _metadata_terms(text: str) -> Iterator[Term]:
    """Yield the plain values of the metadata: texts as they are, numbers and truth values as JSON."""
    for name, value in islice(_metadata(text).items(), MOST_METADATA):
        raw = bytes(value).decode()
        if raw[0] not in "{[n":
            plain = _text(raw) if raw[0] == '"' else raw
            if _kept(name) and _kept(plain):
                yield f"metadata.{name}", plain


def _metadata_words(text: str) -> Iterator[str]:
    """Return the first words of the values of the metadata, however deep: of texts, and numbers as they are."""
    return islice(chain.from_iterable(map(_parts, _values(_any(text)))), MOST_METADATA)


def _values(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _values(one)
    elif isinstance(value, list):
        for one in value:
            yield from _values(one)
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LONGEST_NUMBER:
        yield str(value)


def _kept(value: str | None) -> TypeGuard[str]:
    """Whether a value can be filtered by: no database takes a NUL, nor a long text into an index."""
    return value is not None and 0 < len(value) <= MOST_CHARACTERS and "\x00" not in value


@lru_cache(maxsize=4096)
def _whole(value: str | None) -> tuple[str, ...]:
    """Return the words of an id, none of which is cut inside."""
    return _split(value or "")


def _split(text: str) -> tuple[str, ...]:
    chunks = (text if text.isascii() else unicodedata.normalize("NFKC", text)).casefold().replace("\x00", "").split()
    return tuple(word[:_WORD] for chunk in chunks if (word := chunk if chunk.isalnum() else _EDGES.sub("", chunk)))


@lru_cache(maxsize=4096)
def _parts(value: str | None) -> tuple[str, ...]:
    """Return the words of a text, and what follows each mark inside them; a character alone is none."""
    return _with_inner(_whole(value))


def _with_inner(words: Iterable[str]) -> tuple[str, ...]:
    found: list[str] = []
    for word in words:
        found.append(word)
        if not word.isalnum():
            found += [word[at.end() :] for at in _INSIDE.finditer(word)]
    return tuple(word for word in found if len(word) > 1)


def _phone(text: str | None) -> str | None:
    """Return a phone number's digits, the last one first, without the zeros and the prefix sign before it."""
    if text is None or not _PHONE.fullmatch(text):
        return None
    digits = re.sub(r"\D", "", text).lstrip("0")
    return digits[::-1] if len(digits) >= _LEAST_DIGITS else None
