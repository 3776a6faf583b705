"""Accounts, their clients, the keys that sign tokens, and the log of who changed them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

SERVICE = "ordre"
"""Who acts where nobody does: the service by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    account_id: str
    name: str
    disabled_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client of the API. Its secret is known only by its digest.

    The earlier secret, where there is one, is good until ``earlier_until``, in milliseconds. ``last_used_on`` is the day, in UTC,
    on which the client was last given a token, such as 2026-01-31.
    """

    account_id: str
    client_id: str
    name: str
    scopes: tuple[str, ...]
    secret_digest: str
    disabled_at: int | None
    created_at: int
    earlier_digest: str | None = None
    earlier_until: int | None = None
    last_used_on: str | None = None

    def earlier_until_after(self, at: int) -> int | None:
        """Return until when the earlier secret is good, in milliseconds, if it still is at this instant."""
        until = self.earlier_until if self.earlier_digest is not None else None
        return until if until is not None and at < until else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An Ed25519 key, as a private JWK in JSON. A retired key signs nothing, but what it signed is still good.

    ``encrypted`` says how the store keeps it; how a new one is stored follows from the store's own secret.
    """

    kid: str
    jwk: str
    created_at: int
    retired_at: int | None
    encrypted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One row of the log of administration: who did what, to which account, client, key or migration (``kind``, ``subject``).

    ``at`` is in milliseconds. ``detail`` is JSON: columns as they are after the act, or ``[before, after]``; ``digest`` is of the
    row as it stands after it, ``hash`` chains the act to the one before.
    """

    number: int
    at: int
    by: str
    act: str
    kind: str
    account_id: str
    subject: str
    detail: str
    digest: str
    hash: str


class AccountStore(Protocol):
    """Accounts, their clients, and the keys that sign tokens. Whatever changes them is logged, under whom the store works for."""

    async def accounts(self) -> Sequence[Account]: ...
    async def account(self, account_id: str) -> Account | None: ...
    async def put_account(self, account: Account) -> None: ...
    async def clients(self, account_id: str) -> Sequence[Client]: ...
    async def client(self, account_id: str, client_id: str) -> Client | None: ...
    async def put_client(self, client: Client) -> None:
        """Store a new client, or what has changed of it; when it was last used is not changed by this."""
        ...

    async def mark_used(self, account_id: str, client_id: str, day: str) -> None:
        """Store that the client was given a token on this day, unless it was given one later."""
        ...

    async def signing_keys(self) -> Sequence[SigningKey]:
        """Return every key, newest first.

        Raises:
            KeysUnreadable: See there.
        """
        ...

    async def put_signing_key(self, key: SigningKey) -> None: ...
    async def seal_signing_keys(self, *, plain: bool = False) -> int:
        """Encrypt every key under the store's secret of now, or (``plain``) decrypt it; return how many that changed."""
        ...

    async def acts(self, account_id: str | None = None) -> Sequence[Act]:
        """Return the log of administration, of one account or all of it, oldest first."""
        ...

    async def serial(self, account_id: str) -> int:
        """Draw the account's next serial number. Numbers may have gaps."""
        ...
