"""An order as it was at a version, folded from its facts, which are read in pages.

So it takes the memory of one page and of the order, however many facts there are and however large they are.
"""

from collections.abc import Sequence
from functools import partial

from ordre.application.aside import aside, small
from ordre.application.lists import PAGE_BYTES
from ordre.application.views import View
from ordre.db import codec, queries
from ordre.db.events import Reading
from ordre.db.packing import from_row
from ordre.db.within import Row, Sized, size_of
from ordre.domain.order.facts import Erased
from ordre.domain.order.order import Order, after
from ordre.domain.order.parts import Content, Moment
from ordre.domain.refusals import Refused, VersionErased

_DATA, _DOCUMENT, _SIZE, _FIELDS = 4, 5, 8, 9
"""Places in ``FOLDED_FIELDS``, and how many there are."""


class _Folding:
    """The order after the facts so far; none where it was erased after them."""

    def __init__(self) -> None:
        self.version = 0
        self._order: Order | None = None
        self._content: Content | None = None
        self._shown: list[tuple[str, bytes]] = []

    def add(self, facts: Sequence[Row]) -> None:
        """Fold the next facts."""
        for version, type_, at, by, stored, document, *columns in facts:
            small.give_way()
            self.version = version
            data, _ = from_row(stored, *columns)
            if not data or type_ == Erased.type:
                self._order, self._content, self._shown = None, None, []
            if data:
                fact = codec.fact_from(type_, data)
                self._order, self._content = after(self._order, self._content, fact, Moment(at=at, by=by))
            if document:
                self._shown.append((type_, document.encode()))

    def view(self) -> View:
        """Return the order.

        Raises:
            Refused: It was erased later.
        """
        if self._order is None or self._content is None:
            raise Refused(VersionErased())
        fields, items = codec.fields_text(self._content.fields), codec.items_text(self._content.items)
        return View(order=self._order, fields=fields.encode(), items=items.encode(), shown=self._shown)


async def folded_to(store: Reading, account_id: str, id_: str, version: int) -> View:
    """Return the order as it was at a version that it had.

    Raises:
        Refused: It was erased later.
    """
    folding, size = _Folding(), 0
    while folding.version < version:
        query = Sized(
            sql=queries.FOLDED_FROM,
            parameters=(account_id, id_, folding.version, version),
            columns=_FIELDS,
            texts=(_DATA, _DOCUMENT),
            size=_SIZE,
            order="c0",
        )
        facts = await store.rows_within(query, PAGE_BYTES)
        if not facts:
            raise AssertionError("a fact is never deleted")
        read = sum(size_of(row, _SIZE) for row in facts)
        await aside(read, partial(folding.add, facts))
        size += read
    return await aside(size, folding.view)
