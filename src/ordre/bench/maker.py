"""Makes orders in memory by the code that decides and encodes them in a server, and gives the rows that a batch would write."""

import json
from collections.abc import Mapping
from typing import Any, cast

from ordre.api.wire.common import decoder
from ordre.api.wire.events import NewEvent, report, request_event
from ordre.api.wire.facts import DOCUMENTS
from ordre.api.wire.operations import NewOperation, record
from ordre.api.wire.orders import NewOrder, place_order
from ordre.api.wire.search import TERMS
from ordre.application.change import Call, Change, Outcome
from ordre.application.ids import uuid7
from ordre.application.orders import execute
from ordre.application.store import OrderStore
from ordre.db.batch import Batch, Rows
from ordre.domain.ledger import Kind
from ordre.domain.order.conditions import Limits
from ordre.domain.order.decide import Command

_NO_LIMITS = Limits(operations=10**9, events=10**9)


class Maker:
    """Makes orders of an account, as one of its clients. The instants of what it does are given, in milliseconds."""

    documents = DOCUMENTS

    def __init__(self, account_id: str, client_id: str) -> None:
        self._account, self._client = account_id, client_id
        self._batch = Batch(0, TERMS, held=True)

    async def change(self, change: Change) -> Outcome:
        """Run a change on what is in memory, as a store does.

        Raises:
            Refused: By the rules.
        """
        ran = self._batch.run(change)
        if ran.outcome is None:
            raise ran.refused or AssertionError("a change that is not refused has an outcome")
        return ran.outcome

    def rows(self) -> Rows:
        """Return the rows of all that was made since this was asked last."""
        made, self._batch = self._batch.rows, Batch(0, TERMS, held=True)
        return made

    async def place(self, body: Mapping[str, Any], at: int, id_: str = "") -> str:
        """Make an order, with a new ``id`` unless one is given; return its ``order_id``, by which it is found here."""
        place = place_order(decoder(NewOrder).decode(json.dumps(body)), id_ or uuid7(at))
        await self._execute("/orders", body, place.order_id, place, at)
        return place.order_id

    async def record(self, order: str, kind: Kind, body: Mapping[str, Any], at: int, id_: str = "") -> None:
        """Record a payment operation on an order, with a new ``id`` unless one is given."""
        operation = decoder(NewOperation).decode(json.dumps(body))
        await self._execute(f"/orders/{order}/{kind.value}s", body, order, record(kind, operation, id_ or uuid7(at)), at)

    async def report(self, order: str, body: Mapping[str, Any], at: int, id_: str) -> None:
        """Record what a service reports on an order."""
        event = decoder(NewEvent).decode(json.dumps(body))
        await self._execute(f"/orders/{order}/events", body, order, report(event, id_), at)

    async def do(self, order: str, path: str, body: Mapping[str, Any], command: Command, at: int) -> None:
        """Let a request to a path of an order do what a command says."""
        await self._execute(f"/orders/{order}/{path}", body, order, command, at)

    async def _execute(self, path: str, body: Mapping[str, Any], order: str, command: Command, at: int) -> None:
        sent = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        event = request_event("POST", f"/v1/accounts/{self._account}/shopping{path}", sent)
        call = Call(account_id=self._account, by=self._client, at=at, event=event)
        await execute(cast(OrderStore, self), call, order, command, _NO_LIMITS)  # of a store, it needs no more than this
