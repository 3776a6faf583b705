"""`ordre account`."""

from typing import Any

from cyclopts import App

from ordre.application import accounts
from ordre.application.ports import Access, Account, Store
from ordre.cli.clients import rotated
from ordre.cli.options import AccountId, Database, Json, now, with_store
from ordre.cli.output import print_done, print_fields, print_rows

app = App(name="account", help="Create, list, disable, enable and rotate accounts.")


@app.command(name="create")
def create_account(account_id: str, *, name: str, database: Database = None, json: Json = False) -> None:
    """Create an account: T (test) or P (production) and eight digits.

    Args:
        account_id: The new account's id, such as T12345678.
        name: Its name, for people.
    """
    account = with_store(database, lambda store: accounts.create_account(store, account_id, name, now()), Access.MAKE)
    print_fields(_account_fields(account), json=json)


@app.command(name="list")
def list_accounts(*, database: Database = None, json: Json = False) -> None:
    """List the accounts."""
    found = with_store(database, lambda store: store.accounts(), Access.READ)
    print_rows([_account_fields(account) for account in found], json=json)


@app.command(name="disable")
def disable_account(account_id: AccountId, *, database: Database = None, json: Json = False) -> None:
    """Refuse every token of the account, within seconds. Nothing is deleted."""
    account = with_store(database, lambda store: accounts.set_account_disabled(store, account_id, now()))
    print_done(f"account {account_id} ({account.name}) is disabled", _account_fields(account), json=json)


@app.command(name="enable")
def enable_account(account_id: AccountId, *, database: Database = None, json: Json = False) -> None:
    """Accept the account's tokens again."""
    account = with_store(database, lambda store: accounts.set_account_disabled(store, account_id, None))
    print_done(f"account {account_id} ({account.name}) is enabled", _account_fields(account), json=json)


@app.command(name="rotate")
def rotate_account(account_id: AccountId, *, database: Database = None, json: Json = False) -> None:
    """Give every client of the account a new secret and print the secrets, only this once. The old ones are refused at once.

    Tokens that were already issued stay valid until they expire; `disable` stops those too.
    """

    async def work(store: Store) -> list[dict[str, Any]]:
        await accounts.known_account(store, account_id)
        return [await rotated(store, account_id, client.client_id) for client in await store.clients(account_id)]

    print_rows(with_store(database, work), json=json)


def _account_fields(account: Account) -> dict[str, Any]:
    return {"account_id": account.account_id, "name": account.name, "disabled_at": account.disabled_at}
