"""Runs the command `ordre`, as an operator does."""

import json
import os
import subprocess
from typing import Any

from service import ORDRE


def run(*arguments: str, database: str | None = None, status: int = 0) -> str:
    """Run it to its end; return what it prints, errors with it where it is to fail with ``status``."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDRE_")}
    if database is not None:
        environment["ORDRE_DATABASE"] = database
    done = subprocess.run([ORDRE, *arguments], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + (done.stderr if status else "")


def run_json(*arguments: str, database: str | None = None) -> Any:
    """Run it with `--json`; return what that says."""
    return json.loads(run(*arguments, "--json", database=database))
