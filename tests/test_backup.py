"""`ordre backup` and `ordre restore`: everything comes back, from either engine to either, and it is proven."""

import gzip
import json
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from backups import NEWEST, PASSPHRASE, backed_up, contents, restored
from commands import run, run_json
from database import ENGINES, new_database, sql
from marks import Marks, live
from ordre import audit
from ordre.db.layout import layout
from ordre.db.packing import from_row
from ordre.db.schema import HISTORY, migrations
from ordre.settings import Settings
from receivers import QUICK
from service import ORDRE, Shop, items, operation, serving

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Source:
    """A database with something of everything, and what a client saw of it."""

    database: str
    account_id: str
    client: tuple[str, str]
    token: str
    order: Any
    operation: Any
    draft: Any


SECRET = {"type": "HMAC-SHA1", "value": "known to the receiver alone"}


@pytest.fixture(scope="module", params=ENGINES)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    database = new_database(request, str(request.param), tmp_path_factory)
    with serving(database, ORDRE_HOOK_POLL_SECONDS="0") as service, service.shop() as shop, service.shop() as other:
        shop.subscribe("https://shop.example/webhooks", secret=SECRET)
        order = shop.order(100, 250, customer={"id": "C", "email": "kari@example.com"}, comment="Blåbær til Kari")
        authorized = shop.post(f"/orders/{order['id']}/authorizations", PAID, headers={"Idempotency-Key": "k"})
        shop.post("/draft_orders", {"order": {"currency": "NOK"}}, headers={"Idempotency-Key": "d"})
        draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(5)}})
        assert [next_number(shop) for _ in range(2)] == ["1-A", "2-A"]
        completed = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(5)}})
        (gone,) = shop.put(f"/draft_orders/{completed['id']}/complete")["orders"]
        shop.delete(f"/orders/{gone['id']}")
        other.order(7, order_id="same")
        run("client", "disable", other.account_id, other.client_id, database=database)
        run("key", "rotate", database=database)
        client, seen = (shop.client_id, shop.secret), shop.get(f"/orders/{order['id']}")
        yield Source(database, shop.account_id, client, shop.token, seen, authorized, draft)


def next_number(shop: Shop) -> Any:
    """The number of an order that is given the account's next one."""
    options = {"serial_order_number_suffix": "-A"}
    made = shop.post("/draft_orders", {"options": options, "order": {"currency": "NOK", "items": items(7)}})
    return shop.put(f"/draft_orders/{made['id']}/complete", {})["orders"][0]["order_number"]


PAID = operation((1, 60), payment_details={"payment_id": "P"})
EARLIER = {"order_terms", "draft_terms"}
"""Tables that hold what earlier versions wrote, until it is written anew."""


UNTOUCHED = {"suspended_at": None, "suspended_reason": None}


def subscriptions(found: dict[str, list[Any]]) -> list[dict[str, Any]]:
    (table,) = (one for one in layout(migrations("sqlite")[-1].number) if one.name == "subscriptions")
    return [dict(zip(table.columns, row, strict=True)) for row in found["subscriptions"]]


@pytest.mark.parametrize("engine", ENGINES)
def test_everything_comes_back(
    source: Source, engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    database = new_database(request, engine, tmp_path_factory)
    file = tmp_path_factory.mktemp("backup") / "orders.backup"
    written = backed_up(source.database, file)
    done = restored(database, file)
    before, after = contents(source.database), contents(database)
    empty = {table for table, rows in before.items() if not rows}
    assert empty == EARLIER, "nothing would be shown by a table that is empty"
    assert [row["suspended_reason"] for row in subscriptions(after)] == ["the database was restored from a backup"]
    assert [{**row, **UNTOUCHED} for row in subscriptions(after)] == [{**row, **UNTOUCHED} for row in subscriptions(before)]
    assert {**after, "subscriptions": []} == {**before, "subscriptions": []}
    assert done.rows == written.rows == {table: len(rows) for table, rows in before.items()}
    assert done.differing.places == 0
    for one in (source.database, database):
        assert run_json("verify", database=one)["differences"] == []
        found = audit.verify(Settings(database=one), None, 1, lambda *_: None).roots
        for root in written.roots:
            assert (found[root.account_id].leaves, found[root.account_id].root()) == (root.orders, root.root)


@pytest.mark.once
def test_a_client_goes_on_where_it_was(source: Source, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'restored.sqlite'}"
    backed_up(source.database, tmp_path / "file")
    restored(database, tmp_path / "file")
    with serving(database) as service, service.shop() as stranger:
        shop = Shop(stranger.http, source.account_id, *source.client, token=source.token)
        path = f"/orders/{source.order['id']}"
        assert shop.get(path) == source.order
        again = shop.post(f"{path}/authorizations", PAID, headers={"Idempotency-Key": "k"})
        assert again == source.operation
        assert shop.get("/orders", params={"q": "kari@"})["orders"][0]["id"] == source.order["id"]
        assert shop.get(f"/draft_orders/{source.draft['id']}") == source.draft
        assert next_number(shop) == "3-A"
        shop.post(f"{path}/captures", operation((1, 60)))
        assert Shop(stranger.http, source.account_id, *source.client).new_token()


def test_subscriptions_wait_until_they_are_resumed(source: Source, tmp_path: Path) -> None:
    """A copy sends nothing. Their secrets are encrypted in the file, or left out; one that is lost is not sent without."""
    for name, passphrase, status in (("with", PASSPHRASE, 200), ("without", None, 400)):
        file, database = tmp_path / name, f"sqlite:///{tmp_path / name}.sqlite"
        backed_up(source.database, file, passphrase=passphrase)
        assert b"known to the receiver" not in gzip.decompress(file.read_bytes())
        restored(database, file)
        with serving(database, **QUICK) as service, service.shop(account_id=source.account_id) as shop:
            (hook,) = shop.hooks("GET")
            assert (hook["state"], hook["config"]["secret"]) == ("suspended", {"type": "HMAC-SHA1"})
            answer = shop.hooks("POST", f"/{hook['id']}/resume", status=status)
            assert answer.get("state", "lost") == ("active" if passphrase else "lost")


def test_the_tables_are_those_of_the_database(own_database: str) -> None:
    run("migrate", database=own_database)
    if own_database.startswith("sqlite"):
        columns = (
            "select m.name, c.name, lower(c.type) from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table'"
        )
    else:
        columns = "select table_name, column_name, data_type from information_schema.columns where table_schema = 'public'"
    found = [tuple(row) for row in sql(own_database, columns) if row[0] != "schema_migrations"]
    there = {(table, name, type_.replace("bytea", "blob")) for table, name, type_ in found}
    assert there == {(table.name, column, type_) for table in layout(NEWEST) for column, type_ in table.columns.items()}


def test_a_snapshot_while_writers_go_on(own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ordre.backup.write.TOLD_EVERY", 1)
    with serving(own_database) as service, service.shop() as shop:
        orders = [shop.order(1000)["id"] for _ in range(4)]
        before = contents(own_database)
        writes = 0

        def written(*_: int) -> None:
            nonlocal writes
            writes += 1
            path = f"/orders/{orders[writes % 4]}"
            shop.post(f"{path}/comments", {"body": f"meanwhile {writes}"}, headers={"Idempotency-Key": str(writes)})
            shop.order(writes)

        backed_up(own_database, tmp_path / "file", told=written)
        assert writes > 20
    database = f"sqlite:///{tmp_path / 'then.sqlite'}"
    restored(database, tmp_path / "file")
    assert contents(database) == before
    assert run_json("verify", database=own_database)["orders"] == 4 + writes


@pytest.mark.once
def test_what_was_erased_is_not_in_it(own_database: str, tmp_path: Path) -> None:
    marks, kept = Marks(), Marks()
    with serving(own_database) as service, service.shop() as shop:
        order, _ = live(shop, marks)
        live(shop, kept)
        backed_up(own_database, tmp_path / "before")
        shop.delete(f"/orders/{order}")
        backed_up(own_database, tmp_path / "after")
    before, after = (gzip.decompress((tmp_path / name).read_bytes()) for name in ("before", "after"))
    assert len(marks.found(before)) == len(marks.all) > 80
    assert marks.found(after) == set()
    assert kept.found(after) == set(kept.all)


@pytest.mark.once
def test_the_commands_as_an_operator_runs_them(own_database: str, tmp_path: Path) -> None:
    run("migrate", database=own_database)
    made = run_json("demo", database=own_database)
    passphrase = tmp_path / "passphrase"
    passphrase.write_text(f"{PASSPHRASE}\n", encoding="utf-8")
    file, secret = tmp_path / "orders.backup", ("--passphrase-file", str(passphrase))
    first = run_json("backup", str(file), *secret, database=own_database)
    assert (first["rows"]["orders"], first["keys"], first["bytes"]) == (made["orders"], "encrypted", file.stat().st_size)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"{made['orders']}\n" in run("backup", str(file), *secret, database=own_database), "an earlier backup is replaced"
    assert sorted(one.name for one in tmp_path.iterdir() if "backup" in one.name) == ["orders.backup"]
    checked = run_json("restore", str(file), *secret, "--check", database=own_database)
    assert (checked["restored"], checked["differences"]) == ("nothing: the backup is good", 0)
    target = f"sqlite:///{tmp_path / 'new' / 'ordre.sqlite'}"
    done = run_json("restore", str(file), *secret, database=target)
    assert done["rows"] == first["rows"]
    assert [root["root"] for root in done["roots"]] == [root["root"] for root in first["roots"]]
    assert "the database is not empty" in run("restore", str(file), *secret, database=target, status=1)
    root = tmp_path / "root.json"
    run("verify", "--account", made["account_id"], "--root", str(root), database=target)
    assert json.loads(root.read_text(encoding="utf-8"))["root"] == done["roots"][0]["root"]


@pytest.mark.once
def test_through_pipes(own_database: str, tmp_path: Path) -> None:
    run("migrate", database=own_database)
    run("demo", database=own_database)
    environment = {**os.environ, "ORDRE_BACKUP_PASSPHRASE": PASSPHRASE}
    saving = subprocess.run([ORDRE, "backup", "-", "--database", own_database], capture_output=True, check=True, env=environment)
    assert b"51 orders" in saving.stderr.replace(b"\n", b" ")
    target = f"sqlite:///{tmp_path / 'piped.sqlite'}"
    command = [ORDRE, "restore", "-", "--json", "--database", target]
    done = subprocess.run(command, input=saving.stdout, capture_output=True, check=True, env=environment)
    assert json.loads(done.stdout)["differences"] == 0
    assert done.stderr == b"", "no progress where nobody looks"
    after, before = contents(target), contents(own_database)
    assert (len(after.pop("signing_keys")), before.pop("signing_keys")) == (1, []), "the key that signed the backup"
    assert after.pop("acts")[:-1] == before.pop("acts"), "that key is in the log"
    assert after == before


@pytest.mark.once
def test_keys_are_left_out_where_that_is_asked_for(source: Source, tmp_path: Path) -> None:
    run("backup", str(tmp_path / "file"), "--without-keys", database=source.database)
    text = gzip.decompress((tmp_path / "file").read_bytes()).decode()
    private = [json.loads(jwk)["d"] for (jwk,) in sql(source.database, "select jwk from signing_keys")]
    assert len(private) == 2
    assert not any(secret in text for secret in private)
    database = f"sqlite:///{tmp_path / 'restored.sqlite'}"
    run("restore", str(tmp_path / "file"), database=database)
    with serving(database) as service, service.shop() as stranger:
        shop = Shop(stranger.http, source.account_id, *source.client, token=source.token)
        assert shop.get(f"/orders/{source.order['id']}") == source.order, "a token of before is still good"
        assert Shop(stranger.http, source.account_id, *source.client).get(f"/orders/{source.order['id']}") == source.order
    assert len(sql(database, "select 1 from signing_keys")) == 3


def test_keys_that_are_encrypted_at_rest_come_back_under_the_targets_secret(tmp_path: Path) -> None:
    def ordre(*arguments: str, database: str, secret: str, status: int = 0) -> str:
        variables = {"ORDRE_SECRET_KEY": secret, "ORDRE_BACKUP_PASSPHRASE": PASSPHRASE}
        return run(*arguments, database=database, status=status, **variables)

    one, two = f"sqlite:///{tmp_path / 'one.sqlite'}", f"sqlite:///{tmp_path / 'two.sqlite'}"
    secrets = ["a" * 32, "b" * 32]
    ordre("migrate", database=one, secret=secrets[0])
    ordre("key", "rotate", database=one, secret=secrets[0])
    file = str(tmp_path / "file")
    assert "ORDRE_SECRET_KEY" in ordre("backup", file, database=one, secret=secrets[1], status=1)
    assert not Path(file).exists()
    ordre("backup", file, database=one, secret=secrets[0])
    ordre("restore", file, database=two, secret=secrets[1])
    stored = sql(two, "select jwk from signing_keys")[0][0]
    assert stored.startswith("sealed:")
    assert stored != sql(one, "select jwk from signing_keys")[0][0]
    assert ordre("key", "list", "--json", database=two, secret=secrets[1]) == ordre(
        "key", "list", "--json", database=one, secret=secrets[0]
    )
    assert "another secret key" in ordre("key", "list", database=two, secret=secrets[0], status=1)


@pytest.mark.long
@pytest.mark.parametrize(("number", "engine"), [(1, "sqlite"), (1, "postgres"), (NEWEST - 1, "postgres")])
def test_a_backup_of_an_older_schema_is_migrated(
    number: int, engine: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    current, target = (new_database(request, kind, tmp_path_factory) for kind in ("sqlite", engine))
    run("demo", database=current)
    old = new_database(request, "sqlite", tmp_path_factory)
    make_older(old, current, number)
    file = tmp_path_factory.mktemp("backup") / "file"
    backed_up(old, file)
    done = restored(target, file)
    assert [int(name[:4]) for name in done.migrated] == [step.number for step in migrations("sqlite") if step.number > number]
    report = run_json("verify", database=target)
    assert (report["orders"], report["differences"]) == (51, [])
    before, after = contents(current), contents(target)
    for table in ("orders", "facts", "order_bodies", "recorded_terms", "found_orders", "found_drafts"):
        assert after[table] == before[table]
    (columns,) = (table.columns for table in layout(NEWEST) if table.name == "drafts")
    place = list(columns).index("hash")
    drafts = [[(*row[:place], *row[place + 1 :]) for row in one["drafts"]] for one in (before, after)]
    assert drafts[0] == drafts[1], "but for the hash, which salts are in"


def unpack(connection: sqlite3.Connection, packing: set[str]) -> None:
    """Store facts and bodies as they are, where the older schema does not pack them."""
    if "facts" not in packing:
        packed = "select account_id, id, version, data, event, packed, size from newer.facts where packed is not null"
        for *key, data, event, value, size in connection.execute(packed).fetchall():
            texts = from_row(data, event, value, size)
            connection.execute("update facts set data = ?, event = ? where (account_id, id, version) = (?, ?, ?)", (*texts, *key))
    if "order_bodies" not in packing:
        packed = "select account_id, id, fields, items, packed, size from newer.order_bodies where packed is not null"
        for *key, fields, items, value, size in connection.execute(packed).fetchall():
            texts = from_row(fields, items, value, size)
            connection.execute("update order_bodies set fields = ?, items = ? where (account_id, id) = (?, ?)", (*texts, *key))


def make_older(database: str, current: str, number: int) -> None:
    """Make a database as it was after this migration, with as much of another one as it can hold."""
    path = database.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(HISTORY)
        connection.execute("attach ? as newer", (current.removeprefix("sqlite:///"),))
        for step in migrations("sqlite"):
            for statement in step.statements if step.number <= number else ():
                connection.execute(statement)
        newest = {table.name: table.columns for table in layout(NEWEST)}
        for table in layout(number):
            names = ", ".join(name for name in table.columns if name in newest.get(table.name, ()))
            if names:
                connection.execute(f"insert into main.{table.name} ({names}) select {names} from newer.{table.name}")
        unpack(connection, {table.name for table in layout(number) if "packed" in table.columns})
        if any(table.name == "accounts" and "terms_version" in table.columns for table in layout(number)):
            connection.execute("update accounts set terms_version = 1")
        if any("stored_form" in table.columns for table in layout(number)):
            connection.execute("update accounts set stored_form = 0")
        history = "number, name, digest, applied_at"
        newer = f"select {history} from newer.schema_migrations where number <= {number}"
        connection.execute(f"insert into schema_migrations ({history}) {newer}")


def test_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'x.sqlite'}"
    run("demo", database=database)
    master, slave = os.openpty()
    command = [ORDRE, "backup", str(tmp_path / "file"), "--without-keys", "--database", database]
    process = subprocess.Popen(command, stderr=slave, stdout=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"})
    os.close(slave)
    shown = b""
    while True:
        try:
            read = os.read(master, 4096)
        except OSError:
            break
        if not read:
            break
        shown += read
    os.close(master)
    assert process.wait() == 0
    assert b"Backing up" in shown
    assert b"100%" in shown
