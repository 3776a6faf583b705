"""Exports over HTTP: what is in them, in which form, and what they cost whoever else asks."""

import csv
import io
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ordre.pytest import RunningOrdre
from service import Service, Shop, faults_of, hasty, item, operation


@pytest.fixture(scope="module")
def full(service: Service) -> Iterator[tuple[Shop, list[str]]]:
    """An account with some of everything, and its orders, oldest first."""
    with service.shop() as shop:
        yield shop, [one["id"] for one in made(shop)]


def made(shop: Shop) -> list[Any]:
    orders = [shop.paid(100, 250, customer={"id": "C1", "email": "a@b.no"}, order_number=f"N{number}") for number in range(6)]
    orders += [shop.order(500 + number, currency="JPY" if number % 2 else "NOK", metadata={"k": "v"}) for number in range(6)]
    shop.post(f"/orders/{orders[0]['id']}/refunds", operation((1, 40)))
    shop.post(f"/orders/{orders[1]['id']}/close")
    shop.post(f"/orders/{orders[7]['id']}/cancel")
    comment = shop.post(f"/orders/{orders[2]['id']}/comments", {"body": "Hello"})
    shop.delete(f"/orders/{orders[2]['id']}/comments/{comment['id']}")
    shop.post(f"/orders/{orders[3]['id']}/events", {"service": "kitchen", "service_status": "ready"})
    return orders


def lines(shop: Shop, **query: Any) -> list[str]:
    answer = shop.send("GET", "/orders/export", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.text.endswith("\n") or not answer.text
    return answer.text.splitlines()


def ids(shop: Shop, **query: Any) -> list[str]:
    return [json.loads(line)["id"] for line in lines(shop, **query)]


def rows(shop: Shop, **query: Any) -> list[dict[str, str]]:
    answer = shop.send("GET", "/orders/export", params={"format": "csv", **query})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def test_a_line_is_the_order_as_it_is_answered(full: tuple[Shop, list[str]]) -> None:
    shop, orders = full
    assert [f"{line}\n" for line in lines(shop)] == [shop.send("GET", f"/orders/{id_}").text for id_ in orders]
    answered = [shop.send("GET", f"/orders/{id_}?include_events=true").text for id_ in orders]
    assert [f"{line}\n" for line in lines(shop, include_events="true")] == answered


@pytest.mark.parametrize(
    "query",
    [
        {"status": "open,closed"},
        {"payment_status": "paid"},
        {"status": "cancelled", "payment_status": "pending"},
        {"customer_id": "C1"},
        {"order_number": "N3"},
        {"currency": "JPY"},
        {"metadata.k": "v", "net_amount.gte": 503},
        {"q": "a@b"},
        {"created_at.gte": "2020-01-01T00:00:00Z"},
        {"updated_at.lte": "2020-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_the_filters_are_those_of_the_list(full: tuple[Shop, list[str]], query: dict[str, Any]) -> None:
    shop, _ = full
    listed = [one["id"] for one in shop.get("/orders", params={**query, "limit": 100})["orders"]]
    assert ids(shop, **query) == listed[::-1]
    assert ids(shop, **query, limit=2) == listed[::-1][:2]
    assert shop.send("GET", "/orders/export", params={**query, "total": "true"}).headers["total-count"] == str(len(listed))


def test_it_goes_on_after_an_order(full: tuple[Shop, list[str]]) -> None:
    shop, orders = full
    for place in (0, 5, len(orders) - 1):
        assert ids(shop, starting_after=orders[place]) == orders[place + 1 :]
    assert ids(shop, starting_after=orders[3], customer_id="C1") == orders[4:6]
    assert faults_of(shop.refused("GET", "/orders/export?starting_after=none")) == [("invalid_value", "starting_after")]


def test_an_erased_order_is_left_out(shop: Shop) -> None:
    orders = [shop.order(100)["id"] for _ in range(3)]
    shop.delete(f"/orders/{orders[1]}")
    assert ids(shop) == [orders[0], orders[2]]
    assert ids(shop, starting_after=orders[1]) == [orders[2]]


def test_an_empty_account(shop: Shop) -> None:
    assert lines(shop) == []
    answer = shop.send("GET", "/orders/export?format=csv")
    assert answer.text.startswith("id,order_id,")
    assert len(answer.text.splitlines()) == 1
    assert pq.read_table(io.BytesIO(shop.send("GET", "/orders/export?format=parquet").content)).num_rows == 0


def test_amounts_stand_in_minor_units_and_as_decimals(full: tuple[Shop, list[str]]) -> None:
    shop, orders = full
    found = {row["id"]: row for row in rows(shop)}
    assert list(found) == orders
    one = found[orders[0]]
    amounts = ("gross_amount", "captured_amount", "refunded_amount", "amount_due")
    assert [(one[name], one[f"{name}_decimal"]) for name in amounts] == [
        ("350", "3.50"),
        ("350", "3.50"),
        ("40", "0.40"),
        ("0", "0.00"),
    ]
    assert (one["status"], one["payment_status"], one["currency"]) == ("open", "partially_refunded", "NOK")
    assert (one["customer_id"], one["customer_email"], one["order_number"]) == ("C1", "a@b.no", "N0")
    yen = found[orders[7]]
    assert (yen["net_amount"], yen["net_amount_decimal"], yen["currency"]) == ("501", "501", "JPY")
    assert one["created_at"] == shop.get(f"/orders/{orders[0]}")["created_at"]


def test_a_row_a_line(full: tuple[Shop, list[str]]) -> None:
    shop, orders = full
    found = [row for row in rows(shop, rows="lines") if row["id"] == orders[0]]
    assert [(row["line_id"], row["item_id"], row["net_amount"], row["refunded_amount_decimal"]) for row in found] == [
        ("1", "A1", "100", "0.40"),
        ("2", "A2", "250", "0.00"),
    ]


def test_parquet_has_the_same_with_types(full: tuple[Shop, list[str]]) -> None:
    shop, _ = full
    for kind in ("orders", "lines"):
        table = pq.read_table(io.BytesIO(shop.send("GET", f"/orders/export?format=parquet&rows={kind}").content))
        types = {field.name: str(field.type) for field in table.schema}
        expected = ("timestamp[ms, tz=UTC]", "int64", "decimal128(38, 4)", "string")
        assert tuple(types[name] for name in ("created_at", "net_amount", "net_amount_decimal", "id")) == expected
        as_text = rows(shop, rows=kind)
        assert table.num_rows == len(as_text)
        for typed, text in zip(table.to_pylist(), as_text, strict=True):
            assert typed.keys() == text.keys()
            assert typed["net_amount"] == int(text["net_amount"])
            assert typed["net_amount_decimal"] == Decimal(text["net_amount_decimal"])
            assert (typed["id"], typed["status"]) == (text["id"], text["status"])
            assert typed["created_at"].isoformat(timespec="milliseconds") == text["created_at"].replace("Z", "+00:00")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_cell_is_a_formula_and_none_loses_anything(full: tuple[Shop, list[str]], text: str) -> None:
    shop, orders = full
    for comment in (text, f"={text}", f"+{text}", f"-{text}", f"@{text}", f"\t{text}", f"\r{text}"):
        shop.put(f"/orders/{orders[0]}", {"comment": comment})
        (cell,) = [row["comment"] for row in rows(shop, limit=1)]
        assert cell in (comment, f"'{comment}")
        assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r")


def test_a_negative_amount_stays_a_number(shop: Shop) -> None:
    back = item(2, -100, related_item={"line_id": 1, "type": "reversed"})
    shop.post("/orders", {"currency": "NOK", "items": [item(1, 100), back]})
    assert [row["net_amount_decimal"] for row in rows(shop, rows="lines")] == ["1.00", "-1.00"]


def test_what_does_not_go_together_is_refused(shop: Shop) -> None:
    for query, fault in (
        ("format=csv&include_events=true", ("invalid_value", "include_events")),
        ("include_events=api-event", ("invalid_value", "include_events")),
        ("rows=lines", ("invalid_value", "rows")),
        ("format=xls", ("invalid_value", "format")),
        ("sort=id", ("unknown_parameter", "sort")),
        ("limit=0", ("invalid_value", "limit")),
    ):
        assert faults_of(shop.refused("GET", f"/orders/export?{query}")) == [fault], query


def test_head_has_no_body(full: tuple[Shop, list[str]]) -> None:
    shop, orders = full
    answer = shop.send("HEAD", "/orders/export")
    assert (answer.status_code, answer.content) == (200, b"")
    assert ids(shop) == orders, "and its place among the exports is free again"


@pytest.fixture(scope="module")
def large(service: Service) -> Iterator[Shop]:
    """An account whose export does not fit into the buffers between a server and its client."""
    with service.shop() as shop:
        shop.sign_in()

        def one(number: int) -> None:
            shop.order(*range(100, 160), comment=f"{number}", metadata={"text": "x" * 16_000})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(400)))
        yield shop


def begun(shop: Shop) -> socket.socket:
    """An export of which nothing is read but its first bytes."""
    made = socket.create_connection((shop.http.base_url.host, shop.http.base_url.port or 80))
    path = f"/v1/accounts/{shop.account_id}/shopping/orders/export"
    made.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {shop.token}\r\n\r\n".encode())
    assert made.recv(12) == b"HTTP/1.1 200"
    return made


def ended(shop: Shop) -> None:
    """Wait until another export of the account may begin."""
    deadline = time.monotonic() + 20
    while shop.send("GET", "/orders/export?limit=1").status_code == 429:
        assert time.monotonic() < deadline, "an export goes on for nobody"
        time.sleep(0.05)


@pytest.mark.slow
def test_an_account_has_one_export_at_a_time_and_it_ends_with_its_client(large: Shop) -> None:
    slow = begun(large)
    answer = large.send("GET", "/orders/export")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "5")
    slow.close()
    ended(large)


@pytest.mark.slow
def test_it_is_of_one_instant_and_others_write_meanwhile(large: Shop) -> None:
    before = {one: json.loads(text)["version"] for one, text in ((json.loads(t)["id"], t) for t in lines(large))}
    slow = begun(large)
    newest = max(before)
    large.put(f"/orders/{newest}", {"comment": "later"})
    added = large.order(5)["id"]
    received = b""
    slow.settimeout(10)
    while not received.endswith(b"0\r\n\r\n"):
        received += slow.recv(1 << 20)
    slow.close()
    ended(large)
    assert b'"comment":"later"' not in received
    assert added.encode() not in received
    assert ids(large)[-1] == added


@pytest.mark.slow
def test_a_client_that_reads_nothing_is_given_up(database: str, large: Shop) -> None:
    service = hasty(database)
    service.start()
    with service.shop(account_id=large.account_id) as shop:
        stuck = begun(shop)
        ended(shop)
        stuck.settimeout(10)
        received = b""
        try:
            while part := stuck.recv(1 << 20):
                received += part
        except ConnectionError:
            pass
        stuck.close()
        assert not received.endswith(b"0\r\n\r\n"), "what broke off does not look whole"
    service.stop()


@pytest.mark.once
def test_a_database_in_memory_is_exported_too(ordre: RunningOrdre) -> None:
    with httpx.Client(base_url=ordre.url, timeout=30) as http:
        shop = Shop(http, ordre.account_id, ordre.client_id, ordre.client_secret)
        orders = [shop.order(100 + number)["id"] for number in range(3)]
        assert ids(shop)[-3:] == orders
        shop.order(5)
        assert ids(shop, starting_after=orders[-2], limit=1) == [orders[-1]]
