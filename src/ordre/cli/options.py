"""What commands share: their options, the settings, and the store that they work with."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from cyclopts import Parameter

from ordre import bootstrap
from ordre.application.ports import Access, Store
from ordre.settings import Settings, settings_from

T = TypeVar("T")

Database = Annotated[str | None, Parameter(env_var="ORDRE_DATABASE", help="sqlite:///path or postgresql://user@host/name")]
Json = Annotated[bool, Parameter(negative="", help="Print JSON")]


def settings_with(**flags: object) -> Settings:
    """Return the settings: of the flags that are not None, else of the environment."""
    return settings_from(os.environ, **flags)


def with_store(database: str | None, work: Callable[[Store], Awaitable[T]], access: Access = Access.CHANGE) -> T:
    """Open the store, do one thing with it, and close it; return what came of it. Only few commands make a database."""

    async def running() -> T:
        async with bootstrap.opened(settings_with(database=database), access) as store:
            return await work(store)

    return asyncio.run(running())


def now() -> int:
    """Return the time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
