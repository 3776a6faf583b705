"""`ordre backup` and `ordre restore`."""

import asyncio
import contextlib
import getpass
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, BinaryIO

from cyclopts import Parameter

from ordre.backup.file import BadBackup, Root, whole_file
from ordre.backup.restore import Restored, Wishes
from ordre.backup.restore import restore as restore_from
from ordre.backup.write import Written, back_up
from ordre.cli.notices import console, progress
from ordre.cli.options import By, Database, Json, Switch, now, settings_with, system_user
from ordre.cli.output import counted, print_fields
from ordre.settings import BACKUP_VARIABLE, BadSetting, Settings

_STANDARD = "-"

File = Annotated[str, Parameter(allow_leading_hyphen=True)]


def backup(
    file: File,
    *,
    passphrase_file: Path | None = None,
    without_keys: Switch = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Write everything that the database holds at one instant to a file, while servers go on.

    The file is compressed, readable by its owner alone, and takes its name only when it is whole. Personal data is not encrypted.

    Args:
        file: The file, such as orders.backup; - writes to standard output.
        passphrase_file: The file whose first line is the passphrase; else it is ORDRE_BACKUP_PASSPHRASE, or is asked for.
        without_keys: Leave out the private keys that sign tokens, instead of encrypting them. No passphrase is needed.
    """
    settings = settings_with(database=database)
    passphrase = None if without_keys else _passphrase(passphrase_file, is_new=True)
    with _progress(quiet=json) as told, _failures(file), _output(file) as output:
        written = asyncio.run(back_up(settings, output, now(), passphrase, lambda done, of: told("Backing up", done, of)))
    if file == _STANDARD:
        console().print(_sentence(written.rows), highlight=False)
    else:
        print_fields(_fields_of(file, written, json=json), json=json)


def restore(
    file: File,
    *,
    passphrase_file: Path | None = None,
    without_keys: Switch = False,
    check: Switch = False,
    allow_differences: Switch = False,
    by: By = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """Write a backup into an empty database, of either engine, and prove that it holds the same: all of it, or nothing.

    A backup of an older version is migrated. On PostgreSQL, run `ordre migrate --grant` for the role that serves afterwards.

    Args:
        file: The file that `ordre backup` wrote; - reads from standard input.
        passphrase_file: The file whose first line is the passphrase; else it is ORDRE_BACKUP_PASSPHRASE, or is asked for.
        without_keys: Restore only the public halves of the keys that sign tokens: no passphrase is needed, a new key is made.
        check: Restore into a temporary SQLite file, which is removed again, to see whether the backup is good.
        allow_differences: Restore even if the database that was backed up differed from what had been written to it.
    """
    settings = settings_with(database=database)
    wishes = Wishes(
        passphrase=None if without_keys else lambda: _passphrase(passphrase_file, is_new=False), differences=allow_differences
    )
    with _progress(quiet=json) as told, _failures(file), _target(settings, check=check) as target, _input(file) as content:
        restored = asyncio.run(restore_from(target, content, wishes, told, by or system_user()))
    print_fields(_fields_after(restored, check=check, json=json), json=json)


def _fields_of(file: str, written: Written, *, json: bool) -> dict[str, Any]:
    keys = "left out" if written.header.salt is None else "encrypted"
    fields = {"file": file, "bytes": Path(file).stat().st_size, "made_at": written.header.made_at, "keys": keys}
    return {**fields, **_counts(written.rows, written.roots, json=json)}


def _fields_after(restored: Restored, *, check: bool, json: bool) -> dict[str, Any]:
    what = "nothing: the backup is good" if check else "everything"
    fields = {
        "restored": what,
        "made_at": restored.header.made_at,
        "made_with": f"ordre {restored.header.ordre}, {restored.header.engine}",
    }
    counts = _counts(restored.rows, list(restored.roots), json=json)
    migrated = {"migrated": list(restored.migrated)} if restored.migrated or json else {}
    return {**fields, **migrated, **counts, "differences": restored.differing.places}


def _counts(rows: Mapping[str, int], roots: list[Root], *, json: bool) -> dict[str, Any]:
    if json:
        return {"rows": dict(rows), "roots": [{**root.content(), "signature": root.signature} for root in roots]}
    return {name: f"{rows[name]:,}" for name in ("accounts", "clients", "orders", "facts", "drafts")}


def _sentence(rows: Mapping[str, int]) -> str:
    return ", ".join(counted(rows[f"{noun}s"], noun) for noun in ("account", "order", "fact", "draft"))


def _passphrase(file: Path | None, *, is_new: bool) -> str:
    """Return the passphrase: never an argument, which everybody on the machine could read in the list of processes."""
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise BadSetting(f"--passphrase-file cannot be read: {error}") from error
        found = lines[0] if lines else ""
    elif BACKUP_VARIABLE in os.environ:
        found = os.environ[BACKUP_VARIABLE]
    elif sys.stdin.isatty():
        found = getpass.getpass("Passphrase of the backup: ")
        if is_new and getpass.getpass("The same again: ") != found:
            raise BadSetting("the two passphrases differ")
    else:
        raise BadSetting(
            f"the keys that sign tokens need a passphrase: give --passphrase-file, set {BACKUP_VARIABLE} or say --without-keys"
        )
    if not found:
        raise BadSetting("the passphrase is empty")
    return found


@contextlib.contextmanager
def _progress(*, quiet: bool) -> Iterator[Any]:
    """Show what is being done, on a terminal."""
    with progress(quiet=quiet) as shown:
        tasks: dict[str, Any] = {}

        def told(what: str, done: int, of: int) -> None:
            if what not in tasks:
                tasks[what] = shown.add_task(what, total=of)
            shown.update(tasks[what], completed=done, total=of)

        yield told


@contextlib.contextmanager
def _failures(file: str) -> Iterator[None]:
    """Say in a sentence why the file cannot be read or written."""
    try:
        yield
    except BrokenPipeError:  # of standard output: `main` sees to it
        raise
    except OSError as error:
        raise BadBackup(f"{file}: {error.strerror or error}") from error


@contextlib.contextmanager
def _output(file: str) -> Iterator[BinaryIO]:
    if file != _STANDARD:
        with whole_file(Path(file)) as output:
            yield output
        return
    if sys.stdout.isatty():
        raise BadSetting("a backup cannot be written to a terminal: name a file, or redirect standard output")
    with open(sys.stdout.fileno(), "wb", closefd=False) as output:
        yield output


@contextlib.contextmanager
def _input(file: str) -> Iterator[BinaryIO]:
    if file == _STANDARD:
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as content:
        yield content


@contextlib.contextmanager
def _target(settings: Settings, *, check: bool) -> Iterator[Settings]:
    """Yield the settings with the database that is written."""
    if not check:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="ordre-") as folder:
        yield replace(settings, database=f"sqlite:///{folder}/check.sqlite")
