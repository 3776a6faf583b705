"""What a client sends to a server in memory."""

import httpx

from ordre.pytest import RunningOrdre


def send(ordre: RunningOrdre, method: str, path: str, body: object = None) -> httpx.Response:
    """Send it as the server's own client, with a new token. The path is below `/shopping`."""
    headers = {"Authorization": f"Bearer {ordre.token()}"}
    return httpx.request(method, f"{ordre.api_url}/shopping{path}", headers=headers, json=body)
