"""What only a server for tests has: accounts for the asking, so that each test may have its own, and a clock that is moved."""

import msgspec
from msgspec import UNSET, UnsetType
from starlette.requests import Request

from ordre.api.http.answers import JsonAnswer
from ordre.api.http.clock import SetClock, later
from ordre.api.http.requests import STRANGER_BYTES, body_of
from ordre.api.http.shared import Api
from ordre.api.wire.common import Wire, decoder, instant, milliseconds
from ordre.application import accounts
from ordre.application.store import Store
from ordre.auth.secrets import digest_of, new_secret
from ordre.domain.refusals import InvalidValue, Refused

_ALLOWED = (
    'Must be {"now": an RFC 3339 date-time such as "2026-01-31T12:00:00Z"} or {"advance": an ISO 8601 duration such as "P1D"}'
)


class _Time(Wire, kw_only=True):
    now: str | UnsetType = UNSET
    advance: str | UnsetType = UNSET


_decode = decoder(_Time).decode


async def new_account(store: Store, account_id: str, at: int, client_id: str = "", secret: str = "") -> dict[str, str]:
    """Make an account and a client that may do everything on it; return how to use them. What is empty is made up.

    Raises:
        Refused: The account is there already, or an id is none.
    """
    secret = secret or new_secret()
    account = await accounts.create_account(store, account_id, "Test", at)
    scopes, digest = ["admin:shopping", "admin:hooks"], digest_of(secret)
    client = await accounts.create_client(store, account.account_id, "Test", scopes, digest, at, client_id=client_id)
    return {"account_id": account.account_id, "client_id": client.client_id, "client_secret": secret}


async def make_account(api: Api, _: Request) -> JsonAnswer:
    """Make an account with the next id that is free; answer how to use it."""
    account_id = f"T{next(api.account_numbers):08d}"
    while await api.store.account(account_id) is not None:
        account_id = f"T{next(api.account_numbers):08d}"
    return JsonAnswer(msgspec.json.encode(await new_account(api.store, account_id, api.clock.now()[0])).decode())


async def read_clock(api: Api, _: Request) -> JsonAnswer:
    """Answer where the clock stands."""
    return _time_of(_clock(api))


async def move_clock(api: Api, request: Request) -> JsonAnswer:
    """Move the clock; answer where it stands, once all is done that the passing of the time asks for."""
    clock = _clock(api)
    clock.move(_goal(await body_of(request, STRANGER_BYTES, api.body_deadline), clock.time))
    await api.moved(clock.time)
    return _time_of(clock)


def _clock(api: Api) -> SetClock:
    if not isinstance(api.clock, SetClock):
        raise TypeError("only a clock that can be moved is served")
    return api.clock


def _time_of(clock: SetClock) -> JsonAnswer:
    return JsonAnswer(f'{{"now":"{instant(clock.time)}"}}')


def _goal(body: bytes, now: int) -> int:
    """Return where a body moves a clock that stands at ``now``."""
    try:
        asked = _decode(body)
    except msgspec.MsgspecError as error:
        raise Refused(InvalidValue(path="", reason=_ALLOWED)) from error
    if isinstance(asked.now, str) == isinstance(asked.advance, str):
        raise Refused(InvalidValue(path="", reason=_ALLOWED))
    path = "now" if isinstance(asked.now, str) else "advance"
    try:
        return milliseconds(asked.now) if isinstance(asked.now, str) else later(now, str(asked.advance))
    except ValueError as error:
        raise Refused(InvalidValue(path=path, reason=str(error))) from error
