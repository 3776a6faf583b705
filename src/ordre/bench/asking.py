"""Single requests to the server under measurement, before anything counts."""

import http.client
import json
from base64 import b64encode
from contextlib import closing
from typing import Any
from urllib.parse import urlencode

from ordre.bench.failures import BenchFailed
from ordre.bench.requests import Shop

_SECONDS = 120.0


def new_shop(port: int, account_id: str, client_id: str, secret: str) -> Shop:
    """Ask for a token; return the account with it.

    Raises:
        BenchFailed: There is none.
    """
    headers = {
        "Authorization": f"Basic {b64encode(f'{client_id}:{secret}'.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    body = urlencode({"grant_type": "client_credentials"})
    said = _answer(port, "POST", f"/v1/accounts/{account_id}/auth/token", headers, body)
    return Shop(account_id=account_id, client_id=client_id, token=said["access_token"])


def first_id(port: int, shop: Shop, **query: str) -> str:
    """Return the ``id`` of the newest order that a list has.

    Raises:
        BenchFailed: It has none.
    """
    path = f"/v1/accounts/{shop.account_id}/shopping/orders?{urlencode({**query, 'limit': '1'})}"
    found = _answer(port, "GET", path, {"Authorization": f"Bearer {shop.token}"})
    if not found["orders"]:
        raise BenchFailed(f"no order is listed by {query}")
    id_: str = found["orders"][0]["id"]
    return id_


def _answer(port: int, method: str, path: str, headers: dict[str, str], body: str | None = None) -> Any:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != http.client.OK:
            raise BenchFailed(f"{method} {path.partition('?')[0]} was answered {answer.status}: {said.decode(errors='replace')}")
        return json.loads(said)
