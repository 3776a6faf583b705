"""The machine, and what of Ordre and Python runs on it: without that, no figure says anything."""

import os
import platform
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import ordre
from ordre import __version__
from ordre.audit import processors

_GIB = 1024**3
_SYNCS = 40
_PAGE = bytes(4096)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where and when it was measured. ``sync_us`` is how long a page takes to be safe on the disk that holds throwaway files."""

    date: str
    ordre: str
    commit: str
    python: str
    system: str
    processor: str
    processors: int
    memory_gib: float | None
    sync_us: float


def machine(folder: Path) -> Machine:
    """Return the facts of this machine. ``folder`` is where throwaway files are made."""
    return Machine(
        date=datetime.now(UTC).date().isoformat(),
        ordre=__version__,
        commit=_commit(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        processors=processors(),
        memory_gib=_memory(),
        sync_us=_sync_us(folder / "sync"),
    )


def _commit() -> str:
    """Return the commit of the sources, with a mark where they were changed since; empty where they are no repository."""
    root = Path(ordre.__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    try:
        said = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--exclude=*"],  # noqa: S607 - where it is on the PATH
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return said.stdout.strip()


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB, 1)
    except (OSError, ValueError):
        return None


def _sync_us(file: Path) -> float:
    """Return how many microseconds a page takes until it is safe."""
    times = []
    with file.open("wb") as written:
        for _ in range(_SYNCS):
            started = time.perf_counter()
            written.write(_PAGE)
            written.flush()
            os.fsync(written.fileno())
            times.append(time.perf_counter() - started)
    file.unlink()
    return round(median(times) * 1e6)
