"""B1: bad input gets a 4xx that names the field; nothing is written; never a 5xx."""

from typing import Any

import pytest

from contract import DOCUMENT
from ordre.api.operations.row import PARAMETERS
from ordre.api.operations.table import OPERATIONS
from ordre.api.wire.queries import NoBody
from service import Shop, faults_of, item, items

BODIED = [route for route in OPERATIONS if route.body is not NoBody and route.scopes]


def url(shop: Shop, path: str, order_id: str = "some") -> str:
    named = dict.fromkeys(PARAMETERS, "some")
    return path.format_map({**named, "aid": shop.account_id, "line_id": "1", "order_id": order_id})


def send(shop: Shop, route: Any, content: bytes, media: str = "application/json") -> Any:
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": media}
    return shop.http.request(route.method, url(shop, route.path), content=content, headers=headers)


MALFORMED = [
    b"{",
    b"",
    b"nonsense",
    b'{"a":1,}',
    b"{'a': 1}",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b"\xff\xfe",
    b'{"a": "\xff"}',
    b'{"a": "\\ud800"}',
    b'{"a": 01}',
    b"\x00",
    b'{"order": {"currency": "NOK"}} trailing',
]


@pytest.mark.parametrize("route", BODIED, ids=lambda route: route.id)
@pytest.mark.once
def test_malformed_json_on_every_operation(shop: Shop, route: Any) -> None:
    for content in MALFORMED:
        answer = send(shop, route, content)
        if content == b"" and route.body_optional:
            assert answer.status_code == 404
        else:
            assert answer.status_code == 400, (content, answer.text)
            assert answer.json()["error"]["errors"][0]["code"] in ("malformed_json", "missing_field", "invalid_value")


WHOLE_NUMBERS = [
    (method, path, parameter["name"])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    for parameter in operation.get("parameters", [])
    if parameter["in"] == "query" and parameter["schema"].get("type") == "integer"
]


@pytest.mark.parametrize(("method", "path", "name"), WHOLE_NUMBERS)
def test_numbers_too_large_for_a_database_in_every_query(shop: Shop, method: str, path: str, name: str) -> None:
    there = url(shop, path, shop.post("/orders", {"currency": "NOK", "items": items(5)})["id"])
    for number in (2**31, 2**63, 10**40, -(10**40)):
        answer = shop.http.request(method, there, params={name: number}, headers={"Authorization": f"Bearer {shop.token}"})
        assert answer.status_code in (400, 404) or (answer.status_code, number) == (200, 2**31), (number, answer.text)


@pytest.mark.parametrize("route", BODIED, ids=lambda route: route.id)
@pytest.mark.once
def test_wrong_shapes_on_every_operation(shop: Shop, route: Any) -> None:
    for content in (b"[]", b"null", b"1", b'"text"', b"true"):
        answer = send(shop, route, content)
        if content == b"null" and route.body_optional:
            assert answer.status_code == 404
        else:
            assert (answer.status_code, answer.json()["error"]["errors"][0]["code"]) == (400, "invalid_value"), content


@pytest.mark.parametrize("route", BODIED, ids=lambda route: route.id)
@pytest.mark.once
def test_deep_large_and_foreign_bodies_on_every_operation(shop: Shop, route: Any) -> None:
    deep = b'{"a":' * 40 + b"1" + b"}" * 40
    assert send(shop, route, deep).json()["error"]["errors"][0]["code"] == "too_deep"
    assert send(shop, route, b"[" * 200_000).json()["error"]["errors"][0]["code"] == "too_deep"
    large = send(shop, route, b'{"a": "' + b"x" * 1_100_000 + b'"}')
    assert (large.status_code, large.json()["error"]["code"]) == (413, "REQUEST ENTITY TOO LARGE")
    for media in ("text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded"):
        assert send(shop, route, b"{}", media).status_code == 415


@pytest.mark.once
def test_a_large_body_without_a_length_is_refused(shop: Shop) -> None:
    def chunks() -> Any:
        for _ in range(64):
            yield b" " * 32_768

    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
    answer = shop.http.post(f"/v1/accounts/{shop.account_id}/shopping/orders", content=chunks(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("field", "value", "path"),
    [
        ("currency", "nok", "currency"),
        ("currency", 578, "currency"),
        ("currency", None, "currency"),
        ("items", {}, "items"),
        ("items", [None], "items[0]"),
        ("customer", "Ada", "customer"),
        ("customer", {"email": "nobody"}, "customer.email"),
        ("customer", {"phone_number": "+0"}, "customer.phone_number"),
        ("customer", {"type": 7}, "customer.type"),
        ("customer", {"date_of_birth": "1990-13-01"}, "customer.date_of_birth"),
        ("customer", {"addresses": [{}, {"country": "Norway"}]}, "customer.addresses[1].country"),
        ("customer", {"metadata": []}, "customer.metadata"),
        ("customer", {"marketing_consent": {"sms": {"consent": "yes"}}}, "customer.marketing_consent.sms.consent"),
        ("shipping_address", {"latitude": "north"}, "shipping_address.latitude"),
        ("shipping_address", {"latitude": True}, "shipping_address.latitude"),
        ("metadata", {"a": "x" * 17_000}, "metadata"),
        ("comment", "x" * 256, "comment"),
        ("time_to_live", 86_399, "time_to_live"),
        ("delivery_at", "tomorrow", "delivery_at"),
        ("delivery_at", "2026-01-31", "delivery_at"),
        ("pickup_at", "2026-01-31T25:00:00Z", "pickup_at"),
        ("pre_order", "no", "pre_order"),
        ("order_id", "", "order_id"),
        ("order_id", "x" * 256, "order_id"),
        ("order_id", "a\u0000b", "order_id"),
        ("order_id", "..", "order_id"),
        ("gross_amount", 1.5, "gross_amount"),
        ("gross_amount", "100", "gross_amount"),
        ("net_amount", True, "net_amount"),
        ("itinerary", [{"distance": {"value": "far"}}], "itinerary[0].distance.value"),
        ("attachments", [{"bus_reservation": {"line_ids": ["one"]}}], "attachments[0].bus_reservation.line_ids[0]"),
        ("attachments", [{"car_reservation": {"drivers": [1]}}], "attachments[0].car_reservation.drivers[0]"),
        ("external_links", [{"public": 1}], "external_links[0].public"),
        ("store", {"comments": "x"}, "store.comments"),
    ],
)
@pytest.mark.once
def test_a_wrong_field_of_an_order_is_named(shop: Shop, field: str, value: Any, path: str) -> None:
    body = {"currency": "NOK", "items": items(100), field: value}
    for method, target, sent, prefix in (
        ("POST", "/orders", body, ""),
        ("POST", "/draft_orders", {"order": body}, "order."),
    ):
        (fault,) = shop.refused(method, target, sent)
        assert fault["code"] == "invalid_value"
        assert fault["path"] == prefix + path
    assert shop.get("/orders")["orders"] == []
    assert shop.get("/draft_orders")["draft_orders"] == []


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"id": ""}, "id"),
        ({"id": 175938}, "id"),
        ({"line_id": "one"}, "line_id"),
        ({"line_id": -1}, "line_id"),
        ({"line_id": 2**31}, "line_id"),
        ({"gross_amount": 2**53}, "gross_amount"),
        ({"gross_amount": -(2**53)}, "gross_amount"),
        ({"gross_amount": 39800.5}, "gross_amount"),
        ({"gross_amount": 10**30}, "gross_amount"),
        ({"quantity": "2"}, "quantity"),
        ({"quantity": -1}, "quantity"),
        ({"line_id": "2147483648"}, "line_id"),
        ({"line_id": " 1"}, "line_id"),
        ({"line_id": "-1"}, "line_id"),
        ({"line_id": "1.5"}, "line_id"),
        ({"line_id": True}, "line_id"),
        ({"tax_lines": {}}, "tax_lines"),
        ({"tax_lines": [{"amount": "25"}]}, "tax_lines[0].amount"),
        ({"tax_lines": [{"amount": 1.25}]}, "tax_lines[0].amount"),
        ({"discount_lines": [{"amount": -1}]}, "discount_lines[0].amount"),
        ({"discount_lines": [{"amount": 1, "discount_type": ["luck"]}]}, "discount_lines[0].discount_type"),
        ({"related_item": {"line_id": ""}}, "related_item.line_id"),
        ({"conversion_rate_ppm": 1.1}, "conversion_rate_ppm"),
        ({"conversion_rate_timestamp": "noon"}, "conversion_rate_timestamp"),
        ({"payout": {"destinations": "all"}}, "payout.destinations"),
    ],
)
@pytest.mark.once
def test_a_wrong_field_of_an_item_is_named(shop: Shop, change: dict[str, Any], path: str) -> None:
    wrong = {**item(1, 100), **change}
    (fault,) = shop.refused("POST", "/orders", {"currency": "NOK", "items": [item(7, 5), wrong]})
    assert fault["code"] in ("invalid_value", "missing_field")
    assert fault["path"] == f"items[1].{path}"


@pytest.mark.once
def test_every_wrong_field_is_named_at_once(shop: Shop) -> None:
    body = {
        "currency": "nok",
        "items": [
            {"id": "a", "line_id": 1, "gross_amount": "100", "net_amount": "90"},
            {"id": 5, "line_id": 2, "gross_amount": 1.5, "tax_lines": []},
        ],
        "comment": 7,
        "customer": {"email": "nobody", "pays_tax": "yes"},
    }
    found = set(faults_of(shop.refused("POST", "/orders", body)))
    assert found == {
        ("invalid_value", "currency"),
        ("invalid_value", "items[0].gross_amount"),
        ("invalid_value", "items[0].net_amount"),
        ("invalid_value", "items[1].id"),
        ("invalid_value", "items[1].gross_amount"),
        ("invalid_value", "comment"),
        ("invalid_value", "customer.email"),
        ("invalid_value", "customer.pays_tax"),
    }


@pytest.mark.once
def test_a_path_or_method_that_is_none(shop: Shop) -> None:
    headers = {"Authorization": f"Bearer {shop.token}"}
    for path in ("/nowhere", f"/v1/accounts/{shop.account_id}/shopping", "/v1/accounts//shopping/orders", "/docs/assets/../../x"):
        answer = shop.http.get(path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT FOUND")
    for method, path, allowed in (
        ("PATCH", "/orders", {"GET", "HEAD", "POST"}),
        ("POST", "/orders/x", {"GET", "HEAD", "PUT", "DELETE"}),
        ("GET", "/orders/x/close", {"POST"}),
    ):
        answer = shop.send(method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "METHOD NOT ALLOWED")
        assert set(answer.headers["allow"].replace(" ", "").split(",")) == allowed


def test_odd_ids_in_paths_find_nothing(shop: Shop) -> None:
    for name in ("%00", "%20", "'", '"', "%27%20or%201=1--", "%F0%9F%98%80", "x" * 4000, "%ff", "%5C", "{}", "null"):
        answer = shop.send("GET", f"/orders/{name}")
        assert answer.status_code in (400, 404), (name, answer.text)
    assert shop.send("GET", "/orders", params={"starting_after": "\x00"}).status_code == 400
    assert shop.send("GET", "/stores/%00/orders").status_code in (200, 400)


def test_duplicate_and_unknown_keys_do_no_harm(shop: Shop) -> None:
    content = (
        b'{"currency": "SEK", "currency": "NOK", "unknown": {"a": [1]},'
        b' "items": [{"id": "a", "line_id": 1, "gross_amount": 5, "tax_lines": []}]}'
    )
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
    made = shop.http.post(f"/v1/accounts/{shop.account_id}/shopping/orders", content=content, headers=headers).json()
    assert (made["currency"], "unknown" in made) == ("NOK", False)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"limit": "500"}, "limit: must be 1 to 100, is 500"),
        ({"limit": "ten"}, "limit: must be a whole number, is 'ten'"),
        ({"status": "opened"}, "status: 'opened' is not one of open, closed, cancelled"),
        ({"status": "open,opened"}, "status: 'opened' is not one of open, closed, cancelled"),
        ({"status": "opened", "limit": "0", "total": "maybe"}, "limit: must be 1 to 100, is 0 (and 2 more)"),
        ({"total": "maybe"}, "total: must be true or false, is 'maybe'"),
        ({"net_amount.gte": "1.5"}, "net_amount.gte: must be a whole number of minor units, is '1.5'"),
        ({"customer_id": ""}, "customer_id: must not be empty"),
        (
            {"created_at.gte": "noon"},
            "created_at.gte: must be a date-time with an offset, such as 2026-01-31T12:00:00Z, is 'noon'",
        ),
        ({"q": "x" * 201}, "q: must be at most 200 characters long, is 201"),
        ({"limit": ["1", "2"]}, "limit: may be given only once"),
        ({"starting_after": "none"}, "starting_after: must be the id of an order of this account"),
    ],
)
@pytest.mark.once
def test_a_wrong_parameter_is_named_and_what_it_may_be(shop: Shop, query: Any, message: str) -> None:
    answer = shop.send("GET", "/orders", params=query)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


@pytest.mark.once
def test_an_unknown_parameter_is_named_and_those_that_there_are(shop: Shop) -> None:
    (sort, page) = shop.refused("GET", "/draft_orders", params={"sort": "up", "page": "2"})
    assert (sort["code"], sort["path"], sort["parameter"], page["path"]) == ("unknown_parameter", "sort", "sort", "page")
    assert {"limit", "status", "metadata.<key>"} <= set(sort["allowed"])
    assert sort["message"].startswith("Unknown parameter; the known ones are limit, starting_after,")
    answer = shop.send("POST", "/draft_orders", {"order": {"currency": "NOK"}}, params={"x": "1"})
    assert answer.json()["error"]["message"] == "x: unknown parameter; this operation takes none"


@pytest.mark.once
def test_a_wrong_header_is_named_and_what_it_may_be(shop: Shop) -> None:
    body = {"currency": "NOK", "items": items(5)}
    for headers, message in (
        ({"Idempotency-Key": "x" * 256}, "Idempotency-Key: must be 1 to 255 printable ASCII characters"),
        ({"If-Match": "3"}, 'If-Match: must be one version in quotes, such as "3", or *'),
    ):
        assert shop.send("POST", "/orders", body, headers=headers).json()["error"]["message"] == message
