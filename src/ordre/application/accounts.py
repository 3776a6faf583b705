"""Accounts and their clients, as the operator manages them."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ordre.application.directory import Account, AccountStore, Client
from ordre.domain.access import SCOPES
from ordre.domain.refusals import InvalidValue, Refused, Unknown, UnknownAccount

ACCOUNT_ID = "[PT][0-9]{8}"
"""The whole of it must match."""
CLIENT_ID = "[A-Za-z0-9._-]{1,64}"
"""As above, of an id that is named, not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoSuchAccount(Unknown):
    """No account has the id that somebody typed. Only commands raise it."""

    code: ClassVar[str] = UnknownAccount.code
    account_id: str

    @property
    def message(self) -> str:
        return f"There is no account {self.account_id}"


async def create_account(store: AccountStore, account_id: str, name: str, at: int) -> Account:
    """Make an account: T and eight digits for test, P and eight digits for production.

    Raises:
        Refused: The id is no account id, or is taken; or the name is empty.
    """
    if not re.fullmatch(ACCOUNT_ID, account_id):
        raise Refused(InvalidValue(path="account_id", reason="An account id is T (test) or P (production) and eight digits"))
    if await store.account(account_id) is not None:
        raise Refused(InvalidValue(path="account_id", reason=f"The account {account_id} exists already"))
    account = Account(account_id=account_id, name=_name(name), disabled_at=None, created_at=at)
    await store.put_account(account)
    return account


async def set_account_disabled(store: AccountStore, account_id: str, at: int | None) -> Account:
    """Disable the account from now on, or (None) enable it again. Its tokens are refused within seconds."""
    account = replace(await known_account(store, account_id), disabled_at=at)
    await store.put_account(account)
    return account


async def rename_account(store: AccountStore, account_id: str, name: str) -> Account:
    """Give the account another name.

    Raises:
        Refused: There is no such account, or the name is empty.
    """
    account = replace(await known_account(store, account_id), name=_name(name))
    await store.put_account(account)
    return account


async def create_client(
    store: AccountStore,
    account_id: str,
    name: str,
    scopes: Sequence[str],
    secret_digest: str,
    at: int,
    *,
    client_id: str = "",
) -> Client:
    """Make a client, with a new id unless one is named.

    Raises:
        Refused: There is no such account, the name is empty, a scope is unknown, or the id has other characters than it may have.
    """
    if client_id and not re.fullmatch(CLIENT_ID, client_id):
        raise Refused(InvalidValue(path="client_id", reason="A client id is 1 to 64 letters, digits, '-', '_' and '.'"))
    await known_account(store, account_id)
    client = Client(
        account_id=account_id,
        client_id=client_id or secrets.token_hex(16),
        name=_name(name),
        scopes=_known_scopes(scopes),
        secret_digest=secret_digest,
        disabled_at=None,
        created_at=at,
    )
    await store.put_client(client)
    return client


async def set_client_disabled(store: AccountStore, account_id: str, client_id: str, at: int | None) -> Client:
    """Disable the client from now on, or (None) enable it again."""
    client = replace(await known_client(store, account_id, client_id), disabled_at=at)
    await store.put_client(client)
    return client


async def update_client(
    store: AccountStore, account_id: str, client_id: str, *, name: str | None = None, scopes: Sequence[str] | None = None
) -> Client:
    """Give the client another name, or other scopes, which are those of the tokens that it is given from now on.

    Raises:
        Refused: There is no such client, the name is empty, or a scope is unknown.
    """
    client = await known_client(store, account_id, client_id)
    client = replace(
        client,
        name=client.name if name is None else _name(name),
        scopes=client.scopes if scopes is None else _known_scopes(scopes),
    )
    await store.put_client(client)
    return client


async def rotate_secret(
    store: AccountStore, account_id: str, client_id: str, secret_digest: str, earlier_until: int | None = None
) -> Client:
    """Give the client a new secret. The one of now is good until an instant, or (None) is refused at once.

    What was left of an earlier rotation ends: of two rotations within a grace, only the secrets of the latter are good.
    """
    client = await known_client(store, account_id, client_id)
    client = replace(
        client,
        secret_digest=secret_digest,
        earlier_digest=None if earlier_until is None else client.secret_digest,
        earlier_until=earlier_until,
    )
    await store.put_client(client)
    return client


def _name(name: str) -> str:
    if not name.strip():
        raise Refused(InvalidValue(path="name", reason="The name must not be empty"))
    return name


def _known_scopes(scopes: Sequence[str]) -> tuple[str, ...]:
    """Return the scopes, each once, or refuse what is none."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        known = ", ".join(SCOPES)
        raise Refused(
            InvalidValue(path="scope", reason=f"Unknown scope {', '.join(unknown) or '(none)'}; the scopes are {known}")
        )
    return tuple(dict.fromkeys(scopes))


async def known_account(store: AccountStore, account_id: str) -> Account:
    """Return the account, or refuse."""
    account = await store.account(account_id)
    if account is None:
        raise Refused(NoSuchAccount(path="account_id", account_id=account_id))
    return account


async def known_client(store: AccountStore, account_id: str, client_id: str) -> Client:
    """Return the client, or refuse."""
    client = await store.client(account_id, client_id)
    if client is None:
        raise Refused(InvalidValue(path="client_id", reason=f"The account {account_id} has no client {client_id}"))
    return client
