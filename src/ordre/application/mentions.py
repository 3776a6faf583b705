"""Where a customer or a text is mentioned: in any version of an order or a draft, by values and not by how JSON wrote them.

The store finds candidates by text, in which a client may have escaped any character; what is a candidate is read here, value by
value. Texts are compared whole or in part, whatever their case, and however an accent was put together.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ordre.application.change import HeldDraft
from ordre.application.store import OrderStore
from ordre.application.views import FactRow, Found
from ordre.domain.order.facts import NO_CONTENT, Erased, Fact, shown_by
from ordre.domain.order.parts import Content, JsonFields

_PLAIN = re.compile(r"[ !#-.0-\[\]-~]+")
"""What JSON writes as it is, or as a `\\u` escape."""
_FREE = "metadata"
"""The field in which names and numbers are the client's own words, too."""
Told = Callable[[int, int], None]
"""Is told how much was searched, of how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Whom or what to look for: a customer's id, a customer's e-mail address, or a text that stands anywhere."""

    customer_id: str | None = None
    email: str | None = None
    text: str | None = None

    @property
    def texts(self) -> list[tuple[str, bool]]:
        """The texts to find candidates by, and whether each may stand anywhere."""
        named = [(self.customer_id, False), (self.email, False), (self.text, True)]
        return [(text, anywhere) for text, anywhere in named if text is not None]

    def is_customer(self, customer: Any) -> bool:
        """Whether a customer, as JSON, is the one sought."""
        if not isinstance(customer, dict | _Pairs):
            return False
        pairs = customer if isinstance(customer, _Pairs) else customer.items()
        return any(self._is(name, value) for name, value in pairs)

    def _is(self, name: str, value: Any) -> bool:
        if name == "email":
            return self.email is not None and isinstance(value, str) and _same(value) == _same(self.email)
        return name == "id" and self.customer_id is not None and bool(value == self.customer_id)

    def is_said(self, texts: Iterable[str]) -> bool:
        """Whether one of these texts contains the one sought."""
        if self.text is None:
            return False
        sought = _same(self.text)
        return any(sought in _same(text) for text in texts)


async def mentioned(store: OrderStore, account_id: str, sought: Sought, told: Told = lambda _done, _of: None) -> Found:
    """Return every order and draft of which some version is or was the customer's, or says or said the text.

    Erased orders say nothing any more but their names.
    """
    orders: list[str] = []
    drafts: list[str] = []
    for text, anywhere in sought.texts:
        plain = max(_PLAIN.findall(unicodedata.normalize("NFC", text)), key=len, default="")
        found = await store.mentioning(account_id, plain, told, anywhere=anywhere)
        for id_ in found.orders:
            facts = await store.facts(account_id, id_)
            if any(_in_fact(sought, row, fact, anywhere=anywhere) for row, fact in facts):
                orders.append(id_)
        for id_ in found.drafts:
            held = await store.draft(account_id, id_, history=True)
            if held is not None and _in_draft(sought, held, anywhere=anywhere):
                drafts.append(id_)
    return Found(orders=list(dict.fromkeys(orders)), drafts=list(dict.fromkeys(drafts)))


def _in_fact(sought: Sought, row: FactRow, fact: Fact | None, *, anywhere: bool) -> bool:
    if row.type == Erased.type or not row.data:  # names and ids in other systems, which stay; nothing of what was before
        return False
    shown = _left_of(row) if fact is None else shown_by(fact)
    if not anywhere:
        return sought.is_customer(json.loads(shown.fields.get("customer", "null")))
    return sought.is_said(_said(shown.fields, shown.items.values(), [row.document], [row.event]))


def _left_of(row: FactRow) -> Content:
    """Return the content that can still be read of a fact that was changed in the database, so that a person is found in it."""
    try:
        data = json.loads(row.data)
        content = data.get("content") or data
        return Content(
            fields=_texts_of(content.get("fields")), items=dict(enumerate(map(_texts_of, (content.get("items") or {}).values())))
        )
    except (AttributeError, ValueError):
        return NO_CONTENT


def _texts_of(fields: Any) -> JsonFields:
    return {name: value for name, value in (fields or {}).items() if isinstance(value, str)}


def _in_draft(sought: Sought, held: HeldDraft, *, anywhere: bool) -> bool:
    sketch, events = held.draft.sketch, [event.event for event in held.events]
    if anywhere:
        items = [item.fields for item in sketch.items]
        return sought.is_said(_said({**sketch.fields, **held.draft.shown_options}, items, (), events))
    named = [json.loads(sketch.fields.get("customer", "null"))]
    for event in events:
        for order in _named(_pairs(_body(event)), "order"):
            named += _named(order, "customer")
    return any(map(sought.is_customer, named))


def _named(value: Any, name: str) -> list[Any]:
    """Return the values of this name in an object, each of several: the last one counts, but all of them stand there."""
    return [one for key, one in value if key == name] if isinstance(value, _Pairs) else []


def _said(fields: JsonFields, items: Iterable[JsonFields], documents: Iterable[str], events: Iterable[str]) -> Iterator[str]:
    """Yield every text of frozen fields and items, of documents in JSON, and of the requests that events are about."""
    for frozen in (fields, *items):
        for name, value in frozen.items():
            yield from _texts(_pairs(value), free=name == _FREE)
    for document in (*documents, *map(_body, events)):
        yield from _texts(_pairs(document))


def _body(event: str) -> str:
    """Return the body of the request that an event is about."""
    body: str = json.loads(event)["request"]["body"] if event else ""
    return body


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with every pair of it: of two with one name, the first is still written there."""


class _Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def _pairs(text: str) -> Any:
    return _read(text, object_pairs_hook=_Pairs, parse_int=_Number, parse_float=_Number)


def _read(text: str, **how: Any) -> Any:
    """Return the value of a JSON text, None of an empty one; of one that is no JSON, the text."""
    try:
        return json.loads(text or "null", **how)
    except ValueError:
        return text


def _texts(value: Any, *, free: bool = False) -> Iterator[str]:
    """Yield every text of a value; where it is ``free``, the names in objects and the numbers too."""
    if isinstance(value, _Number):
        if free:
            yield value
    elif isinstance(value, str):
        yield value
    elif isinstance(value, _Pairs):
        for name, one in value:
            if free:
                yield name
            yield from _texts(one, free=free or name == _FREE)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, free=free)


def _same(text: str) -> str:
    """Return a form that two texts share where people would call them the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
