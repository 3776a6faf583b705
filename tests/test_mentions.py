"""`ordre erase` finds what says a text, by values and in every version, and shows each before anything is erased."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from commands import run, run_json
from database import sql
from ordre.application.mentions import Sought, mentioned
from ordre.application.store import Access
from ordre.bootstrap import opened
from ordre.domain.money import amount_text
from ordre.settings import Settings
from service import Service, Shop, items, operation

TEXT = "kari@example.com"
ESCAPED = "k\\u0061ri@ex\\u0061mple.com"


def raw(shop: Shop, method: str, path: str, body: Any) -> Any:
    """Send a body in which the text is written with JSON's escapes."""
    content = json.dumps(body).replace(TEXT, ESCAPED)
    assert TEXT not in content
    return shop.send(method, path, content=content.encode(), headers={"Content-Type": "application/json"}).json()


def on_order(path: str, body: dict[str, Any]) -> Callable[[Shop], str]:
    def made(shop: Shop) -> str:
        order: str = shop.order(100)["id"]
        shop.post(f"/orders/{order}{path}", body)
        return order

    return made


def with_fields(**fields: Any) -> Callable[[Shop], str]:
    return lambda shop: str(shop.order(100, **fields)["id"])


def once_said(shop: Shop) -> str:
    order: str = shop.order(100, comment=f"ask {TEXT}")["id"]
    shop.put(f"/orders/{order}", {"comment": None})
    return order


def in_an_item(shop: Shop) -> str:
    (line,) = items(100)
    made = shop.post("/orders", {"currency": "NOK", "items": [{**line, "description": f"engraved: {TEXT}"}]})
    return str(made["id"])


def escaped(shop: Shop) -> str:
    made = raw(shop, "POST", "/orders", {"currency": "NOK", "items": items(100), "metadata": {"deep": [{"a": TEXT}]}})
    return str(made["id"])


def escaped_comment(shop: Shop) -> str:
    order: str = shop.order(100)["id"]
    raw(shop, "POST", f"/orders/{order}/comments", {"body": TEXT})
    return order


def completed(shop: Shop) -> str:
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(100), "comment": f"for {TEXT}"}})
    (order,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    return str(order["id"])


SAID: dict[str, Callable[[Shop], str]] = {
    "a comment": on_order("/comments", {"body": "she is KARI@example.com, I think"}),
    "the order's own comment": with_fields(comment=f"ask {TEXT}"),
    "what it once said": once_said,
    "metadata": with_fields(metadata={"note": TEXT}),
    "metadata, deep inside": with_fields(metadata={"notes": [{"by": {"whom": TEXT}}]}),
    "a name in metadata": with_fields(metadata={TEXT: True}),
    "the customer": with_fields(customer={"email": TEXT}),
    "an address": with_fields(shipping_address={"email": TEXT}),
    "an item": in_an_item,
    "an operation": on_order("/authorizations", operation((1, 100), metadata={"by": TEXT})),
    "a report": on_order("/events", {"service": "post", "service_status": "x", "description": f"left with {TEXT}"}),
    "a request with escapes": escaped,
    "a comment with escapes": escaped_comment,
    "a draft that became it": completed,
}


def test_a_text_is_found_wherever_it_stands(service: Service, shop: Shop) -> None:
    said = {make(shop): where for where, make in SAID.items()}
    other = shop.order(100, comment="kari at example.com", metadata={"note": "\u00e5"})["id"]
    comment = shop.post(f"/orders/{other}/comments", {"body": f"ask {TEXT}"})
    shop.delete(f"/orders/{other}/comments/{comment['id']}")
    found = run_json("erase", shop.account_id, "--text", "Kari@Example", database=service.database)
    assert {said.get(one["id"], one["id"]) for one in found["orders"]} == set(SAID)
    assert len(found["drafts"]) == 1, "the one that became an order"
    assert {shop.get(f"/orders/{id_}")["status"] for id_ in said} == {"open"}
    erased = run_json("erase", shop.account_id, "--text", TEXT, "--yes", database=service.database)
    assert {one["id"] for one in erased["orders"]} == set(said)
    assert [where for id_, where in said.items() if "deleted_at" not in shop.get(f"/orders/{id_}")] == []
    assert shop.get(f"/orders/{other}")["status"] == "open"
    again = run_json("erase", shop.account_id, "--text", TEXT, database=service.database)
    assert again == {"erased": False, "orders": [], "drafts": []}


def test_drafts_are_found_by_what_any_version_said(service: Service, shop: Shop) -> None:
    draft = {"currency": "NOK", "customer": {"email": TEXT}}
    now = shop.post("/draft_orders", {"order": draft})["id"]
    once = raw(shop, "POST", "/draft_orders", {"order": draft})["id"]
    shop.put(f"/draft_orders/{once}", {"order": {"customer": None}})
    customers = f'"customer":{{"em\\u0061il":"{TEXT}","email":"x@example.com"}},"customer":{{"id":"C"}}'
    doubled = f'{{"order":{{"currency":"NOK",{customers}}}}}'
    sent = {"content": doubled.encode(), "headers": {"Content-Type": "application/json"}}
    twice = shop.send("POST", "/draft_orders", **sent).json()["id"]
    noted = shop.post("/draft_orders", {"order": {"currency": "NOK", "comment": f"ask {TEXT}"}})["id"]
    shop.post("/draft_orders", {"order": {"currency": "NOK"}})
    by_text = run_json("erase", shop.account_id, "--text", TEXT, database=service.database)
    assert {one["id"] for one in by_text["drafts"]} == {now, once, twice, noted}
    by_email = run_json("erase", shop.account_id, "--email", TEXT, database=service.database)
    assert {one["id"] for one in by_email["drafts"]} == {now, once, twice}
    assert run("erase", shop.account_id, "--email", TEXT, "--yes", database=service.database).endswith(
        "erased 0 orders, 3 drafts\n"
    )
    for id_, status in ((now, 404), (once, 404), (twice, 404), (noted, 200)):
        assert shop.send("GET", f"/draft_orders/{id_}").status_code == status


def test_a_fact_that_was_tampered_with_hides_nobody(service: Service, shop: Shop) -> None:
    made = [shop.paid(100, customer={"email": TEXT})["id"] for _ in range(3)]
    for id_, type_, data in (
        (made[0], "capture", "{}"),
        (made[1], "placed", """{"content":{"fields":{"customer":"{\\"email\\":\\"kari@example.com\\"}"}}}"""),
        (made[2], "authorization", "no JSON"),
    ):
        sql(service.database, "update facts set data = $3 where id = $1 and type = $2", id_, type_, data)
    for flags in (("--email", TEXT), ("--text", TEXT)):
        found = run_json("erase", shop.account_id, *flags, database=service.database)
        assert {one["id"] for one in found["orders"]} == set(made), flags
    assert "this was tampered with" in run("order", "history", shop.account_id, made[0], database=service.database)


def test_names_of_fields_and_amounts_are_no_text(service: Service, shop: Shop) -> None:
    shop.order(39800, customer={"first_name": "Kari"}, metadata={"till": 7781, "share": 0.25})
    expected = {"first_name": 0, "39800": 0, "metadata": 0, "100%": 0, "k_ri": 0, "7781": 1, "0.25": 1, "till": 1, "ari": 1}

    async def found() -> dict[str, int]:
        async with opened(Settings(database=service.database), Access.READ) as store:
            sought = [(text, await mentioned(store, shop.account_id, Sought(text=text))) for text in expected]
            return {text: len(one.orders) for text, one in sought}

    assert asyncio.run(found()) == expected


def test_each_is_shown_before_it_is_erased(service: Service, shop: Shop) -> None:
    by = {"email": TEXT}
    customer = {**by, "first_name": "Kari", "last_name": "[red] Nordmann"}
    one = shop.order(39800, 100, customer=customer, order_number="2026-0042")
    two = shop.post("/orders", {"currency": "JPY", "items": items(1500), "order_id": "mine", "customer": by})
    draft = shop.post(
        "/draft_orders", {"order": {"currency": "NOK", "customer": {**by, "company": {"bussiness_name": "Fjord AS"}}}}
    )
    flags = ("erase", shop.account_id, "--email", TEXT)
    shown = run(*flags, database=service.database)
    day = one["created_at"][:10]
    for id_, number, total, name in (
        (one["id"], "2026-0042", "NOK 399.00", "Kari [red] Nordmann"),
        (two["id"], "mine", "JPY 1,500", TEXT),
        (draft["id"], "-", "NOK 0.00", "Fjord AS"),
    ):
        (line,) = [line for line in shown.splitlines() if id_ in line]
        assert [part for part in (number, day, total, name) if part not in line] == [], line
    assert shown.endswith("2 orders, 1 draft; add --yes to erase them\n")
    found = run_json(*flags, database=service.database)
    assert found["orders"][0] == {
        "id": one["id"],
        "order_id": one["order_id"],
        "order_number": "2026-0042",
        "created_at": one["created_at"],
        "currency": "NOK",
        "net_amount": 39900,
        "name": "Kari [red] Nordmann",
    }
    erased = run_json(*flags, "--yes", database=service.database)
    assert erased["orders"] == [
        {name: order.get(name) for name in ("id", "order_id", "order_number", "created_at")} for order in (one, two)
    ], "what may be kept for the day a backup is restored"


@pytest.mark.parametrize(
    ("said", "sought", "same"),
    [
        ("Renée", "rene\u0301e", True),
        ("STRASSE", "straße", True),
        ("Åse", "åse", True),
        ("Ase", "åse", False),
        ("Kari Nordmann", "kari nord", True),
        ("Kari  Nordmann", "kari nord", False),
    ],
)
def test_what_people_call_the_same_is_the_same(said: str, sought: str, same: bool) -> None:
    assert Sought(text=sought).is_said([said]) is same


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (139800, "NOK", "NOK 1,398.00"),
        (-5, "NOK", "NOK -0.05"),
        (1500, "JPY", "JPY 1,500"),
        (1, "KWD", "KWD 0.001"),
        (0, "EUR", "EUR 0.00"),
    ],
)
def test_amounts_as_people_write_them(amount: int, currency: str, text: str) -> None:
    assert amount_text(amount, currency) == text
