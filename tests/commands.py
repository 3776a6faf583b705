"""Runs the command `ordre`, as an operator does, and the check of a proof, as an auditor does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from forked import run_forked


@contextmanager
def ending(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Kill what still runs at the end: a test that failed waits for nothing."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def run(*arguments: str, database: str | None = None, status: int = 0, **variables: str) -> str:
    """Run it to its end, with these variables; return what it prints, errors with it where it is to fail with ``status``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDRE_")} | variables
    if database is not None:
        environment["ORDRE_DATABASE"] = database
    done = run_forked(arguments, environment)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + (done.stderr if status else "")


def run_json(*arguments: str, database: str | None = None) -> Any:
    """Run it with `--json`; return what that says."""
    return json.loads(run(*arguments, "--json", database=database))


def line(stream: IO[str] | None) -> dict[str, Any]:
    """The next line of JSON that a running process says."""
    assert stream is not None
    found: dict[str, Any] = json.loads(stream.readline())
    return found


CHECKER = Path(__file__).parents[1] / "examples" / "verify_order.py"


def proven(*files: Path) -> tuple[int, str]:
    """Check a proof without Ordre, with keys, and perhaps with kept roots; return the status and what is said."""
    done = subprocess.run([sys.executable, "-I", str(CHECKER), *map(str, files)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout
