"""`ordre client`."""

from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, Parameter

from ordre.application import accounts
from ordre.application.ports import Access, Client, Store
from ordre.auth.secrets import digest_of, new_secret
from ordre.cli.options import Database, Json, now, with_store
from ordre.cli.output import print_fields, print_rows

Scopes = Annotated[list[str], Parameter(negative="")]

app = App(name="client", help="Create, list, disable, enable and rotate the clients of an account.")


@app.command(name="create")
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
    client = with_store(database, lambda store: accounts.create_client(store, account_id, name, scope, digest_of(secret), now()))
    print_fields({**_client_fields(client), "client_secret": secret}, json=json)


@app.command(name="list")
def list_clients(account_id: str, *, database: Database = None, json: Json = False) -> None:
    """List the clients of an account."""

    async def work(store: Store) -> Sequence[Client]:
        await accounts.known_account(store, account_id)
        return await store.clients(account_id)

    print_rows([_client_fields(client) for client in with_store(database, work, Access.READ)], json=json)


@app.command(name="disable")
def disable_client(account_id: str, client_id: str, *, database: Database = None) -> None:
    """Refuse the client's secret, and its tokens within seconds."""
    with_store(database, lambda store: accounts.set_client_disabled(store, account_id, client_id, now()))


@app.command(name="enable")
def enable_client(account_id: str, client_id: str, *, database: Database = None) -> None:
    """Take back `disable`."""
    with_store(database, lambda store: accounts.set_client_disabled(store, account_id, client_id, None))


@app.command(name="rotate")
def rotate_client(account_id: str, client_id: str, *, database: Database = None, json: Json = False) -> None:
    """Give the client a new secret and print it, this once. The old one is refused at once, its tokens when they expire."""
    print_fields(with_store(database, lambda store: rotated(store, account_id, client_id)), json=json)


async def rotated(store: Store, account_id: str, client_id: str) -> dict[str, Any]:
    """Give a client a new secret; return it with what is shown of the client."""
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
