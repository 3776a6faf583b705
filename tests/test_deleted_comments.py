"""A deleted comment's text is nowhere any more; that it was there, when and whose it was stays, and is proven."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from commands import proven, run, run_json
from database import sql
from marks import Marks, everything_in
from ordre.api.wire.events import comment, request_event
from ordre.api.wire.facts import show
from ordre.api.wire.orders import NewComment
from ordre.application.change import Answer, Call
from ordre.application.ids import uuid7
from ordre.application.orders import execute
from ordre.bootstrap import opened
from ordre.db.codec import answer_start, text
from ordre.db.store import SqlStore
from ordre.domain.order.facts import CommentDeleted, Fact
from ordre.domain.order.lifecycle import DeleteComment
from ordre.domain.order.order import Order
from ordre.domain.order.parts import JsonFields
from ordre.settings import Settings
from service import Service, Shop

pytestmark = pytest.mark.slow

KEY = {"Idempotency-Key": "comment-1"}


def deleted(shop: Shop, body: str, **more: Any) -> tuple[str, Any, Any]:
    """An order with a comment that was deleted and another that was not; its path, the comment, and what deleting it answered."""
    path = f"/orders/{shop.order(100, order_id='web/1', customer={'id': 'C1'}, store={'id': 'S1'})['id']}"
    made = shop.post(f"{path}/comments", {"body": body, "visibility": "public"}, **more)
    shop.post(f"{path}/comments", {"body": "stays"})
    return path, made, shop.delete(f"{path}/comments/{made['id']}")


@pytest.mark.once
def test_nothing_that_is_answered_shows_it(shop: Shop) -> None:
    body = 'Kari Nordmann "rang"'
    path, made, gone = deleted(shop, body, headers=KEY)
    assert shop.get("/orders", params={"q": "nordmann"})["orders"] == []
    assert len(shop.get("/orders", params={"q": "stays"})["orders"]) == 1
    left = {name: value for name, value in made.items() if name != "body"}
    assert gone == {**left, "deleted_at": gone["deleted_at"], "deleted_by": shop.client_id}
    everywhere = {
        "the order": shop.get(path, params={"include_events": "true"}),
        "with its order_id": shop.get("/orders/web%2F1", params={"include_events": "true"}),
        "the list": shop.get("/orders", params={"include_events": "true"})["orders"][0],
        "of the store": shop.get("/stores/S1/orders", params={"include_events": "true"})["orders"][0],
        "of the customer": shop.get("/customers/C1/orders", params={"include_events": "true"})["orders"][0],
    }
    for name, order in everywhere.items():
        assert [one.get("body") for one in order["comments"]] == [None, "stays"], name
        assert order["comments"][0] == gone, name
    before = shop.get(path, params={"version": 2, "include_events": "true"})
    assert before["comments"] == [left]
    everywhere |= {
        "the version before": before,
        "the difference": shop.get(f"{path}/diff", params={"from": 1, "to": 4}),
        "the events": shop.get(f"{path}/events"),
        "the conflict": shop.refused("POST", f"{path}/close", headers={"If-Match": '"1"'}, status=412),
        "deleting again": shop.delete(f"{path}/comments/{made['id']}"),
    }
    assert everywhere["deleting again"] == gone
    for name, found in everywhere.items():
        assert body not in json.dumps(found), name
        assert "Kari" not in json.dumps(found), name
        assert name == "deleting again" or "stays" in json.dumps(found) or name == "the version before", name


def test_its_request_is_an_event_without_its_text(shop: Shop) -> None:
    path, made, _ = deleted(shop, "private")
    events = shop.get(f"{path}/events")["events"]
    assert [event["version"] for event in events] == [1, 2, 3, 4]
    assert (events[1]["created_at"], events[1]["created_by"]) == (made["created_at"], shop.client_id)
    url = f"/v1/accounts/{shop.account_id}/shopping{path}/comments"
    assert events[1]["request"] == {"method": "POST", "path": url, "body": ""}
    assert "stays" in events[2]["request"]["body"]
    assert shop.get(path, params={"version": 2, "include_events": "api-event"})["events"] == events[:2]


def test_the_answer_to_its_request_is_what_is_left_of_it(shop: Shop) -> None:
    _, made, gone = deleted(shop, "private", headers=KEY)
    path = f"/orders/{shop.get('/orders/web%2F1')['id']}/comments"
    again = shop.send("POST", path, {"body": "private", "visibility": "public"}, headers=KEY)
    assert (again.json(), again.headers["etag"], again.headers["idempotency-replayed"]) == (gone, '"2"', "true")
    key = {"Idempotency-Key": "comment-2"}
    other = shop.post(path, {"body": "other"}, headers=key)
    assert shop.post(path, {"body": "other"}, headers=key) == other
    answers = [shop.send("DELETE", f"{path}/{other['id']}", headers={"Idempotency-Key": "d"}) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert made["body"] == "private"


def test_how_an_answer_begins() -> None:
    document = '{"id":"1","body":"a \\"quoted\\" \u00f8"}'
    assert text(Answer(document=document, version=3)).startswith(answer_start(document) + ',"version":3')


@pytest.mark.once
def test_its_text_is_nowhere_in_the_database(logged: tuple[Service, Path]) -> None:
    service, log = logged
    gone, kept = Marks(), Marks()
    with service.shop() as shop:
        for number in range(60):
            path = f"/orders/{shop.order(100)['id']}/comments"
            shop.post(path, {"body": kept.new() + "y" * (number * 17 % 500)}, headers={"Idempotency-Key": f"k{number}"})
            made = shop.post(path, {"body": gone.new() + "x" * (number * 13 % 900)}, headers={"Idempotency-Key": f"g{number}"})
            shop.delete(f"{path}/{made['id']}", headers={"Idempotency-Key": f"d{number}"})
    run("worker", "--once", database=service.database)
    assert gone.found(everything_in(service.database)) == set()
    assert kept.found(everything_in(service.database)) == set(kept.all)
    assert gone.found(log.read_bytes()) == set()
    report = run_json("verify", database=service.database)
    assert (report["orders"], report["differences"]) == (60, [])


TAMPERING = {
    "its document": "update facts set document = replace(document, 'public', 'private') where id = $1 and version = 2",
    "its author": "update facts set document = replace(document, '_by\":\"', '_by\":\"x') where id = $1 and version = 2",
    "no document": "update facts set document = '' where id = $1 and version = 2",
    "a text slipped in": 'update facts set document = substr(document, 1, length(document) - 1) || \',"body":"lies"}\''
    " where id = $1 and version = 2",
    "its event": "update facts set event = '{\"request\":{}}' where id = $1 and version = 2",
    "its data": 'update facts set data = \'{"id":"x"}\' where id = $1 and version = 2',
    "another that was not deleted": "update facts set salt = '', event = '' where id = $1 and version = 3",
    "its deletion": "update facts set document = replace(document, 'public', 'private') where id = $1 and version in (2, 4)",
}


@pytest.mark.once
@pytest.mark.parametrize("what", TAMPERING)
def test_what_is_left_of_it_is_verified(service: Service, shop: Shop, what: str) -> None:
    path, *_ = deleted(shop, "private")
    order = path.rpartition("/")[2]
    assert run_json("verify", "--account", shop.account_id, database=service.database)["differences"] == []
    sql(service.database, TAMPERING[what], order)
    try:
        (found,) = json.loads(run("verify", "--account", shop.account_id, "--json", database=service.database, status=1))[
            "differences"
        ]
        version = {"another that was not deleted": 3, "its deletion": 4}.get(what, 2)
        assert (found["order"], found["version"]) == (order, version)
    finally:
        sql(service.database, "delete from recorded_terms where id = $1", order)
        sql(service.database, "delete from found_orders where account_id = $1", shop.account_id)
        sql(service.database, "delete from order_bodies where id = $1", order)
        sql(service.database, "delete from facts where id = $1", order)
        sql(service.database, "delete from orders where id = $1", order)


@pytest.mark.once
def test_it_is_proven_without_ordre(service: Service, shop: Shop, tmp_path: Path) -> None:
    path, *_ = deleted(shop, "private")
    proof, keys = tmp_path / "proof.json", tmp_path / "keys.json"
    flags = ("--account", shop.account_id, "--order", path.rpartition("/")[2], "--proof", str(proof))
    run("verify", *flags, database=service.database)
    keys.write_text(shop.http.get("/.well-known/jwks.json").text, encoding="utf-8")
    status, said = proven(proof, keys)
    assert (status, "version 4, 1 facts without a body" in said) == (0, True), said
    changes: dict[str, Callable[[Any], Any]] = {
        "fact 2 is not what its deletion says": lambda facts: facts[1].update(
            document=facts[1]["document"].replace("public", "x")
        ),
        "fact 3 has no body, and the order was not erased": lambda facts: facts[2].update(salt=""),
        "fact 2 has no body, and the order was not erased": lambda facts: facts[1].update(data='{"id":"x"}'),
    }
    for reason, change in changes.items():
        content = json.loads(proof.read_text(encoding="utf-8"))
        change(content["facts"])
        tampered = tmp_path / "tampered.json"
        tampered.write_text(json.dumps(content), encoding="utf-8")
        assert proven(tampered, keys) == (1, f"NOT PROVEN: {reason}\n")


def shown_before(fact: Fact, extra: JsonFields, order: Order, call: Call, earlier: str) -> str:
    """What facts showed when a deletion repeated the text of its comment."""
    document = show(fact, extra, order, call, earlier)
    return earlier[:-1] + document[document.index(',"deleted_at"') :] if isinstance(fact, CommentDeleted) else document


async def delete_as_before(database: str, account: str, order: str) -> None:
    """Write a comment and its deletion as Ordre did when a deletion repeated the text, and left it in the comment."""
    id_ = uuid7(1_800_000_000_000)
    path = f"/v1/accounts/{account}/shopping/orders/{order}/comments"
    async with opened(Settings(database=database)) as store:
        assert isinstance(store, SqlStore)
        store.documents = replace(store.documents, show=shown_before, rest_of_earlier=lambda *_: None)
        made = Call(account_id=account, by="me", at=1_800_000_000_000, event=request_event("POST", path, '{"body":"private"}'))
        await execute(store, made, order, comment(NewComment(body="private"), id_))
        gone = replace(made, event=request_event("DELETE", f"{path}/{id_}", ""))
        await execute(store, gone, order, DeleteComment(id=id_))
        await store.write("delete from recorded_terms where account_id = $1", account)
        await store.write("delete from found_orders where account_id = $1 and kind = 'comment'", account)


def test_of_an_earlier_version_of_ordre_it_is_hidden_and_verifies_as_before(service: Service, shop: Shop) -> None:
    path = f"/orders/{shop.order(100)['id']}"
    asyncio.run(delete_as_before(service.database, shop.account_id, path.rpartition("/")[2]))
    order = shop.get(path, params={"include_events": "true"})
    (comment,) = order["comments"]
    assert ("body" in comment, comment["deleted_by"], len(order["events"])) == (False, "me", 3)
    found = [order, shop.get(f"{path}/events"), shop.get(f"{path}/diff", params={"from": 1})]
    found.append(shop.get(path, params={"version": 2, "include_events": "true"})["events"])
    found.append(shop.delete(f"{path}/comments/{comment['id']}"))
    assert "private" not in json.dumps(found).replace('"visibility": "private"', "")
    assert run_json("verify", "--account", shop.account_id, database=service.database)["differences"] == []
