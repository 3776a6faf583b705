"""Whole numbers that are written with a point, and bodies that are empty where none is needed."""

from typing import Any

import pytest

from service import Shop, faults_of, items

pytestmark = pytest.mark.once


def send(shop: Shop, method: str, path: str, content: bytes) -> Any:
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
    return shop.http.request(method, f"/v1/accounts/{shop.account_id}/shopping{path}", content=content, headers=headers)


def test_whole_numbers_may_be_written_with_a_point(shop: Shop) -> None:
    line = b'{"id":"a","line_id":1.0,"gross_amount":39800.0,"quantity":2.50,"tax_lines":[{"amount":7.96e3,"percentage":25.0}]}'
    answer = send(shop, "POST", "/orders", b'{"currency":"NOK","metadata":{"n":1.0},"net_amount":398e2,"items":[%b]}' % line)
    assert answer.status_code == 200, answer.text
    made = answer.json()
    assert (made["net_amount"], made["items"][0]["line_id"], made["items"][0]["tax_lines"][0]["amount"]) == (39800, 1, 7960)
    assert all(text in answer.text for text in ('"n":1.0', '"quantity":2.50', '"percentage":25.0', '"gross_amount":39800,'))
    path = f"/orders/{made['id']}"
    body = b'{"id":"one","items":[{"line_id":1.0,"amount":39800.0}]}'
    first = send(shop, "POST", f"{path}/authorizations", body)
    assert (first.status_code, first.json()["amount"]) == (200, 39800)
    whole = send(shop, "POST", f"{path}/authorizations", body.replace(b".0", b""))
    assert whole.content == first.content, "it is the same operation, however its numbers are written"
    for wrong in (b"39800.5", b"1e300", b"-1e-9", b"1e99999999999999999999"):
        faulty = send(shop, "POST", f"{path}/captures", b'{"items":[{"line_id":1,"amount":%b}]}' % wrong)
        assert faults_of(faulty.json()["error"]["errors"]) == [("invalid_value", "items[0].amount")]


@pytest.mark.parametrize("content", [b"", b"null", b" null\n", b"{}"])
def test_no_body_where_none_is_needed(shop: Shop, content: bytes) -> None:
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(5)}})
    (order,) = send(shop, "PUT", f"/draft_orders/{draft['id']}/complete", content).json()["orders"]
    assert send(shop, "POST", f"/orders/{order['id']}/close", content).json()["status"] == "closed"
    assert send(shop, "POST", f"/orders/{order['id']}/open", content).json()["status"] == "open"
    answer = send(shop, "POST", f"/orders/{order['id']}/cancel", content)
    assert (answer.json()["cancelled_reason"], "x-ordre-ignored" in answer.headers) == ("other", False)
