"""`ordre verify`: one order, all of them on several processes, the signed root, and the proof that is checked elsewhere."""

import copy
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from commands import CHECKER, proven, run, run_json
from ordre import audit
from ordre.db import sqlite_file
from ordre.domain.refusals import Refused
from ordre.settings import Settings
from service import Service, Shop, item, operation

pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def orders(shop: Shop) -> list[str]:
    made = [shop.paid(amount)["id"] for amount in range(1, 8)]
    shop.order(100, order_id="mine", customer={"first_name": "Kari"})
    return made


def verified(service: Service, *flags: str) -> str:
    return run("verify", *flags, database=service.database)


def test_one_order(service: Service, shop: Shop, orders: list[str]) -> None:
    assert verified(service, "--account", shop.account_id, "--order", orders[0]).startswith("1 order, 3 facts, 0 differences")
    assert verified(service, "--account", shop.account_id, "--order", "mine").startswith("1 order, 1 fact, 0 differences")
    for flags, said in (
        (["--account", shop.account_id, "--order", "none"], "There is no order"),
        (["--account", "T99999999", "--order", orders[0]], "There is no account"),
        (["--order", orders[0]], "go with --account"),
        (["--account", shop.account_id, "--proof", "x"], "goes with --order"),
    ):
        assert said in run("verify", *flags, database=service.database, status=1)


def test_several_processes_find_what_one_finds(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run("migrate", database=own_database)
    run("demo", database=own_database)
    whole = run_json("verify", "--processes", "1", database=own_database)
    monkeypatch.setattr(audit, "CHUNK", 7)
    told: list[tuple[int, int]] = []
    report = audit.verify(Settings(database=own_database), None, 3, lambda done, of: told.append((done, of)))
    assert (report.orders, report.facts, report.differences) == (whole["orders"], whole["facts"], [])
    assert told[-1] == (report.orders, report.orders)
    assert len(told) == -(-report.orders // 7)
    with pytest.raises(Refused, match="unknown_account"):
        audit.verify(Settings(database=own_database), "T99999999", 3, lambda *_: None)


@contextmanager
def writers(service: Service, shop: Shop, orders: list[str], count: int = 3) -> Iterator[Callable[[], int]]:
    """So many clients that write on these orders and make others until the end; yields what counts their writes."""
    ended, done = threading.Event(), [0] * count

    def writing(place: int) -> None:
        with httpx.Client(base_url=service.url, timeout=30, verify=False) as http:  # noqa: S501 - it is our own, without TLS
            one = Shop(http, shop.account_id, shop.client_id, shop.secret, shop.token)
            for order in cycle(orders):
                one.post(f"/orders/{order}/comments", {"body": "Hello"})
                one.order(5)
                done[place] += 1
                if ended.is_set():
                    return

    with ThreadPoolExecutor(count) as pool:
        running = [pool.submit(writing, place) for place in range(count)]
        try:
            yield lambda: sum(done)
        finally:
            ended.set()
        for one in running:
            one.result()


def test_a_busy_shop_differs_in_nothing(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> None:
    settings = Settings(database=service.database)
    with writers(service, shop, orders) as written:
        seen = [written()]
        for processes in (1, 2, 1, 1, 2, 1, 1, 1):
            report = audit.verify(settings, shop.account_id, processes, lambda *_: None)
            assert report.differences == []
            seen.append(written())
        assert audit.verify_one(settings, shop.account_id, orders[0]).differences == []
        verified(service, "--account", shop.account_id, "--root", str(tmp_path / "root.json"))
        wishes = audit.Wishes(proof=orders[0], root=True)
        report = audit.verify(settings, shop.account_id, 1, lambda *_: None, wishes)
        assert report.root
        assert report.proof
        assert report.proof["root"]["root"] == report.root.root
    assert seen[-1] > seen[0], "nobody wrote meanwhile"
    assert json.loads((tmp_path / "root.json").read_text(encoding="utf-8"))["orders"] >= len(orders)


def test_whoever_reads_for_long_holds_up_no_writer(tmp_path: Path) -> None:
    path = tmp_path / "ordre.sqlite"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("pragma journal_mode = wal")
    writer.execute("create table t (a)")
    with closing(sqlite_file.Reading(path).connect()) as reader, ThreadPoolExecutor(1) as pool:
        reader.execute("begin")
        reader.execute("select * from t").fetchall()
        writer.execute("insert into t values (0)")
        settling = pool.submit(sqlite_file.settle, path, None)
        longest = 0.0
        for number in range(10):
            begun = time.monotonic()
            writer.execute("insert into t values (?)", (number,))
            longest = max(longest, time.monotonic() - begun)
            time.sleep(0.05)
        assert not settling.done()
        reader.execute("rollback")
        settling.result()
    writer.close()
    assert longest < 1


@pytest.fixture
def files(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> tuple[Path, Path]:
    proof, keys = tmp_path / "proof.json", tmp_path / "keys.json"
    verified(service, "--account", shop.account_id, "--order", orders[3], "--proof", str(proof))
    keys.write_text(shop.http.get("/.well-known/jwks.json").text, encoding="utf-8")
    return proof, keys


def test_an_order_is_proven_without_ordre(files: tuple[Path, Path], orders: list[str]) -> None:
    status, said = proven(*files)
    assert status == 0, said
    assert f"order {orders[3]}" in said
    assert "of 8 orders" in said
    assert "import ordre" not in CHECKER.read_text(encoding="utf-8")
    assert "from ordre" not in CHECKER.read_text(encoding="utf-8")


def test_an_erased_order_is_proven_too(service: Service, shop: Shop, files: tuple[Path, Path], orders: list[str]) -> None:
    proof, keys = files
    shop.delete(f"/orders/{orders[3]}")
    proof.unlink()
    verified(service, "--account", shop.account_id, "--order", orders[3], "--proof", str(proof))
    status, said = proven(proof, keys)
    assert (status, "version 4, 3 facts without a body" in said) == (0, True), said


def test_only_what_was_erased_may_be_without_a_body(files: tuple[Path, Path]) -> None:
    proof, keys = files
    content = json.loads(proof.read_text(encoding="utf-8"))
    content["facts"][1] |= {"salt": "", "data": "", "document": "", "event": ""}
    proof.write_text(json.dumps(content), encoding="utf-8")
    assert proven(proof, keys) == (1, "NOT PROVEN: fact 2 has no body, and the order was not erased\n")


def other_key(content: dict[str, Any]) -> None:
    header, _, signature = content["root"]["signature"].split(".")
    content["root"]["orders"] += 1
    content["root"]["signature"] = f"{header}.e30.{signature}"


TAMPERING: dict[str, Callable[[dict[str, Any]], Any]] = {
    "an amount": lambda content: content["facts"][2].update(document=content["facts"][2]["document"].replace("4", "9")),
    "the time": lambda content: content["facts"][1].update(at=1),
    "the actor": lambda content: content["facts"][1].update(actor="nobody"),
    "a fact that is gone": lambda content: content["facts"].pop(1),
    "the last fact gone": lambda content: content["facts"].pop(),
    "facts in another order": lambda content: content["facts"].reverse(),
    "the order": lambda content: content["order"].update(order="another"),
    "the account": lambda content: content.update(account_id="T99999999"),
    "the way": lambda content: content["path"].pop(0),
    "the root": lambda content: content["root"].update(root="0" * 64),
    "how many": lambda content: content["root"].update(orders=9),
    "what is signed": other_key,
}


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_found(files: tuple[Path, Path], what: str) -> None:
    proof, keys = files
    content = json.loads(proof.read_text(encoding="utf-8"))
    before = copy.deepcopy(content)
    TAMPERING[what](content)
    assert content != before
    proof.write_text(json.dumps(content), encoding="utf-8")
    status, said = proven(proof, keys)
    assert (status, said.startswith("NOT PROVEN: ")) == (1, True), said


def test_other_keys_prove_nothing(files: tuple[Path, Path]) -> None:
    proof, keys = files
    content = json.loads(keys.read_text(encoding="utf-8"))
    keys.write_text(json.dumps({"keys": [{**key, "kid": "x"} for key in content["keys"]]}), encoding="utf-8")
    assert "not among the keys" in proven(proof, keys)[1]
    keys.write_text(json.dumps({"keys": [{**key, "x": "A" * 43} for key in content["keys"]]}), encoding="utf-8")
    assert proven(proof, keys)[0] == 1


def test_the_root_stands_for_every_order(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> None:
    def root() -> dict[str, Any]:
        file = tmp_path / "root.json"
        verified(service, "--account", shop.account_id, "--root", str(file))
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        file.unlink()
        return found

    first, again = root(), root()
    assert (first["orders"], first["root"]) == (again["orders"], again["root"]) == (8, first["root"])
    shop.post(f"/orders/{orders[0]}/refunds", operation((1, 1)))
    assert root()["root"] != first["root"]
    shop.post("/orders", {"currency": "NOK", "items": [item(1, 5)]})
    assert root()["orders"] == 9
