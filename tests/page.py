"""The blocks of a page, run as the page prints them."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from service import ORDRE

DOCS = Path(__file__).parents[1] / "docs"
START_SECONDS = 60


def block_of(page: str, mark: str, names: Mapping[str, str] | None = None) -> str:
    """The block that is marked so, with names of this machine for the page's. The page is named as from `docs/`."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- executed by {re.escape(mark)} -->\n```\w+\n(.*?)```", text, flags=re.DOTALL)
    assert found is not None, mark
    block = found[1]
    for name, here in (names or {}).items():
        assert name in block, name
        block = block.replace(name, here)
    return block


def run_block(page: str, mark: str, folder: Path, names: Mapping[str, str], environment: Mapping[str, str] | None = None) -> str:
    """Run the block of a page that is marked so, in a folder, with names of this machine for the page's; return its output."""
    return run_shell(block_of(page, mark, names), folder, environment)


def run_shell(script: str, folder: Path, environment: Mapping[str, str] | None = None, *, status: int = 0) -> str:
    """Run lines of shell; return what they print, errors with it where they are to fail."""
    done = subprocess.run(_bash(script), capture_output=True, text=True, check=False, cwd=folder, env=_with_ordre(environment))
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + (done.stderr if status else "")


@contextmanager
def serving_block(
    page: str, mark: str, folder: Path, names: Mapping[str, str], environment: Mapping[str, str], url: str
) -> Iterator[None]:
    """Run the block, which ends with serving; go on once it answers at that URL, and interrupt it at the end."""
    command, own = _bash(block_of(page, mark, names)), _with_ordre(environment)
    with subprocess.Popen(command, cwd=folder, env=own, start_new_session=True, stdout=subprocess.DEVNULL) as running:
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(url):
                assert running.poll() is None, f"{page} {mark}: it ended"
                assert time.monotonic() < deadline, f"{page} {mark}: it does not serve"
                time.sleep(0.05)
            yield
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGINT)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def _bash(script: str) -> list[str]:
    bash = shutil.which("bash")
    assert bash is not None
    return [bash, "-euo", "pipefail", "-c", script]


def _with_ordre(environment: Mapping[str, str] | None) -> dict[str, str]:
    """The environment with the command `ordre` on the PATH, and without settings of whoever runs the tests.

    Servers are told that the PostgreSQL of the tests may lose everything.
    """
    given = environment or {}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORDRE_")}
    path = os.pathsep.join([str(Path(ORDRE).parent), given.get("PATH", ""), os.environ["PATH"]])
    return {**inherited, "ORDRE_UNSAFE_STORAGE": "allow", **given, "PATH": path}
