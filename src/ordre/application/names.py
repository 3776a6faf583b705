"""How people name an order where they type: by its ``order_id``, its ``id``, or the number on a receipt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from ordre.domain.refusals import Refusal, Refused, Unknown, UnknownOrder

_SHOWN = 10


class Naming(Protocol):
    """Finds the orders that have a name."""

    async def named(self, account_id: str, name: str) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SeveralOrders(Refusal):
    """Several orders have this number. Only commands raise it: the API finds no order by its number."""

    code: ClassVar[str] = "several_orders"
    number: str
    ids: tuple[str, ...]

    @property
    def message(self) -> str:
        more = f" and {len(self.ids) - _SHOWN} more" if len(self.ids) > _SHOWN else ""
        return f"{len(self.ids)} orders have the number {self.number}: name one by its id: {', '.join(self.ids[:_SHOWN])}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchOrder(Unknown):
    """No order has this name. Only commands raise it."""

    code: ClassVar[str] = UnknownOrder.code
    name: str

    @property
    def message(self) -> str:
        return f"There is no order {self.name}"


async def order_named(store: Naming, account_id: str, name: str) -> str:
    """Return the ``id`` of the order with this ``order_id``, ``id``, or else number.

    Raises:
        Refused: There is no such order, or several have this number.
    """
    ids = await store.named(account_id, name)
    if not ids:
        raise Refused(NoSuchOrder(name=name))
    if len(ids) > 1:
        raise Refused(SeveralOrders(number=name, ids=tuple(ids)))
    return ids[0]
