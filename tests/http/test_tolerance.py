"""What is taken though it is not written as the reference has it, and that whatever is answered is taken again."""

import json
from typing import Any

import pytest

from service import Shop, faults_of, item, items, operation

pytestmark = pytest.mark.once

NEWLINES = {
    "currency": "NOK\n",
    "order_id": "A-17\n",
    "order_number": "A-17\n",
    "delivery_at": "2026-01-01T10:00:00Z\n",
    "pickup_at": "2026-02-30T10:00:00Z",
}
OF_CUSTOMERS = {
    "id": "C-1\n",
    "phone_number": "+4799999999\n",
    "email": "kari@example.com\n",
    "date_of_birth": "1990-09-20\n",
}


def test_a_newline_at_the_end_is_not_taken_for_the_end(shop: Shop) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        *((name, {name: value}) for name, value in NEWLINES.items()),
        *((f"customer.{name}", {"customer": {name: value}}) for name, value in OF_CUSTOMERS.items()),
    ]
    for path, fields in bodies:
        body = {"currency": "NOK", "items": items(5), **fields}
        assert faults_of(shop.refused("POST", "/orders", body)) == [("invalid_value", path)]
        assert faults_of(shop.refused("POST", "/draft_orders", {"order": body})) == [("invalid_value", f"order.{path}")]
    path = f"/orders/{shop.order(5)['id']}/authorizations"
    for name, value in (("id", "op-1\n"), ("processed_at", "2026-01-01T10:00:00Z\n"), ("authorization_id", "op-1\n")):
        assert faults_of(shop.refused("POST", path, operation((1, 5), **{name: value}))) == [("invalid_value", name)]
    for name in ("created_at.gte", "updated_at.lte", "order_number", "currency"):
        value = "2026-01-01T10:00:00Z\n" if "_at" in name else "NOK\n"
        assert shop.refused("GET", "/orders", params={name: value})[0]["path"].startswith(name)


@pytest.mark.parametrize("suffix", ["\n", "-A\n", "\x00", "\x1f", "\x7f"])
def test_a_suffix_makes_no_order_number_that_nothing_else_takes(shop: Shop, suffix: str) -> None:
    body = {"order": {"currency": "NOK", "items": items(5)}, "options": {"serial_order_number_suffix": suffix}}
    assert faults_of(shop.refused("POST", "/draft_orders", body)) == [("invalid_value", "options.serial_order_number_suffix")]


@pytest.mark.parametrize("suffix", ["", "-A", " Ø/%", "x" * 40])
def test_a_serial_number_is_found_and_taken_again(shop: Shop, suffix: str) -> None:
    body = {"order": {"currency": "NOK", "items": items(5)}, "options": {"serial_order_number_suffix": suffix}}
    draft = shop.post("/draft_orders", body)
    (order,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert order["order_number"].endswith(suffix)
    assert [one["id"] for one in shop.get("/orders", params={"order_number": order["order_number"]})["orders"]] == [order["id"]]
    assert shop.put(f"/orders/{order['id']}", order)["order_number"] == order["order_number"]
    assert shop.order(5, order_number=order["order_number"])["order_number"] == order["order_number"]


def test_words_whose_list_nobody_published_are_kept_as_they_are(shop: Shop) -> None:
    line = item(1, 100, net_amount=90, discount_lines=[{"amount": 10, "discount_type": "birthday"}])
    customer = {"type": "Stammkunde", "addresses": [{"type": "cabin"}]}
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": [line], "customer": customer}})
    (order,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert order["customer"] == customer
    assert order["items"][0]["discount_lines"] == line["discount_lines"]
    assert order["total_manual_discount_amount"] == 0
    comment = shop.post(f"/orders/{order['id']}/comments", {"body": "x", "visibility": "staff"})
    assert shop.get(f"/orders/{order['id']}")["comments"] == [comment]
    assert comment["visibility"] == "staff"


def test_words_whose_list_is_published_are_refused_when_unknown(shop: Shop) -> None:
    path = f"/orders/{shop.order(5)['id']}"
    for where, body, fault in (
        ("/events", {"service": "s", "service_status": "x", "state": "fine"}, "state"),
        ("/cancel", {"cancelled_reason": "bored"}, "cancelled_reason"),
    ):
        assert faults_of(shop.refused("POST", f"{path}{where}", body)) == [("invalid_value", fault)]


TREE: list[Any] = [
    {"type": "percentage", "value": 10, "amount": "4000.5", "destinations": [{"amount": 500}, {"to": None}]},
    "everything else",
    [1.50, {"a": []}],
    None,
]
SHAPES: list[Any] = [{"rule": "R", "n": 1.10}, [1, "x"], "DEFAULT", 12.50, True, False, "", [], {}]
"""JSON of any type."""


def text_of(shop: Shop, path: str) -> str:
    return shop.send("GET", path).text


@pytest.mark.parametrize("shape", SHAPES)
def test_payouts_are_kept_as_they_come(shop: Shop, shape: Any) -> None:
    line = item(1, 100, manual_payout=shape, payout={"destinations": TREE})
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": [line]}, "options": {"payout": shape}})
    assert draft["options"] == {"payout": shape}
    for name in ("manual_payout", "payout"):
        assert draft["order"]["items"][0][name] == line[name]
    (order,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert (order["items"][0]["manual_payout"], order["items"][0]["payout"]) == (shape, line["payout"])
    sent = {"items": [{"line_id": 1, "amount": 100, "payout": {"rule_id": "r", "destinations": TREE}}]}
    made = shop.post(f"/orders/{order['id']}/authorizations", sent)
    assert made["items"] == sent["items"]
    assert json.dumps(1.50) in text_of(shop, f"/orders/{order['id']}")


def test_a_payout_that_is_null_is_none(shop: Shop) -> None:
    line = item(1, 100, manual_payout=None, payout={"destinations": None})
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": [line]}, "options": {"payout": None}})
    assert (draft["options"], "manual_payout" in draft["order"]["items"][0]) == ({}, False)
    order = shop.order(100)
    shop.put(f"/orders/{order['id']}", {"items": [{"line_id": 1, "manual_payout": "x"}]})
    after = shop.put(f"/orders/{order['id']}", {"items": [{"line_id": 1, "manual_payout": None}]})
    assert "manual_payout" not in after["items"][0]


def test_a_line_id_is_a_number_or_its_text_and_answered_as_documented(shop: Shop) -> None:
    discount = {"amount": 10, "line_id": "1"}
    lines = [{**item(0, 100), "line_id": "1", "discount_lines": [discount]}, {**item(2, 50), "related_item": {"line_id": "1"}}]
    leg = {"line_ids": ["1", 2]}
    body = {"currency": "NOK", "items": lines, "itinerary": [leg], "attachments": [{"bus_reservation": leg}]}
    draft = shop.post("/draft_orders", {"order": body})
    shop.post(f"/draft_orders/{draft['id']}/items", {**item(0, 5), "line_id": "3"})
    shop.put(f"/draft_orders/{draft['id']}/items/3", {**item(0, 7), "line_id": "03"})
    (order,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    first, second, third = order["items"]
    assert [line["line_id"] for line in order["items"]] == [1, 2, 3]
    assert (first["discount_lines"][0]["line_id"], second["related_item"]["line_id"], third["gross_amount"]) == (1, 1, 7)
    assert order["itinerary"] == [{"line_ids": [1, 2]}]
    assert order["attachments"] == [{"bus_reservation": {"line_ids": [1, 2]}}]
    path = f"/orders/{order['id']}"
    session = {"items": [{"line_id": 1}, {"line_id": "2"}, {"line_id": 3.0}], "profile_id": "p", "url": {}}
    assert [one["line_id"] for one in shop.post(f"{path}/sessions", session)["items"]] == ["1", "2", "3"]
    sent = {"id": "op-1", "items": [{"line_id": "1", "amount": 90}]}
    made = shop.post(f"{path}/authorizations", sent)
    assert made["items"] == [{"line_id": 1, "amount": 90}]
    assert shop.post(f"{path}/authorizations", {"id": "op-1", "items": [{"line_id": 1, "amount": 90}]}) == made
    after = shop.put(f"{path}/items", {"items": [{"line_id": "2", "status": "packed"}]})
    after = shop.put(path, {"items": [{"line_id": "3", "comment": "x"}]})
    assert [(line.get("status"), line.get("comment")) for line in after["items"]] == [(None, None), ("packed", None), (None, "x")]
    (fault,) = shop.refused("POST", f"{path}/captures", {"items": [{"line_id": "1", "amount": 91}]})
    assert (fault["code"], fault["line_id"]) == ("exceeds_remaining", 1)
    (session_fault,) = shop.refused("POST", f"{path}/sessions", {**session, "items": [{"line_id": "one"}]})
    assert session_fault["path"] == "items[0].line_id"


def test_tax_may_be_left_out_or_be_a_percentage(shop: Shop) -> None:
    none: dict[str, Any] = {"id": "A", "line_id": 1, "gross_amount": 100}
    lines = [
        none,
        {**none, "line_id": 2, "tax_lines": None},
        item(3, 100, tax_lines=[{"percentage": 25}, {"percentage": 12.50, "amount": None}]),
        item(4, -100, tax_lines=[{"percentage": 25.0}, {"amount": -20, "percentage": 25}]),
    ]
    order = shop.post("/orders", {"currency": "NOK", "items": lines})
    expected = [[], [], [{"percentage": 25}, {"percentage": 12.50}], [{"percentage": 25.0}, {"amount": -20, "percentage": 25}]]
    assert [[{n: v for n, v in tax.items() if v is not None} for tax in line["tax_lines"]] for line in order["items"]] == expected
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": lines}})
    (completed,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert [line["tax_lines"] for line in completed["items"]] == [line["tax_lines"] for line in order["items"]]
    changed = shop.put(f"/orders/{order['id']}", {"items": [{"line_id": 3, "tax_lines": None}, {"line_id": 4, "comment": "x"}]})
    assert [len(line["tax_lines"]) for line in changed["items"]] == [0, 0, 0, 2]
    wrong = {**lines[3], "tax_lines": [{"percentage": 25}, {"amount": 20}]}
    (fault,) = shop.refused("POST", "/orders", {"currency": "NOK", "items": [wrong]})
    assert (fault["code"], fault["path"]) == ("tax_outside_line", "items[0].tax_lines[1].amount")


@pytest.mark.parametrize(
    ("phone", "searches"),
    [
        ("+47 999 12 345", ["99912345", "+4799912345", "+47 999 12 345", "999 12 345"]),
        ("+47-999-12-345", ["99912345"]),
        ("(+47) 999.12.345", ["99912345", "+4799912345"]),
        ("0047 999 12 345", ["99912345", "+4799912345"]),
        ("070-123 45 67", ["701234567", "070-123 45 67"]),
        ("070/1234567", ["070/1234567", "1234567"]),
        ("+1 (555) 010\u20110199", ["5550100199"]),
        ("+4799912345", ["999 12 345"]),
    ],
)
def test_phone_numbers_are_kept_as_they_were_written_and_found(shop: Shop, phone: str, searches: list[str]) -> None:
    order = shop.order(5, customer={"phone_number": phone})
    assert order["customer"]["phone_number"] == phone
    shop.order(5, customer={"phone_number": "+47 111 11 111"})
    for words in searches:
        assert [one["id"] for one in shop.get("/orders", params={"q": words})["orders"]] == [order["id"]], words


@pytest.mark.parametrize("phone", ["", "+", "call me", "1", "+47 999 12 345\n", "+47\t99912345", "9" * 21, "+47+99912345"])
def test_what_is_no_phone_number(shop: Shop, phone: str) -> None:
    body = {"currency": "NOK", "items": items(5), "customer": {"phone_number": phone}}
    assert faults_of(shop.refused("POST", "/orders", body)) == [("invalid_value", "customer.phone_number")]


def test_countries_are_taken_in_any_case_and_answered_as_capitals(shop: Shop) -> None:
    place = {"country": "no"}
    order = shop.order(
        5,
        shipping_address=place,
        billing_address={"country": "Se"},
        customer={"addresses": [{"country": "dK"}]},
        itinerary=[{"arrival_address": place}],
        attachments=[{"bus_reservation": {"itinerary": [{"departure_address": place}]}}],
    )
    assert (order["shipping_address"]["country"], order["billing_address"]["country"]) == ("NO", "SE")
    assert order["customer"]["addresses"][0]["country"] == "DK"
    assert order["itinerary"][0]["arrival_address"]["country"] == "NO"
    assert order["attachments"][0]["bus_reservation"]["itinerary"][0]["departure_address"]["country"] == "NO"


def test_null_stands_for_what_is_left_out(shop: Shop) -> None:
    path = f"/orders/{shop.order(5)['id']}"
    event = shop.post(f"{path}/events", {"service": "s", "service_status": "x", "state": None})
    assert event["state"] == "success"
    assert shop.post(f"{path}/comments", {"body": "x", "visibility": None})["visibility"] == "private"
    assert shop.post(f"{path}/cancel", {"cancelled_reason": None})["cancelled_reason"] == "other"


@pytest.mark.parametrize("content", [b"", b"null", b" null\n", b"{}"])
def test_no_body_is_needed_where_no_field_is(shop: Shop, content: bytes) -> None:
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(5)}})
    for method, path in (
        ("PUT", f"/draft_orders/{draft['id']}/complete"),
        ("POST", f"/orders/{shop.order(5)['id']}/close"),
        ("POST", f"/orders/{shop.order(5)['id']}/open"),
        ("POST", f"/orders/{shop.order(5)['id']}/cancel"),
        ("DELETE", f"/orders/{shop.order(5)['id']}"),
    ):
        headers = {"Content-Type": "application/json"}
        answer = shop.send(method, path, content=content, headers=headers)
        assert answer.status_code == 200, (path, answer.text)


def odd_order() -> dict[str, Any]:
    """An order of which everything is written in a way that is taken, and not the documented one."""
    line = {"id": "A", "line_id": "1", "gross_amount": 100.0, "manual_payout": [1], "payout": {"destinations": TREE}}
    return {
        "currency": "NOK",
        "items": [
            line,
            {**line, "line_id": "2", "tax_lines": [{"percentage": 25}], "related_item": {"line_id": "1", "type": "x"}},
        ],
        "customer": {"type": "Stammkunde", "phone_number": "(+47) 999 12 345", "addresses": [{"type": "cabin", "country": "no"}]},
        "shipping_address": {"country": "se"},
        "itinerary": [{"line_ids": ["1", 2.0]}],
    }


def test_what_is_answered_is_taken_again_where_it_came_from(shop: Shop) -> None:
    own = ("id", "order_id", "created_at", "updated_at", "version", "created_by", "events", "_links")

    def content(order: dict[str, Any]) -> dict[str, Any]:
        lines = [{name: value for name, value in line.items() if name != "version"} for line in order["items"]]
        return {**{name: value for name, value in order.items() if name not in own}, "items": lines}

    order = shop.post("/orders", odd_order())
    updated = shop.put(f"/orders/{order['id']}", order)
    again = shop.post("/orders", {name: value for name, value in order.items() if name != "order_id"})
    assert content(order) == content(updated) == content(again)
    draft = shop.post("/draft_orders", {"order": odd_order(), "options": {"payout": "x", "serial_order_number_suffix": "-A"}})
    changed = shop.put(f"/draft_orders/{draft['id']}", {"order": draft["order"], "options": draft["options"]})
    assert (content(changed["order"]), changed["options"]) == (content(draft["order"]), draft["options"])
    (completed,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert shop.post("/draft_orders", {"order": {**completed, "order_id": None}})["order"]["items"]
