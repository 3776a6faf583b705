"""`ordre client`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from cyclopts import App, CoercionError, Parameter, Token, convert

from ordre.api.wire.common import instant
from ordre.application import accounts
from ordre.application.directory import Client
from ordre.application.store import Access, Store
from ordre.auth.secrets import digest_of, new_secret
from ordre.cli.options import AccountId, By, ClientId, Database, Json, now, with_store
from ordre.cli.output import print_done, print_fields, print_rows
from ordre.settings import BadSetting

Scopes = Annotated[list[str], Parameter(negative="")]

LONGEST_GRACE = timedelta(days=90)


def _grace(_type: object, tokens: Sequence[Token]) -> timedelta:
    try:
        found: timedelta = convert(timedelta, [token.value for token in tokens])
    except CoercionError as error:
        raise ValueError(f"{tokens[0].value!r} is not a duration, such as 90m, 24h or 7d") from error
    return found


def _check_grace(_type: object, grace: timedelta | None) -> None:
    if grace is not None and not timedelta(seconds=1) <= grace <= LONGEST_GRACE:
        raise ValueError(f"must be between 1 second and {LONGEST_GRACE.days} days, such as 90m, 24h or 7d")


Grace = Annotated[
    timedelta | None,
    Parameter(
        converter=_grace,
        validator=_check_grace,
        help="How long the current secret keeps working beside the new one, such as 90m, 24h or 7d.",
    ),
]

app = App(name="client", help="Create, list, update, disable, enable and rotate the clients of an account.")


@app.command(name="create")
def create_client(
    account_id: str, *, name: str, scope: Scopes, by: By = None, database: Database = None, json: Json = False
) -> None:
    """Create a client and print its id and secret. The secret is printed only this once and stored nowhere.

    Args:
        account_id: The account it works on.
        name: Its name, for people.
        scope: What it may do, such as admin:shopping; repeat it for several.
    """
    secret = new_secret()
    client = with_store(
        database, lambda store: accounts.create_client(store, account_id, name, scope, digest_of(secret), now()), by=by
    )
    fields = {**_client_fields(client), "client_secret": secret}
    print_fields(fields, json=json, done=f"made client {client.client_id} ({name}) of {account_id}")


@app.command(name="list")
def list_clients(account_id: AccountId, *, database: Database = None, json: Json = False) -> None:
    """List the clients of an account: when each was made, and the day (UTC) on which it was last used.

    A client is used when it is given a token, which is what its secret is for; not when it sends requests with that token.
    """

    async def work(store: Store) -> Sequence[Client]:
        await accounts.known_account(store, account_id)
        return await store.clients(account_id)

    print_rows([_client_fields(client) for client in with_store(database, work, Access.READ)], json=json)


@app.command(name="update")
def update_client(
    account_id: AccountId,
    client_id: ClientId,
    *,
    name: str | None = None,
    scope: Annotated[list[str] | None, Parameter(negative="")] = None,
    by: By = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Give a client another name or other scopes. Its secret stays.

    Tokens that were already issued keep the scopes that they were issued with, until they expire.

    Args:
        name: Its new name, for people.
        scope: What it may do from now on, in place of what it could do before; repeat it for several.
    """
    if name is None and scope is None:
        raise BadSetting("say what to change: --name or --scope")
    client = with_store(
        database, lambda store: accounts.update_client(store, account_id, client_id, name=name, scopes=scope), by=by
    )
    said = f"client {client_id} of {account_id} is now named {client.name} and may do {', '.join(client.scopes)}"
    print_done(said, _client_fields(client), json=json)


@app.command(name="disable")
def disable_client(
    account_id: AccountId, client_id: ClientId, *, by: By = None, database: Database = None, json: Json = False
) -> None:
    """Refuse the client's secret, and its tokens within seconds."""
    client = with_store(database, lambda store: accounts.set_client_disabled(store, account_id, client_id, now()), by=by)
    print_done(f"client {client_id} ({client.name}) of {account_id} is disabled", _client_fields(client), json=json)


@app.command(name="enable")
def enable_client(
    account_id: AccountId, client_id: ClientId, *, by: By = None, database: Database = None, json: Json = False
) -> None:
    """Accept the client's secret and tokens again."""
    client = with_store(database, lambda store: accounts.set_client_disabled(store, account_id, client_id, None), by=by)
    print_done(f"client {client_id} ({client.name}) of {account_id} is enabled", _client_fields(client), json=json)


@app.command(name="rotate")
def rotate_client(
    account_id: AccountId,
    client_id: ClientId,
    *,
    grace: Grace = None,
    by: By = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Give the client a new secret and print it, only this once. Without --grace the old secret is refused at once.

    With --grace both work for a while. Of two rotations within a grace, only the last two secrets can work.
    Tokens that were already issued stay valid until they expire.
    """
    until = grace_end(grace)
    fields = with_store(database, lambda store: rotated(store, account_id, client_id, until), by=by)
    said = f"client {client_id} ({fields['name']}) of {account_id} has a new secret; {fate_of_old('the old one', until)}"
    print_fields(fields, json=json, done=said)


def grace_end(grace: timedelta | None) -> int | None:
    """Return when a grace that begins now ends, in milliseconds since 1970."""
    return None if grace is None else now() + grace // timedelta(milliseconds=1)


def fate_of_old(what: str, until: int | None) -> str:
    """Return in words what becomes of the secret that a rotation replaced."""
    return f"{what} is refused from now on" if until is None else f"{what} works until {instant(until)}"


async def rotated(store: Store, account_id: str, client_id: str, earlier_until: int | None = None) -> dict[str, Any]:
    """Give a client a new secret; return the client's fields with it."""
    secret = new_secret()
    client = await accounts.rotate_secret(store, account_id, client_id, digest_of(secret), earlier_until)
    return {**_client_fields(client), "client_secret": secret}


def _client_fields(client: Client) -> dict[str, Any]:
    return {
        "account_id": client.account_id,
        "client_id": client.client_id,
        "name": client.name,
        "scopes": list(client.scopes),
        "created_at": client.created_at,
        "last_used_on": client.last_used_on,
        "disabled_at": client.disabled_at,
        "old_secret_ends_at": client.earlier_until_after(now()),
    }
