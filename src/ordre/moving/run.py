"""An import: a file's lines in chunks, brought in by several processes where the database is a server."""

import asyncio
import multiprocessing
import os
import threading
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from ordre import bootstrap
from ordre.application.accounts import known_account
from ordre.application.store import Access, Store
from ordre.domain.order.conditions import Limits
from ordre.moving.bringing import Bringer, Fate, Line, Result
from ordre.moving.reading import Reader
from ordre.settings import Settings

CHUNK_LINES, CHUNK_BYTES = 256, 1024 * 1024
_WAITING = 2
"""Chunks that wait, for each process."""
Chunk = tuple[list[Line], int]
"""Lines, and where in the file they end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How lines are brought in, and into which account. See ``Bringer``."""

    account_id: str
    dry: bool
    strict: bool
    by: str


@dataclass(slots=True)
class Report:
    """What became of all lines."""

    fates: Counter[Fate] = field(default_factory=Counter)
    differences: dict[str, tuple[int, str, str, str | None]] = field(default_factory=dict)
    """Path, with no numbers of entries -> in how many orders it differs, and of the first: its name, what was said, what is."""

    def add(self, result: Result) -> None:
        """Count a line."""
        self.fates[result.fate] += 1
        for path, said, becomes in {(_general(one.path), one.said, one.becomes) for one in result.differences}:
            count, name, first, now = self.differences.get(path, (0, result.order_id or "", said, becomes))
            self.differences[path] = (count + 1, name, first, now)


def _general(path: str) -> str:
    return "".join(part if index == 0 else f"[]{part.partition(']')[2]}" for index, part in enumerate(path.split("[")))


def lines_of(path: Path) -> Iterator[tuple[Line, int]]:
    """Yield the lines of a file, and where each ends; empty ones are left out."""
    end = 0
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            end += len(text)
            if stripped := text.strip():
                yield Line(number, stripped), end


def chunks(found: Iterable[tuple[Line, int]]) -> Iterator[Chunk]:
    """Yield lines in chunks."""
    lines, size, end = list[Line](), 0, 0
    for line, end in found:
        lines.append(line)
        size += len(line.text)
        if len(lines) == CHUNK_LINES or size > CHUNK_BYTES:
            yield lines, end
            lines, size = [], 0
    if lines:
        yield lines, end


async def run(settings: Settings, wishes: Wishes, work: Iterable[Chunk]) -> AsyncIterator[tuple[list[Result], int]]:
    """Bring in chunk after chunk; yield the results of each, in their order, and where it ends.

    Raises:
        Refused: There is no such account.
        StoreUnavailable: The database is not there, or cannot be written; what was yielded is durable.
    """
    async with bootstrap.opened(settings, Access.READ if wishes.dry else Access.CHANGE, wishes.by) as store:
        await known_account(store, wishes.account_id)
        if settings.sqlite_path is not None:
            bringer = _bringer(store, settings, wishes)
            for lines, end in work:
                yield await bringer.bring(lines), end
            return
    async for done in _by_processes(settings, wishes, work):
        yield done


async def _by_processes(settings: Settings, wishes: Wishes, work: Iterable[Chunk]) -> AsyncIterator[tuple[list[Result], int]]:
    processes = os.cpu_count() or 1
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, _begin, (settings, wishes)) as pool:
        waiting: deque[tuple[Future[list[Result]], int]] = deque()
        try:
            for lines, end in work:
                with nullcontext() if waiting else bootstrap.without_ctrl_c():
                    waiting.append((pool.submit(_bring, lines), end))
                if len(waiting) > processes * _WAITING:
                    yield await _next(waiting)
            while waiting:
                yield await _next(waiting)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


async def _next(waiting: "deque[tuple[Future[list[Result]], int]]") -> tuple[list[Result], int]:
    future, end = waiting.popleft()
    return await asyncio.wrap_future(future), end


def _bringer(store: Store, settings: Settings, wishes: Wishes) -> Bringer:
    limits = Limits(lines=settings.max_lines, operations=settings.max_operations, events=settings.max_events)
    reader = Reader(wishes.account_id, store.documents, limits, settings.json_depth)
    return Bringer(store, reader, wishes.account_id, dry=wishes.dry, strict=wishes.strict)


_here: Callable[[list[Line]], list[Result]]
"""What brings lines in, in a process that was started for it."""


def _begin(settings: Settings, wishes: Wishes) -> None:
    """Open the store in a process of its own. Its end closes the connections."""
    global _here  # noqa: PLW0603 - a pool of processes gives its work no other place
    bootstrap.end_at_ctrl_c()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    runner = asyncio.Runner()
    store = bootstrap.make_store(settings, Access.READ if wishes.dry else Access.CHANGE, wishes.by)
    runner.run(store.open())
    bringer = _bringer(store, settings, wishes)

    def here(lines: list[Line]) -> list[Result]:
        return runner.run(bringer.bring(lines))

    _here = here


def _end_with_parent() -> None:
    """End at once where the process is gone that gives the work: nobody would be told of it any more."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _bring(lines: list[Line]) -> list[Result]:
    return _here(lines)
