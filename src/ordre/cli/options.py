"""What commands share: their options, the settings, and the store that they work with."""

import asyncio
import getpass
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from functools import cache
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from ordre.application.store import Access, Store
from ordre.cli.notices import print_warning
from ordre.settings import BadSetting, Settings, rule_of, settings_from, unknown_variables, variable_of

T = TypeVar("T")


def _of(name: str, about: str = "") -> Parameter:
    """Return the parameter for a setting: its help, its variable and its default come from its row."""
    default = getattr(Settings(), name)
    shown = f" [default: {default}]" if default != "" else ""
    return Parameter(help=f"{about or rule_of(name).about.replace('`', '')} [env var: {variable_of(name)}]{shown}")


Database = Annotated[str | None, _of("database", "Database URL: sqlite:///path or postgresql://user@host/name")]
AccountId = Annotated[str, Parameter(help="The account's id, such as T12345678.")]
ClientId = Annotated[str, Parameter(help="The client's id, as `ordre client list` prints it.")]
By = Annotated[str | None, Parameter(help="Who does it, for the log of administration [default: the user of the system].")]
Json = Annotated[bool, Parameter(negative="", show_default=False, help="Print JSON.")]
Switch = Annotated[bool, Parameter(negative="", show_default=False)]
"""A flag that is off unless it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """The settings that are flags of `ordre serve`, too."""

    database: Annotated[str | None, _of("database")] = None
    clock: Annotated[str | None, _of("clock")] = None
    host: Annotated[str | None, _of("host")] = None
    port: Annotated[int | None, _of("port")] = None
    workers: Annotated[int | None, _of("workers")] = None
    log_level: Annotated[str | None, _of("log_level")] = None
    log_format: Annotated[str | None, _of("log_format")] = None

    def given(self, *, memory: bool = False) -> dict[str, Any]:
        """Return them by name; ``memory`` puts everything in memory, whatever the database."""
        return {**asdict(self), **({"database": "memory:"} if memory else {})}


def settings_with(**flags: object) -> Settings:
    """Return the settings as ``stored_settings`` does; print a warning for each variable that is no setting."""
    _warn_of_unknown_variables()
    return stored_settings(**flags)


def stored_settings(**flags: object) -> Settings:
    """Return the settings of a command that works on a stored database: of the flags that are not None, else the environment.

    Raises:
        BadSetting: A value does not fit, or the database would be gone when the command ends.
    """
    settings = settings_from(os.environ, **flags)
    if settings.ephemeral:
        raise BadSetting("memory: is for `ordre serve` only: name a database that is stored")
    return settings


def with_store(
    database: str | None, work: Callable[[Store], Awaitable[T]], access: Access = Access.CHANGE, by: str | None = None
) -> T:
    """Open the store, do one thing with it, and close it; return its result. Only few commands make a database.

    Acts of administration are logged as done ``by`` somebody, or else by the user of the system.
    """
    from ordre import bootstrap  # noqa: PLC0415 - help and completion open no store

    async def running() -> T:
        async with bootstrap.opened(settings_with(database=database), access, by or system_user()) as store:
            return await work(store)

    return asyncio.run(running())


def system_user() -> str:
    """Return the name of the user who runs this process, or the number where the system has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return f"user {os.getuid()}"


def now() -> int:
    """Return the time, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@cache
def _warn_of_unknown_variables() -> None:
    for sentence in unknown_variables(os.environ):
        print_warning(sentence)
