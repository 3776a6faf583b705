"""Short ways to say given, when, then."""

from collections.abc import Iterable
from typing import Any

from ordre.domain.ledger import Kind
from ordre.domain.lines import PricedItem
from ordre.domain.order.conditions import LIMITS, Earlier, Limits
from ordre.domain.order.decide import Command, decide
from ordre.domain.order.facts import Fact
from ordre.domain.order.order import Order, after, fold
from ordre.domain.order.parts import About, Content, Moment
from ordre.domain.order.paying import Record
from ordre.domain.order.placing import AddLines, ItemChange, Place, Update
from ordre.domain.refusals import Refused

A, C, R, X = Kind.AUTHORIZATION, Kind.CAPTURE, Kind.REFUND, Kind.CANCELLATION


def placing(*amounts: int, multiple: bool = False, **more: Any) -> Place:
    items = more.get("items", tuple(PricedItem(line_id=line_id, gross=amount) for line_id, amount in enumerate(amounts, 1)))
    values: dict[str, Any] = {
        "id": "o1",
        "order_id": "o1",
        "order_number": None,
        "currency": "NOK",
        "multiple_authorizations": multiple,
        "items": items,
        "content": Content(fields={}, items={item.line_id: {} for item in items}),
        "about": About(),
    }
    return Place(**{**values, **more})


def recording(
    kind: Kind,
    *amounts: tuple[int, int],
    id_: str = "",
    success: bool = True,
    inside: str | None = None,
    amount: int | None = None,
) -> Record:
    return Record(
        kind=kind,
        id=id_ or f"{kind.value}-{amounts}",
        items=amounts,
        success=success,
        authorization_id=inside,
        fingerprint="same",
        amount=amount,
    )


def adding(line_id: int, gross: int, currency: str = "NOK") -> AddLines:
    item = PricedItem(line_id=line_id, gross=gross)
    return AddLines(currency=currency, items=(item,), content={line_id: {}}, item_store_ids=())


def updating(*items: ItemChange, **more: Any) -> Update:
    return Update(fields={}, items=items, about={}, **more)


MOMENT = Moment(at=1, by="someone")


class Given:
    """An order after some commands, with the facts that they made."""

    def __init__(self, *commands: Command) -> None:
        self.order: Order | None = None
        self.content: Content | None = None
        self.facts: list[Fact] = []
        self.by_ref: dict[str, Fact] = {}
        for command in commands:
            self.do(command)

    def do(self, command: Command, limits: Limits = LIMITS) -> tuple[Fact, ...]:
        """Decide and evolve; return the new facts."""
        facts = decide(self.order, command, self.earlier, limits, self.content)
        for fact in facts:
            self.order, self.content = after(self.order, self.content, fact, MOMENT)
            self.facts.append(fact)
            if fact.ref is not None:
                self.by_ref[fact.ref] = fact
        return facts

    @property
    def earlier(self) -> Earlier:
        return self.by_ref

    def refuses(self, command: Command, limits: Limits = LIMITS) -> list[tuple[str, str]]:
        """Return (code, path) of every fault; the order stays as it was."""
        before = self.order
        try:
            self.do(command, limits)
        except Refused as refused:
            assert self.order is before
            return named(refused)
        raise AssertionError("the command was not refused")


def named(refused: Refused) -> list[tuple[str, str]]:
    return [(refusal.code, refusal.path) for refusal in refused.refusals]


def folded(facts: Iterable[Fact]) -> Order:
    return fold((fact, MOMENT) for fact in facts)[0]
