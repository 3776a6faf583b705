"""`ordre witness`."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ordre import logs
from ordre.application.troubles import StoreUnavailable
from ordre.cli.options import Database, Switch, now, stored_settings
from ordre.cli.running import begin_log, fail
from ordre.domain.refusals import Refused
from ordre.kept import INSIDE, BadKept, Kept, KeptFile, State, line_of
from ordre.settings import BadSetting, Settings
from ordre.witness import appending, look, write

_STANDARD = "-"
_AGAIN_SECONDS = 60.0
"""After a database that was away."""
_SAID = 100
"""Differences of one look that are logged one by one; `ordre verify --since` names all."""

File = Annotated[str, Parameter(allow_leading_hyphen=True)]
Add = Callable[[Sequence[Kept]], None]


def _check_every(_type: object, every: timedelta) -> None:
    if every < timedelta(seconds=1):
        raise ValueError("must be at least 1 second, such as 10m or 1h")


Every = Annotated[
    timedelta,
    Parameter(validator=_check_every, show_default=False, help="Time between roots, such as 10m or 12h [default: 1h]."),
]


def witness(
    file: File,
    *,
    account: str | None = None,
    every: Every = timedelta(hours=1),
    once: Switch = False,
    database: Database = None,
) -> None:
    """Append a signed root of each account to a file, a line of JSON each, again and again until interrupted.

    Keep the file, or send the lines, where whoever writes to the database cannot reach: `ordre verify --since FILE` then names
    what was changed or deleted, whoever did it. What changed since the root before is verified; where something differs, no root
    is signed.

    Args:
        file: The file, such as orders.roots, which is only ever appended to; - writes to standard output.
        account: Only this account.
        once: Append one root of each account, and end.
    """
    settings = stored_settings(database=database)
    begin_log(settings)
    if not settings.own_root_key():
        logs.warning("root_key_inside", reason=INSIDE)
    try:
        with _opened(file) as (kept, add):
            differing = asyncio.run(_Witness(settings, account, kept, add).run(None if once else every))
    except (StoreUnavailable, BadKept, BadSetting, OSError) as error:
        fail(error, settings.log_format)
    except Refused as error:
        fail(BadSetting(" ".join(refusal.message for refusal in error.refusals)), settings.log_format)
    if differing:
        sys.exit(1)


@contextlib.contextmanager
def _opened(file: str) -> Iterator[tuple[KeptFile, Add]]:
    if file != _STANDARD:
        with appending(Path(file)) as log:
            for number in log.kept.torn:
                logs.warning("torn_line", line=number)
            yield log.kept, log.add
        return
    kept = KeptFile()

    def add(roots: Sequence[Kept]) -> None:
        write(sys.stdout.fileno(), b"".join(line_of(root) for root in roots))
        for root in roots:
            kept.accounts.setdefault(root.account_id, State()).go_on(root)

    yield kept, add


class _Witness:
    """Looks and writes until it is told to stop."""

    def __init__(self, settings: Settings, account: str | None, kept: KeptFile, add: Add) -> None:
        self._settings, self._account, self._kept, self._add = settings, account, kept, add
        self._stopped = asyncio.Event()
        self._written, self._differing = 0, False

    async def run(self, every: timedelta | None) -> bool:
        """Look once, or at this distance until interrupted; return whether anything differed in a look that was the only one."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped.set)
        if every is None:
            await self._until_stopped(self._look())
            return self._differing
        logs.info("witnessing", every_seconds=every.total_seconds())
        while not self._stopped.is_set():
            begun = loop.time()
            pause = every.total_seconds()
            try:
                await self._until_stopped(self._look())
            except StoreUnavailable as error:
                logs.warning("witness_failed", reason=str(error))
                pause = min(pause, _AGAIN_SECONDS)
            await self._until_stopped(asyncio.sleep(max(0.0, begun + pause - loop.time())))
        logs.info("witness_stopped", roots=self._written)
        return False

    async def _until_stopped(self, work: Coroutine[None, None, None]) -> None:
        """Do some work, but for what is left of it when this is told to stop."""
        doing, told = asyncio.ensure_future(work), asyncio.ensure_future(self._stopped.wait())
        await asyncio.wait((doing, told), return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if not doing.done():
            doing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await doing

    async def _look(self) -> None:
        found = await look(self._settings, self._account, self._kept.accounts, now())
        self._add(found.roots)  # not interrupted: nothing is awaited here
        self._written += len(found.roots)
        self._differing = bool(found.differences)
        for one in found.differences[:_SAID]:
            logs.error("differs", reason=str(one))
        if found.differences:
            logs.error("not_signed", differences=len(found.differences), roots=len(found.roots))
        else:
            logs.info("witnessed", roots=len(found.roots), orders=sum(one.orders for one in found.roots))
