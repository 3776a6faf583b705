"""A real browser, headless: Chromium from a package, so that a machine needs none, driven by Playwright."""

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from node import NODE, environment, npm

PACKAGE = Path(__file__).parent / "chromium"
CACHE = Path(__file__).parents[1] / ".cache"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
"""It runs as root too, and where shared memory is small."""
UNPACKS_LIBRARIES = {"AWS_EXECUTION_ENV": "AWS_Lambda_nodejs22.x"}
"""The package unpacks the libraries that it brings only where it takes the machine for one of these."""


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser until the end of the block."""
    program = _program()
    libraries = {} if _starts(program) else {"LD_LIBRARY_PATH": str(program.parent / "al2023" / "lib")}
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=program, args=FLAGS, env={**os.environ, **libraries})
        yield made
        made.close()


def _program() -> Path:
    """The browser, installed and unpacked once for each state of the lock, whichever process comes first."""
    lock = (PACKAGE / "package-lock.json").read_bytes()
    folder = CACHE / f"chromium-{sha256(lock).hexdigest()[:12]}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "chromium.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        program = folder / "unpacked" / "chromium"
        if not program.exists():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(PACKAGE, folder)
            npm(folder, "ci", "--no-audit", "--no-fund")
            unpacked = folder / "unpacking"
            unpacked.mkdir()
            settings = environment(TMPDIR=str(unpacked), **UNPACKS_LIBRARIES)
            subprocess.run([NODE, "unpack.mjs"], cwd=folder, env=settings, check=True, capture_output=True)
            unpacked.rename(folder / "unpacked")
        return program


def _starts(program: Path) -> bool:
    return subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
