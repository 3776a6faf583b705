"""The arguments and the results of handlers."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

import msgspec
from starlette.requests import Request

from ordre.api.http.client_names import ClientNames
from ordre.api.http.deadline import Deadline
from ordre.api.http.rates import Guesses
from ordre.api.http.requests import token_of
from ordre.api.http.turns import Exports, Followers
from ordre.api.http.unseen import Told
from ordre.api.wire.common import encode
from ordre.application.aside import small
from ordre.application.change import Call
from ordre.application.store import Store
from ordre.auth.tokens import InvalidToken, Tokens
from ordre.domain.order.conditions import Limits

WRITES = "ordre.writes"
"""Says in the scope whether the request is to change something."""
WRITTEN = "ordre.written"
"""Says in the scope that what the request asked for is recorded, whatever becomes of its answer."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer: JSON, as a text or as the pieces of one, and the version that becomes its ETag. What is no JSON names its type.

    Of parts that are made while it is sent the ``first`` is made already; whoever sends it closes their source.
    With 204 there is none.
    """

    body: str | bytes | Sequence[bytes] | AsyncGenerator[bytes, None] | None
    version: int | None = None
    status: int = 200
    headers: Mapping[str, str] = MappingProxyType({})
    replayed: bool = False
    first: bytes = b""
    media: str = ""


def reply(value: object) -> Reply:
    """Return an answer of any value."""
    return Reply(body=encode(value))


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """One request, checked: who calls, with what. ``call`` carries what a write keeps of it."""

    store: Store
    clients: ClientNames
    tokens: Tokens
    guesses: Guesses
    deadline: Deadline
    exports: Exports
    followers: Followers
    limits: Limits
    call: Call
    path: Mapping[str, str]
    request: Request
    new_id: Callable[[], str]
    told: Told | None = None
    """What the answer is to tell of fields that were not taken; None where nobody asks."""

    @property
    def account_id(self) -> str:
        """The account that the request is about."""
        return self.call.account_id

    @property
    def base_url(self) -> str:
        """The URL under which the caller reached this server."""
        return str(self.request.base_url).rstrip("/")

    @property
    def order(self) -> str:
        """The order that the path names, by its ``order_id`` or ``id``."""
        return self.path["order_id"]

    async def names(self) -> Mapping[str, str]:
        """Return the current names of the account's clients, by id."""
        return await self.clients.of(self.account_id)

    async def is_let_in(self) -> bool:
        """Whether the token of the request is still good: what takes long asks again."""
        try:
            await self.tokens.verify(token_of(self.request))
        except InvalidToken:
            return False
        return True

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Wait for what nobody is late with: it takes none of the time of the request, and no large read gives way to it."""
        with small.but_for_this(), self.deadline.but_for_this():
            yield

    def was_written(self) -> None:
        """Remember that what the request asked for is recorded: what fails from now on is its answer alone."""
        self.request.scope[WRITTEN] = True
