"""The log of administration: who made or changed which account, client, key or schema, for people and for programs."""

import asyncio
import getpass
from pathlib import Path

import asyncpg
import pytest

from commands import run, run_json
from database import ENGINES, new_database, sql
from ordre import bootstrap
from ordre.application import accounts
from ordre.db.schema import migrations
from ordre.settings import Settings
from service import serving
from throwaway import Cluster

pytestmark = [pytest.mark.slow, pytest.mark.once]


def test_it_says_who_did_what(own_database: str) -> None:
    def ordre(*arguments: str) -> str:
        return run(*arguments, database=own_database)

    ordre("migrate", "--by", "Installer")
    ordre("account", "create", "T12345678", "--name", "Shop")
    made = run_json(
        "client", "create", "T12345678", "--name", "Till", "--scope", "admin:shopping", "--by", "Kari", database=own_database
    )
    client = made["client_id"]
    ordre("client", "update", "T12345678", client, "--name", "Till 2", "--scope", "admin:shopping")
    ordre("client", "rotate", "T12345678", client, "--grace", "1h")
    ordre("client", "disable", "T12345678", client)
    ordre("client", "enable", "T12345678", client)
    ordre("account", "disable", "T12345678")
    ordre("key", "rotate")
    ordre("key", "rotate", "--by", "Kari")
    found = run_json("log", database=own_database)
    steps = len(migrations("sqlite"))
    assert [one["number"] for one in found] == list(range(1, len(found) + 1))
    assert {(one["by"], one["act"], one["kind"]) for one in found[:steps]} == {("Installer", "applied", "migration")}
    me = getpass.getuser()
    assert [(one["by"], one["kind"], one["act"]) for one in found[steps:]] == [
        (me, "account", "created"),
        ("Kari", "client", "created"),
        (me, "client", "changed"),
        (me, "client", "rotated"),
        (me, "client", "disabled"),
        (me, "client", "enabled"),
        (me, "account", "disabled"),
        (me, "key", "created"),
        ("Kari", "key", "created"),
        ("Kari", "key", "retired"),
    ]
    assert found[steps + 2]["detail"] == {"name": ["Till", "Till 2"]}
    assert found[steps + 3]["detail"]["secret_digest"] == "changed"
    of_account = run_json("log", "T12345678", database=own_database)
    assert of_account == found[steps : steps + 7]
    printed = ordre("log", "T12345678")
    assert "client rotated" in printed
    assert "name: Till -> Till 2" in printed
    assert made["client_secret"] not in printed + str(found)
    assert run("verify", "--empty-ok", database=own_database) == "0 orders, 0 facts, 0 differences\n"


def test_what_changes_nothing_is_no_act(own_database: str) -> None:
    run("migrate", database=own_database)
    run("account", "create", "T12345678", "--name", "Shop", database=own_database)
    before = run_json("log", database=own_database)
    run("account", "update", "T12345678", "--name", "Shop", database=own_database)
    run("account", "enable", "T12345678", database=own_database)
    run("migrate", database=own_database)
    assert run_json("log", database=own_database) == before


def test_the_service_signs_for_itself(own_database: str) -> None:
    with serving(own_database) as service, service.shop() as shop:
        shop.sign_in()
    (made,) = [one for one in run_json("log", database=own_database) if one["kind"] == "key"]
    assert (made["by"], made["act"]) == ("ordre", "created")


def test_acts_at_once_are_one_chain(own_database: str) -> None:
    run("migrate", database=own_database)

    async def acting(number: int) -> None:
        async with bootstrap.opened(Settings(database=own_database), by=f"No. {number}") as store:
            for place in range(5):
                await accounts.create_account(store, f"T1000{number}00{place}", "Shop", 1)

    async def all_at_once() -> None:
        await asyncio.gather(*(acting(number) for number in range(4)))

    asyncio.run(all_at_once())
    found = [one for one in run_json("log", database=own_database) if one["kind"] == "account"]
    assert len({one["id"] for one in found}) == 20
    assert run_json("verify", "--empty-ok", database=own_database)["differences"] == []


def test_a_role_that_serves_changes_no_act(cluster: Cluster) -> None:
    database = cluster.database()
    cluster.role("till")
    run("migrate", "--grant", "till", database=database)
    serving_role = database.replace("//shop@", "//till@")
    run("account", "create", "T12345678", "--name", "Shop", database=serving_role)

    async def refused(statement: str) -> None:
        connection = await asyncpg.connect(serving_role)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
        await connection.close()

    for statement in ("delete from acts", "update acts set actor = 'x'"):
        asyncio.run(refused(statement))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_restore_is_in_the_log(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source, target = f"sqlite:///{tmp_path / 'source'}", new_database(request, engine, tmp_path_factory)
    for command in (("demo",), ("key", "rotate"), ("backup", str(tmp_path / "file"), "--without-keys")):
        run(*command, database=source)
    run("migrate", database=target)
    run("restore", str(tmp_path / "file"), "--without-keys", "--by", "Kari", database=target)
    found, before = run_json("log", database=target), run_json("log", database=source)
    assert found[: len(before)] == before
    assert [(one["by"], one["kind"], one["act"]) for one in found[len(before) :]] == [("Kari", "key", "restored")]
    assert run_json("verify", database=target)["differences"] == []


def test_what_was_there_before_the_log_stands_at_its_beginning(own_database: str) -> None:
    run("migrate", database=own_database)
    run("account", "create", "T12345678", "--name", "Shop", database=own_database)
    run("client", "create", "T12345678", "--name", "Till", "--scope", "admin:shopping", database=own_database)
    run("key", "rotate", database=own_database)
    sql(own_database, "drop table acts")
    sql(own_database, "delete from schema_migrations where number = 10")
    run("migrate", "--by", "Kari", database=own_database)
    found = [(one["by"], one["kind"], one["act"]) for one in run_json("log", database=own_database) if one["kind"] != "migration"]
    assert found == [("Kari", kind, "found") for kind in ("account", "client", "key")]
    assert run("verify", "--empty-ok", database=own_database) == "0 orders, 0 facts, 0 differences\n"
