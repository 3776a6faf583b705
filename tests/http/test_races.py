"""C1 and C2 over HTTP with several server processes: the sums hold, the winners are recorded, no success is lost."""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from commands import run_json
from database import ENGINES, new_database
from service import Service, Shop, items, operation

pytestmark = pytest.mark.slow

WRITERS = 64


@pytest.fixture(scope="module", params=ENGINES)
def several(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server of three processes, each of which takes a second of imports: all tests share it."""
    made = Service(new_database(request, str(request.param), tmp_path_factory), "--workers", "3")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def crowd(several: Service) -> Iterator[Shop]:
    """An account served by three processes."""
    with several.shop() as shop:
        shop.sign_in()
        yield shop
    assert run_json("verify", database=several.database)["differences"] == []


def at_once(work: list[tuple[str, str, Any]], shop: Shop, **more: Any) -> list[Any]:
    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(lambda one: shop.send(*one, **more), work))


def test_everything_at_once_on_one_order(crowd: Shop, record_property: Callable[[str, object], None]) -> None:
    path = f"/orders/{crowd.order(1000, -400, multiple_authorizations=True)['id']}"
    first = crowd.post(f"{path}/authorizations", operation((1, 600), (2, -400)))["id"]
    drawn = random.Random(1)
    kinds = ("authorizations", "captures", "captures", "captures", "refunds", "refunds", "cancellations")
    work: list[tuple[str, str, Any]] = []
    for number in range(300):
        kind = drawn.choice(kinds)
        line_id, amount = drawn.choice(((1, drawn.randint(1, 60)), (2, -drawn.randint(1, 60))))
        inside = {} if kind == "authorizations" else {"authorization_id": first}
        work.append(("POST", f"{path}/{kind}", operation((line_id, amount), metadata={"n": number}, **inside)))
        if number % 10 == 0:
            work.append(("POST", f"{path}/{drawn.choice(('close', 'open', 'comments'))}", {"body": "x"}))
        if number % 15 == 0:
            work.append(("PUT", path, {"metadata": {"amended": number}}))
    answers = at_once(work, crowd)
    assert {answer.status_code for answer in answers} <= {200, 400}
    amended = [one[2] for one, answer in zip(work, answers, strict=True) if one[0] == "PUT" and answer.status_code == 200]
    assert len(amended) == 20
    crowd.post(f"{path}/open")
    order = crowd.get(path, params={"include_events": "true"})
    assert [event["version"] for event in order["events"]] == list(range(1, order["version"] + 1))
    bodies = [json.loads(event["request"]["body"]) for event in order["events"] if event["request"]["method"] == "PUT"]
    assert sorted(map(str, bodies)) == sorted(map(str, amended)), "every amendment that was answered with success is there once"
    won = Counter(one[1].rsplit("/", 1)[1] for one, answer in zip(work, answers, strict=True) if answer.status_code == 200)
    sums: dict[tuple[str, int], int] = Counter()
    for kind in ("authorizations", "captures", "refunds", "cancellations"):
        assert len(order[kind]) == won[kind] + (kind == "authorizations")
        assert len({one["id"] for one in order[kind]}) == len(order[kind])
        for one in order[kind]:
            for line in one["items"]:
                sums[kind, line["line_id"]] += line["amount"]
    for line_id, net in ((1, 1000), (2, -400)):
        side = 1 if net > 0 else -1
        authorized, captured, refunded, cancelled = (
            side * sums[kind, line_id] for kind in ("authorizations", "captures", "refunds", "cancellations")
        )
        assert 0 <= refunded <= captured
        assert captured + cancelled <= authorized <= abs(net) + cancelled
    assert len(order["comments"]) == won["comments"]
    record_property("writers at once", WRITERS)
    record_property("racing writes", len(work))
    assert won["captures"] > 0
    assert won["refunds"] > 0


def test_parallel_captures_over_the_authorization(crowd: Shop) -> None:
    path = f"/orders/{crowd.order(100)['id']}"
    crowd.post(f"{path}/authorizations", operation((1, 100)))
    answers = at_once([("POST", f"{path}/captures", operation((1, 10)))] * 64, crowd)
    assert Counter(answer.status_code for answer in answers) == {200: 10, 400: 54}


def test_two_refunds_of_60_on_100(crowd: Shop) -> None:
    for _ in range(10):
        path = f"/orders/{crowd.paid(100)['id']}"
        answers = at_once([("POST", f"{path}/refunds", operation((1, 60)))] * 2, crowd)
        assert sorted(answer.status_code for answer in answers) == [200, 400]


def test_one_draft_completed_by_many(crowd: Shop) -> None:
    for options in ({}, {"split_draft": True}):
        draft = crowd.post("/draft_orders", {"options": options, "order": {"currency": "NOK", "items": items(1, 2)}})
        answers = at_once([("PUT", f"/draft_orders/{draft['id']}/complete", {})] * 32, crowd)
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.content for answer in answers}) == 1
    assert len(crowd.get("/orders")["orders"]) == 2


def test_one_key_and_one_operation_id_used_by_many(crowd: Shop) -> None:
    path = f"/orders/{crowd.order(100)['id']}"
    new = ("POST", "/orders", {"currency": "NOK", "items": items(1)})
    by_key = at_once([new] * 32, crowd, headers={"Idempotency-Key": "k"})
    by_id = at_once([("POST", f"{path}/authorizations", operation((1, 60), id="a"))] * 32, crowd)
    for answers in (by_key, by_id):
        assert {answer.status_code for answer in answers} == {200}, [
            answer.text for answer in answers if answer.status_code != 200
        ][:1]
        assert len({answer.content for answer in answers}) == 1
    assert len(crowd.get("/orders")["orders"]) == 2
    assert len(crowd.get(path)["authorizations"]) == 1


def test_one_order_id_taken_by_many(crowd: Shop) -> None:
    answers = at_once([("POST", "/orders", {"currency": "NOK", "items": items(1), "order_id": "same"})] * 32, crowd)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 31}
