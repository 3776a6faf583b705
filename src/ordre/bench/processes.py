"""What processes of this machine took of it: CPU seconds, from /proc. Elsewhere that is not measured."""

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_OWN, _WITH_CHILDREN = slice(11, 13), slice(11, 15)
"""Of the fields after the name: user and system time, in ticks; then those of children that have ended."""
_STOP_SECONDS = 15.0


def _stat(pid: int) -> list[str] | None:
    """Return the fields of a process after its name; None where it has gone, or where there is no /proc."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def descendants(pid: int) -> list[int]:
    """Return a process and all that it and those have started, as far as they run."""
    parents: dict[int, list[int]] = {}
    for entry in _PROC.glob("[0-9]*"):
        fields = _stat(int(entry.name))
        if fields is not None:
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    return list(_below(pid, parents))


def _below(pid: int, parents: dict[int, list[int]]) -> Iterator[int]:
    yield pid
    for child in parents.get(pid, []):
        yield from _below(child, parents)


def cpu_of(pid: int | None) -> float | None:
    """Return the CPU seconds that a process has taken, with those that it started; None where that cannot be seen."""
    fields = None if pid is None else _stat(pid)
    if pid is None or fields is None:
        return None
    ticks = sum(map(int, fields[_WITH_CHILDREN]))
    for child in descendants(pid)[1:]:
        own = _stat(child)
        ticks += 0 if own is None else sum(map(int, own[_WITH_CHILDREN]))
    return ticks / os.sysconf("SC_CLK_TCK")


def machine_cpu() -> float | None:
    """Return the CPU seconds that all of this machine has taken; None where that cannot be seen."""
    try:
        fields = (_PROC / "stat").read_text().partition("\n")[0].split()
    except OSError:
        return None
    user, nice, system, _, _, irq, soft, *_ = map(int, fields[1:])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def parent_named(pid: int, name: str) -> int | None:
    """Return the parent of a process of this machine, where that process has this name."""
    try:
        if (_PROC / str(pid) / "comm").read_text().strip() != name:
            return None
    except OSError:
        return None
    fields = _stat(pid)
    return None if fields is None else int(fields[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """CPU seconds that were taken of the machine: by the server, by PostgreSQL, by everything. None: not measured."""

    at: float
    server: float | None
    database: float | None
    machine: float | None


def taken(server: int | None, database: int | None) -> Taken:
    """Return the CPU seconds taken until now by a server process and by PostgreSQL's, each with those that they started."""
    return Taken(at=time.monotonic(), server=cpu_of(server), database=cpu_of(database), machine=machine_cpu())


def between(before: float | None, after: float | None, share: float = 1.0) -> float | None:
    """Return a share of the CPU seconds between two looks; None where they were not measured."""
    return None if before is None or after is None else (after - before) * share


def end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that was started in a group of its own, and all that it started."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        for pid in reversed(descendants(process.pid)):
            os.kill(pid, 9)
        process.wait()
