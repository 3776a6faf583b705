"""Accounts, clients, the keys that sign tokens, and the log of who changed them: the same tables on both engines."""

import time
from collections.abc import Sequence

from ordre.application.directory import Account, Act, Client, SigningKey
from ordre.application.troubles import KeysUnreadable
from ordre.auth.sealing import CannotUnseal, Sealer, is_sealed
from ordre.db import administration, feeding
from ordre.db.administration import ACCOUNT, CLIENT, KEY, Bound
from ordre.db.scripts import Script
from ordre.db.sql import Row, Statements
from ordre.db.terms import Statement

_ACCOUNT = "select account_id, name, disabled_at, created_at from accounts"
STORED_FORM = 2
"""In which form facts and bodies are stored: what was stored in an earlier one is written anew, see ``db/indexing.py``."""
_CLIENT = """
select account_id, client_id, name, scopes, secret_digest, disabled_at, created_at, earlier_digest, earlier_until, last_used_on
from clients where account_id = $1"""
_PUT_ACCOUNT = """
insert into accounts (account_id, name, disabled_at, created_at, terms_version, stored_form) values ($1, $2, $3, $4, $5, $6)
on conflict (account_id) do update set name = excluded.name, disabled_at = excluded.disabled_at
"""
_PUT_CLIENT = """
insert into clients
    (account_id, client_id, name, scopes, secret_digest, disabled_at, created_at, earlier_digest, earlier_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (account_id, client_id) do update set name = excluded.name, scopes = excluded.scopes,
    secret_digest = excluded.secret_digest, disabled_at = excluded.disabled_at,
    earlier_digest = excluded.earlier_digest, earlier_until = excluded.earlier_until
"""
_MARK_USED = """
update clients set last_used_on = $3
where account_id = $1 and client_id = $2 and (last_used_on is null or last_used_on < $3)
returning 1
"""
_PUT_KEY = """
insert into signing_keys (kid, jwk, created_at, retired_at) values ($1, $2, $3, $4)
on conflict (kid) do update set retired_at = excluded.retired_at
"""
_KEYS = "select kid, jwk, created_at, retired_at from signing_keys order by created_at desc, kid"
_RESEAL_KEY = "update signing_keys set jwk = $3 where kid = $1 and jwk = $2 returning 1"
_SERIAL = "update accounts set next_serial = next_serial + 1 where account_id = $1 returning next_serial - 1"


class DirectoryTables(Statements):
    """The directory of a store."""

    async def accounts(self) -> Sequence[Account]:
        """Return every account, by id."""
        return [_account(row) for row in await self.shared(f"{_ACCOUNT} order by account_id")]

    async def account(self, account_id: str) -> Account | None:
        """Return one account."""
        found = await self.shared(f"{_ACCOUNT} where account_id = $1", account_id)
        return _account(found[0]) if found else None

    async def put_account(self, account: Account) -> None:
        """Store a new account, or its new name and state."""
        named = (account.account_id, account.name, account.disabled_at, account.created_at)
        put = self._logged(ACCOUNT, (account.account_id,), (_PUT_ACCOUNT, (*named, self.terms.version, STORED_FORM)))
        await self.run(_with_feed(account.account_id, put), account.account_id)

    async def clients(self, account_id: str) -> Sequence[Client]:
        """Return the account's clients, by id."""
        return [_client(row) for row in await self.rows(f"{_CLIENT} order by client_id", account_id)]

    async def client(self, account_id: str, client_id: str) -> Client | None:
        """Return one client of the account."""
        found = await self.rows(f"{_CLIENT} and client_id = $2", account_id, client_id)
        return _client(found[0]) if found else None

    async def put_client(self, client: Client) -> None:
        """Store a new client, or its new name, scopes, secrets and state."""
        named = (client.account_id, client.client_id, client.name, " ".join(client.scopes))
        earlier = (client.earlier_digest, client.earlier_until)
        values = (*named, client.secret_digest, client.disabled_at, client.created_at, *earlier)
        await self._put(CLIENT, (client.account_id, client.client_id), (_PUT_CLIENT, values))

    async def mark_used(self, account_id: str, client_id: str, day: str) -> None:
        """Store the day on which the client was last given a token."""
        await self.write(_MARK_USED, account_id, client_id, day)

    async def signing_keys(self) -> Sequence[SigningKey]:
        """Return every key that ever signed a token, newest first."""
        return [self._signing_key(row) for row in await self.shared(_KEYS)]

    async def put_signing_key(self, key: SigningKey) -> None:
        """Store a new key, or when it was retired."""
        sealed = self._sealer.seal(key.jwk, about_key(key.kid))
        await self._put(KEY, (key.kid,), (_PUT_KEY, (key.kid, sealed, key.created_at, key.retired_at)))

    async def seal_signing_keys(self, *, plain: bool = False) -> int:
        """Write anew those keys that are not encrypted under the secret of now, or (``plain``) are encrypted; return how many."""
        sealer, changed = Sealer() if plain else self._sealer, 0
        for row in await self.shared(_KEYS):
            if not sealer.is_current(row[1]):
                key = self._signing_key(row)
                sealed = sealer.seal(key.jwk, about_key(key.kid))
                changed += await self._put(KEY, (key.kid,), (_RESEAL_KEY, (key.kid, row[1], sealed)))
        if changed:
            await self.count_overwritten()
        return changed

    async def acts(self, account_id: str | None = None) -> Sequence[Act]:
        """Return the log of administration, of one account or all of it, oldest first."""
        found = await (
            self.shared(administration.ACTS) if account_id is None else self.shared(administration.ACTS_OF, account_id)
        )
        return [administration.act_from(row) for row in found]

    async def serial(self, account_id: str) -> int:
        """Draw the account's next serial number."""
        found = await self.write_shared(_SERIAL, account_id)
        number: int = found[0][0]
        return number

    async def _put(self, bound: Bound, key: Sequence[str], statement: Statement) -> bool:
        """Change one row of what is administered, and log that; return whether it changed anything."""
        return await self.run(self._logged(bound, key, statement), key[0] if bound is CLIENT else "")

    def _logged(self, bound: Bound, key: Sequence[str], statement: Statement) -> Script[bool]:
        return administration.put(bound, key, statement, self.by, time.time_ns() // 1_000_000, self.engine)

    def _signing_key(self, row: Row) -> SigningKey:
        kid, stored, created_at, retired_at = row
        try:
            jwk = self._sealer.unseal(stored, about_key(kid))
        except CannotUnseal as error:
            raise KeysUnreadable(f"the key {kid} that signs tokens cannot be read: {error} (ORDRE_SECRET_KEY)") from error
        return SigningKey(kid=kid, jwk=jwk, created_at=created_at, retired_at=retired_at, encrypted=is_sealed(stored))


def _with_feed(account_id: str, put: Script[bool]) -> Script[None]:
    """Store an account, and begin its feed where it is new."""
    yield from put
    yield feeding.BEGIN, (account_id,)


def about_key(kid: str) -> str:
    """Return the label that a sealed key is bound to, so that it cannot stand in for another."""
    return f"signing key {kid}"


def _account(row: Row) -> Account:
    return Account(account_id=row[0], name=row[1], disabled_at=row[2], created_at=row[3])


def _client(row: Row) -> Client:
    return Client(
        account_id=row[0],
        client_id=row[1],
        name=row[2],
        scopes=tuple(row[3].split()),
        secret_digest=row[4],
        disabled_at=row[5],
        created_at=row[6],
        earlier_digest=row[7],
        earlier_until=row[8],
        last_used_on=row[9],
    )
