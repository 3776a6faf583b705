"""Secrets that are replaced without downtime, and when a client was last used, on both engines."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import asyncpg
import pytest

from commands import run, run_json
from ordre.application import accounts
from ordre.application.store import Store
from ordre.auth.secrets import digest_of
from ordre.bootstrap import opened
from ordre.settings import Settings
from service import Service, Shop

pytestmark = [pytest.mark.slow, pytest.mark.once]

T = TypeVar("T")
DAY = 86_400_000


def in_store(service: Service, work: Callable[[Store], Awaitable[T]]) -> T:
    async def working() -> T:
        async with opened(Settings(database=service.database)) as store:
            return await work(store)

    return asyncio.run(working())


def status(shop: Shop, secret: str) -> int:
    path = f"/v1/accounts/{shop.account_id}/auth/token"
    return shop.http.post(path, json={"grant_type": "client_credentials"}, auth=(shop.client_id, secret)).status_code


def statuses(shop: Shop, *secrets: str) -> list[int]:
    return [status(shop, secret) for secret in secrets]


def listed(service: Service, shop: Shop) -> dict[str, Any]:
    found: list[dict[str, Any]] = run_json("client", "list", shop.account_id, database=service.database)
    return next(client for client in found if client["client_id"] == shop.client_id)


def rotated(service: Service, shop: Shop, *flags: str) -> str:
    made = run_json("client", "rotate", shop.account_id, shop.client_id, *flags, database=service.database)
    secret: str = made["client_secret"]
    return secret


def test_both_secrets_work_during_the_grace(shop: Shop, service: Service) -> None:
    new = rotated(service, shop, "--grace", "24h")
    assert statuses(shop, shop.secret, new, "", "wrong") == [200, 200, 401, 401]
    until = datetime.fromisoformat(listed(service, shop)["old_secret_ends_at"]).timestamp()
    assert 86_000 < until - time.time() <= 86_400


def test_a_second_rotation_leaves_the_last_two_secrets(shop: Shop, service: Service) -> None:
    second = rotated(service, shop, "--grace", "90m")
    third = rotated(service, shop, "--grace", "7d")
    assert statuses(shop, shop.secret, second, third) == [401, 200, 200]
    fourth = rotated(service, shop)
    assert statuses(shop, second, third, fourth) == [401, 401, 200]
    assert listed(service, shop)["old_secret_ends_at"] is None


def set_secret(service: Service, shop: Shop, secret: str, earlier_until: int | None) -> None:
    in_store(
        service,
        lambda store: accounts.rotate_secret(store, shop.account_id, shop.client_id, digest_of(secret), earlier_until),
    )


@pytest.mark.parametrize(("ends_in", "expected"), [(DAY, 200), (-1, 401)])
def test_the_old_secret_is_refused_after_the_grace(shop: Shop, service: Service, ends_in: int, expected: int) -> None:
    set_secret(service, shop, "latest", time.time_ns() // 1_000_000 + ends_in)
    assert statuses(shop, shop.secret, "latest", "") == [expected, 200, 401]
    assert (listed(service, shop)["old_secret_ends_at"] is None) == (expected == 401)


def set_day(service: Service, shop: Shop, day: str) -> None:
    in_store(service, lambda store: store.mark_used(shop.account_id, shop.client_id, day))


def test_tokens_outlive_the_secret_that_they_were_issued_for(shop: Shop, service: Service) -> None:
    shop.get("/orders")
    rotated(service, shop)
    shop.get("/orders")


def test_a_disabled_client_has_no_grace(shop: Shop, service: Service) -> None:
    new = rotated(service, shop, "--grace", "1h")
    run("client", "disable", shop.account_id, shop.client_id, database=service.database)
    assert statuses(shop, shop.secret, new) == [401, 401]


def test_the_secrets_of_a_whole_account_are_rotated_with_a_grace(shop: Shop, service: Service) -> None:
    said = run("account", "rotate", shop.account_id, "--grace", "24h", database=service.database)
    assert said.startswith(f"1 client of {shop.account_id} got a new secret; each old one works until 20")
    new = re.findall(r"[\w-]{43}", said)
    assert statuses(shop, shop.secret, *new) == [200, 200]
    at_once = run_json("account", "rotate", shop.account_id, database=service.database)[0]["client_secret"]
    assert statuses(shop, shop.secret, *new, at_once) == [401, 401, 200]


@pytest.mark.parametrize("grace", ["0s", "91d", "-1h", "soon", "24", "1 h 3"])
def test_a_grace_that_is_none_is_said_so(shop: Shop, service: Service, grace: str) -> None:
    said = run("client", "rotate", shop.account_id, shop.client_id, f"--grace={grace}", database=service.database, status=2)
    assert "--grace" in said
    assert said.count("\n") == 1, said
    assert status(shop, shop.secret) == 200, "nothing was rotated"


def test_rotating_says_what_becomes_of_the_old_secret(shop: Shop, service: Service) -> None:
    rotate = ("client", "rotate", shop.account_id, shop.client_id)
    who = f"client {shop.client_id} (Client) of {shop.account_id} has a new secret; the old one"
    assert run(*rotate, database=service.database).startswith(f"{who} is refused from now on\n")
    assert run(*rotate, "--grace", "24h", database=service.database).startswith(f"{who} works until 20")


def test_a_client_is_used_on_the_day_of_its_last_token(shop: Shop, service: Service) -> None:
    assert listed(service, shop)["last_used_on"] is None
    assert listed(service, shop)["created_at"] == "2023-11-14T22:13:20.000Z"
    days = [f"{datetime.now(UTC):%Y-%m-%d}"]
    assert status(shop, "wrong") == 401
    assert listed(service, shop)["last_used_on"] is None, "who does not know the secret does not use it"
    assert status(shop, shop.secret) == 200
    days.append(f"{datetime.now(UTC):%Y-%m-%d}")
    assert listed(service, shop)["last_used_on"] in days
    rotated(service, shop)
    assert listed(service, shop)["last_used_on"] in days, "a change of the client leaves it"


def test_the_day_only_moves_on(shop: Shop, service: Service) -> None:
    for day, kept in (("2026-01-02", "2026-01-02"), ("2026-01-01", "2026-01-02"), ("2026-02-01", "2026-02-01")):
        set_day(service, shop, day)
        assert listed(service, shop)["last_used_on"] == kept


def test_a_second_token_of_a_day_writes_nothing(shop: Shop, service: Service) -> None:
    set_day(service, shop, "2999-12-31")
    with client_writes(service.database, shop) as seen:
        before = seen()
        assert statuses(shop, shop.secret, shop.secret) == [200, 200]
        assert seen() == before
        rotated(service, shop)
        assert seen() != before


@contextmanager
def client_writes(database: str, shop: Shop) -> Iterator[Callable[[], Any]]:
    """Something that changes with each write of the client's row: what a trigger counts, or PostgreSQL's version of the row."""
    if not database.startswith("sqlite"):
        yield lambda: asyncio.run(_version(database, shop))
        return
    file = sqlite3.connect(database.removeprefix("sqlite:///"), timeout=30)
    file.executescript(
        "create table counted (n); create trigger count_writes after update on clients begin insert into counted values (1); end"
    )
    try:
        yield lambda: file.execute("select count(*) from counted").fetchone()
    finally:
        file.executescript("drop trigger count_writes; drop table counted")
        file.close()


async def _version(database: str, shop: Shop) -> Any:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("select set_config('ordre.accounts', $1, false)", shop.account_id)
        sql = "select xmin::text from clients where account_id = $1 and client_id = $2"
        return await connection.fetchval(sql, shop.account_id, shop.client_id)
    finally:
        await connection.close()


def test_names_and_scopes_are_changed(shop: Shop, service: Service) -> None:
    update = ("client", "update", shop.account_id, shop.client_id)
    said = run(*update, "--name", "Web [shop]", database=service.database)
    scopes = "admin:shopping, admin:hooks"
    assert said == f"client {shop.client_id} of {shop.account_id} is now named Web [shop] and may do {scopes}\n"
    shop.get("/orders")
    made = run_json(*update, "--scope", "read:shopping", "--scope", "read:shopping", database=service.database)
    assert (made["name"], made["scopes"]) == ("Web [shop]", ["read:shopping"])
    assert listed(service, shop) == {**made, "last_used_on": listed(service, shop)["last_used_on"]}
    shop.order(100)
    narrowed = Shop(shop.http, shop.account_id, shop.client_id, shop.secret)
    assert narrowed.get("/orders")
    assert narrowed.refused("POST", "/orders", {"currency": "NOK", "items": []}, status=403)
    assert "Unknown scope" in run(*update, "--scope", "everything", database=service.database, status=1)
    assert "must not be empty" in run(*update, "--name", "", database=service.database, status=1)
    assert "--name or --scope" in run(*update, database=service.database, status=1)
    assert "no client" in run("client", "update", shop.account_id, "x", "--name", "y", database=service.database, status=1)


def test_an_account_gets_another_name(shop: Shop, service: Service) -> None:
    update = ("account", "update", shop.account_id, "--name", "Shop & co")
    assert run(*update, database=service.database) == f"account {shop.account_id} is now named Shop & co\n"
    found = run_json("account", "list", database=service.database)
    made = next(one for one in found if one["account_id"] == shop.account_id)
    assert (made["name"], made["created_at"]) == ("Shop & co", "2023-11-14T22:13:20.000Z")
    assert "must not be empty" in run(*update[:-1], " ", database=service.database, status=1)
    assert "There is no account T00000009" in run(
        "account", "update", "T00000009", "--name", "x", database=service.database, status=1
    )
