"""Runs the command `ordre` in a process that is forked off one which has imported it: as the command runs, but for its start.

The tests run it hundreds of times, and start hundreds of servers; most of what that takes is Python's imports. What `ordre` is on
the PATH, and how it starts, is tested with the installed script: test_scripts.py, test_wheel.py, test_command.py, test_serving.py
and test_crash.py.
"""

import atexit
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from multiprocessing import forkserver, reduction
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import IO, Any

MOST_SECONDS = 120
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["preloaded"])


class Forked:
    """The command in a process of its own that goes on: as much of `subprocess.Popen` as the tests use.

    ``error`` is where it says what goes wrong: a file descriptor, or `subprocess.PIPE` to read it here. ``before`` is Python that
    runs in the process first.
    """

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], error: int = subprocess.DEVNULL, before: str = ""
    ) -> None:
        self.args = ["ordre", *arguments]
        self.stderr: IO[str] | None = None
        nothing, written = os.open(os.devnull, os.O_RDWR), -1
        if error == subprocess.PIPE:
            read, written = os.pipe()
            self.stderr = os.fdopen(read, encoding="utf-8")
        error = {subprocess.PIPE: written, subprocess.DEVNULL: nothing}.get(error, error)
        self._process = _started(arguments, environment, (nothing, nothing, error), before)
        for number in {nothing, written} - {-1}:
            os.close(number)

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[None, str]:
        """Read what it says until it has ended, and with it all who inherited where it says it."""
        if self.stderr is None:
            self.wait(timeout)
            return None, ""
        pool = ThreadPoolExecutor(1)
        try:
            said = pool.submit(self.stderr.read).result(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(self.args, timeout or 0) from None
        finally:
            pool.shutdown(wait=False)
        self.stderr.close()
        self.wait(timeout)
        return None, said

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run_forked(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run it to its end with nothing to read; return its status and what it prints."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        nothing = os.open(os.devnull, os.O_RDONLY)
        process = _started(arguments, environment, (nothing, out.fileno(), error.fileno()))
        os.close(nothing)
        process.join(MOST_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["ordre", *arguments], MOST_SECONDS)
        printed, said = (_read(file) for file in (out, error))
        return subprocess.CompletedProcess(["ordre", *arguments], process.exitcode, printed, said)


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


class _Inherited:
    """A file descriptor that goes along to the process, which gets it as a number of its own."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        return _detached, (reduction.DupFd(self._number),)


def _detached(handle: Any) -> int:
    number: int = handle.detach()
    return number


@cache
def _prepare() -> None:
    """Start what others are forked off. It looks for what it imports where its environment says, not where this process does."""
    outer = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    try:
        forkserver.ensure_running()
    finally:
        del os.environ["PYTHONPATH"]
        if outer is not None:
            os.environ["PYTHONPATH"] = outer


def _started(
    arguments: Sequence[str], environment: Mapping[str, str], files: tuple[int, int, int], before: str = ""
) -> ForkServerProcess:
    _prepare()
    umask = os.umask(0o077)
    os.umask(umask)
    inherited = [_Inherited(number) for number in files]
    process = _FORKS.Process(target=_command, args=(list(arguments), dict(environment), Path.cwd(), umask, inherited, before))
    process.start()
    return process


def _command(arguments: list[str], environment: dict[str, str], folder: Path, umask: int, files: list[int], before: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    os.umask(umask)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = io.TextIOWrapper(io.FileIO(0), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(io.FileIO(1, "w"), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(io.FileIO(2, "w"), encoding="utf-8", line_buffering=True)
    sys.argv = ["ordre", *arguments]
    if "preloaded" not in sys.modules:  # Python goes on without a word, and each process would import everything anew
        raise ImportError("what the processes are forked off could not import tests/preloaded.py")
    os.cpu_count = lambda: 1  # else verifying starts as many processes, each of which imports everything anew
    if before:
        exec(before, {})  # noqa: S102 - it is ours
    from ordre.__main__ import main  # noqa: PLC0415 - imported where it was forked off

    main()


@atexit.register
def _end_all() -> None:
    """Leave no server behind that a test did not stop: Python would wait for it."""
    for process in multiprocessing.active_children():
        process.kill()
