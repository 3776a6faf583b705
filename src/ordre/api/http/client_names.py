"""The current names of the clients of an account, read every few seconds at most: events show them without another read."""

from collections import OrderedDict
from collections.abc import Mapping
from time import monotonic

from ordre.application.directory import AccountStore

SECONDS = 5.0
"""How long a new name may take to be answered, in any process."""
REMEMBERED = 1_000
"""Accounts of which the names are kept."""


class ClientNames:
    """Names by the id of the client, disabled ones with them."""

    def __init__(self, store: AccountStore) -> None:
        self._store = store
        self._kept: OrderedDict[str, tuple[float, Mapping[str, str]]] = OrderedDict()

    async def of(self, account_id: str) -> Mapping[str, str]:
        """Return the names of the account's clients."""
        now = monotonic()
        read_at, names = self._kept.get(account_id, (-SECONDS, {}))
        if now - read_at < SECONDS:
            return names
        names = {client.client_id: client.name for client in await self._store.clients(account_id)}
        self._kept[account_id] = (now, names)
        self._kept.move_to_end(account_id)
        while len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return names
