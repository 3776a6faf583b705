"""`ordre serve`."""

import asyncio
from typing import Annotated

from cyclopts import Parameter

from ordre import __version__, bootstrap
from ordre.cli.options import Database, settings_with
from ordre.cli.output import console
from ordre.settings import Settings


def serve(
    *,
    host: Annotated[str | None, Parameter(env_var="ORDRE_HOST", help="The address to listen on [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, Parameter(env_var="ORDRE_PORT", help="The port to listen on [default: 8080]")] = None,
    database: Database = None,
    workers: Annotated[int | None, Parameter(env_var="ORDRE_WORKERS", help="Server processes [default: 1]")] = None,
    ephemeral: Annotated[
        bool, Parameter(negative="", help="Keep everything in memory, for tests; print a client as JSON")
    ] = False,
    clock: Annotated[
        str | None, Parameter(env_var="ORDRE_CLOCK", help="With --ephemeral: start the clock here, see PUT /clock")
    ] = None,
) -> None:
    """Serve the API until interrupted; requests in flight finish.

    An SQLite database is made and migrated where needed. A PostgreSQL database is prepared with `ordre migrate`.
    """
    where = "memory:" if ephemeral else database
    settings = settings_with(host=host, port=port, database=where, workers=workers, clock=clock)
    if not settings.ephemeral:
        asyncio.run(_check(settings))
    console.print(f"Ordre {__version__} serves http://{settings.host}:{settings.port} (documentation at /docs)", highlight=False)
    bootstrap.serve(settings)


async def _check(settings: Settings) -> None:
    async with bootstrap.opened(settings) as store:
        role = await store.unbound()
        encrypted = await bootstrap.seal_keys(store, settings)
    for file in bootstrap.readable_by_others(settings):
        console.print(f"[yellow]Others on this machine may read {file}: say `chmod 600 {file}`[/]", highlight=False)
    if encrypted:
        console.print(f"encrypted {encrypted} of the keys that sign tokens", highlight=False)
    if role is not None:
        console.print(
            f"[yellow]The database role {role} is not bound by row-level security; see docs/operate.md[/]", highlight=False
        )
