"""The filters that are extra, and `q`: on orders, drafts, a store's orders and a customer's."""

import time
from typing import Any

import pytest

from commands import run_json
from database import sql
from service import Service, Shop, faults_of, item, operation

KARI = {
    "id": "C-17",
    "first_name": "Kari",
    "last_name": "Nordmann Åsen",
    "email": "kari.nordmann@example.com",
    "phone_number": "+4799887766",
    "company": {"bussiness_name": "Fjell & Fjord AS"},
}


def ids(found: Any) -> list[str]:
    return [one["id"] for one in found.get("orders", found.get("draft_orders"))]


def rich() -> dict[str, Any]:
    """An order with something under everything that is searched."""
    line = item(1, 39800, description="Stablestol, T-skjorte (blå)", external_id="SL02-948", store={"id": "S-9"})
    return {
        "currency": "NOK",
        "order_number": "2026-0042",
        "customer": KARI,
        "store": {"id": "S-1"},
        "external_ids": [{"id": "Web:7781", "source": "web"}, {}],
        "metadata": {"channel": "pos", "till": 4, "gift": True, "note": None, "deep": {"a": 1}},
        "attachments": [{"id": "T1", "train_reservation": {"booking_id": "NSB-77XQ"}}],
        "items": [{**line, "id": "ART-5"}],
    }


SEARCHED = [
    "kari",
    "KARI",
    "Nord",
    "nordmann åsen",
    "åsen",
    "kari.nordmann@example.com",
    "example",
    "fjell fjord",
    "2026-0042",
    "2026-00",
    "+47 99 88 77 66",
    "99887766",
    "4799887766",
    "887766",
    "web:7781",
    "SL02",
    "art-5",
    "stablestol",
    "T-skjorte",
    "skjorte blå",
    "NSB-77",
    "kari stablestol 2026-0042",
]
NOT_FOUND = ["nordman x", "7766998", "arikari", "4799887767", "blått", "77xq"]


@pytest.mark.parametrize("path", ["/orders", "/stores/S-9/orders", "/customers/C-17/orders"])
def test_searching_orders(shop: Shop, path: str) -> None:
    wanted = shop.post("/orders", rich())["id"]
    shop.order(100, customer={"id": "C-17", "first_name": "Ola"}, store={"id": "S-9"})
    for q in SEARCHED:
        assert ids(shop.get(path, params={"q": q})) == [wanted], q
    for q in NOT_FOUND:
        assert ids(shop.get(path, params={"q": q})) == [], q
    for name in (wanted, wanted[:13].upper()):
        assert ids(shop.get(path, params={"q": name})) == [wanted]
    assert len(ids(shop.get(path, params={"q": " "}))) == 2
    assert len(ids(shop.get(path, params={"q": "."}))) == 2


def test_searching_drafts(shop: Shop) -> None:
    wanted = shop.post("/draft_orders", {"order": {**rich(), "order_id": "mine"}})["id"]
    shop.post("/draft_orders", {"order": {"currency": "NOK", "customer": {"first_name": "Ola"}}})
    for q in SEARCHED:
        assert ids(shop.get("/draft_orders", params={"q": q})) == [wanted], q
    for q in NOT_FOUND:
        assert ids(shop.get("/draft_orders", params={"q": q})) == [], q
    assert ids(shop.get("/draft_orders", params={"q": "mine"})) == [wanted]


FILTERS = [
    {"customer_id": "C-17"},
    {"store_id": "S-1"},
    {"store_id": "S-9"},
    {"order_number": "2026-0042"},
    {"external_id": "Web:7781"},
    {"external_id": "SL02-948"},
    {"currency": "NOK"},
    {"currency": "NOK,DKK"},
    {"metadata.channel": "pos"},
    {"metadata.till": "4"},
    {"metadata.gift": "true"},
    {"metadata.channel": "pos", "metadata.till": "4"},
    {"net_amount.gte": "39800"},
    {"net_amount.gte": "39000", "net_amount.lte": "40000", "q": "kari", "currency": "NOK", "status": "open"},
]
NO_MATCH = [
    {"customer_id": "c-17"},
    {"store_id": "S"},
    {"external_id": "Web"},
    {"metadata.channel": "po"},
    {"metadata.channel": "pos", "metadata.till": "5"},
    {"metadata.deep": "1"},
    {"metadata.note": "null"},
    {"metadata.missing": "x"},
    {"currency": "DKK"},
    {"net_amount.gte": "39801"},
    {"q": "kari", "customer_id": "other"},
]


@pytest.mark.parametrize("collection", ["orders", "draft_orders"])
def test_every_filter(shop: Shop, collection: str) -> None:
    other = {"currency": "SEK", "items": [item(1, 5)], "customer": {"id": "other"}}
    for order in (other, rich(), other):
        shop.post(f"/{collection}", order if collection == "orders" else {"order": order})
    (wanted,) = ids(shop.get(f"/{collection}", params=FILTERS[0]))
    for query in FILTERS:
        page = shop.send("GET", f"/{collection}", params={**query, "total": "true"})
        assert (ids(page.json()), page.headers["total-count"]) == ([wanted], "1"), query
    for query in NO_MATCH:
        assert ids(shop.get(f"/{collection}", params=query)) == [], query


def test_by_payment(shop: Shop) -> None:
    one, two = shop.order(100, 50)["id"], shop.order(100)["id"]
    for number, order in enumerate((one, two)):
        shop.post(f"/orders/{order}/authorizations", operation((1, 100), payment_details={"payment_id": f"PID_Ab{number}"}))
    shop.post(f"/orders/{one}/captures", operation((1, 100), payment_details={"payment_id": "PID_Ab0"}))
    shop.post(f"/orders/{one}/authorizations", operation((2, 50), payment_details={"payment_id": "other"}))
    assert ids(shop.get("/orders", params={"payment_id": "PID_Ab0"})) == [one]
    assert ids(shop.get("/orders", params={"payment_id": "pid_ab0"})) == []
    assert ids(shop.get("/orders", params={"q": "pid_ab0"})) == [one]
    assert ids(shop.get("/orders", params={"q": "PID_"})) == [two, one]
    shop.put(f"/orders/{one}", {"customer": {"first_name": "Kari"}})
    assert ids(shop.get("/orders", params={"q": "kari other"})) == [one]
    assert faults_of(shop.refused("GET", "/draft_orders", params={"payment_id": "x"})) == [("unknown_parameter", "payment_id")]


def test_what_is_changed_is_found_anew(shop: Shop) -> None:
    order = shop.post("/orders", rich())["id"]
    shop.put(f"/orders/{order}", {"customer": {"id": "C-2", "first_name": "Per"}, "metadata": None, "order_number": "7"})
    for query in ({"q": "kari"}, {"customer_id": "C-17"}, {"metadata.channel": "pos"}, {"order_number": "2026-0042"}):
        assert ids(shop.get("/orders", params=query)) == [], query
    for query in ({"q": "per 7"}, {"customer_id": "C-2"}, {"order_number": "7"}, {"q": "stablestol"}):
        assert ids(shop.get("/orders", params=query)) == [order], query
    draft = shop.post("/draft_orders", {"order": rich()})["id"]
    shop.put(f"/draft_orders/{draft}", {"order": {"customer": {"first_name": "Per"}}})
    assert ids(shop.get("/draft_orders", params={"q": "kari"})) == []
    assert ids(shop.get("/draft_orders", params={"q": "per"})) == [draft]
    more = {"currency": "NOK", "items": [item(2, 5, description="Krakk")]}
    added = shop.post("/draft_orders", {"order": more, "options": {"order_id": order}})
    shop.put(f"/draft_orders/{added['id']}/complete")
    assert ids(shop.get("/orders", params={"q": "krakk stablestol"})) == [order]


@pytest.mark.parametrize("collection", ["orders", "draft_orders"])
def test_by_when_it_was_updated(shop: Shop, collection: str) -> None:
    order = {"currency": "NOK", "items": [item(1, 5)]}
    body = order if collection == "orders" else {"order": order}
    one, two, three = (shop.post(f"/{collection}", body) for _ in range(3))
    change = {"comment": "x"} if collection == "orders" else {"order": {"comment": "x"}}
    time.sleep(0.002)
    after = shop.put(f"/{collection}/{one['id']}", change)["updated_at"]
    assert after > three["updated_at"] >= two["updated_at"]
    assert ids(shop.get(f"/{collection}", params={"updated_at.gte": after})) == [one["id"]]
    assert one["id"] not in ids(shop.get(f"/{collection}", params={"updated_at.lte": three["updated_at"]}))
    assert ids(shop.get(f"/{collection}", params={"updated_at.gte": two["updated_at"]}))[-1] == one["id"]
    both = {"updated_at.gte": one["updated_at"], "updated_at.lte": after}
    assert ids(shop.get(f"/{collection}", params=both)) == [three["id"], two["id"], one["id"]]


def test_a_page_that_is_led_by_a_filter_goes_on(shop: Shop) -> None:
    made = [shop.order(number, customer={"id": "C", "first_name": "Kari"}, metadata={"a": "b"})["id"] for number in range(1, 8)]
    shop.order(9)
    for query in ({"customer_id": "C"}, {"q": "kari"}, {"metadata.a": "b", "q": "ka"}, {"net_amount.lte": "8"}):
        seen: list[str] = []
        after: dict[str, str] = {}
        while page := ids(shop.get("/orders", params={**query, "limit": 3, **after})):
            seen += page
            after = {"starting_after": page[-1]}
            shop.order(3)
        assert [one for one in seen if one in made] == made[::-1], query


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ({"updated_at.gte": "now"}, "invalid_value", "updated_at.gte"),
        ({"q": "a b c d e f g h i"}, "invalid_value", "q"),
        ({"q": "x" * 201}, "invalid_value", "q"),
        ({"metadata": "x"}, "unknown_parameter", "metadata"),
        ({"metadata.a": "x" * 256}, "invalid_value", "metadata.a"),
        ({"metadata.a": ["1", "2"]}, "invalid_value", "metadata.a"),
        ({"external_id": ""}, "invalid_value", "external_id"),
    ],
)
def test_a_wrong_parameter_is_named(shop: Shop, query: dict[str, Any], code: str, path: str) -> None:
    for collection in ("/orders", "/stores/S1/orders", "/customers/C1/orders", "/draft_orders"):
        assert faults_of(shop.refused("GET", collection, params=query)) == [(code, path)]


def test_what_no_index_takes_is_kept_and_not_found(shop: Shop) -> None:
    order = shop.order(5, metadata={"nul": "a\u0000b", "long": "x" * 300, "": "empty"}, customer={"first_name": "a\u0000b"})["id"]
    assert shop.get(f"/orders/{order}")["metadata"]["nul"] == "a\u0000b"
    assert ids(shop.get("/orders", params={"q": "ab"})) == [order]


def test_a_large_order_is_found_by_what_identifies_it(shop: Shop) -> None:
    lines = [item(number, 1, description=f"unique{number} and more words") for number in range(1, 1001)]
    order = shop.post("/orders", {"currency": "NOK", "items": lines, "customer": KARI, "order_number": "big"})["id"]
    for q in ("kari", "big", "A1 "):
        assert ids(shop.get("/orders", params={"q": q})) == [order]


@pytest.mark.parametrize("collection", ["orders", "draft_orders"])
def test_what_it_says_of_itself_is_found(shop: Shop, collection: str) -> None:
    said = {
        "comment": "Ring the bell twice; ask for Solveig@example.org",
        "metadata": {"note": "gift for Bjørn", "till": 7781, "share": 0.25, "yes": True, "deep": {"list": [{"by": "Torunn"}]}},
    }
    order = {"currency": "NOK", "items": [item(1, 100)], **said}
    body = order if collection == "orders" else {"order": order}
    wanted = shop.post(f"/{collection}", body)["id"]
    huge = {**order, "comment": "x", "metadata": {"n": 10**400, "m": -(10**17), "e": None}}
    shop.post(f"/{collection}", huge if collection == "orders" else {"order": huge})
    for q in ("bell twice", "solveig", "example.org", "bjørn", "7781", "0.25", "torunn", "gift SOLV"):
        assert ids(shop.get(f"/{collection}", params={"q": q})) == [wanted], q
    for q in ("till", "deep", "true", "ell"):
        assert ids(shop.get(f"/{collection}", params={"q": q})) == [], q


def test_comments_are_found_until_they_are_deleted(service: Service, shop: Shop) -> None:
    order, other = (shop.order(100)["id"] for _ in range(2))
    one = shop.post(f"/orders/{order}/comments", {"body": "Kari called: kari.n@example.com wants a refund"})["id"]
    two = shop.post(f"/orders/{order}/comments", {"body": "She called twice", "visibility": "public"})["id"]
    for q in ("kari called", "example", "KARI refund twice", "kari.n@example.com"):
        assert ids(shop.get("/orders", params={"q": q})) == [order], q
    assert ids(shop.get("/orders", params={"q": "alled"})) == []
    assert ids(shop.get("/orders", params={"q": f"called {order}"})) == [order]
    shop.put(f"/orders/{order}", {"customer": {"first_name": "Ola"}})
    assert ids(shop.get("/orders", params={"q": "ola refund", "total": "true"})) == [order], "a change of the order keeps them"
    shop.post(f"/orders/{other}/comments", {"body": "called, too"})
    assert ids(shop.get("/orders", params={"q": "called"})) == [other, order]
    shop.delete(f"/orders/{order}/comments/{one}")
    assert ids(shop.get("/orders", params={"q": "kari"})) == []
    assert ids(shop.get("/orders", params={"q": "called"})) == [other, order], "the other comment says so too"
    shop.delete(f"/orders/{order}/comments/{two}")
    shop.delete(f"/orders/{order}/comments/{two}")
    assert ids(shop.get("/orders", params={"q": "called"})) == [other]
    shop.delete(f"/orders/{other}")
    assert ids(shop.get("/orders", params={"q": "called"})) == []
    for id_ in (order, other):
        assert run_json("verify", "--account", shop.account_id, "--order", id_, database=service.database)["differences"] == []


FOUND = "select count(*) from found_orders where kind = 'comment' and substr(term, length(term) - 35) = $1"


def test_the_words_of_a_comment_have_a_bound(service: Service, shop: Shop) -> None:
    order = shop.order(100)["id"]
    words = [f"w{number:03d}" for number in range(600)]
    comment = shop.post(f"/orders/{order}/comments", {"body": " ".join(words)})["id"]
    assert ids(shop.get("/orders", params={"q": "w099"})) == [order]
    assert ids(shop.get("/orders", params={"q": "w100"})) == []
    kept = sql(service.database, FOUND, comment)
    assert kept == [(100,)]
    shop.delete(f"/orders/{order}/comments/{comment}")
    kept = sql(service.database, FOUND, comment)
    assert kept == [(0,)]


def test_a_completed_draft_is_found_by_its_stores_and_its_orders_by_the_rest(shop: Shop) -> None:
    sketch = {
        "currency": "NOK",
        "items": [item(1, 5)],
        "customer": {"id": "C-draft"},
        "store": {"id": "S-draft"},
        "comment": "Draftwise",
    }
    draft = shop.post("/draft_orders", {"order": sketch})["id"]
    queries = ({"q": "draftwise"}, {"customer_id": "C-draft"}, {"store_id": "S-draft"})
    assert [ids(shop.get("/draft_orders", params=query)) for query in queries] == [[draft]] * 3
    (order,) = shop.put(f"/draft_orders/{draft}/complete")["orders"]
    assert [ids(shop.get("/draft_orders", params=query)) for query in queries] == [[], [], [draft]]
    assert [ids(shop.get("/orders", params=query)) for query in queries] == [[order["id"]]] * 3
    assert draft in ids(shop.get("/draft_orders", params={"status": "completed"}))
