"""Authorizations, captures, refunds, cancellations and sessions: recorded, listed, read, refused."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service import Shop, faults_of, operation

KINDS = ("authorizations", "captures", "refunds", "cancellations")
DETAILS: dict[str, Any] = {
    "processed_at": "2026-01-31T12:00:00.125Z",
    "processed_by": "gateway",
    "payment_details": {
        "psp": "Bambora",
        "payment_id": "PID",
        "payment_product": "bambora",
        "payment_product_type": "bambora.creditcard",
        "card": {"masked_pan": "4444 **** **** 4448", "type": "Credit", "brand": "Visa", "metadata": {"a": 1.50}},
    },
    "metadata": {"note": "x"},
}


def ready(shop: Shop, kind: str) -> str:
    """An order on which an operation of the kind on 40 of line 1 may be recorded."""
    path = f"/orders/{shop.order(100)['id']}"
    if kind != "authorizations":
        shop.post(f"{path}/authorizations", operation((1, 100)))
    if kind == "refunds":
        shop.post(f"{path}/captures", operation((1, 100)))
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_recorded_listed_and_read(shop: Shop, kind: str) -> None:
    path = ready(shop, kind)
    converted = {
        "original_currency": "SEK",
        "original_gross_amount": 44,
        "conversion_rate_ppm": 1_100_000,
        "conversion_rate_source": "ecb",
    }
    line = {
        "line_id": 1,
        "amount": 40,
        "payout": {"rule_id": "r", "destinations": [{"destination": "d", "amount": 40}]},
        **converted,
    }
    answer = shop.send("POST", f"{path}/{kind}", {**DETAILS, "items": [line]})
    made = answer.json()
    assert (made["amount"], made["success"], made["created_by"], made["_links"]) == (40, True, shop.client_id, [])
    assert made["items"] == [line]
    assert {name: made[name] for name in DETAILS} == DETAILS
    assert "authorization_id" not in made
    assert shop.get(f"{path}/{kind}")[kind][-1] == made
    assert shop.get(f"{path}/{kind}/{made['id']}") == made
    order = shop.get(path)
    assert order[kind][-1] == made
    assert answer.headers["etag"] == f'"{order["version"]}"'


@pytest.mark.parametrize("kind", KINDS)
def test_a_failed_operation_is_shown_and_moves_nothing(shop: Shop, kind: str) -> None:
    path = ready(shop, kind)
    before = shop.get(path)["payment_details"]
    shop.post(f"{path}/{kind}", operation((1, 4000), success=False))
    after = shop.get(path)
    assert (after["payment_details"], after[kind][-1]["success"]) == (before, False)


@pytest.mark.parametrize("kind", KINDS)
def test_refused(shop: Shop, kind: str) -> None:
    path = ready(shop, kind)
    version = shop.get(path)["version"]
    for body, then in (
        (operation((1, 101)), ("exceeds_remaining", "items[0].amount")),
        (operation((1, 0)), ("zero_amount", "items[0].amount")),
        (operation((1, -1)), ("wrong_sign", "items[0].amount")),
        (operation((2, 1)), ("unknown_line", "items[0].line_id")),
        (operation((1, 1), (1, 1)), ("duplicate_line", "items[1].line_id")),
        (operation(), ("invalid_value", "items")),
        ({}, ("missing_field", "items")),
    ):
        assert faults_of(shop.refused("POST", f"{path}/{kind}", body)) == [then]
    assert faults_of(shop.refused("POST", f"/orders/none/{kind}", operation((1, 1)), status=404)) == [("unknown_order", "")]
    assert faults_of(shop.refused("GET", f"/orders/none/{kind}", status=404)) == [("unknown_order", "")]
    assert faults_of(shop.refused("GET", f"{path}/{kind}/none", status=404)) == [("unknown_operation", "")]
    assert shop.get(path)["version"] == version


def test_all_offending_items_are_named(shop: Shop) -> None:
    path = f"/orders/{shop.order(100, 50)['id']}"
    faults = shop.refused("POST", f"{path}/authorizations", operation((1, 101), (2, -1), (3, 1)))
    assert faults_of(faults) == [
        ("exceeds_remaining", "items[0].amount"),
        ("wrong_sign", "items[1].amount"),
        ("unknown_line", "items[2].line_id"),
    ]
    assert (faults[0]["line_id"], faults[0]["remaining"], faults[0]["amount"]) == (1, 100, 101)


def test_money_may_leave_a_closed_order_but_not_enter(shop: Shop) -> None:
    path = f"/orders/{shop.paid(100)['id']}"
    shop.post(f"{path}/close")
    for kind in ("authorizations", "captures"):
        assert faults_of(shop.refused("POST", f"{path}/{kind}", operation((1, 1)))) == [("order_closed", "")]
    shop.post(f"{path}/refunds", operation((1, 100)))
    shop.post(f"{path}/cancel")
    for kind in ("authorizations", "captures"):
        assert faults_of(shop.refused("POST", f"{path}/{kind}", operation((1, 1)))) == [("order_cancelled", "")]


def test_an_id_of_the_clients_own_has_one_effect(shop: Shop) -> None:
    path = ready(shop, "captures")
    body = operation((1, 60), id="capture-1", metadata={"n": 1})
    first = shop.post(f"{path}/captures", body)
    assert first["id"] == "capture-1"
    assert shop.post(f"{path}/captures", body) == first
    for other in ({**body, "metadata": {"n": 2}}, operation((1, 59), id="capture-1")):
        assert faults_of(shop.refused("POST", f"{path}/captures", other, status=409)) == [("already_used", "id")]
    assert faults_of(shop.refused("POST", f"{path}/refunds", operation((1, 1), id="capture-1"), status=409)) == [
        ("already_used", "id")
    ]
    assert shop.get(path)["payment_details"]["remaining_capture_amount"] == 40


def test_an_id_of_the_clients_own_has_one_effect_also_at_once(shop: Shop) -> None:
    path = ready(shop, "captures")
    body = operation((1, 60), id="capture-1")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: shop.post(f"{path}/captures", body), range(16)))
    assert all(one == found[0] for one in found)
    assert len(shop.get(path)["captures"]) == 1


def test_of_captures_at_once_only_those_that_fit_succeed(shop: Shop) -> None:
    path = ready(shop, "captures")
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: shop.send("POST", f"{path}/captures", operation((1, 30))), range(32)))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [400] * 29
    assert shop.get(path)["payment_details"]["remaining_capture_amount"] == 10


def test_multiple_authorizations(shop: Shop) -> None:
    path = f"/orders/{shop.order(100, multiple_authorizations=True)['id']}"
    one, two = (shop.post(f"{path}/authorizations", operation((1, amount))) for amount in (60, 40))
    assert one["authorization_id"] == one["id"]
    required = shop.refused("POST", f"{path}/captures", operation((1, 1)))
    assert faults_of(required) == [("authorization_required", "authorization_id")]
    unknown = shop.refused("POST", f"{path}/captures", operation((1, 1), authorization_id="none"))
    assert faults_of(unknown) == [("unknown_authorization", "authorization_id")]
    over = shop.refused("POST", f"{path}/captures", operation((1, 41), authorization_id=two["id"]))
    assert over[0]["remaining"] == 40
    shop.post(f"{path}/captures", operation((1, 60), authorization_id=one["id"]))
    shop.post(f"{path}/cancellations", operation((1, 40), authorization_id=two["id"]))
    shop.post(f"{path}/refunds", operation((1, 10), authorization_id=one["id"]))
    foreign = shop.refused("POST", f"{path}/refunds", operation((1, 1), authorization_id=two["id"]))
    assert foreign[0]["remaining"] == 0


def test_one_authorization_a_line_without_it(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    shop.post(f"{path}/authorizations", operation((1, 60)))
    faults = shop.refused("POST", f"{path}/authorizations", operation((1, 40)))
    assert faults_of(faults) == [("already_authorized", "items[0].line_id")]
    assert (faults[0]["live"], "60 authorized" in faults[0]["message"]) == (60, True)


def test_the_amount_of_an_operation_is_the_sum_of_its_items(shop: Shop) -> None:
    path = f"/orders/{shop.order(100, 50)['id']}"
    items = ((1, 100), (2, 50))
    (fault,) = shop.refused("POST", f"{path}/authorizations", operation(*items, amount=100))
    assert (fault["code"], fault["path"], fault["sent"], fault["expected"]) == ("amount_mismatch", "amount", 100, 150)
    assert shop.get(path)["authorizations"] == []
    assert shop.post(f"{path}/authorizations", operation(*items, amount=150))["amount"] == 150
    session = {**SESSION, "items": [{"line_id": "1", "amount": 40}], "amount": 50}
    assert faults_of(shop.refused("POST", f"{path}/sessions", session)) == [("amount_mismatch", "amount")]


def test_an_authorization_id_is_answered_as_it_was_sent(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    steps = (("authorizations", 100, "gateway-1"), ("captures", 50, "gateway-2"), ("refunds", 10, "x"), ("refunds", 20, None))
    for kind, amount, named in steps:
        sent = operation((1, amount), **({} if named is None else {"authorization_id": named}))
        made = shop.post(f"{path}/{kind}", sent)
        assert made.get("authorization_id") == named
        assert shop.get(f"{path}/{kind}/{made['id']}") == made == shop.get(path)[kind][-1]


def test_each_line_says_what_was_recorded_and_what_remains_of_it(shop: Shop) -> None:
    path = f"/orders/{shop.order(100, -50, 30)['id']}"
    shop.post(f"{path}/authorizations", operation((1, 100), (2, -40)))
    shop.post(f"{path}/captures", operation((1, 70), (2, -40)))
    shop.post(f"{path}/refunds", operation((1, 20)))
    shop.post(f"{path}/cancellations", operation((1, 10)))
    order = shop.get(path)
    names = list(order["items"][0]["payment_details"])
    assert [list(line["payment_details"].values()) for line in order["items"]] == [
        [100, 70, 20, 10, 10, 20, 50, 20, 30],
        [-40, -40, 0, 0, -10, 0, -40, 0, -10],
        [0, 0, 0, 0, 30, 0, 0, 0, 30],
    ]
    for name in names[4:]:
        assert order["payment_details"][name] == sum(line["payment_details"][name] for line in order["items"])
    assert shop.get("/orders")["orders"][0] == order == shop.get(path, params={"version": 5})
    assert shop.get(path, params={"version": 1})["items"][0]["payment_details"]["captured_amount"] == 0
    changes = shop.get(f"{path}/diff", params={"from": 4, "to": 5})["changes"]
    assert {"path": "items[line_id=1].payment_details.cancelled_amount", "before": 0, "after": 10} in changes


def test_items_are_sent_back_as_they_were_answered(shop: Shop) -> None:
    made = shop.paid(100, 50)
    path = f"/orders/{made['id']}"
    answered = shop.get(path)
    changed = shop.put(path, {**answered, "comment": "ring twice"})
    assert (changed["items"], changed["comment"], changed["version"]) == (answered["items"], "ring twice", 4)
    lying = [{**line, "payment_details": {"captured_amount": 0}} for line in answered["items"]]
    assert shop.put(path, {"items": lying})["items"] == answered["items"]
    again = shop.post("/orders", {"currency": "NOK", "items": answered["items"]})
    assert [line["payment_details"]["captured_amount"] for line in again["items"]] == [0, 0]
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": answered["items"]}})
    assert all("payment_details" not in line for line in draft["order"]["items"])
    (completed,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert [line["payment_details"] for line in completed["items"]] == [line["payment_details"] for line in again["items"]]


def test_a_cancelled_order_owes_nothing(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    shop.post(f"{path}/authorizations", operation((1, 60)))
    shop.post(f"{path}/cancel")
    owed = {"amount_due": 0, "remaining_authorization_amount": 0, "remaining_capture_amount": 0}
    order = shop.get(path)
    assert order["payment_details"] == {**owed, "remaining_refund_amount": 0, "remaining_cancellation_amount": 60}
    assert order["items"][0]["payment_details"].items() >= order["payment_details"].items()
    shop.post(f"{path}/cancellations", operation((1, 60)))
    assert shop.get(path)["payment_details"]["remaining_cancellation_amount"] == 0
    assert shop.get(path)["payment_status"] == "pending"
    assert shop.get(path, params={"version": 2})["payment_details"]["amount_due"] == 100


def test_what_costs_nothing_is_paid(shop: Shop) -> None:
    free = shop.order(0)
    reversed_ = shop.order(100, -100)
    assert (free["payment_status"], reversed_["payment_status"]) == ("paid", "paid")
    listed = shop.get("/orders", params={"payment_status": "paid"})["orders"]
    assert [one["id"] for one in listed] == [reversed_["id"], free["id"]]
    shop.put(f"/orders/{free['id']}", {"items": [{"line_id": 1, "gross_amount": 5}]})
    assert shop.get("/orders", params={"payment_status": "pending"})["orders"][0]["id"] == free["id"]


def test_an_order_whose_authorization_was_voided_is_paid_by_another(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    for amount in (100, 70):
        shop.post(f"{path}/authorizations", operation((1, amount)))
        shop.post(f"{path}/cancellations", operation((1, amount)))
        details = shop.get(path)["payment_details"]
        assert (details["remaining_authorization_amount"], details["remaining_capture_amount"]) == (100, 0)
    shop.post(f"{path}/authorizations", operation((1, 100)))
    shop.post(f"{path}/captures", operation((1, 100)))
    over = shop.refused("POST", f"{path}/authorizations", operation((1, 1)))
    assert (faults_of(over), over[0]["remaining"]) == ([("exceeds_remaining", "items[0].amount")], 0)
    assert shop.get(path)["payment_status"] == "paid"


def test_a_collection_has_pages(shop: Shop) -> None:
    path = ready(shop, "captures")
    made = [shop.post(f"{path}/captures", operation((1, 1)))["id"] for _ in range(12)]
    assert [one["id"] for one in shop.get(f"{path}/captures")["captures"]] == made
    page = shop.get(f"{path}/captures", params={"limit": 5, "starting_after": made[4]})["captures"]
    assert [one["id"] for one in page] == made[5:10]
    wrong = shop.refused("GET", f"{path}/captures", params={"starting_after": "none"})
    assert faults_of(wrong) == [("invalid_value", "starting_after")]


SESSION = {"profile_id": "default", "url": {"return_url": "https://example.com/accept"}}


def test_a_session_is_recorded_listed_and_read(shop: Shop) -> None:
    path = f"/orders/{shop.order(100, 50)['id']}"
    body = {**SESSION, "items": [{"line_id": "1"}, {"line_id": "2", "amount": 20}], "metadata": {"a": 1}}
    made = shop.post(f"{path}/sessions", body)
    assert made["items"] == [{"line_id": "1", "amount": 100}, {"line_id": "2", "amount": 20}]
    assert (made["amount"], made["metadata"], "url" in made) == (120, {"a": 1}, False)
    assert shop.get(f"{path}/sessions")["sessions"] == [made] == shop.get(path)["sessions"]
    assert shop.get(f"{path}/sessions/{made['id']}") == made


def test_a_session_is_refused(shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    for body, then in (
        ({**SESSION, "items": [{"line_id": "9"}]}, ("unknown_line", "items[0].line_id")),
        ({**SESSION, "items": [{"line_id": "1", "amount": 101}]}, ("exceeds_remaining", "items[0].amount")),
        ({**SESSION, "items": [{"line_id": -1}]}, ("invalid_value", "items[0].line_id")),
        ({**SESSION, "items": [{"line_id": "one"}]}, ("invalid_value", "items[0].line_id")),
        ({"items": [{"line_id": "1"}], "url": {}}, ("missing_field", "profile_id")),
    ):
        assert faults_of(shop.refused("POST", f"{path}/sessions", body)) == [then]
    assert faults_of(shop.refused("GET", f"{path}/sessions/none", status=404)) == [("unknown_session", "")]
    shop.post(f"{path}/close")
    assert faults_of(shop.refused("POST", f"{path}/sessions", {**SESSION, "items": [{"line_id": "1"}]})) == [("order_closed", "")]
