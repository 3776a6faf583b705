"""Verifies orders: folds the facts, checks the chain, compares with every stored column."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from ordre.application.lists import Term, Terms
from ordre.application.views import FactRow, StoredOrder
from ordre.db import codec
from ordre.db.terms import OWN, entries_in, parts_of, text_of
from ordre.domain.chain import START, is_digest, is_digest_of_body, is_salt, linked
from ordre.domain.order.facts import CommentDeleted, Commented, Erased, Fact
from ordre.domain.order.order import Order, fold
from ordre.domain.order.parts import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference between what is stored and written: of an order, or ``about`` something else. ``account_id`` may be empty.

    ``version`` is None where it is about the whole.
    """

    account_id: str = ""
    order: str | None = None
    about: str = ""
    version: int | None = None
    reason: str

    def __str__(self) -> str:
        """Return it as a line for people."""
        version = "" if self.version is None else f" version {self.version}"
        what = self.about if self.order is None else f"order {self.order}"
        return f"{self.account_id} {what}{version}: {self.reason}".lstrip()


def kept(facts: Sequence[FactRow]) -> Sequence[FactRow]:
    """Return the facts that have bodies: all of them, or of an erased order the one that says so."""
    return [fact for fact in facts if fact.data]


def differences(stored: StoredOrder, terms: Terms) -> Iterator[Difference]:
    """Yield where the order and its facts disagree, the first place first."""
    chained = _unchained(stored)
    found = [chained] if chained is not None else _unlike(stored, terms)
    for version, reason in found:
        yield Difference(account_id=stored.account_id, order=stored.id, version=version, reason=reason)


def _unchained(stored: StoredOrder) -> tuple[int | None, str] | None:
    """Return the first place where the facts are not a chain that ends in the order's hash."""
    previous = START
    erased = next((fact.version for fact in reversed(stored.facts) if fact.type == Erased.type), 0)
    deletions = {fact.ref: fact for fact in stored.facts if fact.type == CommentDeleted.type}
    comments = set[str]()
    for place, fact in enumerate(stored.facts, 1):
        if fact.version != place:
            return place, f"fact {place} is missing; version {fact.version} stands in its place"
        deletion = deletions.get(CommentDeleted(id=fact.ref or "").ref) if fact.type == Commented.type else None
        if reason := _broken(stored, fact, previous, deletion, erased=fact.version < erased):
            return fact.version, reason
        if fact.type == Commented.type and fact.ref:
            if fact.ref in comments:
                return fact.version, "another comment before it has the same id"
            comments.add(fact.ref)
        previous = fact.hash
    if not stored.facts:
        return None, "the order has no facts"
    if previous != stored.hash:
        return len(stored.facts), "the chain does not end in the hash that the order holds: facts at its end are missing or new"
    return None


def _broken(stored: StoredOrder, fact: FactRow, previous: str, deletion: FactRow | None, *, erased: bool) -> str | None:
    """Return why the fact does not follow the hash before it, or None. Of an erased fact only the digest of its body is left.

    ``deletion`` is the later fact that deletes the comment that this one is.
    """
    if not is_digest(fact.digest):
        return "the digest of the fact has no form that digests have"
    if erased:
        if any((fact.data, fact.document, fact.event, fact.salt, fact.ref)):
            return "the order was erased later, and the fact still has a body"
    elif deletion is not None and not fact.salt:
        if not _emptied(fact, deletion):
            return "what is left of the deleted comment is not what its deletion says"
    elif not fact.data:
        return "the fact has no body, and the order was not erased after it"
    elif not is_salt(fact.salt):
        return "the salt of the fact is not 32 hexadecimal digits"
    elif not is_digest_of_body(fact.digest, fact.salt, fact.data, fact.document, fact.event):
        return "the body of the fact is not what its digest says"
    if linked(previous, codec.link_of(stored.account_id, stored.id, fact)) != fact.hash:
        return "the hash of the fact does not follow from the fact and the one before it"
    return None


def _emptied(fact: FactRow, deletion: FactRow) -> bool:
    """Whether this is the rest of a comment whose text was deleted.

    Its digest cannot be checked without its salt, but what it says stands in the deletion too, whose digest can.
    """
    data = codec.text(Commented(id=fact.ref or ""))
    left = deletion.document.rpartition(',"deleted_at":"')[0] + "}"
    return deletion.version > fact.version and (fact.data, fact.document, fact.event) == (data, left, "")


def terms_of(order: Order, content: Content, recorded: Iterable[tuple[Fact, str]], terms: Terms) -> dict[str, frozenset[Term]]:
    """Return all search terms of an order, by part. ``recorded`` are facts with their documents, oldest first."""
    found: dict[str | None, frozenset[Term]] = {}
    for fact, document in recorded:
        if isinstance(fact, CommentDeleted):  # earlier versions of Ordre left its text in the comment
            found.pop(fact.id, None)
        found[fact.ref] = found.get(fact.ref, frozenset()) | terms.of_fact(fact, document)
    return {OWN: terms.of_order(order, content), **parts_of(found.values())}


def _same_head(head: str, order: Order) -> bool:
    """Whether a stored head is that of this order, also one that an earlier version of Ordre wrote, with fewer fields."""
    try:
        return codec.text(codec.order_from(head)) == codec.text(order)
    except (ValueError, msgspec.MsgspecError):
        return False


def _unlike(stored: StoredOrder, terms: Terms) -> Iterator[tuple[int | None, str]]:
    """Yield where what is stored of the order is not the fold of its facts."""
    try:
        facts = [(codec.fact_from(fact.type, fact.data), fact) for fact in kept(stored.facts)]
        order, content = fold((fact, codec.moment_of(row)) for fact, row in facts)
    except (AssertionError, KeyError, ValueError, msgspec.MsgspecError) as error:
        yield None, f"the facts do not fold: {error!r}"
        return
    for fact, row in facts:
        if fact.ref != row.ref:
            yield row.version, f"the column ref is {row.ref!r}, and {fact.ref!r} by the fact"
    if not _same_head(stored.head, order):
        yield None, "the order's head is not the fold of its facts"
    for name, value in codec.order_columns(order).items():
        if stored.columns[name] != value:
            yield None, f"the column {name} is {stored.columns[name]!r}, and {value!r} by the facts"
    if stored.fields != codec.fields_text(content.fields) or stored.items != codec.items_text(content.items):
        yield None, "the order's body is not the fold of its facts"
    if not _found_by(stored, terms_of(order, content, [(fact, row.document) for fact, row in facts], terms)):
        yield None, "the order is not found under exactly the terms that its facts hold"


def _found_by(stored: StoredOrder, parts: Mapping[str, frozenset[Term]]) -> bool:
    """Whether an order is found by exactly these terms, perhaps as an earlier version of Ordre wrote them."""
    texts = {part: text_of(terms) for part, terms in parts.items()}
    entries = set[Term]().union(*map(entries_in, stored.terms.values()))
    if len(entries) != stored.leading:
        return False
    if not stored.earlier:
        return stored.terms == texts and stored.earlier is not None
    expected = set[Term]().union(*map(entries_in, texts.values()))
    return stored.terms.items() <= texts.items() and entries | entries_in(text_of(stored.earlier)) == expected
