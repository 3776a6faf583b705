"""Runs the command `ordre` in a process that is forked off one which has imported it: as the command runs, but for its start.

The tests run it hundreds of times, and most of what it takes is Python's imports. What `ordre` is on the PATH, and how it starts,
is tested with the installed script: test_scripts.py, test_wheel.py and test_command.py.
"""

import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

MOST_SECONDS = 120
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["ordre.cli.main", "ordre.bootstrap"])


def run_forked(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end with nothing to read; return its status and what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        out, error = Path(folder, "out"), Path(folder, "err")
        process = _FORKS.Process(target=_command, args=(list(arguments), dict(environment), Path.cwd(), out, error))
        process.start()
        process.join(MOST_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["ordre", *arguments], MOST_SECONDS)
        printed, said = out.read_text(encoding="utf-8"), error.read_text(encoding="utf-8")
    return subprocess.CompletedProcess(["ordre", *arguments], process.exitcode, printed, said)


def _command(arguments: list[str], environment: dict[str, str], folder: Path, out: Path, error: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in enumerate((Path(os.devnull), out, error)):
        os.dup2(os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT, 0o600), number)
    sys.stdin = io.TextIOWrapper(io.FileIO(0), encoding="utf-8")
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.FileIO(number, "w"), encoding="utf-8") for number in (1, 2))
    sys.argv = ["ordre", *arguments]
    from ordre.__main__ import main  # noqa: PLC0415 - imported where it was forked off

    main()
