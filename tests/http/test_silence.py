"""T1: neither counts nor time tell of another account: whether it has an id or nobody has, the same statements run.

How long a statement takes could still differ if it touched the other account's rows. It does not: the account is the first column
of every key, and on PostgreSQL row-level security stands behind that.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from ordre.api.app import make_app
from ordre.api.document.examples import EXAMPLES
from ordre.api.http.clock import Clock
from ordre.api.operations.row import AnyRoute
from ordre.api.operations.table import OPERATIONS
from ordre.application.change import Change, Outcome
from ordre.application.store import Store
from ordre.bootstrap import opened
from ordre.db.store import SqlStore
from ordre.settings import Settings
from service import Service, Shop, items

pytestmark = pytest.mark.slow

NOBODY = "00000000-0000-7000-8000-000000000000"
NAMING = [route for route in OPERATIONS if route.scopes and ("{order_id}" in route.path or "{id}" in route.path)]


class Listening:
    """The application over a store that tells what is asked of it."""

    def __init__(self, store: Store, settings: Settings, patch: pytest.MonkeyPatch) -> None:
        assert isinstance(store, SqlStore)
        self.asked: list[object] = []
        rows, changed = store.rows, store.changed

        async def told_rows(sql: str, *parameters: object) -> Any:
            self.asked.append((sql, len(parameters)))
            return await rows(sql, *parameters)

        async def told_change(change: Change) -> Outcome:
            wanted = change.wanted
            self.asked.append((wanted.order is None, wanted.draft is None, wanted.content, bool(wanted.refs), change.several))
            return await changed(change)

        async def moved(_at: int) -> None:
            raise AssertionError

        patch.setattr(store, "rows", told_rows)
        patch.setattr(store, "changed", told_change)
        self.app = make_app(store, settings, Clock(), moved)


@asynccontextmanager
async def listening(database: str, patch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Listening, httpx.AsyncClient]]:
    settings = Settings(database=database)
    async with opened(settings) as store:
        made = Listening(store, settings, patch)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made.app), base_url="http://x") as http:
            yield made, http


def asked_for(
    database: str, shop: Shop, route: AnyRoute, ids: list[str], patch: pytest.MonkeyPatch
) -> list[tuple[int, list[object]]]:
    """What each id is answered, and what was asked of the store on the way."""

    async def running() -> list[tuple[int, list[object]]]:
        found = []
        async with listening(database, patch) as (made, http):
            for id_ in [ids[0], *ids]:  # the first request also reads the keys that verify tokens
                made.asked.clear()
                named = dict.fromkeys(("authorization_id", "capture_id", "refund_id", "cancellation_id", "session_id"), "a")
                path = route.path.format_map(
                    {
                        **named,
                        "aid": shop.account_id,
                        "id": id_,
                        "order_id": id_,
                        "line_id": 1,
                        "store_id": "S",
                        "customer_id": "C",
                    }
                    | {"comment_id": NOBODY}
                )
                headers = {"Authorization": f"Bearer {shop.token}"}
                answer = await http.request(route.method, path, headers=headers, json=EXAMPLES.get(route.id))
                found.append((answer.status_code, list(made.asked)))
        return found[1:]

    return asyncio.run(running())


@pytest.mark.parametrize("route", NAMING, ids=[route.id for route in NAMING])
def test_the_same_statements_run_for_anothers_id_and_for_nobodys(
    service: Service, shop: Shop, route: AnyRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    with service.shop() as other:
        order = other.order(100, order_id="theirs", customer={"id": "C"}, store={"id": "S"})
        draft = other.post("/draft_orders", {"order": {"currency": "NOK"}})
        theirs = draft["id"] if "{id}" in route.path else order["id"]
        names = [theirs, NOBODY] if "{id}" in route.path else [theirs, NOBODY, "theirs", "nobodys"]
        answered = asked_for(service.database, shop, route, names, monkeypatch)
    assert answered[0][0] == 404
    assert answered[0][1], "something was asked"
    assert all(one == answered[0] for one in answered)


def test_counts_and_serial_numbers_are_an_accounts_own(service: Service, shop: Shop) -> None:
    numbered = {"options": {"serial_order_number_suffix": "-A"}, "order": {"currency": "NOK", "items": items(1)}}
    with service.shop() as other:
        for _ in range(3):
            other.put(f"/draft_orders/{other.post('/draft_orders', numbered)['id']}/complete")
        for path in ("/orders", "/draft_orders"):
            answer = shop.send("GET", path, params={"total": "true", "q": "A"})
            assert (answer.headers["total-count"], "link" in answer.headers) == ("0", False)
        (mine,) = shop.put(f"/draft_orders/{shop.post('/draft_orders', numbered)['id']}/complete")["orders"]
        assert mine["order_number"] == "1-A"
        same = shop.order(5, order_id="theirs")
        assert other.order(5, order_id="theirs")["id"] != same["id"]
