"""Commands that only read make nothing, migrate nothing and change nothing, and say so where there is nothing to read."""

import asyncio
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import run, run_json
from database import sql
from ordre.application import accounts
from ordre.application.store import Access
from ordre.application.troubles import StoreUnavailable
from ordre.bootstrap import opened
from ordre.cli import main
from ordre.db.sqlite_file import Reading
from ordre.settings import Settings
from service import Service, Shop, serving

pytestmark = [pytest.mark.slow, pytest.mark.once]

READING = [
    ("verify",),
    ("verify", "--account", "T12345678"),
    ("verify", "--account", "T12345678", "--order", "1001"),
    ("account", "list"),
    ("client", "list", "T12345678"),
    ("key", "list"),
    ("log",),
    ("log", "T12345678"),
    ("order", "list", "T12345678"),
    ("order", "show", "T12345678", "1001"),
    ("order", "history", "T12345678", "1001"),
    ("erase", "T12345678", "--email", "kari@example.com"),
    ("erase", "T12345678", "--order", "1001"),
]
CHANGING = [
    ("account", "disable", "T12345678"),
    ("account", "enable", "T12345678"),
    ("account", "update", "T12345678", "--name", "Shop"),
    ("account", "rotate", "T12345678"),
    ("client", "create", "T12345678", "--name", "Till", "--scope", "admin:shopping"),
    ("client", "update", "T12345678", "x", "--name", "Till"),
    ("client", "rotate", "T12345678", "x"),
    ("client", "disable", "T12345678", "x"),
    ("client", "enable", "T12345678", "x"),
    ("key", "rotate"),
    ("key", "decrypt"),
    ("worker", "--once"),
    ("erase", "T12345678", "--email", "kari@example.com", "--yes"),
]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What a command that fails says, as one line; it runs in this process, for there are many of them."""

    def saying(*arguments: str, database: str) -> str:
        monkeypatch.setattr(sys, "argv", ["ordre", *arguments])
        monkeypatch.setenv("ORDRE_DATABASE", database)
        monkeypatch.setenv("ORDRE_LOG_FORMAT", "text")
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert ended.value.code == 1
        text = " ".join(capsys.readouterr().err.split())
        assert text.startswith("ordre: ")
        return text

    return saying


def everything(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


@pytest.mark.parametrize("command", [*READING, *CHANGING], ids=" ".join)
def test_a_wrong_path_makes_no_database(tmp_path: Path, said: Callable[..., str], command: tuple[str, ...]) -> None:
    path = tmp_path / "data" / "ordre.sqlite"
    assert "there is no database at" in said(*command, database=f"sqlite:///{path}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_file_without_a_schema_is_left_as_it_is(tmp_path: Path, said: Callable[..., str], command: tuple[str, ...]) -> None:
    for name, content, expected in (
        ("empty", b"", "holds no schema of Ordre's yet: run `ordre migrate`"),
        ("text", b"Dear diary, today I went to the shop." * 100, "file is not a database"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert expected in said(*command, database=f"sqlite:///{path}")
    assert everything(tmp_path) == {"empty": b"", "text": b"Dear diary, today I went to the shop." * 100}


def test_an_older_schema_is_named_and_not_migrated(own_database: str, said: Callable[..., str]) -> None:
    if own_database.startswith("postgres"):
        assert "run `ordre migrate`" in said("verify", database=own_database)
        assert sql(own_database, "select to_regclass('orders')") == [(None,)]
    run("migrate", database=own_database)
    sql(own_database, "delete from schema_migrations where number > 3")
    for command in READING:
        text = said(*command, database=own_database)
        assert "the schema is of version 0003_terms and lacks 0004_erasure: run `ordre migrate`" in text
    assert sql(own_database, "select max(number) from schema_migrations") == [(3,)]


def test_nothing_verified_is_not_good(own_database: str, said: Callable[..., str]) -> None:
    run("migrate", database=own_database)
    assert "nothing was verified: there are no orders" in said("verify", database=own_database)
    assert run("verify", "--empty-ok", database=own_database) == "0 orders, 0 facts, 0 differences\n"
    run("account", "create", "T12345678", "--name", "Shop", database=own_database)
    assert "there are no orders" in said("verify", "--account", "T12345678", database=own_database)
    run("verify", "--account", "T12345678", "--empty-ok", database=own_database)
    for flags in ((), ("--empty-ok",), ("--order", "1001")):
        assert "There is no account" in said("verify", "--account", "T87654321", *flags, database=own_database)


def test_reading_leaves_the_files_as_they_were(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'a ? strange # name %20'}"
    run("demo", database=database)
    before = everything(tmp_path)
    assert len(before) == 1
    assert run_json("verify", database=database)["differences"] == []
    run("account", "list", database=database)
    for words in (("list",), ("show", "1001"), ("history", "1001")):
        assert run("order", words[0], "T00000001", *words[1:], database=database) != ""
    assert "add --yes to erase" in run("erase", "T00000001", "--order", "1001", database=database)
    assert everything(tmp_path) == before


def test_reading_beside_a_server_and_after_its_crash(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'ordre.sqlite'}"
    with serving(database, ORDRE_TIDY_SECONDS="0") as service, service.shop() as shop:
        shop.order(100)
        assert run("verify", database=database) == "1 order, 1 fact, 0 differences\n", "what stands in the log alone is seen"
        before = everything(tmp_path)
        run("verify", database=database)
        assert {name: before[name] for name in before if not name.endswith("-shm")} == {
            name: content for name, content in everything(tmp_path).items() if not name.endswith("-shm")
        }
    other = Service(database)
    other.start()
    with other.shop() as shop:
        shop.order(100)
        other.kill()
    crashed = everything(tmp_path)
    assert len(crashed) == 3
    assert run("verify", database=database) == "2 orders, 2 facts, 0 differences\n"
    assert {name: len(content) for name, content in everything(tmp_path).items()} == {
        name: len(content) for name, content in crashed.items()
    }
    assert everything(tmp_path)["ordre.sqlite"] == crashed["ordre.sqlite"]


def test_a_file_that_is_written_to_meanwhile_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("pragma journal_mode = wal")
    writer.execute("create table t (a)")
    writer.close()
    reading = Reading(path)
    connection = reading.connect()
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("insert into t values (1)")
    reading.check()
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("insert into t values (1)")
    with pytest.raises(StoreUnavailable, match="somebody began to write"):
        reading.check()
    writer.close()
    with pytest.raises(StoreUnavailable, match="somebody began to write"):
        reading.check()
    connection.close()


def test_a_store_that_is_read_takes_no_write(own_database: str) -> None:
    run("migrate", database=own_database)

    async def running() -> None:
        async with opened(Settings(database=own_database), Access.READ) as store:
            assert await store.accounts() == []
            with pytest.raises(StoreUnavailable, match=r"reading alone|read-only"):
                await accounts.create_account(store, "T12345678", "Shop", 1)

    asyncio.run(running())
    assert sql(own_database, "select count(*) from accounts") == [(0,)]


def test_an_order_is_named_by_its_number_too(service: Service, shop: Shop, said: Callable[..., str]) -> None:
    one = shop.order(5, order_number="N-1", order_id="mine")["id"]
    several = sorted(shop.order(5, order_number="N-2")["id"] for _ in range(3))
    for name in (one, "mine", "N-1"):
        verified = run("verify", "--account", shop.account_id, "--order", name, database=service.database)
        assert verified == "1 order, 1 fact, 0 differences\n"
        found = run_json("erase", shop.account_id, "--order", name, database=service.database)
        assert one in str(found["orders"])
    for command in (("verify", "--account", shop.account_id), ("erase", shop.account_id)):
        text = said(*command, "--order", "N-2", database=service.database)
        assert "3 orders have the number N-2: name one by its id:" in text
        assert [id_ for id_ in several if id_ in text] == several
    shop.delete(f"/orders/{one}")
    assert run("verify", "--account", shop.account_id, "--order", "N-1", database=service.database).startswith("1 order, 2 facts")
    taken = shop.order(5, order_id="N-2")["id"]
    assert str(taken) in str(run_json("erase", shop.account_id, "--order", "N-2", database=service.database)["orders"])


def test_one_difference_is_one(own_database: str) -> None:
    run("migrate", database=own_database)
    run("demo", database=own_database)
    sql(own_database, "update orders set net_amount = net_amount + 1 where id = (select min(id) from orders)")
    text = run("verify", database=own_database, status=1)
    assert text.endswith("facts, 1 difference\n")


def test_a_root_needs_a_key_and_makes_none(own_database: str, tmp_path: Path) -> None:
    run("migrate", database=own_database)
    run("demo", database=own_database)
    command = ("verify", "--account", "T00000001", "--root", str(tmp_path / "root.json"))
    assert "there is no key to sign with yet: `ordre key rotate` makes one" in run(*command, database=own_database, status=1)
    run("key", "rotate", database=own_database)
    run(*command, database=own_database)
    assert (tmp_path / "root.json").exists()
