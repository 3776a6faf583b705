"""What only a server in memory has: an account is to be had for the asking, so that each test may have one of its own."""

from itertools import count

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ordre.api.answers import JsonAnswer
from ordre.api.clock import Clock
from ordre.application import accounts
from ordre.application.store import Store
from ordre.auth.secrets import digest_of, new_secret


async def new_account(store: Store, account_id: str, at: int, client_id: str = "", secret: str = "") -> dict[str, str]:
    """Make an account and a client that may do everything on it; return how to use them. What is empty is made up.

    Raises:
        Refused: The account is there already, or an id is none.
    """
    secret = secret or new_secret()
    account = await accounts.create_account(store, account_id, "Test", at)
    scopes, digest = ["admin:shopping"], digest_of(secret)
    client = await accounts.create_client(store, account.account_id, "Test", scopes, digest, at, client_id=client_id)
    return {"account_id": account.account_id, "client_id": client.client_id, "client_secret": secret}


def routes(store: Store, clock: Clock) -> list[Route]:
    """Return the endpoint that makes an account, with the next id that is free."""
    numbers = count(1)

    async def answer(_: Request) -> Response:
        account_id = f"T{next(numbers):08d}"
        while await store.account(account_id) is not None:
            account_id = f"T{next(numbers):08d}"
        return JsonAnswer(msgspec.json.encode(await new_account(store, account_id, clock.now()[0])).decode())

    return [Route("/accounts", answer, methods=["POST"])]
