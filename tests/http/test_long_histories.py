"""An order of which every change is large: what is answered of its events, and of its past, is bounded all the same."""

import asyncio
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest

from ordre.application.lists import PAGE_BYTES, PAGE_ENTRIES
from ordre.application.views import View
from ordre.bootstrap import opened
from ordre.db.store import SqlStore
from ordre.db.within import Row, Sized, size_of
from ordre.domain.order.order import Status
from ordre.domain.refusals import Refused
from ordre.settings import Settings
from service import Service, Shop, item

pytestmark = pytest.mark.once

EDITS = 30
EDIT_BYTES = 150_000
LAST = EDITS + 5
"""The version after the edits, a report before them, and a report, a comment and its deletion after."""


def edit(text: str, size: int = EDIT_BYTES) -> dict[str, Any]:
    """A change of this size that puts another in its place."""
    return {"items": [item(line, 1, comment=text + "x" * 3_000) for line in range(1, size // 3_000 + 1)]}


def edited(shop: Shop) -> str:
    """Make an order with a long history; return its path."""
    made = shop.post("/orders", {"currency": "NOK", **edit("first")})
    path = f"/orders/{made['id']}"
    shop.post(f"{path}/events", {"service": "early", "service_status": "x", "state": "failure"})
    for number in range(EDITS):
        shop.put(path, edit(str(number)))
    shop.post(f"{path}/events", {"service": "late", "service_status": "x"})
    comment = shop.post(f"{path}/comments", {"body": "secret"})
    shop.send("DELETE", f"{path}/comments/{comment['id']}").raise_for_status()
    return path


def bounded(answer: Any, *, orders: int = 1) -> Any:
    """Return what is answered, which is no larger than a page and as many orders."""
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < PAGE_BYTES + orders * EDIT_BYTES * 1.2
    return answer.json()


def latest(order: Any, last: int, first: int = 1) -> None:
    """Check that an answer has the last events up to a version, and says how many came before."""
    versions = [event["version"] for event in order["events"]]
    assert 1 < len(versions) <= last + 1 - first
    assert versions == list(range(last + 1 - len(versions), last + 1))
    assert order.get("events_left_out", 0) == last + 1 - first - len(versions)


@pytest.mark.slow
def test_an_order_with_its_events(shop: Shop) -> None:
    path = edited(shop)
    order = bounded(shop.send("GET", path, params={"include_events": "true"}))
    latest(order, LAST)
    assert (order["events_left_out"] > EDITS // 2, order["state"], order["version"]) == (True, "failure", LAST)
    assert "secret" not in str(order)
    listed = bounded(shop.send("GET", "/orders", params={"include_events": "true"}))
    assert listed == {"orders": [order]}
    changes = bounded(shop.send("GET", path, params={"include_events": "api-event"}))
    assert [event["version"] for event in changes["events"]][-3:] == [LAST - 3, LAST - 1, LAST]
    assert changes["events_left_out"] == LAST - 2 - len(changes["events"])
    for asked in (path, "/orders"):
        answer = bounded(shop.send("GET", asked, params={"include_events": "service-event"}))
        reported = answer["orders"][0] if asked == "/orders" else answer
        assert [event["service"] for event in reported["events"]] == ["early", "late"]
        assert ("events_left_out" in reported, reported["state"]) == (False, "failure")
    assert "events_left_out" not in shop.get(path)


@pytest.mark.slow
def test_the_answer_of_a_write(shop: Shop) -> None:
    path = edited(shop)
    sent = {"body": {"comment": "small"}, "params": {"include_events": "true"}, "headers": {"Idempotency-Key": "small"}}
    first = shop.send("PUT", path, **sent)
    latest(bounded(first), LAST + 1)
    shop.put(path, {"comment": "later"})
    again = shop.send("PUT", path, **sent)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")


@pytest.mark.slow
def test_an_earlier_version_and_what_changed_since(shop: Shop) -> None:
    path = edited(shop)
    then = bounded(shop.send("GET", path, params={"version": 20, "include_events": "true"}))
    latest(then, 20)
    assert (then["version"], then["state"], then["items"][0]["comment"][:3]) == (20, "failure", "17x")
    assert shop.get(path, params={"version": 1, "include_events": "true"})["state"] == "pending"
    whole = bounded(shop.send("GET", f"{path}/diff", params={"from": 1}), orders=2)
    latest(whole, LAST, first=2)
    change = next(change for change in whole["changes"] if change["path"] == "items[line_id=1].comment")
    assert (change["before"][:6], change["after"][:3]) == ("firstx", "29x")
    part = bounded(shop.send("GET", f"{path}/diff", params={"from": 3, "to": 5}), orders=2)
    assert ([event["version"] for event in part["events"]], "events_left_out" in part) == ([4, 5], False)


@pytest.mark.long
@pytest.mark.slow
def test_of_many_small_events_as_many_as_on_a_page(shop: Shop) -> None:
    path = f"/orders/{shop.order(1)['id']}"
    for number in range(PAGE_ENTRIES + 1):
        shop.post(f"{path}/events", {"service": "a", "service_status": str(number)})
    shop.order(1)
    order = shop.get(path, params={"include_events": "true"})
    assert (len(order["events"]), order["events_left_out"], order["events"][-1]["version"]) == (PAGE_ENTRIES, 2, PAGE_ENTRIES + 2)
    assert shop.get("/orders", params={"include_events": "true"})["orders"][1] == order


@pytest.mark.slow
def test_an_earlier_version_is_folded_in_the_memory_of_a_page(
    service: Service, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits, size = 40, 400_000
    path = f"/orders/{shop.order(*[1] * (size // 3_000))['id']}"
    for number in range(edits):
        shop.put(path, edit(str(number), size))
    id_, read = path.rpartition("/")[2], list[int]()

    async def running() -> tuple[View | None, int]:
        async with opened(Settings(database=service.database)) as store:
            assert isinstance(store, SqlStore)
            within = store.rows_within

            async def counted(query: Sized, most_bytes: int) -> Sequence[Row]:
                found = await within(query, most_bytes)
                read.append(sum(size_of(row, query.size) for row in found))
                return found

            monkeypatch.setattr(store, "rows_within", counted)
            tracemalloc.start()
            view = await store.order_at(shop.account_id, id_, edits)
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return view, most

    view, most = asyncio.run(running())
    assert view is not None
    assert (view.order.version, view.items[:150].count(b'"%dx' % (edits - 2)), view.events) == (edits, 1, None)
    assert edits * size * 0.9 < sum(read) < edits * size * 2.2  # a large fact is packed with its request
    assert max(read) < PAGE_BYTES + 2.2 * size
    assert most < 8 * PAGE_BYTES


@pytest.mark.slow
def test_an_order_that_is_erased_between_two_pages_of_its_facts(
    service: Service, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/orders/{shop.order(*[1] * (EDIT_BYTES // 3_000))['id']}"
    for number in range(EDITS):
        shop.put(path, edit(str(number)))
    id_, pages = path.rpartition("/")[2], list[int]()

    async def running() -> None:
        async with opened(Settings(database=service.database)) as store:
            assert isinstance(store, SqlStore)
            within = store.rows_within

            async def erasing(query: Sized, most_bytes: int) -> Sequence[Row]:
                found = await within(query, most_bytes)
                pages.append(len(found))
                if len(pages) == 1:
                    await asyncio.to_thread(shop.delete, path)
                return found

            monkeypatch.setattr(store, "rows_within", erasing)
            with pytest.raises(Refused) as refused:
                await store.order_at(shop.account_id, id_, EDITS)
            assert [one.code for one in refused.value.refusals] == ["version_erased"]
            erased = await store.order_at(shop.account_id, id_, EDITS + 2)
            assert erased is not None
            assert (erased.order.status, erased.shown) == (Status.ERASED, [])

    asyncio.run(running())
    assert 1 < pages[0] < EDITS
