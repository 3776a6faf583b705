"""The empty application: it reads a request and answers a few bytes, on the HTTP server and the connections that Ordre has.

What a request costs here, no change of Ordre's own can save.
"""

import sys

import uvicorn
from starlette.types import Receive, Scope, Send

from ordre.api.http.watch import allow_connections
from ordre.server import listen

_ANSWER = b'{"status":"open"}\n'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_ANSWER)).encode())]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request once its body is read."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ANSWER})


def main() -> None:
    """Serve on a free port, and say on standard error where, until told to stop."""
    allow_connections()
    sockets = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        application,
        http="ordre.api.http.connection:Connection",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="off",
    )
    print(f"http://127.0.0.1:{sockets[0].getsockname()[1]}", file=sys.stderr, flush=True)  # noqa: T201 - for who started it
    uvicorn.Server(config).run(sockets)


if __name__ == "__main__":
    main()
