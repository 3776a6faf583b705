"""`ordre client`."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter

from ordre.application import accounts
from ordre.application.ports import Access, Client, Store
from ordre.auth.secrets import digest_of, new_secret
from ordre.cli.options import AccountId, ClientId, Database, Json, now, with_store
from ordre.cli.output import print_done, print_fields, print_rows

Scopes = Annotated[list[str], Parameter(negative="")]

app = App(name="client", help="Create, list, disable, enable and rotate the clients of an account.")


@app.command(name="create")
def create_client(account_id: str, *, name: str, scope: Scopes, database: Database = None, json: Json = False) -> None:
    """Create a client and print its id and secret. The secret is printed only this once and stored nowhere.

    Args:
        account_id: The account it works on.
        name: Its name, for people.
        scope: What it may do, such as admin:shopping; repeat it for several.
    """
    secret = new_secret()
    client = with_store(database, lambda store: accounts.create_client(store, account_id, name, scope, digest_of(secret), now()))
    print_fields({**_client_fields(client), "client_secret": secret}, json=json)


@app.command(name="list")
def list_clients(account_id: AccountId, *, database: Database = None, json: Json = False) -> None:
    """List the clients of an account."""

    async def work(store: Store) -> Sequence[Client]:
        await accounts.known_account(store, account_id)
        return await store.clients(account_id)

    print_rows([_client_fields(client) for client in with_store(database, work, Access.READ)], json=json)


@app.command(name="disable")
def disable_client(account_id: AccountId, client_id: ClientId, *, database: Database = None, json: Json = False) -> None:
    """Refuse the client's secret, and its tokens within seconds."""
    client = with_store(database, lambda store: accounts.set_client_disabled(store, account_id, client_id, now()))
    print_done(f"client {client_id} ({client.name}) of {account_id} is disabled", _client_fields(client), json=json)


@app.command(name="enable")
def enable_client(account_id: AccountId, client_id: ClientId, *, database: Database = None, json: Json = False) -> None:
    """Accept the client's secret and tokens again."""
    client = with_store(database, lambda store: accounts.set_client_disabled(store, account_id, client_id, None))
    print_done(f"client {client_id} ({client.name}) of {account_id} is enabled", _client_fields(client), json=json)


@app.command(name="rotate")
def rotate_client(account_id: AccountId, client_id: ClientId, *, database: Database = None, json: Json = False) -> None:
    """Give the client a new secret and print it, only this once. The old secret is refused at once.

    Tokens that were already issued stay valid until they expire.
    """
    print_fields(with_store(database, lambda store: rotated(store, account_id, client_id)), json=json)


async def rotated(store: Store, account_id: str, client_id: str) -> dict[str, Any]:
    """Give a client a new secret; return the client's fields with it."""
    secret = new_secret()
    client = await accounts.rotate_secret(store, account_id, client_id, digest_of(secret))
    return {**_client_fields(client), "client_secret": secret}


def _client_fields(client: Client) -> dict[str, Any]:
    return {
        "account_id": client.account_id,
        "client_id": client.client_id,
        "name": client.name,
        "scopes": list(client.scopes),
        "disabled_at": client.disabled_at,
    }
