"""Events show what the client is called that made the change, as it is called now."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from commands import run
from ordre.api.http import client_names as names
from ordre.api.http.client_names import ClientNames
from ordre.application import accounts
from ordre.bootstrap import opened
from ordre.settings import Settings
from service import Service, Shop, item

pytestmark = pytest.mark.once

NAME = "Client"


def rename(database: str, account_id: str, client_id: str, name: str) -> None:
    async def running() -> None:
        async with opened(Settings(database=database)) as store:
            client = await store.client(account_id, client_id)
            assert client is not None
            await store.put_client(replace(client, name=name))

    asyncio.run(running())


def named(events: list[Any]) -> set[tuple[str, str]]:
    return {(event["created_by"], event["created_by_name"]) for event in events}


def test_every_event_names_its_client(shop: Shop) -> None:
    made = shop.post("/orders", {"currency": "NOK", "items": [item(1, 5)]}, params={"include_events": "true"})
    path = f"/orders/{made['id']}"
    reported = shop.post(f"{path}/events", {"service": "kitchen", "service_status": "ready"})
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": [item(2, 5)]}, "options": {"order_id": made["id"]}})
    drafted = f"/draft_orders/{draft['id']}"
    changed = shop.put(drafted, {"order": {}})
    asked = {"params": {"include_events": "true"}}
    stale = {"If-Match": '"1"'}
    found = {
        "making": made["events"],
        "reporting": [reported],
        "the list of events": shop.get(f"{path}/events")["events"],
        "the order": shop.get(path, **asked)["events"],
        "the order of before": shop.get(path, params={"version": 1, "include_events": "true"})["events"],
        "closing": shop.post(f"{path}/close", **asked)["events"],
        "the list of orders": shop.get("/orders", **asked)["orders"][0]["events"],
        "the difference": shop.get(f"{path}/diff")["events"],
        "the conflict": shop.refused("POST", f"{path}/open", headers=stale, status=412)[0]["events"],
        "the draft": draft["events"],
        "the draft as changed": changed["events"],
        "the draft as read": shop.get(drafted)["events"],
        "the list of drafts": shop.get("/draft_orders")["draft_orders"][0]["events"],
        "the conflict of the draft": shop.refused("PUT", drafted, {}, headers=stale, status=412)[0]["events"],
    }
    for what, events in found.items():
        assert named(events) == {(shop.client_id, NAME)}, what
    assert {event["event_type"] for event in found["the list of events"]} == {"api-event", "service-event"}


def test_two_clients_are_told_apart_and_a_new_name_shows_within_seconds(service: Service, shop: Shop) -> None:
    path = f"/orders/{shop.order(5)['id']}"
    with service.shop(account_id=shop.account_id) as other:
        rename(service.database, shop.account_id, other.client_id, 'Kasse "2" æøå')
        other.post(f"{path}/close")
        deadline = time.monotonic() + 60
        while (found := named(shop.get(f"{path}/events")["events"])) != {
            (shop.client_id, NAME),
            (other.client_id, 'Kasse "2" æøå'),
        }:
            assert time.monotonic() < deadline, found
            time.sleep(0.2)


def test_who_is_no_client_has_no_name(service: Service, shop: Shop) -> None:
    path = f"/orders/{shop.order(5)['id']}"
    run("erase", shop.account_id, "--order", path.rpartition("/")[2], "--yes", database=service.database)
    (event,) = shop.get(f"{path}/events")["events"]
    assert (event["created_by"], "created_by_name" in event) == ("operator", False)


def test_names_are_read_once_in_a_while_and_of_some_accounts(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def running() -> None:
        async with opened(Settings(database=own_database)) as store:
            made = []
            for number in range(3):
                account = await accounts.create_account(store, f"T1000000{number}", "Shop", 1)
                made.append(await accounts.create_client(store, account.account_id, "Old", ["admin:shopping"], "x", 1))
            now = 100.0
            monkeypatch.setattr("ordre.api.http.client_names.monotonic", lambda: now)
            monkeypatch.setattr(names, "REMEMBERED", 2)
            found = ClientNames(store)
            assert await found.of("T10000000") == {made[0].client_id: "Old"}
            await store.put_client(replace(made[0], name="New", disabled_at=1))
            now += names.SECONDS / 2
            assert await found.of("T10000000") == {made[0].client_id: "Old"}
            for one in made[1:]:
                assert await found.of(one.account_id) == {one.client_id: "Old"}
            assert await found.of("T10000000") == {made[0].client_id: "New"}, "it was let go for the two others"
            await store.put_client(replace(made[0], name="Newer"))
            now += names.SECONDS
            assert await found.of("T10000000") == {made[0].client_id: "Newer"}
            assert await found.of("T99999999") == {}

    run("migrate", database=own_database)
    asyncio.run(running())
