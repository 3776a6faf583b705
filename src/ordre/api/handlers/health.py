"""Handlers of health: for people, for whoever restarts a process, and for whoever sends requests to it."""

from dataclasses import dataclass
from http import HTTPStatus

from ordre import __version__
from ordre.api.http.context import Context, Reply, reply
from ordre.api.http.errors import Failure
from ordre.api.wire.queries import NoBody, NoQuery


@dataclass(slots=True)
class Lifecycle:
    """The state of this process: whether it is about to stop. It stands in the state of the lifespan, as ``lifecycle``."""

    stopping: bool = False


async def health(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Whether the server and its database can take requests."""
    await context.store.ping()
    return _ok()


async def live(_: Context, __: NoBody, ___: NoQuery) -> Reply:
    """Whether the process answers."""
    return _ok()


async def ready(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Whether to send requests here: the database works, this version serves its schema, and the server is not stopping."""
    lifecycle = getattr(context.request.state, "lifecycle", None)
    if lifecycle is not None and lifecycle.stopping:
        raise Failure(HTTPStatus.SERVICE_UNAVAILABLE, "stopping", "The server is stopping; ask another one", {"retry-after": "1"})
    await context.store.ping()
    await context.store.check_schema()
    return _ok()


def _ok() -> Reply:
    return reply({"status": "ok", "version": __version__})
