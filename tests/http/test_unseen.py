"""Fields that are not taken: ignored, but refused with `Prefer: handling=strict`, and named in a header on test accounts."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from contract import DOCUMENT
from ordre.api.http.errors import MOST_FAULTS
from ordre.api.http.unseen import MOST_CHARACTERS, ignored_header, prefers_strict
from ordre.client import Client, calls, errors
from service import Service, Shop, faults_of, item, items

pytestmark = pytest.mark.once

STRICT = {"Prefer": "handling=strict"}
SESSION = {"profile_id": "p", "url": {}, "items": [{"line_id": "1", "amount": 5}]}


@pytest.fixture
def production(service: Service) -> Iterator[Shop]:
    """A new account that is no test account."""
    with service.shop(account_id=f"P{service.port:08d}") as made:
        yield made


def ignored(answer: httpx.Response) -> str | None:
    header: str | None = answer.headers.get("x-ordre-ignored")
    return header


def order_path(shop: Shop) -> str:
    return f"/orders/{shop.order(100, 50)['id']}"


def draft_path(shop: Shop) -> str:
    return f"/draft_orders/{shop.post('/draft_orders', {'order': {'currency': 'NOK', 'items': items(100)}})['id']}"


WRITES: dict[str, Any] = {
    "order": lambda _: (
        "POST",
        "/orders",
        {
            "merchant_reference": 1,
            "currency": "NOK",
            "customer": {"name": "Ada", "addresses": [{}, {"street": "x"}], "metadata": {"any": 1}},
            "items": [{**item(1, 5), "unit_price": 5, "tax_lines": [{"amount": 1, "rate": 25}]}],
        },
        [
            "merchant_reference",
            "customer.name",
            "customer.addresses[1].street",
            "items[0].unit_price",
            "items[0].tax_lines[0].rate",
        ],
    ),
    "change": lambda shop: (
        "PUT",
        order_path(shop),
        {"comments": [], "note": "x", "items": [{"line_id": 1, "price": 5}]},
        ["note", "items[0].price"],
    ),
    "statuses": lambda shop: (
        "PUT",
        f"{order_path(shop)}/items",
        {"items": [{"line_id": 1, "status": "x", "note": 1}]},
        ["items[0].note"],
    ),
    "draft": lambda _: (
        "POST",
        "/draft_orders",
        {
            "order": {"currency": "NOK", "merchant_reference": "x", "items": [{**item(1, 5), "unit_price": 5}]},
            "options": {"x": 1},
            "y": 1,
        },
        ["y", "order.merchant_reference", "order.items[0].unit_price", "options.x"],
    ),
    "draft change": lambda shop: ("PUT", draft_path(shop), {"order": {"reference": 1}}, ["order.reference"]),
    "completion": lambda shop: ("PUT", f"{draft_path(shop)}/complete", {"order_id": "x"}, ["order_id"]),
    "item": lambda shop: ("POST", f"{draft_path(shop)}/items", {**item(2, 5), "price": 1}, ["price"]),
    "changed item": lambda shop: ("PUT", f"{draft_path(shop)}/items/1", {**item(1, 5), "store": {"city": 1}}, ["store.city"]),
    "authorization": lambda shop: (
        "POST",
        f"{order_path(shop)}/authorizations",
        {"items": [{"line_id": 1, "amount": 5, "quantity": 1}], "payment_details": {"card": {"cvc": 1}}, "reference": 1},
        ["reference", "items[0].quantity", "payment_details.card.cvc"],
    ),
    "session": lambda shop: ("POST", f"{order_path(shop)}/sessions", {**SESSION, "url": {"cancel_url": "x"}}, ["url.cancel_url"]),
    "event": lambda shop: ("POST", f"{order_path(shop)}/events", {"service": "a", "service_status": "b", "at": 1}, ["at"]),
    "comment": lambda shop: ("POST", f"{order_path(shop)}/comments", {"body": "x", "author": "y"}, ["author"]),
    "cancel": lambda shop: ("POST", f"{order_path(shop)}/cancel", {"reason": "customer"}, ["reason"]),
    "close": lambda shop: ("POST", f"{order_path(shop)}/close", {"reason": "x"}, ["reason"]),
    "close with a list": lambda shop: ("POST", f"{order_path(shop)}/close", ["x"], ["(body)"]),
    "delete draft": lambda shop: ("DELETE", draft_path(shop), {"reason": "x"}, ["reason"]),
}


@pytest.mark.parametrize("name", WRITES)
def test_unknown_fields_are_refused_on_request_and_named_on_test_accounts(shop: Shop, name: str) -> None:
    method, path, body, paths = WRITES[name](shop)
    strict = shop.send(method, path, body, headers=STRICT)
    assert (strict.status_code, strict.headers["preference-applied"], ignored(strict)) == (400, "handling=strict", None)
    assert sorted(faults_of(strict.json()["error"]["errors"])) == sorted(("unknown_field", one) for one in paths)
    taken = shop.send(method, path, body)
    assert (taken.status_code, "preference-applied" in taken.headers) == (200, False)
    assert sorted(str(ignored(taken)).split(", ")) == sorted(paths)


def test_production_accounts_are_told_only_where_they_ask(production: Shop) -> None:
    body = {"currency": "NOK", "items": items(5), "note": 1}
    answer = production.send("POST", "/orders", body)
    assert (answer.status_code, ignored(answer), "preference-applied" in answer.headers) == (200, None, False)
    assert faults_of(production.refused("POST", "/orders", body, headers=STRICT)) == [("unknown_field", "note")]
    assert len(production.get("/orders")["orders"]) == 1


def test_what_is_known_is_taken_strictly_too(shop: Shop) -> None:
    made = shop.send("POST", "/orders", {"currency": "NOK", "items": items(5)}, headers=STRICT)
    assert (made.status_code, made.headers["preference-applied"], ignored(made)) == (200, "handling=strict", None)
    closed = shop.send("POST", f"/orders/{made.json()['id']}/close", headers=STRICT)
    assert (closed.status_code, closed.headers["preference-applied"]) == (200, "handling=strict")
    assert "preference-applied" not in shop.send("GET", f"/orders/{made.json()['id']}", headers=STRICT).headers


def test_an_answer_can_be_sent_back(shop: Shop) -> None:
    """Read-only fields are known: neither refused nor named."""
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(100)}})
    order = shop.paid(100, 50, customer={"id": "C"}, comment="x")
    path = f"/orders/{order['id']}"
    comment = shop.post(f"{path}/comments", {"body": "x"})
    event = shop.post(f"{path}/events", {"service": "a", "service_status": "b"})
    session = shop.post(f"/orders/{shop.order(100)['id']}/sessions", SESSION)
    order = shop.get(path, params={"include_events": "true"})
    capture = {**order["captures"][0], "items": [{"line_id": 1, "amount": 5}], "amount": 5}
    for method, where, body in (
        ("PUT", path, order),
        ("PUT", f"/draft_orders/{draft['id']}", draft),
        ("POST", f"/draft_orders/{draft['id']}/items", draft["order"]["items"][0]),
        ("POST", f"{path}/comments", comment),
        ("POST", f"{path}/events", event),
        ("POST", f"/orders/{shop.order(100)['id']}/sessions", {**SESSION, **session}),
        ("POST", f"{path}/refunds", capture),
    ):
        for number, headers in enumerate(({}, STRICT)):
            again = {"line_id": 2 + number} if where.endswith("/items") else {"id": f"{where[-6:]} {number}".replace("/", "")}
            answer = shop.send(method, where, {**body, **(again if method == "POST" else {})}, headers=headers)
            assert (answer.status_code, ignored(answer)) == (200, None), (where, answer.text)


def test_other_faults_are_named_beside(shop: Shop) -> None:
    body = {"currency": "NOK", "items": [{"id": "a", "line_id": 1, "gross_amount": 5, "taxlines": []}]}
    assert ("unknown_field", "items[0].taxlines") in faults_of(shop.refused("POST", "/orders", body, headers=STRICT))
    wrong = {"currency": 5, "items": items(5), "note": 1}
    assert faults_of(shop.refused("POST", "/orders", wrong, headers=STRICT)) == [
        ("invalid_value", "currency"),
        ("unknown_field", "note"),
    ]
    assert ignored(shop.send("POST", "/orders", wrong)) == "note"


def test_words_of_open_lists_are_refused_strictly(shop: Shop) -> None:
    body = {
        "currency": "NOK",
        "items": [{**item(1, 5), "discount_lines": [{"amount": 0, "discount_type": "luck"}]}],
        "customer": {"type": "friend"},
    }
    assert ignored(shop.send("POST", "/orders", body)) is None
    strict = shop.refused("POST", "/orders", body, headers=STRICT)
    assert sorted(faults_of(strict)) == [
        ("invalid_value", "customer.type"),
        ("invalid_value", "items[0].discount_lines[0].discount_type"),
    ]
    assert any(one["message"].startswith("'friend' is not one of customer, company") for one in strict)


def test_what_an_appended_draft_leaves_behind(shop: Shop) -> None:
    order = shop.order(100)
    drafted = {"currency": "NOK", "items": [item(2, 5)], "comment": "ring twice", "order_number": "N", "customer": {"id": "C"}}
    options = {"order_id": order["order_id"], "serial_order_number_suffix": "x"}
    path = f"/draft_orders/{shop.post('/draft_orders', {'order': drafted, 'options': options})['id']}/complete"
    paths = ["options.serial_order_number_suffix", "order.comment", "order.customer", "order.order_number"]
    faults = shop.refused("PUT", path, headers=STRICT)
    assert sorted(faults_of(faults)) == [("not_taken_over", one) for one in paths]
    assert len(shop.get(f"/orders/{order['id']}")["items"]) == 1
    done = shop.send("PUT", path, {"x": 1})
    assert sorted(str(ignored(done)).split(", ")) == sorted([*paths, "x"])
    assert (done.json()["orders"][0].get("comment"), len(done.json()["orders"][0]["items"])) == (None, 2)


def test_the_header_is_bounded_and_plain(shop: Shop) -> None:
    many = {f"field_{number}": 1 for number in range(5000)}
    body = {"currency": "NOK", "items": items(5)}
    named = str(ignored(shop.send("POST", "/orders", {**many, **body}))).split(", ")
    assert (len(named), named[-1]) == (MOST_FAULTS + 1, "...")
    assert len(shop.refused("POST", "/orders", {**many, **body}, headers=STRICT)) == MOST_FAULTS
    assert ignored(shop.send("POST", "/orders", {"x" * 2000: 1, **body})) == "..."
    odd = ignored(shop.send("POST", "/orders", {"a, b": 1, "c\r\nx-evil: 1": 1, "æ": 1, "100%": 1, "\u0000": 1, **body}))
    assert odd == "a%2C%20b, c%0D%0Ax-evil:%201, %C3%A6, 100%25, %00"
    assert len(ignored_header(f"{'x' * 90}{number}" for number in range(20))) <= MOST_CHARACTERS + len(", ...")


@pytest.mark.parametrize(
    ("values", "strict"),
    [
        (["handling=strict"], True),
        (['Handling = "Strict" ; x=1, foo'], True),
        (["respond-async", "wait=10, handling=strict"], True),
        (["handling=lenient, handling=strict"], False),
        (['foo="handling=strict, x"'], False),
        (["handling=stricter"], False),
        (["handling"], False),
        ([""], False),
        ([], False),
    ],
)
def test_how_strictness_is_preferred(values: list[str], strict: bool) -> None:
    assert prefers_strict([(b"accept", b"*/*"), *((b"prefer", value.encode()) for value in values)]) is strict


def test_strictness_and_idempotency_keys(shop: Shop) -> None:
    body = {"currency": "NOK", "items": items(5), "note": 1}
    key = {"Idempotency-Key": "k"}
    assert shop.send("POST", "/orders", body, headers={**STRICT, **key}).status_code == 400
    first, again = (shop.send("POST", "/orders", body, headers=key) for _ in range(2))
    assert (first.content, again.headers["idempotency-replayed"], ignored(again)) == (again.content, "true", "note")


def test_the_client_can_be_strict(shop: Shop) -> None:
    body = {"currency": "NOK", "items": items(5), "note": 1}
    with Client(str(shop.http.base_url), shop.account_id, shop.client_id, shop.secret, strict=True) as client:
        with pytest.raises(errors.BadRequestError) as refused:
            client.send(calls.create_order(body))
        assert refused.value.codes == ("unknown_field",)
    with Client(str(shop.http.base_url), shop.account_id, shop.client_id, shop.secret) as client:
        assert client.send(calls.create_order(body)).currency == "NOK"


def test_any_other_preference_is_ignored_and_the_document_says_so(shop: Shop) -> None:
    for value in ("", "respond-async", "handling=lenient", "x" * 300):
        body = {"currency": "NOK", "items": items(100), "no_such_field": 1}
        assert shop.send("POST", "/orders", body, headers={"Prefer": value}).status_code == 200
    operation = DOCUMENT["paths"]["/v1/accounts/{aid}/shopping/orders"]["post"]
    assert [one["schema"] for one in operation["parameters"] if one["name"] == "Prefer"] == [{"type": "string"}]
