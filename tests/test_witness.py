"""Kept roots: what a database no longer holds of what they were over is named, also where it was all written anew."""

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from commands import ending, proven
from database import ENGINES, new_database, sql
from forgeries import COLUMNS, Proof, chain, digest, digest_of
from forked import run_forked
from ordre import audit
from ordre.auth.roots import new_root_key, root_key, sign
from ordre.bootstrap import snapshot
from ordre.domain.merkle import Head
from ordre.kept import BadKept, Kept, State, check_signed, line_of, read_kept, signed_kept
from ordre.settings import BadSetting, Settings
from ordre.witness import appending
from service import ORDRE, Service, Shop, operation, serving

pytestmark = [pytest.mark.slow, pytest.mark.once]

KEY = new_root_key()


@pytest.fixture(scope="module", params=ENGINES)
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A server on a database of its own, since rows are tampered with."""
    with serving(new_database(request, str(request.param), tmp_path_factory)) as made:
        yield made


def said(*arguments: str, database: str, status: int = 0, key: dict[str, str] | None = None) -> str:
    """What the command prints, errors too, with a key for roots where one is given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORDRE_")}
    done = run_forked(arguments, {**inherited, "ORDRE_DATABASE": database, **(key or {})})
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def orders(shop: Shop) -> list[str]:
    made = [shop.paid(4321)["id"] for _ in range(3)]
    shop.order(100)
    return made


Since = Callable[..., str]


@pytest.fixture
def since(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> Since:
    """What is named since a root was kept, once these orders were there."""
    assert len(orders) == 3
    file = tmp_path / "kept.json"
    said("verify", "--account", shop.account_id, "--root", str(file), database=service.database)

    def named(status: int = 0) -> str:
        return said("verify", "--account", shop.account_id, "--since", str(file), database=service.database, status=status)

    return named


def feed_anew(database: str, account_id: str) -> None:
    """Chain the feed of an account anew, by the facts as they are now."""
    entries = """select f.position, f.id, f.version, f.kind, f.at, f.actor, x.hash from feed f
        join facts x on x.account_id = f.account_id and x.id = f.id and x.version = f.version
        where f.account_id = $1 order by f.position"""
    position, previous = 0, ""
    for position, *said, held in sql(database, entries, account_id):
        entry = digest("", "feed entry", account_id, *map(str, said), held)
        previous = sha256(f"{previous}{entry}".encode()).hexdigest()
        sql(database, "update feed set hash = $1 where account_id = $2 and position = $3", previous, account_id, position)
    sql(database, "update feeds set position = $1, hash = $2 where account_id = $3", position, previous, account_id)


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_what_went_on_is_what_was_kept(shop: Shop, since: Since, orders: list[str]) -> None:
    shop.post(f"/orders/{orders[0]}/refunds", operation((1, 1)))
    shop.delete(f"/orders/{orders[1]}")
    shop.order(5)
    told = since()
    assert "0 differences" in told
    assert "compared with 1 kept root" in told


def test_a_history_that_was_written_anew_is_named(service: Service, shop: Shop, since: Since, orders: list[str]) -> None:
    """With every hash computed again, the columns, and the whole feed of the account, so that nothing there differs."""
    rows = sql(service.database, f"select {', '.join(COLUMNS)} from facts where id = $1 order by version", orders[0])
    facts = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    proof: Proof = {"account_id": shop.account_id, "order": {"order": orders[0]}, "facts": facts}
    fact = facts[2]
    fact["event"] += " "
    fact["digest"] = digest_of(fact)
    chain(proof, 2)
    values = (fact["event"], fact["digest"], fact["hash"], orders[0])
    sql(service.database, "update facts set event = $1, digest = $2, hash = $3 where id = $4 and version = 3", *values)
    sql(service.database, "update orders set hash = $1 where id = $2", fact["hash"], orders[0])
    feed_anew(service.database, shop.account_id)
    assert "0 differences" in said("verify", "--account", shop.account_id, database=service.database)
    named = since(status=1)
    assert f"{shop.account_id} order {orders[0]} version 3: version 3 is another than the root kept at " in named
    assert "1 difference\n" in named


def test_an_order_that_is_gone_is_named(service: Service, shop: Shop, since: Since, orders: list[str]) -> None:
    for table in ("facts", "order_bodies", "orders"):
        sql(service.database, f"delete from {table} where id = $1", orders[2])
    named = since(status=1)
    assert f"{shop.account_id} order {orders[2]}: it is gone: the root kept at " in named
    assert "has it at version 3" in named


def test_a_kept_root_is_never_overwritten(service: Service, shop: Shop, since: Since, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    before = file.read_bytes()
    for flags in (["--root", str(file)], ["--order", "x", "--proof", str(file)]):
        told = said("verify", "--account", shop.account_id, *flags, database=service.database, status=1)
        assert "kept.json already exists" in " ".join(told.split())
    assert file.read_bytes() == before
    assert "0 differences" in since()


def changed(**values: object) -> Callable[[dict[str, Any]], object]:
    return lambda root: root.update(values)


CHANGED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a head": (lambda root: root["heads"][0].__setitem__(1, 9), "its heads are not those that are signed"),
    "a head gone": (lambda root: root["heads"].pop(), "its heads are not those that are signed"),
    "the root": (changed(root="0" * 64), "are not those that its last root is over"),
    "the time": (changed(at=9), "is not signed with the key that is known here"),
    "the account": (changed(account_id="T9"), "are not those that its last root is over"),
    "the root before": (changed(after="0" * 64), "follows a root that the file does not have before it"),
    "an unknown field": (changed(note=1), "it is not a kept root: Object contains unknown field `note`"),
    "no heads": (lambda root: root.pop("heads"), "holds a root of an earlier version, without heads"),
    "no signature": (lambda root: root.pop("signature"), "it is not a kept root: Object missing required field `signature`"),
}


@pytest.fixture
def one_root() -> Kept:
    heads = [Head(order=order, version=1, hash=order * 64) for order in "abc"]
    return signed_kept(root_key(KEY), "T00000001", heads, [], 1, State())


@pytest.mark.parametrize("what", CHANGED)
def test_a_kept_root_that_was_changed_is_refused(one_root: Kept, what: str) -> None:
    root, known = json.loads(line_of(one_root)), [root_key(KEY)]
    check_signed(Path("kept"), read_kept(Path("kept"), json.dumps(root, indent=1).encode()), known)
    change, reason = CHANGED[what]
    change(root)
    with pytest.raises(BadKept, match=re.escape(reason)):
        check_signed(Path("kept"), read_kept(Path("kept"), json.dumps(root).encode()), known)


def test_flags_that_make_no_sense(service: Service, shop: Shop, since: Since, tmp_path: Path) -> None:
    file, other = str(tmp_path / "kept.json"), tmp_path / "other.json"
    assert "0 differences" in since()
    other.write_text("hello\n", encoding="utf-8")
    for flags, reason in (
        (["--account", shop.account_id, "--order", "x", "--since", file], "leave --order out"),
        (["--keys", file], "--keys goes with --since"),
        (["--account", "T99999999", "--since", file], "holds no root of T99999999"),
        (["--since", str(other)], "is not a file of kept roots"),
        (["--since", str(tmp_path / "none")], "cannot be read"),
        (["--since", file, "--keys", str(other)], "cannot be read"),
    ):
        told = " ".join(said("verify", *flags, database=service.database, status=1).split())
        assert reason in told


def test_a_witness_goes_on_where_it_was(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> None:
    file = tmp_path / "orders.roots"
    once = ("witness", str(file), "--account", shop.account_id, "--once")
    said(*once, database=service.database)
    shop.post(f"/orders/{orders[0]}/refunds", operation((1, 1)))
    made = shop.order(5)["id"]
    said(*once, database=service.database)
    said(*once, database=service.database)
    lines = lines_of(file)
    assert [line["orders"] for line in lines] == [4, 5, 5]
    assert [len(line["heads"]) for line in lines] == [4, 2, 0]
    assert {head[0] for head in lines[1]["heads"]} == {orders[0], made}
    assert [line["after"] for line in lines] == ["", lines[0]["root"], lines[1]["root"]]
    assert file.stat().st_mode & 0o777 == 0o600
    named = said("verify", "--account", shop.account_id, "--since", str(file), database=service.database)
    assert "compared with 3 kept roots" in named
    wished = audit.verify(Settings(database=service.database), shop.account_id, 1, lambda *_: None, audit.Wishes(root=True))
    assert wished.root is not None
    assert wished.root.root == lines[-1]["root"]
    middle = [file.read_text(encoding="utf-8").splitlines(keepends=True)[place] for place in (0, 2)]
    file.write_text("".join(middle), encoding="utf-8")
    named = said("verify", "--since", str(file), database=service.database, status=1)
    assert "lines are missing" in named


def test_a_proof_is_compared_with_kept_roots(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> None:
    """Away from the server, as everything that is proven."""
    log, keys, proof = (tmp_path / name for name in ("orders.roots", "keys.json", "proof.json"))
    once = ("witness", str(log), "--account", shop.account_id, "--once")
    said(*once, database=service.database)
    shop.post(f"/orders/{orders[0]}/refunds", operation((1, 1)))
    said(*once, database=service.database)
    keys.write_text(shop.http.get("/.well-known/jwks.json").text, encoding="utf-8")
    made = ("verify", "--account", shop.account_id, "--order", orders[0], "--proof", str(proof))
    said(*made, database=service.database)
    assert "2 kept roots have a state that it went through\nproven" in proven(proof, keys, log)[1]
    first, second = log.read_text(encoding="utf-8").splitlines()
    kept = json.loads(second)
    rows = {
        "has the order in a state that it never was in": resigned(service, kept, [[orders[0], 4, "0" * 64]]),
        "has other heads than are signed": {**kept, "heads": []},
        "has a head that is none": {**kept, "heads": [[1]]},
        "another root is signed": {**kept, "at": 1},
        "has the field note, which is not known": {**kept, "note": 1},
    }
    for reason, line in rows.items():
        log.write_text(f"{first}\n{json.dumps(line)}\n", encoding="utf-8")
        status, told = proven(proof, keys, log)
        assert (status, reason in told) == (1, True), told


def resigned(service: Service, kept: dict[str, Any], heads: list[Any]) -> dict[str, Any]:
    """The root with other heads, signed as by a server that lied then."""
    root = {name: value for name, value in kept.items() if name not in ("heads", "signature")}
    root["changed"] = sha256(json.dumps(heads, separators=(",", ":")).encode()).hexdigest()

    async def signed() -> str:
        async with snapshot(Settings(database=service.database)) as database:
            return sign((await database.signing_keys())[0], root)

    return {**root, "signature": asyncio.run(signed()), "heads": heads}


def test_a_witness_signs_nothing_over_what_differs(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> None:
    file = tmp_path / "orders.roots"
    once = ("witness", str(file), "--account", shop.account_id, "--once")
    sql(service.database, "update facts set actor = 'x' where id = $1 and version = 2", orders[0])
    assert "differs" in said(*once, database=service.database, status=1)
    assert file.read_bytes() == b""
    sql(service.database, "update facts set actor = $2 where id = $1 and version = 2", orders[0], shop.client_id)
    said(*once, database=service.database)
    shop.post(f"/orders/{orders[1]}/refunds", operation((1, 1)))
    sql(service.database, "update facts set actor = 'x' where id = $1 and version = 1", orders[1])
    sql(service.database, "update orders set hash = 'x' where id = $1", orders[0])
    for table in ("facts", "order_bodies", "orders"):
        sql(service.database, f"delete from {table} where id = $1", orders[2])
    told = said(*once, database=service.database, status=1)
    for order in orders:
        assert f"order {order}" in told
    assert len(lines_of(file)) == 1


def test_one_file_has_one_witness_and_survives_a_torn_line(
    service: Service, shop: Shop, orders: list[str], tmp_path: Path
) -> None:
    assert orders
    file = tmp_path / "orders.roots"
    once = ("witness", str(file), "--account", shop.account_id, "--once")
    said(*once, database=service.database)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:100])
    said(*once, database=service.database)
    assert file.read_bytes().startswith(whole + whole[:100] + b"\n{")
    told = said("verify", "--account", shop.account_id, "--since", str(file), database=service.database)
    assert "line 2 is incomplete" in " ".join(told.split())
    assert "compared with 2 kept roots" in told

    with appending(file), pytest.raises(BadKept, match="another process"), appending(file):
        pass
    other = tmp_path / "notes"
    other.write_text("hello\n", encoding="utf-8")
    assert "not a file of kept roots" in said("witness", str(other), "--once", database=service.database, status=1)
    assert other.read_text(encoding="utf-8") == "hello\n"
    assert "There is no account T99999999" in said(
        "witness", str(file), "--once", "--account", "T99999999", database=service.database, status=1
    )


def test_a_witness_goes_on_until_it_is_told_to_stop(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> None:
    assert orders
    file = tmp_path / "orders.roots"
    command = [ORDRE, "witness", str(file), "--account", shop.account_id, "--every", "1s", "--database", service.database]
    with ending(subprocess.Popen(command, text=True, stderr=subprocess.PIPE)) as running:
        deadline = time.monotonic() + 30
        while not file.exists() or file.read_bytes().count(b"\n") < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(signal.SIGTERM)
        _, told = running.communicate(timeout=30)
        assert running.returncode == 0
    assert "witness_stopped" in told
    assert len(lines_of(file)) >= 2


def test_roots_go_to_standard_output(service: Service, shop: Shop, orders: list[str]) -> None:
    assert orders
    command = [ORDRE, "witness", "-", "--account", shop.account_id, "--once", "--database", service.database]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert (json.loads(line)["orders"], json.loads(line)["after"]) == (4, "")


def test_the_key_that_signs_roots_stands_outside(service: Service, shop: Shop, orders: list[str], tmp_path: Path) -> None:
    root, proof, keys, log = (tmp_path / name for name in ("root.json", "proof.json", "keys.json", "roots"))
    inside = "signed with a key that the database holds"
    flags = ("verify", "--account", shop.account_id)
    assert inside in " ".join(said(*flags, "--root", str(tmp_path / "r"), database=service.database).split())
    assert inside in " ".join(
        said("witness", str(log), "--account", shop.account_id, "--once", database=service.database).split()
    )
    secret = tmp_path / "root.key"
    secret.write_text(f"{KEY}\n", encoding="utf-8")
    own = {"ORDRE_ROOT_KEY_FILE": str(secret)}
    made = (*flags, "--order", orders[0], "--proof", str(proof), "--root", str(root))
    assert inside not in " ".join(said(*made, database=service.database, key=own).split())
    keys.write_text(said("key", "root", "--public", database=service.database, key={"ORDRE_ROOT_KEY": KEY}), encoding="utf-8")
    assert KEY not in keys.read_text(encoding="utf-8")
    status, told = proven(proof, keys)
    assert (status, "signed with key root-" in told) == (0, True), told
    assert "of 4 orders" in told
    since = (*flags, "--since", str(root))
    assert "0 differences" in said(*since, database=service.database, key=own)
    assert "0 differences" in said(*since, "--keys", str(keys), database=service.database)
    assert "--keys" in said(*since, database=service.database, status=1)
    assert "--keys" in said(*since, database=service.database, status=1, key={"ORDRE_ROOT_KEY": new_root_key()})
    by_the_database = (*flags, "--since", str(log))
    assert "0 differences" in said(*by_the_database, database=service.database)
    for key, more in ((own, ()), ({}, ("--keys", str(keys)))):
        told = said(*by_the_database, *more, database=service.database, status=1, key=key)
        assert "is not signed with the key that is known here" in " ".join(told.split())
    assert "set ORDRE_ROOT_KEY" in said("key", "root", "--public", database=service.database, status=1)
    printed = said("key", "root", database=service.database).strip()
    assert Settings(root_key=printed).own_root_key() == printed
    assert printed not in repr(Settings(root_key=printed))


def test_a_root_key_that_does_not_fit_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"root_key .* must be what `ordre key root` prints"):
        Settings(root_key="short")
    with pytest.raises(BadSetting, match="ORDRE_ROOT_KEY and ORDRE_ROOT_KEY_FILE are both set"):
        Settings(root_key=KEY, root_key_file="x")
    file = tmp_path / "key"
    for content, reason in (("", "must hold"), ("short", "must hold")):
        file.write_text(content, encoding="utf-8")
        with pytest.raises(BadSetting, match=reason):
            Settings(root_key_file=str(file)).own_root_key()
    with pytest.raises(BadSetting, match="cannot be read"):
        Settings(root_key_file=str(tmp_path / "none")).own_root_key()


def test_a_proof_is_only_of_an_account_in_which_nothing_differs(
    service: Service, shop: Shop, orders: list[str], tmp_path: Path
) -> None:
    """The root of a proof is over every order of the account, so every one is verified for it."""
    sql(service.database, "update facts set actor = 'x' where id = $1 and version = 2", orders[1])
    flags = ("verify", "--account", shop.account_id, "--order", orders[0])
    assert "0 differences" in said(*flags, database=service.database)
    proof = tmp_path / "proof.json"
    assert f"order {orders[1]} version 2" in said(*flags, "--proof", str(proof), database=service.database, status=1)
    assert not proof.exists()
    missing = said(
        "verify", "--account", shop.account_id, "--order", "none", "--proof", str(proof), database=service.database, status=1
    )
    assert "There is no order" in missing


def test_an_account_that_is_gone_is_named(own_database: str, tmp_path: Path) -> None:
    file = tmp_path / "orders.roots"
    with serving(own_database) as service, service.shop(account_id="T00000001") as shop:
        made = shop.order(5)["id"]
    said("witness", str(file), "--once", database=own_database)
    for table in ("facts", "order_bodies", "orders", "clients", "feed", "feeds", "accounts"):
        sql(own_database, f"delete from {table} where account_id = $1", "T00000001")
    sql(own_database, "delete from acts where account = $1", "T00000001")
    for command in (("verify", "--since", str(file)), ("witness", str(file), "--once")):
        told = said(*command, database=own_database, status=1)
        assert f"order {made}: it is gone" in told
        assert "log of administration" in told
