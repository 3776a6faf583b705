"""Every field of the Order resource in the reference: accepted where a client may write it, stored, answered again unchanged."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from service import Shop, item

pytestmark = pytest.mark.once

EVERYTHING = json.loads((files("ordre.conformance") / "every_field.json").read_text(encoding="utf-8"))
WRITTEN_BY_ORDRE = {"version", "payment_details"}


def sent_order() -> Any:
    return json.loads(json.dumps(EVERYTHING))


def without_ordres_own(order: Any) -> Any:
    """What a client wrote of an order as answered."""
    lines = [{name: value for name, value in line.items() if name not in WRITTEN_BY_ORDRE} for line in order["items"]]
    return {**{name: order[name] for name in EVERYTHING}, "items": lines}


def test_made_directly(shop: Shop) -> None:
    made = shop.post("/orders", sent_order())
    assert without_ordres_own(made) == EVERYTHING
    assert without_ordres_own(shop.get(f"/orders/{made['order_id']}")) == EVERYTHING


def test_by_a_draft(shop: Shop) -> None:
    draft = shop.post("/draft_orders", {"order": sent_order()})
    assert without_ordres_own(draft["order"]) == EVERYTHING
    (made,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    assert without_ordres_own(made) == EVERYTHING


def test_by_an_update(shop: Shop) -> None:
    made = shop.post(
        "/orders",
        {
            "currency": "NOK",
            "items": [item(1, 39800), item(123, 5)],
            "order_id": EVERYTHING["order_id"],
            "multiple_authorizations": True,
        },
    )
    fields = {name: value for name, value in sent_order().items() if name not in ("items", "gross_amount", "net_amount")}
    lines = [{name: value for name, value in line.items() if name != "version"} for line in sent_order()["items"]]
    after = shop.put(f"/orders/{made['id']}", {**fields, "items": lines})
    assert without_ordres_own(after) == EVERYTHING


def test_numbers_stay_digit_by_digit(shop: Shop) -> None:
    content = (
        '{"currency":"NOK","metadata":{"a":1.10,"b":1e2,"c":12345678901234567890123},"shipping_address":{"latitude":59.9421120,"longitude":-0.0},'
        '"items":[{"id":"a","line_id":1,"gross_amount":5,"quantity":2.50,"tax_lines":[{"amount":1,"percentage":25.0}]}]}'
    )
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
    made = shop.http.post(f"/v1/accounts/{shop.account_id}/shopping/orders", content=content, headers=headers)
    read = shop.send("GET", f"/orders/{made.json()['id']}").text
    for text in (made.text, read):
        for part in (
            '"a":1.10',
            '"b":1e2',
            '"c":12345678901234567890123',
            '"latitude":59.9421120',
            '"quantity":2.50',
            '"percentage":25.0',
        ):
            assert part in text


@pytest.mark.parametrize(
    "text", ["æøå Ærlig talt", "日本語", "😀", "\u202eright to left", 'a"b\\c/d', "line\nbreak\ttab", "\u0000"]
)
def test_text_stays_as_it_was(shop: Shop, text: str) -> None:
    made = shop.order(5, comment=text, metadata={text: text}, customer={"first_name": text})
    read = shop.get(f"/orders/{made['id']}")
    assert (read["comment"], read["metadata"], read["customer"]) == (text, {text: text}, {"first_name": text})


def test_no_field_of_the_reference_is_forgotten(shop: Shop) -> None:
    """`reference_fields.json` has every property that the reference's sample of an order shows."""
    document = json.dumps(shop.http.get("/openapi.json").json()["components"]["schemas"])
    known = set(re.findall(r'"(\w+)": {', document))
    shown = set(json.loads((Path(__file__).parent / "reference_fields.json").read_text(encoding="utf-8")))
    examples_inside_objects = {"dob_year"}
    inside_payouts_of_any_shape = {"destination"}
    assert shown - known == examples_inside_objects | inside_payouts_of_any_shape
