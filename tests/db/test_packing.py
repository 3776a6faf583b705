"""Large facts are stored packed: what is read, proven, found and erased is what went in, on both engines."""

import zlib
from hashlib import sha256
from typing import Any

import pytest

from commands import run, run_json
from database import sql
from marks import everything_in
from ordre.db import packing
from ordre.db.directory import STORED_FORM
from ordre.db.packing import LEAST, MARK, UNREADABLE, from_row, in_row, packed, unpacked
from service import Shop, item, operation, serving

LARGE = {
    "order_number": "N-1",
    "customer": {"email": "kari@example.com"},
    "comment": "Leave it with the neighbour, please. " * 6,
}


@pytest.mark.parametrize("texts", [("{}", '{"a":"æ\\u001e"}' + " " * LEAST), ("x" * LEAST, ""), ("\U0001f600" * LEAST, "é")])
def test_what_is_packed_is_unpacked(texts: tuple[str, str]) -> None:
    data, event, value, size = in_row(*texts)
    assert (data, event) == (MARK, MARK if texts[1] else "")
    assert value is not None
    assert size == len("\x1e".join(texts).encode())
    assert unpacked(value, size) == list(texts)
    assert from_row(data, event, value, size) == texts


def test_what_is_small_stays_as_it_is() -> None:
    small = ("x" * (LEAST - 1), "")
    assert packed(*small) is None
    assert in_row(*small) == (*small, None, None)
    assert from_row(*small, None, None) == small


def test_the_words_that_it_was_packed_with_stay() -> None:
    """Else nothing that was stored before could be read."""
    words = packing.WORDS
    assert sha256(words).hexdigest() == "1459de672424c0a8781a079ccee0f2a0b05eeeb7cc55e51a01b056feb703e81f"


def test_nothing_is_unpacked_further_than_its_size() -> None:
    compressing = zlib.compressobj(9, zlib.DEFLATED, -15, 8, zlib.Z_DEFAULT_STRATEGY, packing.WORDS)
    bomb = b"\x01" + compressing.compress(b"x" * 50_000_000) + compressing.flush()
    for size in (-1, 0, 10, 49_999_999, 50_000_001, packing.MOST + 1, None):
        assert unpacked(bomb, size) is None
    for value in (None, b"", b"\x02" + bomb[1:], bomb[:-1], bomb + b"x", "x"):
        assert unpacked(value, 50_000_000) is None


@pytest.mark.parametrize("changed", [{"data": ""}, {"data": "{}"}, {"event": ""}, {"event": "x"}, {"size": 7}, {"packed": None}])
def test_a_row_that_somebody_changed_says_something_else(changed: dict[str, Any]) -> None:
    row = dict(zip(("data", "event", "packed", "size"), in_row("{}", "x" * LEAST), strict=True))
    found = from_row(*(row | changed).values())
    assert UNREADABLE in "".join(found)
    assert UNREADABLE in "".join(from_row("{}", "x", row["packed"], row["size"]))
    assert UNREADABLE in "".join(from_row("", "", row["packed"], row["size"]))


def place(shop: Shop) -> str:
    """An order with large facts: how it was placed, what was authorized, and what was said of it; return its path."""
    lines = range(1, 31)
    order = shop.post("/orders", {"currency": "NOK", "items": [item(line, 100) for line in lines], **LARGE})
    path = f"/orders/{order['id']}"
    shop.post(f"{path}/authorizations", operation(*((line, 100) for line in lines), id="a1", note="authorized " * 9))
    return path


PACKED = "select type from facts where packed is not null and id = $1 order by version"


@pytest.mark.slow
def test_large_facts_are_read_as_they_were_written(own_database: str) -> None:
    with serving(own_database) as service, service.shop() as shop:
        path = place(shop)
        id_ = path.rpartition("/")[2]
        assert [row[0] for row in sql(own_database, PACKED, id_)] == ["placed", "authorization"]
        authorized = shop.get(f"{path}/authorizations/a1")
        lines = [(line, 100) for line in range(1, 31)]
        assert shop.post(f"{path}/authorizations", operation(*lines, id="a1", note="authorized " * 9)) == authorized, "again"
        shop.refused("POST", f"{path}/authorizations", operation(*lines[1:], id="a1"), status=409)
        assert shop.get(path, params={"version": 1})["comment"] == LARGE["comment"]
        (first, second) = shop.get(path, params={"include_events": "true"})["events"]
        assert "neighbour" in first["request"]["body"]
        assert "authorized authorized" in second["request"]["body"]
        assert [one["id"] for one in shop.get(f"{path}/events")["events"]] == [first["id"], second["id"]]
        comment = shop.post(f"{path}/comments", {"body": "private " * 120})["id"]
        assert len(sql(own_database, PACKED, id_)) == 3
        shop.delete(f"{path}/comments/{comment}")
        assert len(sql(own_database, PACKED, id_)) == 2
        assert b"private private" not in everything_in(own_database) or own_database.startswith("sqlite")
    assert run_json("verify", database=own_database)["differences"] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        "packed = null",
        "size = size + 1",
        "size = null",
        "data = '{}'",
        "event = ''",
        "packed = (select packed from facts where type = 'authorization')",
    ],
)
def test_a_packed_fact_that_was_changed_is_named(own_database: str, change: str) -> None:
    with serving(own_database) as service, service.shop() as shop:
        path = place(shop)
    sql(own_database, f"update facts set {change} where type = 'placed'")
    id_ = path.rpartition("/")[2]
    assert f"order {id_} version 1: the body of the fact is not what its digest says" in run(
        "verify", database=own_database, status=1
    )


@pytest.mark.slow
@pytest.mark.parametrize("change", ["packed = null", "size = size + 1", "fields = '{}'", "items = ''", "terms = terms || 'x'"])
def test_a_packed_body_that_was_changed_is_named(own_database: str, change: str) -> None:
    with serving(own_database) as service, service.shop() as shop:
        path = place(shop)
    assert sql(own_database, "select count(*) from order_bodies where packed is not null") == [(1,)]
    sql(own_database, f"update order_bodies set {change}")
    assert f"order {path.rpartition('/')[2]}: the order" in run("verify", database=own_database, status=1)


@pytest.mark.slow
def test_a_page_is_bounded_by_what_is_unpacked(own_database: str) -> None:
    """Of orders that pack well, not more are on a page."""
    with serving(own_database) as service, service.shop() as shop:
        lines = [item(line, 100, description="the same again " * 15) for line in range(1, 1001)]
        for _ in range(5):
            shop.post("/orders", {"currency": "NOK", "items": lines})
        assert sql(own_database, "select max(length(packed)) from order_bodies")[0][0] < 50_000
        page = shop.get("/orders", params={"limit": 100})["orders"]
        assert 1 <= len(page) < 5
        assert len(shop.get("/orders", params={"limit": 100, "starting_after": page[-1]["id"]})["orders"]) >= 1


@pytest.mark.slow
def test_what_is_said_in_a_large_fact_is_found_and_erased(own_database: str) -> None:
    with serving(own_database) as service, service.shop() as shop:
        path = place(shop)
        shop.put(path, {"customer": {"email": "ola@example.com"}, "comment": "none"})
        id_ = path.rpartition("/")[2]
    values = [row[0] for row in sql(own_database, "select packed from facts where packed is not null")]
    for flags in (("--email", "kari@example.com"), ("--text", "authorized authorized"), ("--text", "NEIGHBOUR, please")):
        found = run_json("erase", shop.account_id, *flags, database=own_database)
        assert [one["id"] for one in found["orders"]] == [id_], flags
    assert run_json("erase", shop.account_id, "--text", "nobody says this", database=own_database)["orders"] == []
    assert b"neighbour, please" in everything_in(own_database)
    run("erase", shop.account_id, "--email", "kari@example.com", "--yes", database=own_database)
    kept = "data <> '' or packed is not null or size is not null"
    assert sql(own_database, f"select type from facts where {kept}") == [("erased",)]
    left = everything_in(own_database)
    for text in (b"neighbour, please", b"authorized authorized", b"kari@example.com", *(bytes(value)[20:60] for value in values)):
        assert text not in left
    assert run_json("verify", database=own_database)["differences"] == []


@pytest.mark.slow
def test_what_an_earlier_version_stored_is_packed_beside_the_servers(own_database: str) -> None:
    with serving(own_database) as service, service.shop() as shop:
        path = place(shop)
        order = shop.get(path, params={"include_events": "true"})
    stored = "select id, version, data, event, packed, size from facts order by id, version"
    before = sql(own_database, stored)
    for id_, version, *columns in before:
        data, event = from_row(*columns)
        change = "update facts set data = $3, event = $4, packed = null, size = null where id = $1 and version = $2"
        sql(own_database, change, id_, version, data, event)
    bodies = "select id, fields, items, packed, size from order_bodies order by id"
    bodies_before = sql(own_database, bodies)
    assert [row[3] is not None for row in bodies_before] == [True]
    for id_, *columns in bodies_before:
        change = "update order_bodies set fields = $2, items = $3, packed = null, size = null where id = $1"
        sql(own_database, change, id_, *from_row(*columns))
    sql(own_database, "update accounts set stored_form = 0")
    assert run_json("verify", database=own_database)["differences"] == []
    assert run_json("order", "show", shop.account_id, order["id"], database=own_database)["comment"] == LARGE["comment"]
    run("worker", "--once", database=own_database)
    assert sql(own_database, stored) == before
    assert sql(own_database, bodies) == bodies_before
    assert sql(own_database, "select stored_form from accounts") == [(STORED_FORM,)]
    assert run_json("verify", database=own_database)["differences"] == []
