"""How the command ends where what it prints is not read, and where it is typed wrong."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from commands import run, run_json
from service import ORDRE

pytestmark = pytest.mark.slow

ACCOUNT = "T12345678"
NOBODY_READS = 141


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> str:
    database = f"sqlite:///{tmp_path_factory.mktemp('command') / 'o.sqlite'}"
    run("migrate", database=database)
    run("account", "create", ACCOUNT, "--name", "Shop", database=database)
    return database


@contextmanager
def unread() -> Iterator[int]:
    """The end of a pipe to write to, whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        yield writer
    finally:
        os.close(writer)


def said_unread(database: str, *command: str) -> tuple[int, str]:
    """Run a command whose output nobody reads; return how it ends and what it says."""
    environment = {**os.environ, "ORDRE_DATABASE": database, "ORDRE_BACKUP_PASSPHRASE": "of the tests"}
    with unread() as output:
        done = subprocess.run(
            [ORDRE, *command], env=environment, stdout=output, stderr=subprocess.PIPE, text=True, check=False, timeout=60
        )
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", [("openapi",), ("account", "list", "--json"), ("verify", "--empty-ok"), ("verify",)])
def test_output_that_nobody_reads_ends_the_command_silently(stored: str, command: tuple[str, ...]) -> None:
    status, said = said_unread(stored, *command)
    assert status == NOBODY_READS
    assert said in ("", "ordre: nothing was verified: there are no orders; add --empty-ok if that is as it should be\n")


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["at the end", "line by line"])
@pytest.mark.parametrize("command", [("openapi",), ("account", "list", "--json"), ("--version",), ("settings",)])
def test_output_that_cannot_be_written_is_said_in_a_sentence(stored: str, command: tuple[str, ...], unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [ORDRE, *command],
            env={**os.environ, "ORDRE_DATABASE": stored, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (1, "ordre: cannot write to standard output: No space left on device\n")


def test_a_backup_to_a_pipe_that_nobody_reads_ends_silently(stored: str) -> None:
    assert said_unread(stored, "backup", "-") == (NOBODY_READS, "")


def test_what_was_restored_stays_where_nobody_reads_that_it_was(
    stored: str, tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("backup", "o.backup", "--without-keys", database=stored)
    restored = "sqlite:///restored.sqlite"
    assert said_unread(restored, "restore", "o.backup", "--without-keys") == (NOBODY_READS, "")
    assert [one["account_id"] for one in run_json("account", "list", database=restored)] == [ACCOUNT]


def test_a_reader_that_takes_one_line_gets_it(stored: str) -> None:
    script = f"set -o pipefail; {ORDRE} openapi | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env={**os.environ})
    assert (done.stdout, done.stderr) == ("{\n", "")
    assert done.returncode in (0, NOBODY_READS), "the reader may go after the last byte"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("nosuch",), 'Unknown command "nosuch"; see --help'),
        (("vrify",), 'Unknown command "vrify". Did you mean "verify"?; see --help'),
        (("order", "nosuch"), 'Unknown command "nosuch". Available commands: list, show, history; see --help'),
        (("account", "create", ACCOUNT), "`ordre account create` needs --name; see --help"),
        (("completion",), "`ordre completion` needs SHELL; see --help"),
        (("client", "list"), "`ordre client list` needs --account-id; see --help"),
        (
            ("client", "rotate", ACCOUNT, "x", "--grace", "1d5"),
            "Invalid value for --grace: '1d5' is not a duration, such as 90m, 24h or 7d; see --help",
        ),
    ],
)
def test_a_wrong_command_line_is_said_in_whole_sentences(command: tuple[str, ...], said: str) -> None:
    assert run(*command, status=2) == f"ordre: {said}\n"


def test_a_name_on_two_lines_is_one_row_of_a_table(stored: str) -> None:
    run("account", "update", ACCOUNT, "--name", "Shop\n\nof two lines", database=stored)
    assert len(run("account", "list", database=stored).splitlines()) == 2
