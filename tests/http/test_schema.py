"""What the schemas promise beyond types: read-only fields, currencies, countries, formats, examples that fit."""

import json
import re
from typing import Any

import pytest
from babel.core import Locale
from jsonschema import Draft202012Validator, FormatChecker

from contract import DOCUMENT
from ordre.api.wire.common import COUNTRIES
from ordre.api.wire.readonly import ANSWERED_AS
from ordre.domain.money import DIGITS
from service import Shop, faults_of, item, items, operation

pytestmark = pytest.mark.once

SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
JUNK = {"junk": ["x"]}


def read_only(name: str) -> dict[str, Any]:
    return {field: JUNK for field, schema in SCHEMAS[name]["properties"].items() if schema.get("readOnly")}


def test_read_only_fields_are_marked_on_every_answer() -> None:
    assert {"id", "status", "payment_status", "version", "created_at", "payment_details", "captures", "_links"} <= read_only(
        "OrderAnswer"
    ).keys()
    assert read_only("Operation").keys() == {"created_at", "created_by", "_links"}
    assert read_only("OrderItem").keys() == {"version", "payment_details"}
    for sent, answered in [(sent, one) for sent, answers in ANSWERED_AS.items() for one in answers]:
        names = read_only(answered.__name__)
        assert names, answered
        assert all(f"`{name}`" in SCHEMAS[sent.__name__]["description"] for name in names), sent


def test_read_only_fields_are_ignored_when_sent(shop: Shop) -> None:
    body = {**read_only("OrderAnswer"), "currency": "NOK", "items": [{**read_only("OrderItem"), **item(1, 100)}]}
    order = shop.post("/orders", body)
    shop.put(
        f"/orders/{order['id']}",
        {**read_only("OrderAnswer"), "comment": "x", "items": [{**read_only("OrderItem"), "line_id": 1}]},
    )
    paths = {"authorizations": operation((1, 100)), "comments": {"body": "x"}, "events": {"service": "s", "service_status": "x"}}
    names = {"authorizations": "Operation", "comments": "Comment", "events": "ServiceEvent"}
    for path, sent in paths.items():
        junk = {name: value for name, value in read_only(names[path]).items() if name != "id"}
        assert JUNK not in shop.post(f"/orders/{order['id']}/{path}", {**junk, **sent}).values()
    drafted = {**read_only("DraftedOrder"), "currency": "NOK", "items": items(5)}
    draft = shop.post("/draft_orders", {**read_only("DraftAnswer"), "order": drafted})
    for answer in (draft, shop.get(f"/orders/{order['id']}")):
        assert json.dumps(JUNK) not in json.dumps(answer)


def test_currencies_and_countries_are_those_of_the_standards() -> None:
    assert SCHEMAS["Currency"]["enum"] == sorted(DIGITS)
    assert SCHEMAS["Currency"]["x-digits"]["JPY"] == 0
    territories = {str(code) for code in Locale("en").territories if re.fullmatch("[A-Z]{2}", str(code))}
    not_assigned = {"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"}
    assert set(SCHEMAS["Country"]["enum"]) == territories - not_assigned == COUNTRIES
    inlined = [name for name, schema in SCHEMAS.items() if name not in ("Currency", "Country") and '"NOK"' in json.dumps(schema)]
    assert inlined == []


@pytest.mark.parametrize("country", ["XX", "xx", "NOR", "", "N1", "\u00df", "\u0131t"])
def test_a_country_that_is_none(shop: Shop, country: str) -> None:
    order = {"currency": "NOK", "items": items(5), "shipping_address": {"country": country}}
    assert faults_of(shop.refused("POST", "/orders", order)) == [("invalid_value", "shipping_address.country")]
    customer = {"currency": "NOK", "items": items(5), "customer": {"addresses": [{"country": "NO"}, {"country": country}]}}
    assert faults_of(shop.refused("POST", "/orders", customer)) == [("invalid_value", "customer.addresses[1].country")]


def test_a_currency_that_is_none(shop: Shop) -> None:
    line = item(1, 5, original_currency="ZZZ")
    faults = shop.refused("POST", "/orders", {"currency": "NOK", "items": [line]})
    assert faults_of(faults) == [("invalid_value", "items[0].original_currency")]
    assert faults_of(shop.refused("GET", "/orders", params={"currency": "NOK,ZZZ"})) == [("unknown_currency", "currency")]


def test_every_example_fits_its_schema() -> None:
    count = 0
    for operations in DOCUMENT["paths"].values():
        for one in operations.values():
            answers = [answer for status, answer in one["responses"].items() if status.startswith("2")]
            contents = [
                answer["content"]["application/json"] for answer in answers if "application/json" in answer.get("content", {})
            ]
            contents += [one["requestBody"]["content"]["application/json"]] if "requestBody" in one else []
            contents += [parameter for parameter in one["parameters"] if "example" in parameter]
            for content in contents:
                schema = {**content["schema"], "components": DOCUMENT["components"]}
                Draft202012Validator(schema, format_checker=FormatChecker()).validate(content["example"])
                count += 1
    assert count > 150
