"""The command `ordre`."""

import asyncio
import contextlib
import json as jsons
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from ordre import __version__, audit, bootstrap
from ordre.api.openapi import document_text
from ordre.application import accounts, erasure
from ordre.application.ports import Account, Client, Found, Store, StoreUnavailable
from ordre.auth.secrets import digest_of, new_secret
from ordre.auth.tokens import rotate_keys
from ordre.demo import make_demo
from ordre.domain.refusals import Refused
from ordre.settings import BadSetting, Settings, settings_from

T = TypeVar("T")

Database = Annotated[str | None, Parameter(env_var="ORDRE_DATABASE", help="sqlite:///path or postgresql://user@host/name")]
Scopes = Annotated[list[str], Parameter(negative="")]
Json = Annotated[bool, Parameter(negative="", help="Print JSON")]

app = App(name="ordre", version=__version__, help="Orders that keep their money rules and prove their history.")
account_app = App(name="account", help="Create, list, disable, enable and rotate accounts.")
client_app = App(name="client", help="Create, list, disable, enable and rotate the clients of an account.")
key_app = App(name="key", help="List and rotate the keys that sign tokens.")
app.command(account_app)
app.command(client_app)
app.command(key_app)
_console = Console(stderr=True)
_WIDE = 250
"""Columns of a list: ids and secrets are never cut, whatever the terminal; it wraps them itself."""


def main() -> None:
    """Run the command; end with 1 and one sentence where it is refused."""
    try:
        app()
    except Refused as refused:
        for refusal in refused.refusals:
            _console.print(f"[red]ordre:[/] {refusal.message}", highlight=False)
        sys.exit(1)
    except (StoreUnavailable, BadSetting) as error:
        _console.print(f"[red]ordre:[/] {error}", highlight=False)
        sys.exit(1)


@app.command
def serve(
    *,
    host: Annotated[str | None, Parameter(env_var="ORDRE_HOST", help="The address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, Parameter(env_var="ORDRE_PORT", help="The port to listen on [default: 8080]")] = None,
    database: Database = None,
    workers: Annotated[int | None, Parameter(env_var="ORDRE_WORKERS", help="Server processes [default: 1]")] = None,
    ephemeral: Annotated[
        bool, Parameter(negative="", help="Keep everything in memory, for tests; print a client as JSON")
    ] = False,
    clock: Annotated[
        str | None, Parameter(env_var="ORDRE_CLOCK", help="With --ephemeral: start the clock here, see PUT /clock")
    ] = None,
) -> None:
    """Serve the API until interrupted; requests in flight finish.

    An SQLite database is made and migrated where needed. A PostgreSQL database is prepared with `ordre migrate`.
    """
    where = "memory:" if ephemeral else database
    settings = _settings(host=host, port=port, database=where, workers=workers, clock=clock)
    if not settings.ephemeral:
        asyncio.run(_check(settings))
    _console.print(f"Ordre {__version__} serves http://{settings.host}:{settings.port} (documentation at /docs)", highlight=False)
    bootstrap.serve(settings)


@app.command
def migrate(*, grant: str | None = None, database: Database = None) -> None:
    """Bring the database's schema up to this version.

    Args:
        grant: Let this role of PostgreSQL's use it too. Serve as a role that owns nothing: row-level security binds it.
        database: Where.
    """

    async def work() -> Sequence[str]:
        store = bootstrap.make_store(_settings(database=database))
        try:
            names = await store.migrate()
            if grant is not None:
                await store.grant(grant)
            return names
        finally:
            await store.close()

    names = asyncio.run(work())
    print("\n".join(f"applied {name}" for name in names) or "the schema is up to date")


@account_app.command(name="create")
def create_account(account_id: str, *, name: str, database: Database = None, json: Json = False) -> None:
    """Create an account: T (test) or P (production) and eight digits.

    Args:
        account_id: Such as T12345678.
        name: What people call it.
        database: Where.
        json: Print JSON.
    """
    account = _run(database, lambda store: accounts.create_account(store, account_id, name, _now()))
    _print(_account_fields(account), json=json)


@account_app.command(name="list")
def list_accounts(*, database: Database = None, json: Json = False) -> None:
    """List the accounts."""
    found = _run(database, lambda store: store.accounts())
    _print_all([_account_fields(account) for account in found], json=json)


@account_app.command(name="disable")
def disable_account(account_id: str, *, database: Database = None) -> None:
    """Refuse every token of the account, within seconds. Nothing is deleted."""
    _run(database, lambda store: accounts.set_account_disabled(store, account_id, _now()))


@account_app.command(name="enable")
def enable_account(account_id: str, *, database: Database = None) -> None:
    """Take back `disable`."""
    _run(database, lambda store: accounts.set_account_disabled(store, account_id, None))


@account_app.command(name="rotate")
def rotate_account(account_id: str, *, database: Database = None, json: Json = False) -> None:
    """Give every client of the account a new secret and print them, this once. The old ones are refused at once.

    Tokens that are out stay good until they expire; `disable` stops those too.
    """

    async def work(store: Store) -> list[dict[str, Any]]:
        await accounts.known_account(store, account_id)
        return [await _rotated(store, account_id, client.client_id) for client in await store.clients(account_id)]

    _print_all(_run(database, work), json=json)


@client_app.command(name="create")
def create_client(account_id: str, *, name: str, scope: Scopes, database: Database = None, json: Json = False) -> None:
    """Create a client and print its id and secret. The secret is shown this once and stored nowhere.

    Args:
        account_id: The account it works on.
        name: What people call it.
        scope: What it may do, such as admin:shopping; give it again for more.
        database: Where.
        json: Print JSON.
    """
    secret = new_secret()
    client = _run(database, lambda store: accounts.create_client(store, account_id, name, scope, digest_of(secret), _now()))
    _print({**_client_fields(client), "client_secret": secret}, json=json)


@client_app.command(name="list")
def list_clients(account_id: str, *, database: Database = None, json: Json = False) -> None:
    """List the clients of an account."""
    found = _run(database, lambda store: store.clients(account_id))
    _print_all([_client_fields(client) for client in found], json=json)


@client_app.command(name="disable")
def disable_client(account_id: str, client_id: str, *, database: Database = None) -> None:
    """Refuse the client's secret, and its tokens within seconds."""
    _run(database, lambda store: accounts.set_client_disabled(store, account_id, client_id, _now()))


@client_app.command(name="enable")
def enable_client(account_id: str, client_id: str, *, database: Database = None) -> None:
    """Take back `disable`."""
    _run(database, lambda store: accounts.set_client_disabled(store, account_id, client_id, None))


@client_app.command(name="rotate")
def rotate_client(account_id: str, client_id: str, *, database: Database = None, json: Json = False) -> None:
    """Give the client a new secret and print it, this once. The old one is refused at once, its tokens when they expire."""
    _print(_run(database, lambda store: _rotated(store, account_id, client_id)), json=json)


@key_app.command(name="list")
def list_keys(*, database: Database = None, json: Json = False) -> None:
    """List the keys that sign tokens. Private parts are never shown."""
    found = _run(database, lambda store: store.signing_keys())
    _print_all([{"kid": key.kid, "created_at": key.created_at, "retired_at": key.retired_at} for key in found], json=json)


@key_app.command(name="rotate")
def rotate_signing_keys(*, database: Database = None, json: Json = False) -> None:
    """Sign with a new key from now on. Tokens that are out stay good until they expire."""
    key = _run(database, lambda store: rotate_keys(store, _now()))
    _print({"kid": key.kid, "created_at": key.created_at, "retired_at": key.retired_at}, json=json)


@app.command
def verify(
    *,
    account: str | None = None,
    order: str | None = None,
    root: Path | None = None,
    proof: Path | None = None,
    processes: int | None = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Fold every order's facts and compare with the order as stored; end with 1 where they differ.

    Args:
        account: Only this account's orders.
        order: Only this order of the account, by its order_id or id.
        root: With --account: where nothing differs, write the hash over all its orders, signed, to this file.
        proof: With --account and --order: where nothing differs, write the order and the proof that it is under that hash.
        processes: How many processes verify [default: one a processor].
        database: Where.
        json: Print JSON.
    """
    settings = _settings(database=database)
    if (order or root) and account is None:
        raise BadSetting("--order and --root go with --account")
    if proof and order is None:
        raise BadSetting("--proof goes with --order")
    report = _verified(settings, account, order, processes, quiet=json)
    if json:
        found = [asdict(one) for one in report.differences]
        print(_json({"orders": report.orders, "facts": report.facts, "differences": found}))
    else:
        for one in report.differences:
            version = "" if one.version is None else f" version {one.version}"
            print(f"{one.account_id} order {one.order}{version}: {one.reason}")
        print(f"{report.orders:,} orders, {report.facts:,} facts, {len(report.differences):,} differences")
    if report.differences:
        sys.exit(1)
    if root and account:
        root.write_text(_json(audit.signed_root(settings, account, _now())) + "\n", encoding="utf-8")
    if proof and account and order:
        proof.write_text(_json(audit.proof(settings, account, order, _now())) + "\n", encoding="utf-8")


@app.command
def worker(*, once: Annotated[bool, Parameter(negative="")] = False, database: Database = None, json: Json = False) -> None:
    """Erase orders and drafts whose time to live has ended, and drop old idempotency keys, until interrupted.

    `ordre serve` does this by itself, every ORDRE_TIDY_SECONDS. Where that is 0, run this beside it, or with --once by a timer.

    Args:
        once: Do one round, and say what was erased.
        database: Where.
        json: Print JSON.
    """
    settings = _settings(database=database)
    bootstrap.configure_logs(settings.log_level)
    if once:
        gone = _run(database, lambda store: bootstrap.tidy_once(store, settings))
        _print({"orders": len(gone.orders), "drafts": len(gone.drafts)}, json=json)
        return
    with contextlib.suppress(KeyboardInterrupt):
        _run(database, lambda store: bootstrap.tidy_for_ever(store, settings))


@app.command
def erase(
    account: str,
    *,
    order: Annotated[list[str] | None, Parameter(negative="")] = None,
    customer_id: str | None = None,
    email: str | None = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Erase orders, and the drafts that go with them: those named, or every one that is or ever was a customer's.

    Without --yes it only says what would be erased. Names, times and the chain of facts stay; nothing brings the rest back.

    Args:
        account: The account, such as T12345678.
        order: This order, by its order_id or id; give it again for more.
        customer_id: Everything with this customer id.
        email: Everything with this e-mail address of the customer, whatever its case.
        yes: Erase.
        database: Where.
        json: Print JSON.
    """
    if not (order or customer_id or email):
        raise BadSetting("say what to erase: --order, --customer-id or --email")

    async def work(store: Store) -> Found:
        await accounts.known_account(store, account)
        customer = erasure.Customer(id=customer_id, email=email)
        named = [await erasure.known_order(store, account, one) for one in order or ()]
        found = await erasure.of_customer(store, account, customer)
        found = Found(orders=list(dict.fromkeys([*named, *found.orders])), drafts=found.drafts)
        if yes:
            await _erased(store, account, found, quiet=json)
        return found

    found = _run(database, work)
    if json:
        print(_json({"erased": yes, "orders": list(found.orders), "drafts": list(found.drafts)}))
        return
    for kind, ids in (("order", found.orders), ("draft", found.drafts)):
        for id_ in ids:
            print(f"{'erased' if yes else 'would erase'} {kind} {id_}")
    more = "" if yes else "; say --yes to erase them"
    print(f"{len(found.orders):,} orders, {len(found.drafts):,} drafts{more}")


@app.command
def demo(*, database: Database = None, json: Json = False) -> None:
    """Fill a new account with orders in every state, and print an id and secret to look at them with."""
    made = _run(database, lambda store: make_demo(store, _now()))
    _print(asdict(made), json=json)


@app.command
def openapi(*, output: Path | None = None) -> None:
    """Print the OpenAPI document.

    Args:
        output: Write it to this file instead.
    """
    if output is None:
        print(document_text(), end="")
    else:
        output.write_text(document_text(), encoding="utf-8")


@app.command
def conformance(
    url: str,
    *,
    account: str,
    client_id: Annotated[str, Parameter(env_var="ORDRE_CLIENT_ID")],
    client_secret: Annotated[str, Parameter(env_var="ORDRE_CLIENT_SECRET")],
    extras: bool = True,
    junit: Path | None = None,
    json: Json = False,
) -> None:
    """Compare a server with the table of docs/compatibility.md, check by check; end with 1 where it does otherwise.

    The checks make orders on the account: take one for tests. Against the original API, say --no-extras.

    Args:
        url: Where the server is, such as http://127.0.0.1:8080.
        account: The account, such as T12345678.
        client_id: The id of a client with the scope admin:shopping.
        client_secret: Its secret.
        extras: Ask for what differs from the original and what is extra, too.
        junit: Write JUnit XML to this file.
        json: Print JSON.
    """
    from ordre.conformance import run as conformity  # noqa: PLC0415 - serving does not need what it loads

    wanted = conformity.checks(extras=extras)
    running = conformity.against(url, account, client_id, client_secret, wanted)
    results = list(track(running, "Checking", len(wanted), console=_console, disable=json or not _console.is_terminal))
    if junit is not None:
        junit.write_text(conformity.junit(results, url), encoding="utf-8")
    _print_all([conformity.fields_of(one) for one in results], json=json)
    failed = sum(bool(one.fault) for one in results)
    if not json:
        print(f"{len(results)} checks, {failed} failed")
    if failed:
        sys.exit(1)


async def _rotated(store: Store, account_id: str, client_id: str) -> dict[str, Any]:
    """Give a client a new secret; return it with what is shown of the client."""
    secret = new_secret()
    client = await accounts.rotate_secret(store, account_id, client_id, digest_of(secret))
    return {**_client_fields(client), "client_secret": secret}


async def _erased(store: Store, account: str, found: Found, *, quiet: bool) -> None:
    """Erase what was found, and show how far it is."""
    with Progress(console=_console, disable=quiet or not _console.is_terminal) as progress:
        task = progress.add_task("Erasing", total=len(found.orders) + len(found.drafts))
        await erasure.erase_found(store, account, found, erasure.OPERATOR, _now(), lambda: progress.advance(task))
    await store.settle()


async def _check(settings: Settings) -> None:
    async with bootstrap.opened(settings) as store:
        role = await store.unbound()
    if role is not None:
        _console.print(
            f"[yellow]The database role {role} is not bound by row-level security; see docs/operate.md[/]", highlight=False
        )


def _verified(settings: Settings, account: str | None, order: str | None, processes: int | None, *, quiet: bool) -> audit.Report:
    if order is not None and account is not None:
        return audit.verify_one(settings, account, order)
    with Progress(console=_console, disable=quiet or not _console.is_terminal) as progress:
        task = progress.add_task("Verifying", total=None)
        return audit.verify(
            settings, account, processes or audit.processors(), lambda done, of: progress.update(task, completed=done, total=of)
        )


def _settings(**flags: object) -> Settings:
    return settings_from(os.environ, **flags)


def _run(database: str | None, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do one thing with the store."""

    async def running() -> T:
        async with bootstrap.opened(_settings(database=database)) as store:
            return await work(store)

    return asyncio.run(running())


def _now() -> int:
    return time.time_ns() // 1_000_000


def _account_fields(account: Account) -> dict[str, Any]:
    return {"account_id": account.account_id, "name": account.name, "disabled_at": account.disabled_at}


def _client_fields(client: Client) -> dict[str, Any]:
    return {
        "account_id": client.account_id,
        "client_id": client.client_id,
        "name": client.name,
        "scopes": list(client.scopes),
        "disabled_at": client.disabled_at,
    }


def _json(value: object) -> str:
    return jsons.dumps(value, ensure_ascii=False, indent=2)


def _print(fields: dict[str, Any], *, json: bool) -> None:
    if json:
        print(_json(fields))
        return
    for name, value in fields.items():
        print(f"{name + ':':15} {_shown(value)}")


def _print_all(rows: Sequence[dict[str, Any]], *, json: bool) -> None:
    if json:
        print(_json(list(rows)))
        return
    table = Table(*(rows[0] if rows else ()), box=None)
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    Console(width=_WIDE).print(table if rows else "none", highlight=False)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return "-" if value is None else str(value)
