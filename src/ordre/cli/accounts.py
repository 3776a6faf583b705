"""`ordre account`."""

from typing import Any

from cyclopts import App

from ordre.application import accounts
from ordre.application.directory import Account
from ordre.application.store import Access, Store
from ordre.cli.clients import Grace, fate_of_old, grace_end, rotated
from ordre.cli.options import AccountId, By, Database, Json, now, with_store
from ordre.cli.output import counted, print_done, print_fields, print_rows

app = App(name="account", help="Create, list, update, disable, enable and rotate accounts.")


@app.command(name="create")
def create_account(account_id: str, *, name: str, by: By = None, database: Database = None, json: Json = False) -> None:
    """Create an account: T (test) or P (production) and eight digits.

    Args:
        account_id: The new account's id, such as T12345678.
        name: Its name, for people.
    """
    account = with_store(database, lambda store: accounts.create_account(store, account_id, name, now()), Access.MAKE, by=by)
    print_fields(_account_fields(account), json=json, done=f"made account {account_id} ({name})")


@app.command(name="list")
def list_accounts(*, database: Database = None, json: Json = False) -> None:
    """List the accounts."""
    found = with_store(database, lambda store: store.accounts(), Access.READ)
    print_rows([_account_fields(account) for account in found], json=json)


@app.command(name="update")
def update_account(account_id: AccountId, *, name: str, by: By = None, database: Database = None, json: Json = False) -> None:
    """Give an account another name. Its id stays: it stands in everything that the account did.

    Args:
        name: Its new name, for people.
    """
    account = with_store(database, lambda store: accounts.rename_account(store, account_id, name), by=by)
    print_done(f"account {account_id} is now named {account.name}", _account_fields(account), json=json)


@app.command(name="disable")
def disable_account(account_id: AccountId, *, by: By = None, database: Database = None, json: Json = False) -> None:
    """Refuse every token of the account, within seconds. Nothing is deleted."""
    account = with_store(database, lambda store: accounts.set_account_disabled(store, account_id, now()), by=by)
    print_done(f"account {account_id} ({account.name}) is disabled", _account_fields(account), json=json)


@app.command(name="enable")
def enable_account(account_id: AccountId, *, by: By = None, database: Database = None, json: Json = False) -> None:
    """Accept the account's tokens again."""
    account = with_store(database, lambda store: accounts.set_account_disabled(store, account_id, None), by=by)
    print_done(f"account {account_id} ({account.name}) is enabled", _account_fields(account), json=json)


@app.command(name="rotate")
def rotate_account(
    account_id: AccountId, *, grace: Grace = None, by: By = None, database: Database = None, json: Json = False
) -> None:
    """Give every client of the account a new secret and print the secrets, only this once.

    Without --grace the old secrets are refused at once. With it, old and new ones work for a while.
    Tokens that were already issued stay valid until they expire; `disable` stops those too.
    """
    until = grace_end(grace)

    async def work(store: Store) -> list[dict[str, Any]]:
        await accounts.known_account(store, account_id)
        return [await rotated(store, account_id, client.client_id, until) for client in await store.clients(account_id)]

    rows = with_store(database, work, by=by)
    said = f"{counted(len(rows), 'client')} of {account_id} got a new secret; {fate_of_old('each old one', until)}"
    print_rows(rows, json=json, done=said)


def _account_fields(account: Account) -> dict[str, Any]:
    return {
        "account_id": account.account_id,
        "name": account.name,
        "created_at": account.created_at,
        "disabled_at": account.disabled_at,
    }
